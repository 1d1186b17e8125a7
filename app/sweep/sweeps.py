"""Sweeps and backfills: begun, how far they are, ended. The only owner of the table `sweep`.

Each is a lane like any record, so a worker takes it, and takes it over from a dead one; it stands where it was.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError

from app.domain.reading import SWEPT_SCOPES
from app.domain.reasons.codes import Code, Reason
from app.domain.states import SweepState
from app.engine.inbox import accept_work
from app.errors import ConflictError, NotFoundError, RequestError
from app.platform.db import Session, load_now, locked
from app.platform.paging import at_most, older_than
from app.tables import Sweep, Tenant

# The lane's scope.
SCOPE = "sweep"

Kind = Literal["sweep", "backfill"]


def source_of(sweep: Sweep) -> str:
    """How the events of a sweep are told from others."""
    return f"{sweep.kind}:{sweep.id}"


async def begin_sweep(session: Session, tenant: Tenant, *, started_by: str) -> Sweep:
    """A sweep of all scopes that a worker takes up as soon as the caller commits.

    Raises:
        ConflictError: one is running, or the tenant has no RecMan API key.
    """
    return await _begin(session, tenant, kind="sweep", scope=SWEPT_SCOPES[0], wanted={}, started_by=started_by)


async def begin_backfill(  # noqa: PLR0913 - the parts of one order
    session: Session,
    tenant: Tenant,
    *,
    dated_from: date,
    dated_to: date,
    dry_run: bool,
    started_by: str,
    confirm: int | None = None,
) -> Sweep:
    """A backfill of the documents of these days, both included, that a worker takes up when the caller commits.

    `confirm` is the id of the dry run whose list passes the go-live day.

    Raises:
        RequestError: the last day is before the first one; or what is to be confirmed is no dry run of these days.
        ConflictError: one is running, or the tenant has no RecMan API key.
    """
    if dated_to < dated_from:
        fix = "Give them the other way round."
        raise RequestError("The last day is before the first one", fix=fix, code=Code.DAYS_REVERSED)
    wanted: dict[str, Any] = {"dated_from": dated_from.isoformat(), "dated_to": dated_to.isoformat()}
    if confirm is not None:
        await _require_preview(session, tenant, confirm, wanted, dry_run=dry_run)
    wanted |= {"dry_run": dry_run} | ({} if confirm is None else {"confirm": confirm})
    return await _begin(session, tenant, kind="backfill", scope="invoice", wanted=wanted, started_by=started_by)


async def _require_preview(
    session: Session, tenant: Tenant, preview_id: int, days: Mapping[str, Any], *, dry_run: bool
) -> None:
    query = select(Sweep).where(Sweep.id == preview_id, Sweep.tenant_id == tenant.id, Sweep.state == SweepState.DONE)
    preview = (await session.scalars(query)).one_or_none()
    if dry_run or preview is None or preview.wanted != {**days, "dry_run": True}:
        cause = f"{preview_id} is no finished dry run of these days that could be confirmed"
        fix = (
            "Begin a dry run of the same days, look at its list (GET /v1/recman/sweeps/{id}/documents), confirm its id."
        )
        raise RequestError(cause, fix=fix, code=Code.PREVIEW_UNKNOWN)


async def _begin(
    session: Session, tenant: Tenant, *, kind: Kind, scope: str, wanted: Mapping[str, Any], started_by: str
) -> Sweep:
    if tenant.recman_reads != "api":
        fix = "Enter a RecMan API key for the tenant (PATCH /v1/tenants/{id})."
        raise ConflictError("There is no RecMan API key to read with", fix=fix, code=Code.NO_RECMAN_API_KEY)
    values = {"tenant_id": tenant.id, "kind": kind, "scope": scope, "wanted": dict(wanted), "started_by": started_by}
    try:
        async with session.begin_nested():
            sweep = (await session.scalars(insert(Sweep).values(values).returning(Sweep))).one()
    except IntegrityError as error:
        fix = "Wait for its end, or cancel it: GET /v1/recman/sweeps."
        raise ConflictError(f"A {kind} of this tenant is running", fix=fix, code=Code.SWEEP_RUNNING) from error
    await accept_work(session, tenant_id=tenant.id, scope=SCOPE, work_id=sweep.id, source=source_of(sweep))
    return sweep


async def load_sweep(session: Session, sweep_id: int, *, lock: bool = False) -> Sweep:
    """The sweep or backfill.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(Sweep).where(Sweep.id == sweep_id)
    sweep = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if sweep is None:
        raise NotFoundError(f"There is no sweep {sweep_id}", fix="Take an id from GET /v1/recman/sweeps.")
    return sweep


