"""A document of Unimicro's taken over as one of RecMan's: nothing is written there, and nobody else may have it."""

import time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.admin.keys import is_removed
from app.admin.series import record_number_booked
from app.domain.booking import IN_BOOKS, Booking
from app.domain.documents import Document
from app.domain.reasons.codes import LOST, Code
from app.domain.reasons.rows import Change
from app.domain.reference import RemoteDocument
from app.domain.states import EventState, TransferState
from app.engine.lanes import check_fence
from app.errors import ConflictError, HoldError
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.attempts import record_outcome
from app.transfer.booked import show_content, show_issued, show_place
from app.transfer.books import Books
from app.transfer.claims import claim_sending
from app.transfer.context import Outcome, Run
from app.transfer.log import find_transfer, is_begun, is_linked, record_done, record_remote, record_values, show_totals
from app.transfer.look import external_reference
from app.transfer.orphans import retry_credit_notes
from app.transfer.plan.steps import LinkDocument
from app.transfer.retry import retry_held
from app.transfer.route import require_in_use

# Two documents of RecMan's may be linked to one there at the same moment: whoever comes second must see the first.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key_id || ':' || :remote_id, 0))")


async def link_document(run: Run, books: Books, step: LinkDocument) -> None:
    """Do a person's decision to link, and end the lane's run with it.

    Raises:
        HoldError: the document there was taken meanwhile, or this one was begun.
    """
    async with run.sessions.begin() as session:
        # The key's row before the lane, as doors take them.
        await require_in_use(session, books.key)
        await check_fence(session, run.lease)
        try:
            transfer_id = await record_link(session, run, books, step.document, step.remote)
        except ConflictError as error:
            raise HoldError((error.reason,)) from error
        books.exchanges.clear()
        detail = f"linked to {step.remote.number} (id {step.remote.remote_id})"
        started = time.monotonic()
        await record_outcome(session, books, transfer_id, step="link", outcome="linked", detail=detail, started=started)
        number = step.remote.number
        await run.finish(
            session,
            state=EventState.DONE,
            note=f"in Unimicro as {number}",
            outcome=Outcome.LINKED,
            remote_number=number,
        )
        await wake_followers(session, tenant_id=run.lease.tenant_id)


async def wake_followers(session: Session, *, tenant_id: UUID) -> None:
    """Look again at what a linked document may have been missing to.

    Of what is held because of a removed key these are the credit notes alone: everything else waits for a key of its
    own, and that may be thousands of documents.
    """
    await retry_held(session, tenant_id=tenant_id, change=Change.INVOICE_LINKED)
    await retry_credit_notes(session, tenant_id=tenant_id)


async def record_link(session: Session, run: Run, books: Books, document: Document, remote: RemoteDocument) -> int:
    """Note that RecMan's document is this one; the transfer's id.

    Raises:
        ConflictError: another document of RecMan's has it, or this one is begun.
    """
    await require_in_use(session, books.key)
    await session.execute(_LOCK, {"key_id": str(books.key.id), "remote_id": str(remote.remote_id)})
    place = run.place(books.key.id, "invoice", document.recman_invoice_id)
    transfer = await find_transfer(session, place, lock=True)
    if transfer is None:
        raise LookupError(f"transfer of invoice {place.record_id} vanished")
    if await is_linked(session, key_id=books.key.id, remote_id=remote.remote_id, besides=transfer.id):
        cause = f"Another document of RecMan's is {remote.number} in Unimicro already"
        fix = "Check the id in Unimicro: it must be the same customer's document with the same amount."
        raise ConflictError(cause, fix=fix, code=Code.ALREADY_LINKED)
    was_order = _is_left_order(transfer, key_id=books.key.id)
    if not await _take_hold(session, run, books, transfer):
        cause = "This document is in Unimicro already, or on its way there right now"
        fix = "Look at its attempts. If nothing of it is in Unimicro any more, ignore it first."
        raise ConflictError(cause, fix=fix, code=Code.ALREADY_BEGUN)
    ours = external_reference(transfer.record_id)
    await record_remote(
        session,
        transfer.id,
        books.key,
        booking=Booking.DRAFT,
        remote_id=remote.remote_id,
        remote_customer_id=remote.customer_id,
        # What was booked by hand carries nothing of ours.
        external_reference=ours if remote.external_reference == ours else None,
    )
    await record_done(
        session,
        transfer.id,
        key_id=books.key.id,
        **_show_standing(books.booking, remote, was_order=was_order),
        **show_place(remote),
        warnings=[],
        **show_content(document),
        **show_totals("remote_", remote.totals),
    )
    await record_number_booked(session, books.key, document.number)
    return transfer.id


def _show_standing(booking: Booking, remote: RemoteDocument, *, was_order: bool) -> dict[str, Any]:
    """How what is issued stands there: where the key leaves documents to people, they have issued this one."""
    if booking in IN_BOOKS and not was_order:
        return {"booking": booking}
    issued = show_issued(remote, due_date=remote.due_date, sent=None, voucher_id=remote.voucher_id)
    return {"booking": Booking.ORDER if was_order else Booking.DRAFT, "issued": issued}


def _is_left_order(transfer: Transfer, *, key_id: UUID) -> bool:
    """Whether it is an order of ours that became an invoice which only a person can tell."""
    is_left = transfer.key_id == key_id and transfer.state == TransferState.DONE and transfer.issued is None
    return is_left and transfer.booking == Booking.ORDER and transfer.order_id is None


async def _take_hold(session: Session, run: Run, books: Books, transfer: Transfer) -> bool:
    """Whether the transfer may be linked.

    What it was at a removed key, or before somebody deleted it in Unimicro, means nothing any more and is forgotten.
    """
    values: dict[str, Any] = {"key_id": books.key.id}
    if is_begun(transfer):
        is_order = _is_left_order(transfer, key_id=books.key.id)
        is_free = transfer.key_id is not None and await is_removed(session, transfer.key_id)
        # What was imported of a file is known by nothing but a person's word, or a read-back.
        is_filed = transfer.filed_at is not None and transfer.remote_id is None
        if not (is_free or is_order or is_filed or _is_lost(transfer, key_id=books.key.id)):
            return False
        values |= {"booked_at": None, "remote_id": None, "remote_number": None, "credits_remote_id": None}
        values |= {"booked_as": None, "drift_looked_at": None}
        order = (transfer.remote_id, transfer.remote_number) if is_order else (None, None)
        values |= {"issued": None, "order_id": order[0], "order_number": order[1], "followed_at": None}
        values |= {"external_reference": None, "unclear": False, "unclear_since": None, "guid_spent": False}
        values |= {"state": TransferState.WAITING, "warnings": []}
    await record_values(session, transfer.id, **values)
    return await claim_sending(session, transfer.id, run.lease, key_id=books.key.id, step="link") is not None


def _is_lost(transfer: Transfer, *, key_id: UUID) -> bool:
    """Whether what was booked with this key is held because it is not there any more."""
    is_held = transfer.key_id == key_id and transfer.state == TransferState.HELD and not transfer.unclear
    return is_held and transfer.booked_at is not None and any(reason["code"] in LOST for reason in transfer.reasons)
