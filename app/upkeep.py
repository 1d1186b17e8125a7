"""What an operator does now and then from the command line: seal secrets anew, verify the audit, check customers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.audit import Change, find_broken_row, record_change
from app.checks import begin_check, load_findings, load_last_check
from app.db import Session, create_engine, create_sessions, translate_away
from app.errors import ConflictError, NotFoundError
from app.hooks import reseal_hooks
from app.keys import list_keys, reseal_keys
from app.resources import open_resources
from app.settings import Settings
from app.sign_ins import reseal_sign_ins
from app.tables import CustomerCheck, Key
from app.tenants import find_tenant, reseal_tenants
from app.transfer.customer_report import ReportHead
from app.transfer.run_check import Progress, describe_check, run_check

_ACTOR = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEnd:
    """A customer check that is over, with every row of it."""

    check: CustomerCheck
    head: ReportHead
    rows: list[dict[str, Any]]


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


async def check_customers(
    settings: Settings, url: str, *, key: str, tenant: str | None, tell: Callable[[Progress], None]
) -> CheckEnd:
    """A customer check of the key of this name, from beginning to end.

    Raises:
        NotFoundError: there is no such tenant, or no such key.
        ConflictError: several tenants have a key of this name, or a check of it is running.
        DatabaseAwayError: Postgres does not answer.
    """
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources:
        async with resources.sessions.begin() as session:
            found = await _find_key(session, key=key, tenant=tenant)
            check = await begin_check(session, found, actor=_ACTOR)
            await record_change(session, _beginning(found, check))
        async for progress in run_check(resources, found, check.id):
            tell(progress)
        async with resources.sessions() as session:
            ended = await load_last_check(session, found)
            rows = await load_findings(session, ended)
        return CheckEnd(check=ended, head=describe_check(found, ended), rows=rows)


def _beginning(key: Key, check: CustomerCheck) -> Change:
    return Change(
        actor=_ACTOR,
        action="customer_check.start",
        subject=f"key:{key.id}",
        tenant_id=key.tenant_id,
        after={"check": check.id},
    )


async def _find_key(session: Session, *, key: str, tenant: str | None) -> Key:
    owner = None if tenant is None else await find_tenant(session, tenant)
    if tenant is not None and owner is None:
        raise NotFoundError(f"There is no tenant “{tenant}”", fix="Give one of GET /v1/tenants.")
    keys = await list_keys(session, tenant_id=None if owner is None else owner.id)
    found = [one for one in keys if one.name == key]
    if not found:
        listed = ", ".join(dict.fromkeys(one.name for one in keys)) or "none"
        raise NotFoundError(f"There is no key “{key}”", fix=f"There are: {listed}.")
    if len(found) > 1:
        raise ConflictError(f"Several tenants have a key “{key}”", fix="Name the tenant with --tenant.")
    return found[0]
