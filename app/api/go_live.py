"""Documents from before a key's first day: a person links, sends or ignores them, many at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.api.doors import AdminDoor, Door, ResourcesDep
from app.api.transfers import ReasonView
from app.api.views import Name, Order, RowId, View, pasted, problems
from app.clerk.overview import InvoiceFilter, count_invoices
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.engine.wakeup import wake_workers
from app.errors import NotFoundError, RequestError
from app.tables import Transfer
from app.transfer.old_documents import Offer, decide_old, find_shown_offer, ignore_old, lock_held

router = APIRouter(prefix="/v1", tags=["invoices"])

_LIST = "Take it from GET /v1/invoices?state=before go-live."


class OldDocumentsOrder(Order):
    """What becomes of documents that are held because they are dated before their key's go-live day."""

    model_config = pasted({"decision": "link", "everything": True})

    decision: Literal["link", "send", "ignore"] = Field(
        description="link: to what is offered; send: book it after all; ignore: never send it"
    )
    ids: list[RowId] | None = Field(None, max_length=10_000, examples=[[17, 18]])
    numbers: list[Name] | None = Field(None, max_length=10_000, description="RecMan's numbers", examples=[["110001"]])
    everything: bool = Field(
        False, description="Only with link: all that have an offer whose date agrees too; nothing else is named"
    )
    key_id: UUID | None = Field(None, description="Only documents of this key")
    reason: str | None = Field(None, min_length=3, max_length=500, description="Why they are ignored")
    although_offered: bool = Field(
        False, description="With send: also what is offered for linking, which is another document then"
    )


class LeftView(View):
    """A document that was left as it is, and why."""

    id: int | None = Field(description="None: nothing held has what was named")
    number: str | None
    reason: ReasonView


class OldDocumentsView(View):
    """What was decided: each is looked at now and checked again, so look in the overview what became of it."""

    decided: list[int]
    left: list[LeftView]


@router.post(
    "/invoices/before-go-live",
    status_code=202,
    responses=problems(_404="not_found", _422="nothing_named, reason_missing"),
)
async def decide_old_documents(door: AdminDoor, resources: ResourcesDep, order: OldDocumentsOrder) -> OldDocumentsView:
    """Link to what is offered, send after all, or ignore; what it does not fit is left as it is, and listed."""
    _require_clear(order)
    await _require_own(door, order)
    named = None if order.everything else (order.ids, order.numbers)
    ids, numbers = named or (None, None)
    held = await lock_held(door.session, tenant_id=door.tenant, ids=ids, numbers=numbers, key_id=order.key_id)
    twice = {number for number, count in Counter(one.number for one in held).items() if count > 1}
    decided, left = [], _list_missing(order, held)
    for transfer in held:
        offer = find_shown_offer(transfer)
        objection = _find_objection(order, transfer, offer, twice)
        if objection is None:
            await _decide(door, order, transfer, offer)
            decided.append(transfer.id)
        elif not order.everything:
            left.append(_leave(transfer, objection))
    await door.session.commit()
    wake_workers(resources)
    return OldDocumentsView(decided=decided, left=left)


def _require_clear(order: OldDocumentsOrder) -> None:
    named = order.ids is not None or order.numbers is not None
    if named == order.everything or (order.everything and order.decision != "link"):
        fix = "Name ids or numbers; `everything: true` alone is for linking what is offered."
        raise RequestError("What is meant is not clear", fix=fix, code=Code.NOTHING_NAMED)
    if order.decision == "ignore" and order.reason is None:
        raise RequestError(
            "A reason is missing", fix="Say in `reason` why they are not sent.", code=Code.REASON_MISSING
        )


async def _require_own(door: Door, order: OldDocumentsOrder) -> None:
    wanted = set(order.ids or ())
    if wanted and await count_invoices(door.session, InvoiceFilter(tenant_id=door.tenant, ids=list(wanted))) < len(
        wanted
    ):
        raise NotFoundError("Not every id is an invoice of yours", fix=_LIST)


def _find_objection(
    order: OldDocumentsOrder, transfer: Transfer, offer: Offer | None, twice: set[str]
) -> Reason | None:
    """Why this document is left as it is; None when nothing is in the way."""
    if transfer.number in twice and transfer.id not in (order.ids or ()) and not order.everything:
        cause = f"Several held documents have number {transfer.number}"
        return Reason(code=Code.NUMBER_TWICE, cause=cause, fix=fix_for(Code.NUMBER_TWICE))
    if order.decision == "link" and offer is None:
        cause = "Nothing in Unimicro is offered for it"
        fix = fix_for(Code.NOTHING_OFFERED, transfer_id=transfer.id)
        return Reason(code=Code.NOTHING_OFFERED, cause=cause, fix=fix)
    if order.everything and offer is not None and not offer.same_day:
        return Reason(code=Code.OTHER_DAY, cause="The date in Unimicro differs", fix=fix_for(Code.OTHER_DAY))
    if order.decision == "send" and offer is not None and not order.although_offered:
        cause = f"Unimicro has {offer.number} (id {offer.id}) for the same customer and amount"
        return Reason(code=Code.OFFERED, cause=cause, fix=fix_for(Code.OFFERED))
    return None


async def _decide(door: Door, order: OldDocumentsOrder, transfer: Transfer, offer: Offer | None) -> None:
    seen = offer.id if offer is not None else None
    if order.decision == "ignore":
        await ignore_old(door.session, transfer, reason=order.reason or "", actor=door.caller.name)
    else:
        await decide_old(door.session, transfer, order.decision, seen=seen, actor=door.caller.actor)
    after = {"decision": order.decision, "offer": seen, "reason": order.reason}
    subject = f"transfer:{transfer.id}"
    await door.record("invoice.before_go_live", subject, tenant_id=transfer.tenant_id, after=after)


def _list_missing(order: OldDocumentsOrder, held: Sequence[Transfer]) -> list[LeftView]:
    known = {one.id for one in held}, {one.number for one in held}
    missing: list[tuple[int | None, str | None]] = [(one, None) for one in order.ids or () if one not in known[0]]
    missing += [(None, one) for one in order.numbers or () if one not in known[1]]
    cause = "No document that is held before a go-live day has this id or number"
    reason = ReasonView(code=Code.NOT_HELD, cause=cause, fix=fix_for(Code.NOT_HELD))
    return [LeftView(id=one, number=number, reason=reason) for one, number in dict.fromkeys(missing)]


def _leave(transfer: Transfer, reason: Reason) -> LeftView:
    return LeftView(id=transfer.id, number=transfer.number, reason=ReasonView.model_validate(reason))
