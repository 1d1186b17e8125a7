"""The carrier of jobs: many documents taken up to be looked at again, a page in each transaction."""

from collections.abc import Sequence
from uuid import UUID

from app.clerk.jobs import end_job, load_job, source_of
from app.clerk.overview import list_invoices_after, read_filter
from app.domain.states import EventState, JobState
from app.engine.lanes import check_fence
from app.tables import Job, Transfer
from app.transfer.context import Run
from app.transfer.retry import retry

_JOB_PAGE = 100


async def carry_job(run: Run) -> None:
    """Take up a page of documents after the other, each page in a transaction of its own: a dead worker loses none."""
    while not run.finished:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            job = await load_job(session, UUID(run.lease.record_id), lock=True)
            page = await list_invoices_after(session, read_filter(job.wanted), after_id=job.last_id, limit=_JOB_PAGE)
            if job.state != JobState.RUNNING or not page:
                if job.state == JobState.RUNNING:
                    await end_job(session, job, state=JobState.DONE)
                await run.finish(session, state=EventState.DONE, note=f"{job.sent} documents taken up, {job.state}")
                return
            # In the order in which webhooks take lanes too, so that the two cannot wait for each other.
            for transfer in sorted(page, key=lambda one: one.record_id):
                await retry(session, transfer, source=source_of(job.id))
            _record_page(job, page)


def _record_page(job: Job, page: Sequence[Transfer]) -> None:
    job.last_id, job.sent = page[-1].id, job.sent + len(page)
