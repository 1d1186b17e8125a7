"""What an operator does now and then from the command line: seal secrets anew, verify the audit trail."""

from app.audit import find_broken_row
from app.db import create_engine, create_sessions, translate_away
from app.hooks import reseal_hooks
from app.keys import reseal_keys
from app.resources import open_resources
from app.settings import Settings
from app.sign_ins import reseal_sign_ins
from app.tenants import reseal_tenants


async def rotate_secrets(settings: Settings, url: str) -> dict[str, int]:
    """How many secrets of each kind were sealed with the newest encryption key, all in one transaction.

    Raises:
        SecretUnreadableError: one cannot be opened with any of the keys; nothing was changed.
        DatabaseAwayError: Postgres does not answer.
    """
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources, resources.sessions.begin() as session:
        return {
            "tenants": await reseal_tenants(session, resources.vault),
            "hooks": await reseal_hooks(session, resources.vault),
            "keys": await reseal_keys(session, resources.vault),
            "sign-ins": await reseal_sign_ins(session, resources.vault),
        }


async def verify_audit(url: str) -> tuple[int, int | None]:
    """How many rows of the audit trail fit, and the id of the first that does not (None: all do).

    Raises:
        DatabaseAwayError: Postgres does not answer.
    """
    engine = create_engine(url, pool_size=1)
    try:
        async with translate_away(), create_sessions(engine)() as session:
            return await find_broken_row(session)
    finally:
        await engine.dispose()
