"""What is missing before this installation can do its work: each finding with cause and fix."""

from app.accounting.connections import discover
from app.cli.fitting import check_installation, check_settings
from app.domain.findings import Finding, stops_nothing
from app.errors import ServiceError
from app.platform.crypto import Vault
from app.platform.db import check_schema, create_engine, create_sessions, translate_away
from app.platform.http import new_client
from app.platform.resources import open_resources
from app.platform.standing import explained, load_standing
from app.reading.quota import load_midnight
from app.settings import Settings, mask_url


async def examine(settings: Settings, url: str) -> list[Finding]:
    """Every check in order, none stopped by another's failure."""
    encryption, database = _check_encryption(settings), await _check_database(settings, url)
    found = [
        encryption,
        database,
        # Whoever has no database is told so once.
        *([await _check_day_zone(settings, url)] if database.ok else []),
        *check_settings(settings),
        _check_client(settings),
        await _check_identity_server(settings),
    ]
    # Without these two nothing can be known of the rest.
    return found + (await _check_installation(settings, url) if stops_nothing([encryption, database]) else [])


async def _check_installation(settings: Settings, url: str) -> list[Finding]:
    async with open_resources(settings, database_url=url) as resources:
        try:
            return await check_installation(resources)
        except ServiceError as error:
            return [Finding("installation", ok=False, cause=error.cause, fix=error.fix)]


def _check_encryption(settings: Settings) -> Finding:
    what = "encryption key"
    if settings.encryption_keys is None:
        fix = "Make one with `recman-unimicro doctor --new-key` and set RMU_ENCRYPTION_KEYS."
        return Finding(what, ok=False, cause="RMU_ENCRYPTION_KEYS is not set", fix=fix)
    try:
        Vault(settings.encryption_keys.get_secret_value())
    except ServiceError as error:
        return Finding(what, ok=False, cause=error.cause, fix=error.fix)
    return Finding(what, ok=True, cause="usable")


async def _check_database(settings: Settings, url: str) -> Finding:
    engine = create_engine(url, pool_size=1, pooled=settings.database_pooled)
    try:
        found = await load_standing(settings, url, serves=True, works=True)
        async with explained(url):
            await check_schema(engine)
    except ServiceError as error:
        return Finding("database", ok=False, cause=f"{mask_url(url)}: {error.cause}", fix=error.fix)
    finally:
        await engine.dispose()
    return Finding("database", ok=True, cause=f"{mask_url(url)}: {found.sentence}; schema current")


async def _check_day_zone(settings: Settings, url: str) -> Finding:
    what, zone = "RecMan's day", settings.recman_day_zone
    engine = create_engine(url, pool_size=1, pooled=settings.database_pooled)
    try:
        async with translate_away(), create_sessions(engine)() as session:
            standing = await load_midnight(session, zone=zone)
    except ServiceError as error:
        return Finding(what, ok=False, cause=error.cause, fix=error.fix)
    finally:
        await engine.dispose()
    return Finding(what, ok=True, cause=f"ends at {standing.isoformat(sep=' ', timespec='minutes')} ({zone})")


def _check_client(settings: Settings) -> Finding:
    what = "Unimicro client"
    if not settings.unimicro_client_id:
        fix = "Register a web application in Unimicro's developer portal; set RMU_UNIMICRO_CLIENT_ID and …_SECRET."
        return Finding(what, ok=False, cause="client id is not set", fix=fix)
    kind = "" if settings.unimicro_client_secret.get_secret_value() else " (a public client: no secret is set)"
    cause = f"{settings.unimicro_client_id}{kind}; sign-in returns to {settings.redirect_uri}"
    return Finding(what, ok=True, cause=cause)


async def _check_identity_server(settings: Settings) -> Finding:
    what = "Unimicro sign-in"
    async with new_client() as http:
        try:
            await discover(http, settings.unimicro_issuer)
        except ServiceError as error:
            fix = "Check RMU_UNIMICRO_ISSUER and the way out of this network."
            return Finding(what, ok=False, cause=f"{settings.unimicro_issuer}: {error.cause}", fix=fix)
    return Finding(what, ok=True, cause=f"{settings.unimicro_issuer} answers")
