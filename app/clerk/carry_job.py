"""The carrier of jobs: a preview where one is wanted, then documents taken up, then their ends waited for.

Each page is a transaction of its own, so that a dead worker loses none.
"""

from collections.abc import Sequence
from uuid import UUID

from app.admin.tenants import load_tenant
from app.clerk.dry_run import DryRun, dry_run
from app.clerk.job_documents import (
    find_open_record,
    list_previewed,
    record_outcomes,
    record_preview,
    take_up,
    withdraw,
)
from app.clerk.jobs import end_job, end_preview, load_job
from app.clerk.overview import list_invoices_after, read_filter
from app.domain.states import EventState, JobKind, JobState
from app.engine.lanes import check_fence, lock_record, wait_for
from app.errors import RemoteThrottledError, ServiceError, System
from app.platform.db import Session
from app.reading.records import read_invoices
from app.tables import Job, Transfer
from app.transfer.context import Run

_JOB_PAGE = 100
# A dry run asks both systems, so less is lost with a worker that dies.
_PREVIEW_PAGE = 20
# The end of a document wakes its job; these are only the net below. What was under way when the job was cancelled may
# come to wait all the same, and is withdrawn then.
_WAIT_SECONDS = 600.0
_CANCEL_SECONDS = 2.0
# What a dry run could not find out.
_UNREAD = "unread"


async def carry_job(run: Run) -> None:
    """Take the job as far as it goes now."""
    while not run.finished:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            job = await load_job(session, UUID(run.lease.record_id), lock=True)
            page = await _load_page(session, job)
            match job.state:
                case JobState.PREVIEWING if not page:
                    await end_preview(session, job)
                case JobState.RUNNING if page:
                    await take_up(session, job, page)
                    _record_page(job, page)
                case JobState.RUNNING | JobState.CANCELLING:
                    await _follow(session, run, job)
                case JobState.PREVIEWING:
                    pass
                case _:
                    await run.finish(session, state=EventState.DONE, note=f"{job.sent} documents taken up, {job.state}")
        if job.state == JobState.PREVIEWING:
            await _preview(run, job, page)


async def _load_page(session: Session, job: Job) -> Sequence[Transfer]:
    """The documents to preview, or to take up, next."""
    if job.state == JobState.PREVIEWING:
        return await list_invoices_after(session, read_filter(job.wanted), after_id=job.last_id, limit=_PREVIEW_PAGE)
    if job.state != JobState.RUNNING:
        return ()
    if job.kind == JobKind.REPLAY:
        return await list_previewed(session, job, after_id=job.last_id, limit=_JOB_PAGE)
    return await list_invoices_after(session, read_filter(job.wanted), after_id=job.last_id, limit=_JOB_PAGE)


def _record_page(job: Job, page: Sequence[Transfer]) -> None:
    job.last_id, job.sent, job.trouble = page[-1].id, job.sent + len(page), None


async def _follow(session: Session, run: Run, job: Job) -> None:
    """Wait for a document that has not ended; without one the job is over."""
    is_cancelled = job.state == JobState.CANCELLING
    if is_cancelled:
        await withdraw(session, job, pages=job.sent + 1)
    await record_outcomes(session, job)
    record_id = await find_open_record(session, job)
    if record_id is not None:
        # Its lane is locked before it is looked at once more: then its end and our decision cannot pass each other.
        await lock_record(session, tenant_id=job.tenant_id, scope="invoice", record_id=record_id)
        await record_outcomes(session, job)
        record_id = await find_open_record(session, job)
    if record_id is None:
        await end_job(session, job, state=JobState.CANCELLED if is_cancelled else JobState.DONE)
        return
    seconds = _CANCEL_SECONDS if is_cancelled else _WAIT_SECONDS
    await wait_for(session, run.lease, scope="invoice", record_id=record_id, seconds=seconds)
    run.finished = True


async def _preview(run: Run, job: Job, page: Sequence[Transfer]) -> None:
    resources = run.own_resources
    async with run.sessions() as session:
        tenant = await load_tenant(session, job.tenant_id)
    known = await read_invoices(resources, tenant, [one.record_id for one in page])
    told: list[DryRun] = []
    for transfer in page:
        try:
            told.append(await dry_run(resources, transfer, takes_back=True, known=known))
        except ServiceError as error:
            if isinstance(error, RemoteThrottledError) and error.system is System.RECMAN:
                raise
            reason = error.reason
            told.append(DryRun(transfer_id=transfer.id, number=transfer.number, outcome=_UNREAD, reasons=(reason,)))
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        await _record_previews(session, await load_job(session, job.id, lock=True), page, told)


async def _record_previews(session: Session, job: Job, page: Sequence[Transfer], told: Sequence[DryRun]) -> None:
    for transfer, one in zip(page, told, strict=True):
        await record_preview(session, job, transfer, one)
    job.last_id, job.trouble = page[-1].id, None
