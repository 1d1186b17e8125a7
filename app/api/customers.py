"""The customer check before a key's first transfer: run it, read it, accept it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.admin.customer_checks import accept_check, begin_check, load_findings, load_last_check
from app.admin.keys import load_key
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.views import Order, RowId, View, problems
from app.clerk.customers.findings import Action, Kind
from app.clerk.customers.links import find_pair, link_customer
from app.clerk.customers.report import MEDIA_TYPES, ReportForm, render_report
from app.clerk.customers.run import Progress, describe_check, run_check
from app.domain.money import dump_json
from app.domain.reasons.codes import Code
from app.domain.states import CheckState
from app.engine.lanes import wake_key
from app.engine.wakeup import wake_workers
from app.errors import ConflictError
from app.platform.resources import Resources
from app.tables import Key

router = APIRouter(prefix="/v1/keys", tags=["customer check"])

_CODES = "not_found (no such key), check_missing (never checked)"
# A report may be opened in a browser: nothing in it may run or load anything.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


class CustomerFindingView(View):
    """A customer in one system, in both, or two that stand in each other's way."""

    kind: Kind = Field(examples=["other_number"])
    action: Action = Field(description="link and create the transfer does by itself, when the customer is needed")
    needs_person: bool
    cause: str = Field(examples=["Bodø Helsehus AS (organisation number 313611418) has number 100004 in RecMan but …"])
    fix: str
    recman_company_id: str
    recman_number: str
    recman_name: str
    recman_org_number: str
    remote_id: int | None
    remote_number: str
    remote_name: str
    remote_org_number: str
    similarity: int | None = Field(description="How alike the names are, 0 to 100")


class FailureView(View):
    """Why a check has no result."""

    cause: str
    fix: str


class CustomerCheckView(View):
    """How a check stands. A key in mode full sends nothing until one of its checks is green or accepted."""

    id: int
    key_id: UUID
    state: CheckState
    counts: dict[str, int] = Field(examples=[{"agree": 412, "number_clash": 2, "only_in_recman": 38}])
    failure: FailureView | None
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    accepted_by: str | None
    accepted_reason: str | None
    accepted_at: datetime | None


class CustomerCheckDetail(CustomerCheckView):
    """A check with its rows, what a person must look at first; the report has all of them."""

    findings: list[CustomerFindingView]


class CheckAcceptance(Order):
    """A person's approval that the key may send although the check has findings."""

    reason: str = Field(min_length=3, max_length=500, examples=["The three clashes are old customers, never invoiced"])
    name: str | None = Field(None, min_length=2, max_length=100, description="Who; left out: the token's name")
    check_id: RowId | None = Field(None, description="The check that was looked at; a newer one is then not accepted")


class CustomerPair(Order):
    """A RecMan company and the customer that it is in Unimicro."""

    recman_company_id: str = Field(pattern=r"^[1-9][0-9]{0,17}$", examples=["204"])
    remote_number: str = Field(pattern=r"^[0-9]{1,18}$", examples=["100900"])


class CustomerLinkView(View):
    """A link between the two, and what it is called in the transfer log."""

    transfer_id: int
    recman_company_id: str
    recman_number: str
    remote_id: int
    remote_number: str
    remote_name: str


Most = Annotated[int, Query(ge=0, le=1000, description="At most this many rows")]


@router.post(
    "/{key_id}/customer-check",
    operation_id="run_customer_check",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Progress while it runs, one JSON object a line; the last one has `step` done and the check",
            "content": {"application/x-ndjson": {"example": '{"step":"recman","done":1000}'}},
        },
        **problems(_404="not_found", _409="check_running"),
    },
)
async def run(door: AdminDoor, resources: ResourcesDep, key_id: UUID) -> StreamingResponse:
    """Compare all customers of RecMan and Unimicro; nothing is changed in either."""
    key = await load_key(door.session, key_id)
    check = await begin_check(door.session, key, actor=door.caller.actor)
    await _record(door, "customer_check.start", key, after={"check": check.id})
    # No transaction is open while the two systems are read.
    await door.session.commit()
    return StreamingResponse(_tell(resources, key, check.id), media_type="application/x-ndjson")


