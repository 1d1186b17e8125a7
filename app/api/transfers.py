"""The transfer log and the events, for people who want to know where a document is."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.keys import find_key_in_use
from app.admin.series import wake_behind_number
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.pages import Page, to_page
from app.api.views import Before, Limit, Order, RowId, View, problems
from app.clerk.absence import require_absent
from app.domain.policies import MatchedBy
from app.domain.reasons.codes import Code
from app.domain.states import EventState, TransferState
from app.engine.inbox import list_events
from app.engine.lanes import wake_waiting
from app.engine.wakeup import wake_workers
from app.errors import ConflictError
from app.tables import Transfer
from app.transfer.doubles import wake_doubles
from app.transfer.listings import list_attempts, list_transfers
from app.transfer.log import is_begun, load_transfer, record_ignored
from app.transfer.retry import retry

router = APIRouter(prefix="/v1", tags=["transfers"])

TransferKind = Literal["customer", "project", "department", "invoice", "credit_note"]


class ReasonView(View):
    """Why something is not through, and what to do."""

    code: str = Field(examples=[Code.PRODUCT_UNKNOWN])
    cause: str = Field(examples=["Product 7777 is not in Unimicro"])
    fix: str = Field(examples=["Create product 7777 in Unimicro (with sales account and VAT), then retry."])


class TransferView(View):
    """One record on its way to one key; amounts in the document's currency."""

    id: int
    tenant_id: UUID
    key_id: UUID | None
    kind: TransferKind
    record_id: str = Field(description="RecMan's id")
    number: str = Field(description="RecMan's visible number")
    customer_name: str
    currency: str
    net_amount: Decimal | None
    vat_amount: Decimal | None
    gross_amount: Decimal | None
    state: TransferState
    remote_id: int | None
    remote_number: str | None
    remote_net_amount: Decimal | None
    remote_vat_amount: Decimal | None
    remote_gross_amount: Decimal | None
    external_reference: str | None
    matched_by: MatchedBy | None = Field(
        description="Of a customer: how it was known to be Unimicro's; null for everything else and for older links"
    )
    reasons: list[ReasonView]
    warnings: list[ReasonView]
    created_at: datetime
    updated_at: datetime


class AttemptView(View):
    """One try of one step, with what was said (secrets and persons masked)."""

    n: int
    step: str
    started_at: datetime
    outcome: str
    detail: str
    milliseconds: int
    rules_version: int = Field(description="The version of the key's rules that decided; 0: none")
    exchanges: list[dict[str, Any]]
    pruned_at: datetime | None = Field(
        description="When the exchanges were let go: their time was over, or a person's data were erased"
    )


class TransferDetail(TransferView):
    """A transfer with its attempts, oldest first."""

    attempts: list[AttemptView]


class EventView(View):
    """One hint that something may have changed."""

    id: int
    tenant_id: UUID
    source: str
    scope: str | None
    record_id: str | None
    operation: str | None
    state: EventState
    note: str | None
    received_at: datetime
    ended_at: datetime | None


@router.get("/transfers")
async def list_all_transfers(
    door: ViewerDoor,
    state: TransferState | None = None,
    kind: TransferKind | None = None,
    before: Before = None,
    limit: Limit = 100,
) -> Page[TransferView, int]:
    """Every record on its way to a key, or there already, newest first."""
    rows = await list_transfers(
        door.session, tenant_id=door.tenant_id, state=state, kind=kind, before_id=before, limit=limit + 1
    )
    return to_page(rows, TransferView.model_validate, limit=limit)


@router.get("/transfers/{transfer_id}")
async def show_transfer(door: ViewerDoor, transfer_id: RowId) -> TransferDetail:
    """One of them, with every attempt and what was said in it."""
    transfer = await load_transfer(door.session, transfer_id, tenant_id=door.tenant_id)
    attempts = await list_attempts(door.session, transfer_id)
    shown = TransferView.model_validate(transfer).model_dump()
    return TransferDetail(**shown, attempts=[AttemptView.model_validate(attempt) for attempt in attempts])


class IgnoreOrder(Order):
    """Why a record is not to be sent."""

    reason: str = Field(min_length=3, max_length=500, examples=["Booked by hand as voucher 1203"])


@router.post("/transfers/{transfer_id}/retry", status_code=202)
async def retry_transfer(door: AdminDoor, resources: ResourcesDep, transfer_id: RowId) -> TransferView:
    """Look at the record again, now: after something was mended, or to send what was ignored after all."""
    transfer = await load_transfer(door.session, transfer_id, tenant_id=door.tenant_id)
    before = {"state": transfer.state}
    await retry(door.session, transfer)
    await door.record("transfer.retry", f"transfer:{transfer.id}", tenant_id=transfer.tenant_id, before=before)
    await door.session.commit()
    wake_workers(resources)
    return TransferView.model_validate(transfer)


@router.post("/transfers/{transfer_id}/ignore", responses=problems(_409="already_begun", _502="Unimicro's own trouble"))
async def ignore_transfer(
    door: AdminDoor, resources: ResourcesDep, transfer_id: RowId, order: IgnoreOrder
) -> TransferView:
    """Never send this record; a retry takes it back. What was begun is looked for in Unimicro: nothing may be there."""
    transfer = await load_transfer(door.session, transfer_id, tenant_id=door.tenant_id)
    before = {"state": transfer.state}
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    if is_begun(transfer):
        await require_absent(resources, transfer)
    if not await record_ignored(door.session, transfer, reason=order.reason, actor=door.caller.name):
        cause = f"The transfer is {transfer.state}: something happened to it just now"
        raise ConflictError(cause, fix="Look at it again first.", code=Code.ALREADY_BEGUN)
    await wake_doubles(door.session, transfer.id)
    # A credit note that waits for this invoice learns at once that there is nothing to wait for.
    await wake_waiting(door.session, tenant_id=transfer.tenant_id, scope=transfer.scope, record_id=transfer.record_id)
    await _wake_behind(door, transfer)
    after = {"state": TransferState.IGNORED, "reason": order.reason}
    subject = f"transfer:{transfer.id}"
    await door.record("transfer.ignore", subject, tenant_id=transfer.tenant_id, before=before, after=after)
    await door.session.commit()
    wake_workers(resources)
    return TransferView.model_validate(transfer)


@router.get("/events")
async def list_all_events(
    door: ViewerDoor,
    state: EventState | None = None,
    before: Before = None,
    limit: Limit = 100,
) -> Page[EventView, int]:
    """Every hint that something may have changed, and what became of it, newest first."""
    rows = await list_events(door.session, tenant_id=door.tenant_id, state=state, before_id=before, limit=limit + 1)
    return to_page(rows, EventView.model_validate, limit=limit)


async def _wake_behind(door: Door, transfer: Transfer) -> None:
    """Whoever waits for its number in a series learns that it takes a person to pass it."""
    if transfer.key_id is None:
        return
    key = await find_key_in_use(door.session, tenant_id=transfer.tenant_id, key_id=transfer.key_id)
    if key is not None:
        await wake_behind_number(door.session, key, transfer.number)
