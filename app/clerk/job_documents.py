"""The documents of a job: how each was found, what came of it. The only owner of the table `job_document`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.clerk.dry_run import DryRun
from app.domain.states import EventState
from app.engine.inbox import record_withdrawn
from app.engine.lanes import list_wished, lock_free, wake_emptied
from app.platform.db import Session
from app.platform.paging import at_most
from app.tables import Event, Job, JobDocument, Transfer
from app.transfer.log import show_reasons
from app.transfer.retry import Before, retry, undo_retries

CANCELLED = "cancelled"
_NOT_DONE = "not done: the job was cancelled before it was looked at"
# So many are withdrawn at a time.
_PAGE = 500
# A document is found by its tenant's index: an operator's session names none.
_IS_OF = and_(Transfer.tenant_id == JobDocument.tenant_id, Transfer.id == JobDocument.transfer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDocumentRow:
    """One document of a job as it is shown; `outcome` also where the job itself has not heard of it yet."""

    transfer_id: int
    number: str
    state_before: str
    preview: str | None
    preview_reasons: Sequence[Mapping[str, str]]
    outcome: str | None
    note: str | None
    ended_at: datetime | None


def source_of(job_id: UUID) -> str:
    """How the events of a job are told from others."""
    return f"job:{job_id}"


def _own(job: Job) -> tuple[ColumnElement[bool], ...]:
    return JobDocument.tenant_id == job.tenant_id, JobDocument.job_id == job.id


def _is_open(job: Job) -> tuple[ColumnElement[bool], ...]:
    """Taken up, and not known to have ended."""
    return *_own(job), JobDocument.event_id.is_not(None), JobDocument.outcome.is_(None)


async def record_preview(session: Session, job: Job, transfer: Transfer, told: DryRun) -> None:
    """What a dry run said of a document before anything was done; told once."""
    row = _show(job, transfer) | {"preview": told.outcome, "preview_reasons": show_reasons(told.reasons)}
    await session.execute(upsert(JobDocument).values(row).on_conflict_do_nothing())


async def take_up(session: Session, job: Job, page: Sequence[Transfer]) -> None:
    """Look at these documents again, on behalf of the job."""
    before = await _load_before(session, job, page)
    # In the order in which webhooks take lanes too, so that the two cannot wait for each other.
    for transfer in sorted(page, key=lambda one: one.record_id):
        row = _show(job, transfer) | before.get(transfer.id, {})
        row["event_id"] = await retry(session, transfer, source=source_of(job.id))
        query = upsert(JobDocument).values(row)
        changes = {name: row[name] for name in ("event_id", "state_before", "reasons_before")}
        await session.execute(
            query.on_conflict_do_update(index_elements=["tenant_id", "job_id", "transfer_id"], set_=changes)
        )


async def _load_before(session: Session, job: Job, page: Sequence[Transfer]) -> dict[int, dict[str, Any]]:
    """How documents stood that another job has taken up and nobody has looked at yet: before both jobs."""
    query = select(JobDocument).join(Event, Event.id == JobDocument.event_id)
    query = query.where(
        JobDocument.tenant_id == job.tenant_id,
        JobDocument.transfer_id.in_([one.id for one in page]),
        JobDocument.outcome.is_(None),
        Event.tenant_id == job.tenant_id,
        Event.state == EventState.WAITING,
    )
    rows = (await session.scalars(query)).all()
    return {one.transfer_id: {"state_before": one.state_before, "reasons_before": one.reasons_before} for one in rows}


def _show(job: Job, transfer: Transfer) -> dict[str, Any]:
    place = {"tenant_id": job.tenant_id, "job_id": job.id, "transfer_id": transfer.id}
    return place | {"state_before": transfer.state, "reasons_before": list(transfer.reasons)}


async def list_previewed(session: Session, job: Job, *, after_id: int, limit: int) -> Sequence[Transfer]:
    """The documents that a preview has shown, in the order of their ids."""
    query = select(Transfer).join(JobDocument, _IS_OF)
    query = query.where(*_own(job), Transfer.tenant_id == job.tenant_id, Transfer.id > after_id)
    return (await session.scalars(query.order_by(Transfer.id).limit(at_most(limit)))).all()


async def record_outcomes(session: Session, job: Job) -> None:
    """Note what came of documents that have ended since; of one whose newer hint took it along, where it stands."""
    ended = (
        select(Event.id, Event.note, Event.ended_at, _outcome_of().label("outcome"))
        .join(JobDocument, JobDocument.event_id == Event.id)
        .join(Transfer, _IS_OF)
        .where(*_is_open(job), Event.tenant_id == job.tenant_id, Event.state != EventState.WAITING)
        .subquery()
    )
    values = {"outcome": ended.c.outcome, "note": ended.c.note, "ended_at": ended.c.ended_at}
    query = update(JobDocument).where(*_own(job), JobDocument.event_id == ended.c.id).values(values)
    await session.execute(query, execution_options={"synchronize_session": False})


def _outcome_of() -> ColumnElement[str]:
    return case((Event.state == EventState.SUPERSEDED, Transfer.state), else_=Event.state)


async def find_open_record(session: Session, job: Job) -> str | None:
    """RecMan's id of the document that was taken up last of those which have not ended; None: all have."""
    query = select(Transfer.record_id).join(JobDocument, _IS_OF)
    query = query.where(*_is_open(job), Transfer.tenant_id == job.tenant_id)
    found: str | None = await session.scalar(query.order_by(JobDocument.event_id.desc()).limit(1))
    return found


