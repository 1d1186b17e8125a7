"""The invoice overview: where every invoice and credit note is, in an accountant's words, and what can be done."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from app.admin.keys import list_keys, list_removed_keys
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.files import AS_FILE, Form, ListForm, to_file
from app.api.pages import Page, to_page, to_whole
from app.api.transfers import ReasonView
from app.api.views import Before, DepartmentId, Limit, Order, RowId, Sought, View, problems
from app.clerk.approvals import require_second_person
from app.clerk.dry_run import dry_run
from app.clerk.link_by_hand import link_elsewhere
from app.clerk.overview import InvoiceFilter, list_invoices, load_rungs, state_of
from app.clerk.overview_sheet import load_overview_sheet
from app.domain.documents import DocumentKind
from app.domain.exact import Day
from app.domain.policies import MatchedBy
from app.domain.reasons.codes import Code
from app.domain.states import InvoiceState
from app.engine.wakeup import wake_workers
from app.errors import ConflictError, NotFoundError
from app.platform.resources import Resources
from app.settings import Settings
from app.tables import Transfer
from app.transfer.kids import wake_same_kid
from app.transfer.link import wake_followers
from app.transfer.log import load_transfer, record_approval
from app.transfer.old_documents import find_shown_offer
from app.transfer.retry import retry

router = APIRouter(prefix="/v1", tags=["invoices"])

_MOST_AT_ONCE = 50


class OfferView(View):
    """A document in Unimicro with the same number (or our reference), customer and amount."""

    id: int = Field(description="Its id in Unimicro", examples=[71])
    number: str = Field(examples=["110001"])
    same_day: bool = Field(description="Whether its date agrees too, as far as Unimicro says it")


class IssuedView(View):
    """What issuing made of a draft or an order that people in Unimicro send."""

    kid: str = Field(description="Unimicro's, which the customer pays by; empty: none", examples=["000506701000172"])
    invoice_date: date | None
    due_date: date | None
    sent: bool | None = Field(description="Whether Unimicro has sent it; null: it does not say")
    voucher_id: int | None = Field(description="The journal entry's id in Unimicro", examples=[512])


class InvoiceView(View):
    """An invoice or credit note, on its way to one key."""

    id: int = Field(description="To be named in retry, ignore, approve, done-elsewhere, dry-run and send")
    tenant_id: UUID
    key_id: UUID | None
    kind: DocumentKind
    number: str = Field(description="RecMan's number", examples=["110001"])
    remote_number: str | None = Field(examples=["100012"])
    invoice_date: date | None
    department: str | None = Field(description="RecMan's department id", examples=["7"])
    customer_name: str
    customer_matched_by: MatchedBy | None = Field(
        description="How the customer was known to be Unimicro's, in the listing; null: not in Unimicro, or not noted"
    )
    currency: str = Field(examples=["NOK"])
    gross_amount: Decimal | None = Field(description="RecMan's sum")
    remote_gross_amount: Decimal | None = Field(description="Unimicro's sum")
    state: InvoiceState
    reasons: list[ReasonView] = Field(description="Why it is not through, and what to do")
    warnings: list[ReasonView]
    order_number: str | None = Field(description="The order that Unimicro made the invoice of", examples=["100044"])
    issued: IssuedView | None = Field(description="Of a draft or an order: how Unimicro issued it; null: not yet")
    approved_by: str | None
    offer: OfferView | None = Field(description="Dated before the key's go-live day: what it may be in Unimicro")
    decision: Literal["send", "link"] | None = Field(description="What a person chose for it, dated before that day")
    decided_by: str | None
    decided_at: datetime | None
    link: str | None = Field(
        description="The record in Unimicro", examples=["https://app.unimicro.no/#/sales/invoices/71"]
    )
    updated_at: datetime


class DryRunOrder(Order):
    """Which invoices to look at."""

    ids: list[RowId] = Field(min_length=1, max_length=_MOST_AT_ONCE, examples=[[17]])


class PreviewView(View):
    """A call as it would be sent."""

    method: str = Field(examples=["POST"])
    path: str = Field(examples=["api/biz/invoices"])
    payload: dict[str, Any] | list[dict[str, Any]] | None = Field(
        description="As it goes out; an id that does not exist yet is a placeholder: {customer}, {project}, "
        "{department}, {product <number>}, {line <n>}, {file}, {id} (the document), {guid}"
    )
    warnings: list[ReasonView]


class PlannedStepView(View):
    """One step of the plan."""

    step: str = Field(examples=["CreateDraft"])
    reason: str
    call: PreviewView | None = Field(description="The first of `calls`; None: nothing is sent for it")
    calls: list[PreviewView] = Field(description="Every call of the step, in its order")
    difference: str = Field(description="How it is in Unimicro now", examples=["it is not there yet"])


class LineView(View):
    """How a line would be booked; without account and VAT where it is booked already."""

    position: int
    text: str
    product: str | None
    account: int | None = Field(examples=[3000])
    vat_code: str | None = Field(examples=["3"])
    vat_rate: Decimal | None
    net_amount: Decimal | None


class DryRunView(View):
    """What would become of an invoice now."""

    transfer_id: int
    number: str
    outcome: str = Field(description="send, hold, wait, skip, look again or paused", examples=["send"])
    reasons: list[ReasonView]
    warnings: list[ReasonView]
    rules_version: int
    steps: list[PlannedStepView] = Field(
        description="What is sent; where a person's word is missing (an approval, a pause, a choice): what it lets go"
    )
    lines: list[LineView]


class ElsewhereOrder(Order):
    """Where it was booked by hand."""

    remote_id: RowId = Field(description="The invoice's id in Unimicro, as in its address", examples=[71])


class FilterQuery(BaseModel):
    """The overview's filter as query parameters."""

    key_id: UUID | None = None
    dated_from: Day | None = None
    dated_to: Day | None = None
    department: DepartmentId | None = None
    customer: Sought | None = None
    state: InvoiceState | None = None
    kind: DocumentKind | None = None
    text: Sought | None = None


