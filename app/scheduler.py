"""What is done by the clock: sweeps that are due are begun, drafts and orders followed, what was recorded let go.

Whoever holds the advisory lock decides; others pass. The lock lasts as long as one look, so a process that dies while
it leads stops nobody.
"""

import asyncio
from contextlib import suppress

from sqlalchemy import text

from app.admin.hooks import list_live_hooks
from app.admin.tenants import list_tenants
from app.domain.reading import Reading
from app.domain.states import TenantState
from app.engine.inbox import is_any_unnamed
from app.engine.recorded import release_recorded
from app.engine.wakeup import wake_workers
from app.errors import ConflictError
from app.platform.db import Session, is_away
from app.platform.logger import get_logger, log_fields
from app.platform.resources import Resources
from app.sweep.sweeps import begin_sweep, is_due, list_last_sweeps
from app.tables import Tenant
from app.transfer.follow import begin_following

# Any number that no other user of the same database server takes: "RecMan", and one more.
_LOCK = 0x5265634D616F
_STARTED_BY = "schedule"

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


async def look_at_clock(resources: Resources) -> bool:
    """Begin what is due; False when another process is looking right now."""
    async with resources.sessions.begin() as session:
        leads = (await session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK})).scalar_one()
        if not leads:
            return False
        for tenant in await list_tenants(session):
            with log_fields(tenant=str(tenant.id)):
                await _sweep_if_due(session, resources, tenant)
                await _follow_if_due(session, resources, tenant)
        confirmed = await list_live_hooks(session)
    # Another process may have recorded for a moment longer than its hook was to record first.
    await release_recorded(resources.sessions, confirmed)
    wake_workers(resources)
    return True


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