async def withdraw(session: Session, job: Job, *, pages: int) -> None:
    """Leave what nobody has looked at yet as it was before, page by page; what is under way is not touched."""
    last_id = 0
    for _ in range(pages):
        query = select(JobDocument).where(*_is_open(job), JobDocument.event_id > last_id)
        rows = (await session.scalars(query.order_by(JobDocument.event_id).limit(_PAGE))).all()
        if not rows:
            return
        last_id = rows[-1].event_id or 0
        await _withdraw_page(session, job, {row.event_id: row for row in rows if row.event_id is not None})


async def _withdraw_page(session: Session, job: Job, rows: Mapping[int, JobDocument]) -> None:
    free = await lock_free(session, tenant_id=job.tenant_id, event_ids=list(rows))
    # What somebody else wants looked at goes on for him; only this job's hint is taken back.
    wished = await list_wished(session, tenant_id=job.tenant_id, event_ids=free)
    alone = [rows[one] for one in free if one not in wished]
    undone = await undo_retries(
        session, {row.transfer_id: Before(row.state_before, row.reasons_before) for row in alone}
    )
    withdrawn = [one for one in free if one in wished or rows[one].transfer_id in undone]
    if not withdrawn:
        return
    await record_withdrawn(session, tenant_id=job.tenant_id, event_ids=withdrawn, note=_NOT_DONE)
    await wake_emptied(session, tenant_id=job.tenant_id, event_ids=withdrawn)
    await _record_cancelled(session, job, withdrawn)


async def _record_cancelled(session: Session, job: Job, event_ids: Sequence[int]) -> None:
    ended = {"outcome": CANCELLED, "note": _NOT_DONE, "ended_at": func.now()}
    query = update(JobDocument).where(*_own(job), JobDocument.event_id.in_(event_ids)).values(ended)
    await session.execute(query, execution_options={"synchronize_session": False})


async def count_outcomes(session: Session, job: Job) -> dict[str, int]:
    """What became of the documents that were taken up, as far as they have come by now."""
    outcome = func.coalesce(JobDocument.outcome, _outcome_of(), EventState.WAITING.value)
    query = _with_events(select(outcome, func.count()), job).where(*_own(job), JobDocument.event_id.is_not(None))
    return {row[0]: row[1] for row in (await session.execute(query.group_by(outcome))).all()}


async def count_previews(session: Session, job: Job) -> dict[str, int]:
    """How many documents each outcome of the dry run has."""
    shown = (*_own(job), JobDocument.preview.is_not(None))
    query = select(JobDocument.preview, func.count()).where(*shown).group_by(JobDocument.preview)
    return {str(row[0]): row[1] for row in (await session.execute(query)).all()}


def _with_events(query: Any, job: Job) -> Any:
    joined = query.select_from(JobDocument).join(Transfer, _IS_OF)
    return joined.outerjoin(Event, and_(Event.tenant_id == job.tenant_id, Event.id == JobDocument.event_id))


async def list_job_documents(session: Session, job: Job, *, after_id: int, limit: int) -> list[JobDocumentRow]:
    """The job's documents in the order of their ids, from `after_id` on."""
    outcome = func.coalesce(JobDocument.outcome, _outcome_of())
    query = _with_events(select(JobDocument, Transfer.number, outcome.label("outcome")), job)
    query = (
        query.where(*_own(job), JobDocument.transfer_id > after_id)
        .order_by(JobDocument.transfer_id)
        .limit(at_most(limit))
    )
    return [
        JobDocumentRow(
            transfer_id=row.JobDocument.transfer_id,
            number=row.number,
            state_before=row.JobDocument.state_before,
            preview=row.JobDocument.preview,
            preview_reasons=row.JobDocument.preview_reasons,
            outcome=row.outcome,
            note=row.JobDocument.note,
            ended_at=row.JobDocument.ended_at,
        )
        for row in await session.execute(query)
    ]
