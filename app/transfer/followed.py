"""One draft or order that moved in Unimicro: what people made of it is read, compared and recorded by its own lane."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounting.targets import Issued, Target
from app.admin.key_check import open_key_target
from app.admin.keys import find_key_in_use
from app.admin.proving import lock_key_first
from app.domain.booking import Booking
from app.domain.documents import DocumentKind, Totals
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.domain.states import EventState, TransferState
from app.engine.lanes import check_fence
from app.errors import HoldError, RemoteMissingError, RemoteUnavailableError, System
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.booked import show_issued, show_place
from app.transfer.books import Books, open_books
from app.transfer.context import Outcome, Run
from app.transfer.follow import is_still_followed, lengthen_pause
from app.transfer.left import read_wanted
from app.transfer.listings import names_one_of
from app.transfer.log import find_transfer, is_linked, record_held, record_values, show_reasons, show_totals
from app.transfer.pasts import read_reasons
from app.transfer.plan.followed import (
    Left,
    explain_many,
    explain_part,
    explain_unknown,
    find_alarm,
    list_notes,
    read_due_date,
)
from app.transfer.proof import record_apart, record_followed
from app.transfer.retry import retry


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look found: the invoice, where it is certain and issued, and what is to be noted."""

    issued: Issued | None = None
    notes: tuple[Reason, ...] = ()


async def follow_document(run: Run) -> None:
    """Record what became of a draft or an order.

    Raises:
        HoldError: it was deleted, or what was issued is another claim.
        RemoteError: Unimicro could not be read, or must be asked once more.
    """
    place = run.place(None, "invoice", run.lease.record_id)
    async with run.sessions() as session:
        transfer = await find_transfer(session, place)
        key = None
        if transfer is not None and transfer.key_id is not None:
            key = await find_key_in_use(session, tenant_id=run.lease.tenant_id, key_id=transfer.key_id)
    if transfer is None or key is None or not is_still_followed(transfer):
        await _leave(run, None, ())
        return
    run.key_id, run.number = key.id, transfer.number
    run.show_transfer(transfer.id)
    target = open_key_target(run.own_resources, key)
    is_order = transfer.booking == Booking.ORDER
    found = await (_look_at_order if is_order else _look_at_draft)(run, target, transfer)
    if found.issued is None:
        await _leave(run, transfer, found.notes)
    else:
        await _record(run, key, transfer, found.issued, found.notes)


async def _look_at_draft(run: Run, target: Target, transfer: Transfer) -> _Found:
    remote_id = transfer.remote_id or 0
    try:
        issued = await target.fetch_issued(remote_id)
    except RemoteMissingError as error:
        reference = transfer.external_reference
        if run.asks_again or (reference and await target.find_documents_by_reference(reference)):
            cause = f"Unimicro does not show draft {remote_id} right now"
            raise RemoteUnavailableError(cause, system=System.UNIMICRO) from error
        raise _deleted(transfer, "draft") from error
    if issued.document.external_reference != (transfer.external_reference or ""):
        cause = f"{_name(transfer)} was left with id {remote_id}, which now shows another document"
        raise HoldError((Reason(code=Code.DRIFT_OTHER, cause=cause, fix=fix_for(Code.DRIFT_OTHER)),))
    return _Found(None if issued.document.state is DocumentState.DRAFT else issued)


async def _look_at_order(run: Run, target: Target, transfer: Transfer) -> _Found:
    order_id = transfer.remote_id or 0
    try:
        told = await target.find_invoices_of_order(order_id)
    except RemoteMissingError as error:
        if run.asks_again:
            cause = f"Unimicro does not show order {order_id} right now"
            raise RemoteUnavailableError(cause, system=System.UNIMICRO) from error
        raise _deleted(transfer, "order") from error
    left, named = _to_left(transfer), told.found
    if told.is_partly:
        # One part is not the document, and which invoice the rest becomes nobody knows yet.
        return _Found(notes=(explain_part(left, _number_all(named)),))
    if not named:
        return await _look_for_like(run, target, transfer)
    issued = [one for one in named if one.document.state is not DocumentState.DRAFT]
    if len(named) > 1:
        return _Found(notes=(explain_many(left, _number_all(named)),))
    return _Found(issued[0] if issued else None)


async def _look_for_like(run: Run, target: Target, transfer: Transfer) -> _Found:
    """The one invoice with the order's customer and sums that is nobody else's; a note where none or several are."""
    left, day = _to_left(transfer), transfer.invoice_date
    if day is None or left.totals is None:
        return _Found(notes=(explain_unknown(left),))
    order = await target.fetch_order(transfer.remote_id or 0)
    found = await target.find_invoices_like(order, since=day)
    async with run.sessions() as session:
        free = [one for one in found if not await _is_taken(session, transfer, one)]
    if len(free) == 1:
        return _Found(free[0])
    return _Found(notes=(explain_many(left, _number_all(free)) if free else explain_unknown(left),))


async def _is_taken(session: Session, transfer: Transfer, issued: Issued) -> bool:
    if transfer.key_id is None:
        return False
    return await is_linked(session, key_id=transfer.key_id, remote_id=issued.document.remote_id, besides=transfer.id)


def _number_all(found: Sequence[Issued]) -> list[str]:
    return [one.document.number or f"a draft (id {one.document.remote_id})" for one in found]


def _deleted(transfer: Transfer, what: str) -> HoldError:
    cause = f"{_name(transfer)} was left in Unimicro as {what} {transfer.remote_number or transfer.remote_id}, "
    code = Code.DRIFT_DELETED
    return HoldError((Reason(code=code, cause=f"{cause}and is deleted there", fix=fix_for(code, "left")),))


