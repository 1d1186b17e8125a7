"""What is done by the clock: sweeps begun, drafts and orders followed, what was recorded let go, what is old pruned.

Whoever has the lead decides; others pass. It is a lease as a row, prolonged at each look and fenced by it: a process
that dies while it leads stops the others until its time is over, one that ends in good order does not.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from app.admin.hooks import list_live_hooks
from app.admin.sign_ins import list_unused
from app.admin.tenants import list_tenants
from app.admin.unused_grants import revoke_unused
from app.domain.reading import Reading
from app.domain.states import TenantState
from app.engine.inbox import is_any_unnamed, prune_keys
from app.engine.recorded import list_recorders, release_recorded
from app.engine.wakeup import wake_workers
from app.errors import ConflictError
from app.files.drop import drop_due
from app.monitoring.facts import CLOCK
from app.platform.db import Session, is_away, look_at_all
from app.platform.heartbeats import prune_beats
from app.platform.leases import Lead, claim_lead, record_office, release_lead
from app.platform.logger import get_logger, log_fields
from app.platform.months import create_months
from app.platform.resources import Resources
from app.retention.prune import prune_tenants
from app.sweep.sweeps import begin_sweep, is_due, list_last_sweeps
from app.tables import Tenant
from app.transfer.follow import begin_following

OFFICE = CLOCK
# A look may be late; who misses several has died.
_LOOKS = 3
_STARTED_BY = "schedule"
_REVOKE_EVERY_SECONDS = 3600

_log = get_logger(__name__)


async def run_schedule(resources: Resources, stop: asyncio.Event) -> None:
    """Look again and again whether something is due, until `stop` is set."""
    while not stop.is_set():
        try:
            await look_at_clock(resources)
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("database_away", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), resources.settings.schedule_seconds)
    await _leave(resources)


async def _leave(resources: Resources) -> None:
    """Let another process lead at once."""
    try:
        async with resources.sessions.begin() as session:
            await release_lead(session, resources.kept(Lead), OFFICE)
    except Exception as error:
        if not is_away(error):
            raise
        _log.warning("database_away", error=type(error).__name__)


async def look_at_clock(resources: Resources) -> bool:
    """Begin what is due; False when another process leads."""
    async with resources.sessions.begin() as session:
        await record_office(session, OFFICE)
    async with resources.sessions.begin() as session:
        seconds = _LOOKS * resources.settings.schedule_seconds
        if not await claim_lead(session, resources.kept(Lead), OFFICE, seconds=seconds):
            return False
        tenants = await list_tenants(session)
        await prune_keys(session, [tenant.id for tenant in tenants])
        await prune_beats(session)
        for tenant in tenants:
            with log_fields(tenant=str(tenant.id)):
                await _sweep_if_due(session, resources, tenant)
                await _follow_if_due(session, resources, tenant)
        look_at_all(session)
        recorders = await list_recorders(session)
    for tenant_id in recorders:
        await _release_confirmed(resources.of_tenant(tenant_id))
    await _drop_files(resources, tenants)
    wake_workers(resources)
    await _make_months(resources)
    await _revoke_if_due(resources)
    await _prune_if_due(resources)
    return True


async def _drop_files(resources: Resources, tenants: Sequence[Tenant]) -> None:
    """Put into the folder what is due; what the folder does not take is told, and tried again with the next look."""
    for tenant in tenants:
        if tenant.state != TenantState.ACTIVE:
            continue
        with log_fields(tenant=str(tenant.id)):
            await drop_due(resources.of_tenant(tenant.id).sessions, resources.settings, tenant.id)


async def _make_months(resources: Resources) -> None:
    try:
        made = await create_months(resources.sessions)
    except DBAPIError as error:
        if is_away(error):
            raise
        # Somebody holds the table; there are months ahead, and looks.
        _log.warning("months_not_made", error=type(error.orig).__name__)
    else:
        if made:
            _log.info("months_made", months=made)


async def _release_confirmed(resources: Resources) -> None:
    """Another process may have recorded for a moment longer than its hook was to record first."""
    async with resources.sessions() as session:
        confirmed = await list_live_hooks(session)
    await release_recorded(resources.sessions, confirmed)


@dataclass(slots=True)
class LastPrune:
    """When this process pruned last, by its own clock; a new one prunes at once: cheap where others have."""

    moment: float = -math.inf


@dataclass(slots=True)
class LastRevocation:
    """When this process looked for unused grants last, by its own clock."""

    moment: float = -math.inf


async def _revoke_if_due(resources: Resources) -> None:
    last = resources.kept(LastRevocation)
    if time.monotonic() - last.moment >= _REVOKE_EVERY_SECONDS:
        last.moment = time.monotonic()
        async with resources.sessions() as session:
            look_at_all(session)
            unused = await list_unused(session)
        await revoke_unused(resources, unused)


async def _prune_if_due(resources: Resources) -> None:
    hours, last = resources.settings.prune_hours, resources.kept(LastPrune)
    if hours and time.monotonic() - last.moment >= hours * 3600:
        last.moment = time.monotonic()
        for one in await prune_tenants(resources.sessions, dry_run=False, actor=_STARTED_BY):
            _log.info("pruned", tenant_name=one.tenant, what=one.what, rows=one.rows)


async def _is_asked_for(session: Session, resources: Resources, tenant: Tenant) -> bool:
    """Whether a webhook said that something has changed, but not what."""
    hours = resources.settings.recman_unnamed_sweep_hours
    if not hours or not await is_due(session, tenant.id, hours=hours):
        return False
    last = await list_last_sweeps(session, [tenant.id])
    return bool(last) and await is_any_unnamed(session, tenant_id=tenant.id, since=last[0].started_at)


async def _follow_if_due(session: Session, resources: Resources, tenant: Tenant) -> None:
    minutes = resources.settings.follow_minutes
    if minutes and tenant.state == TenantState.ACTIVE:
        await begin_following(session, tenant_id=tenant.id, minutes=minutes)


async def _sweep_if_due(session: Session, resources: Resources, tenant: Tenant) -> None:
    chosen = Reading.model_validate(tenant.reading).sweep_hours
    hours = resources.settings.recman_sweep_hours if chosen is None else chosen
    if not hours or tenant.state != TenantState.ACTIVE or tenant.recman_reads != "api":
        return
    if await is_due(session, tenant.id, hours=hours) or await _is_asked_for(session, resources, tenant):
        # Somebody may have begun one by hand in between.
        with suppress(ConflictError):
            sweep = await begin_sweep(session, tenant, started_by=_STARTED_BY)
            _log.info("sweep_begun", sweep=sweep.id)
