"""Whether settings fit each other, and what this installation has: the parts of `doctor` that need no other system."""

import os
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.domain.findings import Finding
from app.domain.states import KeyState, Proof
from app.errors import ServiceError
from app.monitoring.facts import Facts, TenantFacts, load_facts
from app.monitoring.health import Part, Trouble, judge
from app.monitoring.readiness import verify_secrets
from app.platform.db import translate_away
from app.platform.resources import Resources
from app.settings import Settings, list_strangers
from app.tables import Key

_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def check_settings(settings: Settings) -> list[Finding]:
    """What does not go together, and what is set and nobody reads; one finding that all fits where it does."""
    found = [*_check_api_base(settings), *_check_public_url(settings), *_check_folder(settings), *_check_strangers()]
    return found or [Finding("settings", ok=True, cause="fit each other")]


def _check_api_base(settings: Settings) -> Iterator[Finding]:
    what = "Unimicro API"
    parts = urlsplit(settings.unimicro_api_base)
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        cause = f"RMU_UNIMICRO_API_BASE ({settings.unimicro_api_base}) is not encrypted"
        yield Finding(what, ok=False, cause=cause, fix="Name an address that begins with https://.")
    if parts.netloc.lower() not in settings.allowed_hosts:
        cause = (
            f"RMU_UNIMICRO_API_BASE is at {parts.netloc or 'no host'}, which RMU_UNIMICRO_ALLOWED_HOSTS does not name"
        )
        yield Finding(
            what, ok=False, cause=cause, fix="Add the host there, or correct the base: no sign-in would be kept."
        )


def _check_public_url(settings: Settings) -> Iterator[Finding]:
    what, parts = "public address", urlsplit(settings.public_url)
    if not parts.hostname:
        fix = "Name the address under which people and RecMan reach this service, like https://sync.example.com."
        yield Finding(what, ok=False, cause=f"RMU_PUBLIC_URL ({settings.public_url}) is no address", fix=fix)
    elif parts.scheme != "https" and not _is_local(parts.hostname):
        cause = f"RMU_PUBLIC_URL ({settings.public_url}) is not encrypted: webhooks' addresses are secrets"
        yield Finding(what, ok=False, cause=cause, fix="Put a proxy with TLS in front, and name its https:// address.")
    elif _is_local(parts.hostname) and not _is_local(settings.host):
        cause = f"RMU_HOST ({settings.host}) lets others in, but RMU_PUBLIC_URL ({settings.public_url}) is this machine"
        fix = "Name the address under which people and RecMan reach this service."
        yield Finding(what, ok=True, cause=cause, fix=fix)


def _check_folder(settings: Settings) -> Iterator[Finding]:
    mode, folder = settings.data_dir_open, settings.data_dir.resolve()
    if settings.database_url is None and mode is not None:
        cause = f"RMU_DATA_DIR ({folder}) has mode {mode:o}: others of this machine may look into it"
        yield Finding("data folder", ok=True, cause=cause, fix=f"`chmod 700 {folder}`, unless others need it.")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        # By these names nothing is reached on the internet (RFC 6761).
        return host in _LOCAL or host.endswith((".localhost", ".test"))


def _check_strangers() -> Iterator[Finding]:
    for one in list_strangers(os.environ):
        meant = f" Is {one.meant} meant?" if one.meant else ""
        fix = f"Correct it or take it away; `recman-unimicro settings` lists all.{meant}"
        yield Finding("settings", ok=True, cause=f"{one.variable} is no setting of ours: nobody reads it", fix=fix)


async def check_installation(resources: Resources) -> list[Finding]:
    """What there is, and what is the matter with it: secrets, workers, tenants, keys.

    Raises:
        DatabaseAwayError: Postgres does not answer.
    """
    async with translate_away():
        secrets = await _check_secrets(resources)
        async with resources.sessions() as session:
            facts = await load_facts(session, resources.settings, tenant_id=None)
    troubles = judge(facts).troubles
    found = [secrets, *_tell_workers(facts, troubles), *_tell_tenants(facts)]
    found += [_tell_key(key, resources.settings) for one in facts.tenants for key in one.keys if _is_well(key)]
    told = (one for one in troubles if one.part not in {Part.WORKERS, Part.CLOCK})
    return found + [Finding(one.part.value, ok=False, cause=one.cause, fix=one.fix, code=one.code) for one in told]


async def _check_secrets(resources: Resources) -> Finding:
    try:
        await verify_secrets(resources)
    except ServiceError as error:
        return Finding("secrets", ok=False, cause=error.cause, fix=error.fix)
    return Finding("secrets", ok=True, cause="can be read with the present encryption keys")


def _tell_workers(facts: Facts, troubles: Sequence[Trouble]) -> Iterator[Finding]:
    for one in troubles:
        if one.part in {Part.WORKERS, Part.CLOCK}:
            # Whoever looks before a first start has none, and need not have one.
            yield Finding("workers", ok=True, cause=one.cause, fix=one.fix)
            return
    working = [f"{life.role} {life.place} ({life.version})" for life in facts.lives if life.works]
    yield Finding("workers", ok=True, cause=", ".join(working))


def _tell_tenants(facts: Facts) -> Iterator[Finding]:
    if not facts.tenants:
        yield Finding("tenants", ok=True, cause="there is none", fix="Make one: POST /v1/tenants.")
    for one in facts.tenants:
        yield Finding(f"tenant {one.tenant.name}", ok=True, cause=_describe(one), fix=_advise(one))


def _describe(one: TenantFacts) -> str:
    reads = "RecMan's API" if one.tenant.recman_reads == "api" else "webhooks"
    heard = [hook.heard_at for hook in one.hooks if hook.heard_at is not None]
    last = f", the last delivery at {max(heard):%Y-%m-%d %H:%M} UTC" if heard else ""
    return (
        f"{one.tenant.state}; records from {reads}; {len(one.keys)} keys, {len(one.hooks)} hooks{last}; "
        f"{one.lanes_waiting} records wait"
    )


def _advise(one: TenantFacts) -> str:
    if not one.is_active:
        return "Paused: nothing of it is sent until somebody resumes it (PATCH /v1/tenants/{tenant_id})."
    if not one.keys:
        return "Sign in to Unimicro and make a key: POST /v1/keys/connect."
    return "" if one.hooks or one.sweep_hours else "Make a hook: POST /v1/hooks."


def _is_well(key: Key) -> bool:
    return key.state != KeyState.SIGN_IN_AGAIN and key.proof != Proof.STOPPED


def _tell_key(key: Key, settings: Settings) -> Finding:
    what, host = f"key {key.name}", urlsplit(key.api_base).netloc.lower()
    if host and host not in settings.allowed_hosts:
        cause = f"its company is reached at {host}, which RMU_UNIMICRO_ALLOWED_HOSTS does not name"
        fix = "Add the host if it belongs to Unimicro: the next refresh of its token would be refused."
        return Finding(what, ok=False, cause=cause, fix=fix)
    cause = f"{key.company_name}; {key.state}, {key.proof}; mode {key.mode}, booking {key.booking}, from {key.go_live}"
    if key.state == KeyState.PAUSED:
        return Finding(what, ok=True, cause=cause, fix="Resume it: PATCH /v1/keys/{key_id} with state `active`.")
    return Finding(what, ok=True, cause=cause)