async def list_sweeps(
    session: Session, *, tenant_id: UUID | None, before_id: int | None = None, limit: int
) -> Sequence[Sweep]:
    """Sweeps and backfills, newest first; of one tenant, or all."""
    query = select(Sweep).order_by(Sweep.started_at.desc(), Sweep.id.desc()).limit(at_most(limit))
    if tenant_id is not None:
        query = query.where(Sweep.tenant_id == tenant_id)
    return (await session.scalars(query.where(*older_than(Sweep.started_at, before_id)))).all()


async def list_last_sweeps(session: Session, tenant_ids: Sequence[UUID]) -> Sequence[Sweep]:
    """The newest sweep of each of these tenants that had one."""
    query = select(Sweep).where(Sweep.tenant_id.in_(tenant_ids), Sweep.kind == "sweep")
    newest = query.ext(distinct_on(Sweep.tenant_id)).order_by(Sweep.tenant_id, Sweep.started_at.desc(), Sweep.id.desc())
    return (await session.scalars(newest)).all()


async def list_running(session: Session, tenant_id: UUID) -> Sequence[Sweep]:
    """The tenant's sweep and backfill that run now."""
    return (
        await session.scalars(select(Sweep).where(Sweep.tenant_id == tenant_id, Sweep.state == SweepState.RUNNING))
    ).all()


async def has_swept(session: Session, tenant_id: UUID) -> bool:
    """Whether a sweep of the tenant ever came to its end."""
    done = select(Sweep.id).where(Sweep.tenant_id == tenant_id, Sweep.kind == "sweep", Sweep.state == SweepState.DONE)
    return (await session.scalars(done.limit(1))).one_or_none() is not None


async def is_due(session: Session, tenant_id: UUID, *, hours: float) -> bool:
    """Whether the last sweep began longer ago than this, or there was none; one that still runs began just now."""
    recent = Sweep.started_at > func.now() - timedelta(hours=hours)
    query = select(Sweep.id).where(
        Sweep.tenant_id == tenant_id, Sweep.kind == "sweep", recent | (Sweep.state == SweepState.RUNNING)
    )
    return (await session.scalars(query.limit(1))).one_or_none() is None


async def record_trouble(session: Session, sweep_id: int, reason: Reason, *, failed: bool) -> None:
    """Show why it does not go on, and whether it ever will."""
    sweep = await load_sweep(session, sweep_id, lock=True)
    sweep.trouble = {"code": reason.code, "cause": reason.cause, "fix": reason.fix}
    if failed:
        await end_sweep(session, sweep, state=SweepState.FAILED)


async def end_sweep(session: Session, sweep: Sweep, *, state: SweepState) -> None:
    """Write down that it is over.

    Raises:
        ConflictError: it was over before.
    """
    if sweep.state != SweepState.RUNNING:
        raise ConflictError(f"It is {sweep.state} already", fix="Nothing to do.", code=Code.SWEEP_OVER)
    sweep.state, sweep.ended_at = state, await load_now(session)
    if state is SweepState.DONE:
        sweep.trouble = None
    await session.flush()


def select_old_sweeps(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Sweeps and backfills that ended long ago; the newest of each kind stays."""
    newest = select(func.max(Sweep.id)).where(Sweep.tenant_id == tenant_id).group_by(Sweep.kind)
    old = Sweep.tenant_id == tenant_id, Sweep.ended_at < before
    return select(Sweep.id).where(*old, Sweep.id.not_in(newest))


async def prune_sweeps(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these sweeps go, with what they listed."""
    gone = delete(Sweep).where(Sweep.tenant_id == tenant_id, Sweep.id.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})
