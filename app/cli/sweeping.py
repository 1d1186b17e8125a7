"""A sweep or a backfill from the command line: read to its end, or until it waits for something that takes long.

What it waits for is said. It is a row that any worker goes on with, so whoever has ended may look again, or begin the
same command, which goes on where it was.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.admin.audit import Change, record_change
from app.cli.upkeep import COMMAND_LINE, load_named_tenant
from app.domain.states import SweepState, TenantState
from app.engine.claims import find_pause
from app.errors import ConflictError
from app.platform.db import Session, create_engine, create_sessions, translate_away
from app.platform.resources import Resources, open_resources
from app.settings import Settings
from app.sweep.listed import count_before_go_live, list_listed
from app.sweep.sweeps import SCOPE, begin_backfill, begin_sweep, list_running, load_sweep
from app.tables import ListedDocument, Sweep, Tenant
from app.worker import run_worker

# A pause that is longer ends the command: somebody sits before it.
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is; `pause`: for how many seconds it does nothing now, `until` when, by this machine's clock."""

    sweep: Sweep
    pause: float = 0.0

    @property
    def until(self) -> datetime:
        """When it goes on."""
        return datetime.now(UTC) + timedelta(seconds=self.pause)

    @property
    def waits_long(self) -> bool:
        """Whether nobody should sit and wait for it."""
        return self.sweep.state == SweepState.RUNNING and self.pause > _PATIENCE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days of a backfill, both included; a dry run only lists, `confirm` is the id of one whose list is meant."""

    dated_from: date
    dated_to: date
    dry_run: bool
    confirm: int | None = None

    @property
    def wanted(self) -> dict[str, Any]:
        """The same as a sweep's row has it."""
        return {
            "dated_from": self.dated_from.isoformat(),
            "dated_to": self.dated_to.isoformat(),
            "dry_run": self.dry_run,
            **({} if self.confirm is None else {"confirm": self.confirm}),
        }


async def sweep_recman(
    settings: Settings, url: str, *, tenant: str | None, days: Days | None, tell: Callable[[Progress], None]
) -> Progress:
    """A sweep, or a backfill of some days, read to its end; records that were passed on are carried by any worker.

    It is not over where what it waits for takes long (`waits_long`): any worker goes on with it.

    One that is running already and means the same is gone on with, also when whoever began it was killed.

    Raises:
        NotFoundError: there is no such tenant, or several and none was named.
        ConflictError: one that means something else is running, the tenant is paused, or has no RecMan API key.
        DatabaseAwayError: Postgres does not answer.
    """
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources:
        async with resources.sessions.begin() as session:
            sweep = await _begin_sweep(session, await load_named_tenant(session, tenant), days)
        progress, stop = Progress(sweep), asyncio.Event()
        worker = asyncio.create_task(run_worker(resources, stop))
        try:
            while progress.sweep.state == SweepState.RUNNING and not progress.waits_long and not worker.done():
                await asyncio.wait({worker}, timeout=settings.poll_seconds)
                progress = await _look(resources, sweep)
                tell(progress)
        finally:
            stop.set()
            await worker
        return progress


async def _look(resources: Resources, sweep: Sweep) -> Progress:
    async with resources.of_tenant(sweep.tenant_id).sessions() as session:
        pause = await find_pause(session, tenant_id=sweep.tenant_id, scope=SCOPE, record_id=str(sweep.id))
        return Progress(await load_sweep(session, sweep.id), pause or 0.0)


async def _begin_sweep(session: Session, tenant: Tenant, days: Days | None) -> Sweep:
    if tenant.state == TenantState.PAUSED:
        fix = "Resume it first: PATCH /v1/tenants/{id} with state `active`."
        raise ConflictError(f"Tenant “{tenant.name}” is paused, so nothing of it is read", fix=fix)
    kind = "sweep" if days is None else "backfill"
    wanted = {} if days is None else days.wanted
    running = [one for one in await list_running(session, tenant.id) if one.kind == kind]
    if running and running[0].wanted == wanted:
        return running[0]
    if days is None:
        sweep = await begin_sweep(session, tenant, started_by=COMMAND_LINE)
    else:
        sweep = await begin_backfill(
            session,
            tenant,
            dated_from=days.dated_from,
            dated_to=days.dated_to,
            dry_run=days.dry_run,
            confirm=days.confirm,
            started_by=COMMAND_LINE,
        )
    await record_change(
        session,
        Change(
            actor=COMMAND_LINE,
            action=f"recman.{kind}",
            subject=f"sweep:{sweep.id}",
            tenant_id=tenant.id,
            after={"sweep": sweep.id, **wanted},
        ),
    )
    return sweep


async def list_preview(url: str, sweep: Sweep, *, most: int, pooled: bool) -> tuple[int, Sequence[ListedDocument]]:
    """How many of a dry run's documents are dated before a go-live day, and the first documents of its list.

    Raises:
        DatabaseAwayError: Postgres does not answer.
    """
    engine = create_engine(url, pool_size=1, pooled=pooled)
    try:
        async with translate_away(), create_sessions(engine)() as session:
            return await count_before_go_live(session, sweep), await list_listed(session, sweep, limit=most)
    finally:
        await engine.dispose()
