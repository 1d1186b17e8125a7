"""Jobs: many documents looked at again, as one piece of work. The only owner of the table `job`.

A job is a lane like any record, so a worker takes it, and takes it over from a dead one; it stands where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, update

from app.clerk.job_documents import find_open_record, source_of, withdraw
from app.domain.reasons.codes import Code, Reason
from app.domain.states import JobKind, JobState
from app.engine.inbox import accept_work
from app.engine.lanes import wake_record
from app.errors import ConflictError, NotFoundError
from app.platform.db import Session, load_now, locked
from app.platform.paging import at_most, older_than
from app.tables import Job
from app.transfer.log import show_reasons

SCOPE = "job"
_OVER = frozenset({JobState.DONE, JobState.CANCELLED, JobState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be made; a replay has a name and a reason, and begins with its preview."""

    wanted: Mapping[str, Any]
    total: int
    made_by: str
    kind: JobKind = JobKind.SEND
    name: str | None = None
    reason: str | None = None


async def create_job(session: Session, tenant_id: UUID, new: NewJob) -> Job:
    """A job that a worker takes up as soon as the caller commits."""
    state = JobState.PREVIEWING if new.kind is JobKind.REPLAY else JobState.RUNNING
    values = {"tenant_id": tenant_id, "wanted": dict(new.wanted), "total": new.total, "made_by": new.made_by}
    values |= {"kind": new.kind, "name": new.name, "reason": new.reason, "state": state}
    job = (await session.scalars(insert(Job).values(values).returning(Job))).one()
    await _let_work(session, job)
    return job


async def _let_work(session: Session, job: Job) -> None:
    await accept_work(session, tenant_id=job.tenant_id, scope=SCOPE, work_id=job.id, source=source_of(job.id))


async def load_job(session: Session, job_id: UUID, *, lock: bool = False) -> Job:
    """The job.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(Job).where(Job.id == job_id)
    job = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if job is None:
        raise NotFoundError(f"There is no job {job_id}", fix="Take an id from GET /v1/jobs.")
    return job


async def list_jobs(session: Session, *, tenant_id: UUID | None, before_id: UUID | None, limit: int) -> Sequence[Job]:
    """Jobs, newest first; of one tenant, or all. `before_id` continues a listing."""
    query = select(Job).where(*older_than(Job.made_at, before_id))
    query = query.order_by(Job.made_at.desc(), Job.id.desc()).limit(at_most(limit))
    if tenant_id is not None:
        query = query.where(Job.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def record_start(session: Session, job: Job, *, actor: str) -> None:
    """Do what the preview has shown, of the documents that it has shown; the caller has locked the job.

    Raises:
        ConflictError: it is not at its preview.
    """
    if job.state != JobState.PREVIEWED:
        fix = "Wait for the preview, or look what became of the job (GET /v1/jobs/{job_id})."
        raise ConflictError(f"The job is {job.state}", fix=fix, code=Code.JOB_NOT_PREVIEWED)
    job.state, job.last_id, job.started_by, job.started_at = JobState.RUNNING, 0, actor, await load_now(session)
    await session.flush()
    await _let_work(session, job)


async def record_cancel(session: Session, job: Job, *, actor: str) -> None:
    """Take up no more documents, and leave those as they were that nobody has looked at yet.

    What is under way ends, and the job with it. The caller has locked the job.

    Raises:
        ConflictError: the job is over, or being cancelled already.
    """
    if job.state in _OVER or job.state == JobState.CANCELLING:
        raise ConflictError(f"The job is {job.state} already", fix="Nothing to do.", code=Code.JOB_OVER)
    job.cancelled_by, job.cancelled_at = actor, await load_now(session)
    job.state = JobState.CANCELLING
    await session.flush()
    await withdraw(session, job, pages=1)
    if await find_open_record(session, job) is None:
        await end_job(session, job, state=JobState.CANCELLED)
    await wake_record(session, tenant_id=job.tenant_id, scope=SCOPE, record_id=str(job.id))


async def end_job(session: Session, job: Job, *, state: JobState) -> None:
    """Write down that the job is over."""
    job.state, job.ended_at, job.trouble = state, await load_now(session), None
    await session.flush()


async def end_preview(session: Session, job: Job) -> None:
    """Write down that every document was looked at; now a person says whether it is to be done."""
    job.state, job.trouble = JobState.PREVIEWED, None
    await session.flush()


async def record_job_trouble(session: Session, job_id: UUID, reason: Reason, *, failed: bool) -> None:
    """Show why the job itself waits; `failed`: it was tried for too long, and is over."""
    (shown,) = show_reasons([reason])
    ended = {"state": JobState.FAILED, "ended_at": func.now()} if failed else {}
    query = update(Job).where(Job.id == job_id, Job.state.not_in(_OVER)).values(trouble=shown, **ended)
    await session.execute(query, execution_options={"synchronize_session": False})


def select_old_jobs(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Jobs that ended in years that no law keeps."""
    return select(Job.id).where(Job.tenant_id == tenant_id, Job.ended_at < before)


async def prune_jobs(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these jobs go, with their documents."""
    gone = delete(Job).where(Job.tenant_id == tenant_id, Job.id.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})
