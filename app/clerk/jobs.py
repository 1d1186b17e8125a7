"""Jobs: many documents looked at again, as one piece of work. The only owner of the table `job`.

A job is a lane like any record, so a worker takes it, and takes it over from a dead one; it stands where it was.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text

from app.domain.reasons.codes import Code
from app.domain.states import JobState
from app.engine.inbox import accept_work
from app.errors import ConflictError, NotFoundError
from app.platform.db import Session, load_now, locked
from app.tables import Event, Job

SCOPE = "job"


def source_of(job_id: UUID) -> str:
    """How the events of a job are told from others."""
    return f"job:{job_id}"


async def create_job(session: Session, *, tenant_id: UUID, wanted: Mapping[str, Any], total: int, made_by: str) -> Job:
    """A job that a worker takes up as soon as the caller commits."""
    values = {"tenant_id": tenant_id, "wanted": dict(wanted), "total": total, "made_by": made_by}
    job = (await session.scalars(insert(Job).values(values).returning(Job))).one()
    await accept_work(session, tenant_id=tenant_id, scope=SCOPE, work_id=job.id, source=source_of(job.id))
    return job


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


async def list_jobs(session: Session, *, tenant_id: UUID | None, limit: int) -> Sequence[Job]:
    """Jobs, newest first; of one tenant, or all."""
    query = select(Job).order_by(Job.made_at.desc(), Job.id).limit(limit)
    if tenant_id is not None:
        query = query.where(Job.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def cancel_job(session: Session, job: Job) -> None:
    """Take up no more documents; what was taken up goes on.

    Raises:
        ConflictError: the job is over.
    """
    if job.state != JobState.RUNNING:
        fix = "Nothing to do."
        raise ConflictError(f"The job is {job.state} already", fix=fix, code=Code.JOB_OVER)
    await end_job(session, job, state=JobState.CANCELLED)


async def end_job(session: Session, job: Job, *, state: JobState) -> None:
    """Write down that the job is over."""
    job.state, job.ended_at = state, await load_now(session)
    await session.flush()


async def count_outcomes(session: Session, job: Job) -> dict[str, int]:
    """What became of the documents that were taken up, by the state of their events."""
    # The second condition is the partial index's own; Postgres does not see that the first one implies it.
    own = (Event.source == source_of(job.id), text("event.source LIKE 'job:%'"), Event.scope != SCOPE)
    query = select(Event.state, func.count()).where(*own).group_by(Event.state)
    return {row[0]: row[1] for row in (await session.execute(query)).all()}
