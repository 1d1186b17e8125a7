"""Jobs: many invoices sent or looked at again as one piece of work, with preview, progress, cancel and record."""

from datetime import date, datetime
from operator import attrgetter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.pages import Page, to_page
from app.api.transfers import ReasonView
from app.api.views import MOST, DepartmentId, Limit, Name, Order, RowId, Sought, View, pasted, problems
from app.clerk.job_documents import count_outcomes, count_previews, list_job_documents
from app.clerk.jobs import NewJob, create_job, list_jobs, load_job, record_cancel, record_start
from app.clerk.overview import InvoiceFilter, count_invoices, show_filter
from app.domain.documents import DocumentKind
from app.domain.reasons.codes import Code
from app.domain.states import InvoiceState, JobKind, JobState
from app.engine.wakeup import wake_workers
from app.errors import NotFoundError, RequestError
from app.tables import Job

router = APIRouter(prefix="/v1", tags=["invoices"])


class Wanted(Order):
    """Which invoices; what is left out does not limit."""

    model_config = pasted({"dated_from": "2026-11-01", "dated_to": "2026-11-30"})

    ids: list[RowId] | None = Field(None, max_length=10_000, examples=[[17, 18]])
    key_id: UUID | None = None
    dated_from: date | None = Field(None, examples=["2026-11-01"])
    dated_to: date | None = Field(None, examples=["2026-11-30"])
    department: DepartmentId | None = None
    customer: Sought | None = Field(None, description="A part of the name")
    state: InvoiceState | None = None
    kind: DocumentKind | None = None
    text: Sought | None = Field(None, description="A part of a number, a name or a reason")
    everything: bool = Field(False, description="Really every open invoice: nothing else is named")


class ReplayOrder(Wanted):
    """A replay: which invoices, what it is called and what it is for."""

    model_config = pasted(
        {
            "name": "October",
            "reason": "The rule for 3001 was wrong",
            "dated_from": "2026-10-01",
            "dated_to": "2026-10-31",
        }
    )

    name: Name = Field(examples=["October, after the new VAT rule"])
    reason: str = Field(min_length=3, max_length=500, examples=["The rule for 3001 was wrong until today"])


class JobView(View):
    """A piece of work on many invoices."""

    id: UUID
    tenant_id: UUID
    kind: JobKind
    name: str | None = Field(description="A replay has one")
    reason: str | None = Field(description="A replay has one")
    state: JobState = Field(
        description="A replay begins previewing; previewed, it waits to be started. running: until the last of its "
        "invoices has ended. cancelling: what was under way still is",
    )
    total: int = Field(description="Invoices when it began")
    sent: int = Field(description="Taken up so far")
    preview: dict[str, int] = Field(
        description="What would come of them: send, hold, wait, skip, look again, paused, unread (it could not be told)"
    )
    outcomes: dict[str, int] = Field(
        description="What became of them: waiting, done, held, failed, ignored, superseded, cancelled (not done)"
    )
    trouble: ReasonView | None = Field(description="Why the job itself waits")
    made_by: str
    made_at: datetime
    started_by: str | None = Field(description="Who started a replay after its preview")
    started_at: datetime | None
    cancelled_by: str | None
    cancelled_at: datetime | None
    ended_at: datetime | None


class JobDocumentView(View):
    """An invoice of a job."""

    transfer_id: int
    number: str
    state_before: str = Field(description="Its transfer's state when it was taken up, or previewed")
    preview: str | None = Field(description="What a dry run said would come of it", examples=["send"])
    preview_reasons: list[ReasonView]
    outcome: str | None = Field(description="What came of it; null: it was not taken up yet", examples=["done"])
    note: str | None = Field(examples=["in Unimicro as 100012"])
    ended_at: datetime | None


BeforeJob = Annotated[UUID | None, Query(description="Continue a listing: only jobs older than the one with this id")]
After = Annotated[int, Query(ge=0, le=MOST, description="The last id of the page before")]


@router.post("/invoices/send", status_code=202, responses=problems(_404="not_found", _422="nothing_named"))
async def send_invoices(door: AdminDoor, resources: ResourcesDep, wanted: Wanted) -> JobView:
    """Send the named invoices, those of a filter, or everything that is open; what is in Unimicro stays as it is."""
    found = _to_filter(door, wanted, only_open=wanted.ids is None and wanted.state is None)
    new = NewJob(wanted=show_filter(found), total=await _count(door, wanted, found), made_by=door.caller.actor)
    return await _make(door, resources, new, action="invoices.send")