def _name(transfer: Transfer) -> str:
    return f"{transfer.kind.replace('_', ' ').capitalize()} {transfer.number}"


def _to_left(transfer: Transfer) -> Left:
    net, vat, gross = transfer.remote_net_amount, transfer.remote_vat_amount, transfer.remote_gross_amount
    totals = None
    if net is not None and vat is not None and gross is not None:
        totals = Totals(net_amount=net, vat_amount=vat, gross_amount=gross)
    return Left(
        name=_name(transfer),
        totals=totals,
        customer_id=transfer.remote_customer_id,
        invoice_date=transfer.invoice_date,
        due_date=read_due_date(transfer.booked_as),
    )


async def _leave(run: Run, transfer: Transfer | None, notes: tuple[Reason, ...]) -> None:
    """Nothing is certain yet; what is to be noted is told once, and looked at ever more seldom."""
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if transfer is not None and notes:
            pause = lengthen_pause(transfer, minutes=run.own_resources.settings.follow_minutes)
            warnings = show_reasons(_add(transfer, notes))
            await record_values(session, transfer.id, warnings=warnings, follow_seconds=pause)
        await run.finish(session, state=EventState.DONE, note="not issued in Unimicro yet", reasons=notes)


def _add(transfer: Transfer, notes: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """The warnings with these, in place of what was said of the same before."""
    codes = {note.code for note in notes} | {Code.ORDER_INVOICES}
    return (*(one for one in read_reasons(transfer.warnings) if one.code not in codes), *notes)


async def _record(run: Run, key: Key, transfer: Transfer, issued: Issued, notes: tuple[Reason, ...]) -> None:
    document = replace(issued.document, due_date=issued.due_date)
    booking = Booking(transfer.booking or key.booking)
    books = await open_books(run.own_resources, key, heard_at=run.events[-1].received_at, terms=booking, sends=False)
    async with run.sessions.begin() as session:
        await lock_key_first(session, tenant_id=key.tenant_id, key_id=key.id)
        await check_fence(session, run.lease)
        alarms = await _compare(session, run, books, transfer, document)
        if Code.ISSUED_OTHERWISE not in {alarm.code for alarm in alarms}:
            # What is an alarm is not told once more.
            notes = (*notes, *list_notes(_to_left(transfer), document, issued.due_date))
        await _record_issued(session, transfer, issued, _add(transfer, notes))
        if alarms:
            await record_held(session, transfer.id, alarms)
        await run.finish(
            session,
            state=EventState.HELD if alarms else EventState.DONE,
            note=f"issued in Unimicro as {document.number}",
            outcome=Outcome.HELD if alarms else Outcome.BOOKED,
            reasons=alarms or notes,
            remote_number=document.number,
        )
        await _wake_credits(session, transfer)


async def _compare(
    session: Session, run: Run, books: Books, transfer: Transfer, document: RemoteDocument
) -> tuple[Reason, ...]:
    """The alarms about what was issued, and what they mean for a key that is being proven."""
    wanted = read_wanted(transfer)
    if wanted is not None:
        return await record_followed(session, run, books, wanted, document)
    # Nothing was kept of the document itself: what was left in Unimicro is all that can be compared.
    alarm = find_alarm(_to_left(transfer), document)
    if alarm is None:
        return ()
    await record_apart(session, run, books.key, alarm, booking=books.booking)
    return (alarm,)


async def _wake_credits(session: Session, transfer: Transfer) -> None:
    """Look again at the customer's credit notes that were held because their invoice was not issued yet."""
    query = select(Transfer).where(
        Transfer.tenant_id == transfer.tenant_id,
        Transfer.key_id == transfer.key_id,
        Transfer.kind == DocumentKind.CREDIT_NOTE,
        Transfer.state == TransferState.HELD,
        Transfer.customer_name == transfer.customer_name,
        names_one_of({Code.CREDIT_OF_ORDER, Code.CREDITED_NOT_ISSUED}),
    )
    for held in (await session.scalars(query.order_by(Transfer.record_id))).all():
        await retry(session, held)


async def _record_issued(session: Session, transfer: Transfer, issued: Issued, told: tuple[Reason, ...]) -> None:
    """The document is this invoice from now on; an order's number is kept beside it.

    Raises:
        HoldError: another document of ours is that one already; the caller's transaction is lost.
    """
    document = issued.document
    values: dict[str, Any] = {
        **show_place(document),
        "issued": show_issued(document, due_date=issued.due_date, sent=issued.sent, voucher_id=issued.voucher_id),
        "warnings": show_reasons(told),
        **show_totals("remote_", document.totals),
    }
    if transfer.booking == Booking.ORDER:
        values |= {"order_id": transfer.remote_id, "order_number": transfer.remote_number}
        values |= {"remote_id": document.remote_id, "remote_type": "invoice"}
        # What was made of an order need not carry what the order's lines do.
        is_ours = document.external_reference == transfer.external_reference
        values |= {} if is_ours else {"external_reference": None}
    try:
        await record_values(session, transfer.id, **values)
    except IntegrityError as error:
        if "uq_transfer_remote" not in str(error.orig):
            raise
        cause = f"Invoice {document.number} in Unimicro belongs to another document of RecMan's already"
        raise HoldError((Reason(code=Code.DOCUMENT_TAKEN, cause=cause, fix=fix_for(Code.DOCUMENT_TAKEN)),)) from error
