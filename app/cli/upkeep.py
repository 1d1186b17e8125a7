"""What an operator does now and then from the command line.

Seal secrets again, verify the audit, check customers, probe RecMan, prune, erase.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.admin.audit import ChainCheck, Change, check_chains, record_change
from app.admin.customer_checks import begin_check, load_findings, load_last_check
from app.admin.hooks import reseal_hooks
from app.admin.key_check import check_key
from app.admin.keys import list_keys, reseal_keys
from app.admin.sign_ins import reseal_sign_ins
from app.admin.tenants import list_tenants, reseal_tenants
from app.clerk.customers.report import ReportHead
from app.clerk.customers.run import Progress, describe_check, run_check
from app.domain.findings import Finding as KeyFinding
from app.errors import ConflictError, NotFoundError
from app.platform.db import Session, create_engine, create_sessions, look_at_all, translate_away
from app.platform.logger import log_fields
from app.platform.resources import open_resources
from app.retention.erase import Erased, erase_record
from app.retention.prune import Pruned, prune_tenants
from app.settings import Settings
from app.sweep.probe import Finding, probe_account
from app.tables import CustomerCheck, Key, Tenant

COMMAND_LINE = "command line"


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
        look_at_all(session)
        return {
            "tenants": await reseal_tenants(session, resources.vault),
            "hooks": await reseal_hooks(session, resources.vault),
            "keys": await reseal_keys(session, resources.vault),
            "sign-ins": await reseal_sign_ins(session, resources.vault),
        }


async def verify_audit(url: str, *, pooled: bool) -> list[ChainCheck]:
    """How far each chain of the audit trail fits, as of one moment.

    Raises:
        DatabaseAwayError: Postgres does not answer.
    """
    engine = create_engine(url, pool_size=1, pooled=pooled)
    one_moment = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        async with translate_away(), create_sessions(one_moment)() as session:
            return await check_chains(session)
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
            found = await load_named_key(session, key=key, tenant=tenant)
            check = await begin_check(session, found, actor=COMMAND_LINE)
            await record_change(session, _beginning(found, check))
        with log_fields(tenant=str(found.tenant_id)):
            async for progress in run_check(resources, found, check.id):
                tell(progress)
        async with resources.of_tenant(found.tenant_id).sessions() as session:
            ended = await load_last_check(session, found)
            rows = await load_findings(session, ended)
        return CheckEnd(check=ended, head=describe_check(found, ended), rows=rows)


async def check_named_key(settings: Settings, url: str, *, key: str, tenant: str | None) -> list[KeyFinding]:
    """What a check of the key of this name finds: what would stop or falsify its first invoice.

    Raises:
        NotFoundError: there is no such tenant, or no such key.
        ConflictError: several tenants have a key of this name.
        DatabaseAwayError: Postgres does not answer.
    """
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources:
        async with resources.sessions() as session:
            found = await load_named_key(session, key=key, tenant=tenant)
        with log_fields(tenant=str(found.tenant_id)):
            return await check_key(resources, found)


def _beginning(key: Key, check: CustomerCheck) -> Change:
    return Change(
        actor=COMMAND_LINE,
        action="customer_check.start",
        subject=f"key:{key.id}",
        tenant_id=key.tenant_id,
        after={"check": check.id},
    )


async def load_named_key(session: Session, *, key: str, tenant: str | None) -> Key:
    """The key of this name.

    Raises:
        NotFoundError: there is no such tenant, or no such key.
        ConflictError: several tenants have a key of this name.
    """
    look_at_all(session)
    owner = None if tenant is None else await load_named_tenant(session, tenant)
    keys = await list_keys(session, tenant_id=None if owner is None else owner.id)
    found = [one for one in keys if one.name == key]
    if not found:
        listed = ", ".join(dict.fromkeys(one.name for one in keys)) or "none"
        raise NotFoundError(f"There is no key “{key}”", fix=f"There are: {listed}.")
    if len(found) > 1:
        raise ConflictError(f"Several tenants have a key “{key}”", fix="Name the tenant with --tenant.")
    return found[0]


async def probe_recman(settings: Settings, url: str, *, tenant: str | None) -> list[Finding]:
    """What a probe of the tenant's RecMan found.

    Raises:
        NotFoundError: there is no such tenant, or several and none was named.
        ConflictError: the tenant has no RecMan API key.
        RemoteError: RecMan could not be read.
        DatabaseAwayError: Postgres does not answer.
    """
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources:
        async with resources.sessions.begin() as session:
            found = await load_named_tenant(session, tenant)
            change = Change(actor=COMMAND_LINE, action="recman.probe", subject=f"tenant:{found.id}", tenant_id=found.id)
            await record_change(session, change)
        with log_fields(tenant=str(found.id)):
            return await probe_account(resources, found)


async def prune(url: str, *, dry_run: bool, pooled: bool) -> list[Pruned]:
    """What went of every tenant, or would go.

    Raises:
        DatabaseAwayError: Postgres does not answer.
    """
    engine = create_engine(url, pool_size=1, pooled=pooled)
    try:
        async with translate_away():
            return await prune_tenants(create_sessions(engine), dry_run=dry_run, actor=COMMAND_LINE)
    finally:
        await engine.dispose()


async def erase(url: str, *, scope: str, record_id: str, tenant: str | None, pooled: bool) -> Erased:
    """What went of a record.

    Raises:
        NotFoundError: nothing is known of the record; there is no such tenant, or several and none was named.
        ConflictError: something of it is not settled.
        DatabaseAwayError: Postgres does not answer.
    """
    engine = create_engine(url, pool_size=1, pooled=pooled)
    try:
        async with translate_away(), create_sessions(engine).begin() as session:
            found = await load_named_tenant(session, tenant)
            return await erase_record(session, found, scope=scope, record_id=record_id, actor=COMMAND_LINE)
    finally:
        await engine.dispose()


async def load_named_tenant(session: Session, name: str | None) -> Tenant:
    """The tenant of this name, or the only one there is."""
    tenants = await list_tenants(session)
    if not tenants:
        raise NotFoundError("There is no tenant yet", fix="Make one: POST /v1/tenants.")
    found = [one for one in tenants if name in (None, one.name)]
    if len(found) != 1:
        listed = ", ".join(one.name for one in tenants) or "none"
        cause = f"There is no tenant “{name}”" if name is not None else "Which tenant is meant?"
        raise NotFoundError(cause, fix=f"Name one with --tenant. There are: {listed}.")
    return found[0]