@router.post(
    "/jobs", operation_id="make_job", status_code=202, responses=problems(_404="not_found", _422="nothing_named")
)
async def make_replay(door: AdminDoor, resources: ResourcesDep, order: ReplayOrder) -> JobView:
    """Look again at invoices, also booked, failed and ignored ones, once a dry run has shown what would come of it.

    Nothing is done before it is started. It stays as a record of who did what, why, and what came of each invoice.
    """
    found = _to_filter(door, order, only_open=False)
    new = NewJob(
        wanted=show_filter(found),
        total=await _count(door, order, found),
        made_by=door.caller.actor,
        kind=JobKind.REPLAY,
        name=order.name,
        reason=order.reason,
    )
    return await _make(door, resources, new, action="job.make")


def _to_filter(door: Door, wanted: Wanted, *, only_open: bool) -> InvoiceFilter:
    named = wanted.model_dump(exclude={"everything", "name", "reason"}, exclude_none=True)
    if not named and not wanted.everything:
        fix = "Name ids or a filter, or say `everything: true`."
        raise RequestError("Nothing was named", fix=fix, code=Code.NOTHING_NAMED)
    return InvoiceFilter(tenant_id=door.tenant, only_open=only_open, **named)


async def _count(door: Door, wanted: Wanted, found: InvoiceFilter) -> int:
    total = await count_invoices(door.session, found)
    if wanted.ids is not None and total < len(set(wanted.ids)):
        raise NotFoundError("Not every id is an invoice of yours", fix="Take the ids from GET /v1/invoices.")
    return total


async def _make(door: Door, resources: ResourcesDep, new: NewJob, *, action: str) -> JobView:
    job = await create_job(door.session, door.tenant, new)
    after = {"wanted": job.wanted, "total": job.total, "name": job.name, "reason": job.reason}
    await door.record(action, f"job:{job.id}", tenant_id=door.tenant, after=after)
    view = await _view(door, job)
    await door.session.commit()
    wake_workers(resources)
    return view


@router.get("/jobs")
async def list_all_jobs(door: ViewerDoor, before: BeforeJob = None, limit: Limit = 100) -> Page[JobView, UUID]:
    """Jobs, newest first."""
    jobs = await list_jobs(door.session, tenant_id=door.tenant_id, before_id=before, limit=limit + 1)
    views = {job.id: await _view(door, job) for job in jobs[:limit]}
    return to_page(jobs, lambda job: views[job.id], limit=limit)


@router.get("/jobs/{job_id}", responses=problems(_404="not_found"))
async def show_job(door: ViewerDoor, job_id: UUID) -> JobView:
    """How far a job is, and what came of it."""
    return await _view(door, await load_job(door.session, job_id))


@router.get("/jobs/{job_id}/documents", operation_id="list_job_documents", responses=problems(_404="not_found"))
async def list_documents(
    door: ViewerDoor, job_id: UUID, after: After = 0, limit: Limit = 100
) -> Page[JobDocumentView, int]:
    """Each invoice of a job: what its dry run said, and what came of it."""
    job = await load_job(door.session, job_id)
    rows = await list_job_documents(door.session, job, after_id=after, limit=limit + 1)
    return to_page(rows, JobDocumentView.model_validate, limit=limit, mark=attrgetter("transfer_id"))


@router.post("/jobs/{job_id}/start", status_code=202, responses=problems(_404="not_found", _409="job_not_previewed"))
async def start_job(door: AdminDoor, resources: ResourcesDep, job_id: UUID) -> JobView:
    """Do what the preview has shown: the invoices that it lists are looked at again, and no others."""
    job = await load_job(door.session, job_id, lock=True)
    await record_start(door.session, job, actor=door.caller.actor)
    after = {"preview": await count_previews(door.session, job)}
    await door.record("job.start", f"job:{job.id}", tenant_id=job.tenant_id, after=after)
    view = await _view(door, job)
    await door.session.commit()
    wake_workers(resources)
    return view


@router.post("/jobs/{job_id}/cancel", operation_id="cancel_job", responses=problems(_404="not_found", _409="job_over"))
async def stop_job(door: AdminDoor, resources: ResourcesDep, job_id: UUID) -> JobView:
    """Take up no more invoices. What is under way ends; what waits is not done, and stands as it did before the job."""
    job = await load_job(door.session, job_id, lock=True)
    await record_cancel(door.session, job, actor=door.caller.actor)
    view = await _view(door, job)
    after = {"sent": job.sent, "outcomes": view.outcomes}
    await door.record("job.cancel", f"job:{job.id}", tenant_id=job.tenant_id, after=after)
    await door.session.commit()
    wake_workers(resources)
    return view


async def _view(door: Door, job: Job) -> JobView:
    counted = {"outcomes", "preview", "trouble"}
    plain = {name: getattr(job, name) for name in JobView.model_fields if name not in counted}
    return JobView(
        **plain,
        outcomes=await count_outcomes(door.session, job),
        preview=await count_previews(door.session, job),
        trouble=None if job.trouble is None else ReasonView(**job.trouble),
    )