@router.get(
    "/invoices",
    response_model=Page[InvoiceView, int],
    responses=AS_FILE | problems(_422="file_too_long"),
)
async def list_all_invoices(
    door: ViewerDoor,
    resources: ResourcesDep,
    wanted: Annotated[FilterQuery, Depends()],
    form: Form = ListForm.JSON,
    before: Before = None,
    limit: Limit = 100,
) -> Page[InvoiceView, int] | Response:
    """Invoices and credit notes, newest first.

    `format=csv` is one file for a spreadsheet with everything that the filter finds: `before` and `limit` are for
    pages alone.
    """
    found = InvoiceFilter(tenant_id=door.tenant_id, **wanted.model_dump())
    if form is ListForm.CSV:
        return to_file("invoices.csv", await load_overview_sheet(door.session, found))
    rows = await list_invoices(door.session, found, before_id=before, limit=limit + 1)
    return to_page(rows, await _open_view(door, resources, rows), limit=limit)


@router.get("/invoices/{transfer_id}", responses=problems(_404="not_found"))
async def show_invoice(door: ViewerDoor, resources: ResourcesDep, transfer_id: RowId) -> InvoiceView:
    """One of them; its attempts are in `GET /v1/transfers/{transfer_id}`."""
    transfer = await _load_invoice(door, transfer_id)
    return (await _open_view(door, resources, [transfer]))(transfer)


async def _open_view(door: Door, resources: Resources, rows: Sequence[Transfer]) -> Callable[[Transfer], InvoiceView]:
    """How each of these is shown, with what is known of their keys and customers."""
    # What is with a removed key can be looked up in its company all the same.
    keys = [await read(door.session, tenant_id=door.tenant_id) for read in (list_keys, list_removed_keys)]
    bases = {key.id: key.api_base for listed in keys for key in listed}
    rungs = await load_rungs(door.session, rows)

    def show(row: Transfer) -> InvoiceView:
        return _view(row, bases, resources.settings, rungs.get((row.key_id, row.remote_customer_id)))

    return show


@router.post(
    "/invoices/dry-run",
    operation_id="show_dry_run",
    responses=problems(_404="not_found", _502="RecMan's or Unimicro's own trouble"),
)
async def show_plans(door: AdminDoor, resources: ResourcesDep, order: DryRunOrder) -> Page[DryRunView, None]:
    """What would be sent, call by call with the exact payload. Changes nothing anywhere."""
    transfers = [await _load_invoice(door, transfer_id) for transfer_id in order.ids]
    # No transaction is open while RecMan and Unimicro are asked.
    await door.session.commit()
    return to_whole([DryRunView.model_validate(await dry_run(resources, transfer)) for transfer in transfers])


