"""What has been kept for long enough goes: of one tenant after the other, each table by its owner."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from app.admin.audit import Change, prune_changes, record_change, select_old_changes
from app.admin.customer_checks import prune_checks, select_old_checks
from app.admin.kept_answers import prune_answers, select_old_answers
from app.admin.tenants import list_tenants
from app.clerk.jobs import prune_jobs, select_old_jobs
from app.domain.retention import Cuts, Retention, to_cuts, wait_for_months
from app.engine.retention import (
    EVENT_IS_NEEDED,
    prune_bodies,
    prune_copies,
    prune_events,
    select_copies,
    select_old_bodies,
    select_old_events,
)
from app.files.exports import prune_exports, select_old_exports
from app.platform.db import Session, Sessions, load_now
from app.platform.months import Dropped, drop_months
from app.platform.pruning import Due, count_due, prune_due
from app.reading.quota import prune_days, select_old_days
from app.reading.retention import keep_newest_copies
from app.sweep.sweeps import prune_sweeps, select_old_sweeps
from app.tables import Tenant
from app.transfer.retention import (
    ATTEMPT_IS_NEEDED,
    prune_documents,
    prune_exchanges,
    select_old_documents,
    select_old_exchanges,
)

_Prune = Callable[[Session, UUID, Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows of a kind went, or would go, of one tenant."""

    tenant: str
    what: str
    rows: int


async def prune_tenants(sessions: Sessions, *, dry_run: bool, actor: str) -> list[Pruned]:
    """What went of every tenant (or would go: `dry_run`), kinds without rows left out.

    What is interrupted is gone on with the next time. What a prune took is in the tenant's audit trail.
    """
    async with sessions() as session:
        tenants, now = await list_tenants(session), await load_now(session)
    pruned: list[Pruned] = []
    every = wait_for_months({one.id: to_cuts(Retention.model_validate(one.retention), now) for one in tenants})
    dropped = [] if dry_run else await _drop_months(sessions, list(every.values()))
    for tenant in tenants:
        found = [
            Pruned(tenant=tenant.name, what=f"rows of {one.name}", rows=one.rows[tenant.id])
            for one in dropped
            if tenant.id in one.rows
        ]
        found += await _prune(sessions, tenant, list_due(tenant, every[tenant.id]), dry_run=dry_run)
        if found and not dry_run:
            await _tell(sessions, tenant, found, actor=actor)
        pruned += found
    return pruned


async def _drop_months(sessions: Sessions, every: Sequence[Cuts]) -> list[Dropped]:
    """Months that the most patient tenant does not keep any more, and in which nothing is needed."""
    if not every:
        return []
    events = await drop_months(sessions, "event", before=min(cuts.events for cuts in every), kept_while=EVENT_IS_NEEDED)
    attempts = await drop_months(
        sessions, "attempt", before=min(cuts.documents for cuts in every), kept_while=ATTEMPT_IS_NEEDED
    )
    return events + attempts


def list_due(tenant: Tenant, cuts: Cuts) -> list[Due]:
    """Everything of a tenant that ends some time, in an order in which nothing refers to what is gone."""
    of, is_told = tenant.id, tenant.recman_reads == "payload"
    keep = keep_newest_copies(of, cuts.bodies) if is_told else None
    found: list[tuple[str, Any, _Prune]] = [
        ("webhook bodies", select_old_bodies(of, cuts.bodies), partial(prune_bodies, keep=keep)),
        *([] if is_told else [("copies put aside", select_copies(of), prune_copies)]),
        ("exchanges with Unimicro", select_old_exchanges(of, cuts.exchanges), prune_exchanges),
        ("ended hints", select_old_events(of, cuts.hints), prune_events),
        ("answers to requests with an Idempotency-Key", select_old_answers(of), prune_answers),
        ("sweeps", select_old_sweeps(of, cuts.events), prune_sweeps),
        ("customer checks", select_old_checks(of, cuts.events), prune_checks),
        ("days of calls to RecMan", select_old_days(of, cuts.events), prune_days),
        ("jobs", select_old_jobs(of, cuts.documents), prune_jobs),
        ("files of exports", select_old_exports(of, cuts.documents), prune_exports),
        ("documents", select_old_documents(of, cuts.documents), prune_documents),
        ("changes in the audit trail", select_old_changes(of, cuts.documents), prune_changes),
    ]
    return [Due(tenant_id=of, what=what, find=find, act=act) for what, find, act in found]


async def _prune(sessions: Sessions, tenant: Tenant, due: Sequence[Due], *, dry_run: bool) -> list[Pruned]:
    found = []
    for one in due:
        if dry_run:
            async with sessions() as session:
                rows = await count_due(session, one)
        else:
            rows = await prune_due(sessions, one)
        if rows:
            found.append(Pruned(tenant=tenant.name, what=one.what, rows=rows))
    return found


async def _tell(sessions: Sessions, tenant: Tenant, pruned: Sequence[Pruned], *, actor: str) -> None:
    after = {one.what: one.rows for one in pruned}
    change = Change(actor=actor, action="tenant.prune", subject=f"tenant:{tenant.id}", tenant_id=tenant.id, after=after)
    async with sessions.begin() as session:
        await record_change(session, change)