async def _tell(resources: Resources, key: Key, check_id: int) -> AsyncIterator[str]:
    async for progress in run_check(resources, key, check_id):
        yield _line(progress)
    async with resources.of_tenant(key.tenant_id).sessions() as session:
        check = await load_last_check(session, key)
    view = CustomerCheckView.model_validate(check).model_dump(mode="json")
    yield dump_json({"step": "done", **view}) + "\n"


def _line(progress: Progress) -> str:
    return dump_json({"step": progress.step, "done": progress.done}) + "\n"


@router.get("/{key_id}/customer-check", operation_id="show_customer_check", responses=problems(_404=_CODES))
async def show(door: ViewerDoor, key_id: UUID, limit: Most = 100) -> CustomerCheckDetail:
    """The key's newest check."""
    check = await load_last_check(door.session, await load_key(door.session, key_id))
    findings = (await load_findings(door.session, check))[:limit]
    await door.session.commit()
    return CustomerCheckDetail(**CustomerCheckView.model_validate(check).model_dump(), findings=findings)


@router.get(
    "/{key_id}/customer-check/report",
    operation_id="show_customer_report",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}}, **problems(_404=_CODES)},
)
async def report(
    door: ViewerDoor, key_id: UUID, form: Annotated[ReportForm, Query(alias="format")] = ReportForm.JSON
) -> Response:
    """The key's newest check with every customer, as a file."""
    key = await load_key(door.session, key_id)
    check = await load_last_check(door.session, key)
    text = render_report(form, describe_check(key, check), await load_findings(door.session, check))
    await door.session.commit()
    name = f"customer-check-{check.id}.{form}"
    headers = {
        **_HEADERS,
        "Content-Disposition": f'{"inline" if form is ReportForm.HTML else "attachment"}; filename="{name}"',
    }
    return Response(text, media_type=MEDIA_TYPES[form], headers=headers)


@router.post(
    "/{key_id}/customer-check/accept",
    operation_id="accept_customer_check",
    responses=problems(_404=_CODES, _409="nothing_to_accept, check_is_newer"),
)
async def accept(door: AdminDoor, resources: ResourcesDep, key_id: UUID, word: CheckAcceptance) -> CustomerCheckView:
    """Let the key send although its newest check has findings."""
    key = await load_key(door.session, key_id)
    check = await load_last_check(door.session, key, lock=True)
    if word.check_id not in (None, check.id):
        cause = f"Check {check.id} is newer than the one that was looked at"
        raise ConflictError(cause, fix="Look at the newest one, then accept that.", code=Code.CHECK_IS_NEWER)
    name = word.name or door.caller.name
    await accept_check(door.session, check, name=name, reason=word.reason)
    after = {"check": check.id, "name": name, "reason": word.reason, "counts": check.counts}
    await wake_key(door.session, tenant_id=key.tenant_id, key_id=key.id)
    await _record(door, "customer_check.accept", key, after=after)
    await door.session.commit()
    wake_workers(resources)
    return CustomerCheckView.model_validate(check)


@router.post(
    "/{key_id}/customer-links",
    operation_id="link_customer",
    status_code=201,
    responses=problems(
        _404="not_found",
        _409="numbers_must_agree, customer_inactive, already_linked, already_begun",
        _422="company_unknown, customer_unknown",
        _502="RecMan's or Unimicro's own trouble",
    ),
)
async def link(door: AdminDoor, resources: ResourcesDep, key_id: UUID, pair: CustomerPair) -> CustomerLinkView:
    """Say that a RecMan company is this customer of Unimicro; for keys whose rules say customer_number linked."""
    key = await load_key(door.session, key_id)
    # No transaction is open while the two systems are read.
    await door.session.commit()
    company, remote = await find_pair(resources, key, **pair.model_dump())
    transfer = await link_customer(door.session, key, company, remote)
    view = CustomerLinkView(
        transfer_id=transfer.id,
        recman_company_id=company.recman_company_id,
        recman_number=company.number,
        remote_id=remote.remote_id,
        remote_number=remote.number,
        remote_name=remote.name,
    )
    await _record(door, "customer.link", key, after=view.model_dump())
    await door.session.commit()
    wake_workers(resources)
    return view


async def _record(door: Door, action: str, key: Key, **values: Any) -> None:
    await door.record(action, f"key:{key.id}", tenant_id=key.tenant_id, **values)