@router.post(
    "/invoices/{transfer_id}/approve",
    status_code=202,
    responses=problems(_403="second_person_missing", _404="not_found", _409="booked"),
)
async def approve_invoice(door: AdminDoor, resources: ResourcesDep, transfer_id: RowId) -> InvoiceView:
    """Let an invoice through every review of its key's rules and send it.

    One held as a double is none from now on; one held for its KID is right, and so are its customer's later ones.
    """
    transfer = await _load_invoice(door, transfer_id)
    if transfer.booked_at is not None:
        raise ConflictError("It is in Unimicro already", fix="Nothing to do.", code=Code.BOOKED)
    await require_second_person(door.session, transfer, door.caller)
    held_for = [reason["code"] for reason in transfer.reasons]
    # The lane before the transfer, as a worker takes them.
    await retry(door.session, transfer)
    await record_approval(door.session, transfer, actor=door.caller.actor)
    await wake_same_kid(door.session, transfer.id, tenant_id=transfer.tenant_id)
    subject = f"transfer:{transfer.id}"
    await door.record("invoice.approve", subject, tenant_id=transfer.tenant_id, after={"held_for": held_for})
    await door.session.commit()
    wake_workers(resources)
    return _view(transfer, {}, resources.settings)


@router.post(
    "/invoices/{transfer_id}/done-elsewhere",
    responses=problems(
        _404="not_found",
        _409="already_begun, already_linked, amount_differs, currency_differs, customer_differs, kind_differs, "
        "not_issued",
        _422="remote_missing, record_incomplete",
        _502="RecMan's or Unimicro's own trouble",
    ),
)
async def link_invoice(
    door: AdminDoor, resources: ResourcesDep, transfer_id: RowId, order: ElsewhereOrder
) -> InvoiceView:
    """It was booked by hand: take that document over, once customer and amount agree.

    A document whose key was removed, also a booked one, is linked in the company of the key that serves it now. A
    booked one that is held because it is not in Unimicro any more is linked with what was booked in its place.
    """
    transfer = await _load_invoice(door, transfer_id)
    before = {"key_id": _text(transfer.key_id), "remote_id": transfer.remote_id}
    await door.session.commit()
    await link_elsewhere(resources, transfer, remote_id=order.remote_id)
    await door.session.refresh(transfer)
    await wake_followers(door.session, tenant_id=transfer.tenant_id)
    after = {"key_id": _text(transfer.key_id), "remote_id": order.remote_id}
    after["remote_number"] = transfer.remote_number
    subject = f"transfer:{transfer.id}"
    await door.record("invoice.done_elsewhere", subject, tenant_id=transfer.tenant_id, before=before, after=after)
    await door.session.commit()
    wake_workers(resources)
    return _view(transfer, {}, resources.settings)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


async def _load_invoice(door: Door, transfer_id: int) -> Transfer:
    transfer = await load_transfer(door.session, transfer_id, tenant_id=door.tenant_id)
    if transfer.scope != "invoice":
        raise NotFoundError(f"Transfer {transfer_id} is no invoice", fix="Take an id from GET /v1/invoices.")
    return transfer


def _view(row: Transfer, bases: dict[UUID, str], settings: Settings, rung: str | None = None) -> InvoiceView:
    base = bases.get(row.key_id) if row.key_id is not None else None
    link = None
    # An order's id is another invoice's.
    if base is not None and row.remote_id is not None and row.remote_type != "order":
        link = settings.unimicro_invoice_link.format(base=base, id=row.remote_id)
    return InvoiceView(
        id=row.id,
        tenant_id=row.tenant_id,
        key_id=row.key_id,
        kind=DocumentKind(row.kind),
        number=row.number,
        remote_number=row.remote_number,
        invoice_date=row.invoice_date,
        department=row.recman_department_id,
        customer_name=row.customer_name,
        customer_matched_by=None if rung is None else MatchedBy(rung),
        currency=row.currency,
        gross_amount=row.gross_amount,
        remote_gross_amount=row.remote_gross_amount,
        state=state_of(row),
        reasons=[ReasonView(**reason) for reason in row.reasons],
        warnings=[ReasonView(**warning) for warning in row.warnings],
        order_number=row.order_number,
        issued=None if row.issued is None else IssuedView.model_validate(row.issued),
        approved_by=row.approved_by,
        offer=OfferView.model_validate(offer) if (offer := find_shown_offer(row)) is not None else None,
        decision=cast("Literal['send', 'link'] | None", row.decision),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        link=link,
        updated_at=row.updated_at,
    )
