"""Before what was begun is given up: nothing of it may be in Unimicro."""

import asyncio
from datetime import timedelta

from app.clerk.side_run import open_side_run
from app.domain.booking import Booking
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reference import RemoteDocument
from app.domain.states import UNCLEAR, KeyState
from app.errors import ConflictError
from app.platform.db import load_now
from app.platform.resources import Resources
from app.tables import Key, Transfer
from app.transfer.books import Books
from app.transfer.log import booking_of
from app.transfer.look import external_reference
from app.transfer.take_back import find_traces


async def require_absent(resources: Resources, transfer: Transfer) -> None:
    """Look in Unimicro for whatever may have been made of a begun transfer.

    Raises:
        ConflictError: something is there, or may be: it is booked, being sent, or was a moment ago.
        RemoteError, KeyPausedError: Unimicro could not be asked.
    """
    if transfer.filed_at is not None:
        cause = f"{transfer.number} is in a file, which may be imported"
        fix = fix_for(Code.CHANGED_AFTER_TRANSFER, "in_file")
        raise ConflictError(cause, fix=fix, code=Code.ALREADY_BEGUN)
    if transfer.booked_at is not None or transfer.scope != "invoice" or transfer.key_id is None:
        cause = f"The {transfer.kind.replace('_', ' ')} is {transfer.state}: it is, or may be, in Unimicro"
        raise ConflictError(cause, fix="Credit or close it in Unimicro instead.", code=Code.ALREADY_BEGUN)
    async with resources.of_tenant(transfer.tenant_id).sessions() as session:
        key = await session.get_one(Key, (transfer.tenant_id, transfer.key_id))
        # What was made a moment ago may not show yet.
        lag = timedelta(seconds=resources.settings.unimicro_read_lag_seconds)
        is_fresh = await load_now(session) - transfer.updated_at < lag
    if transfer.state in UNCLEAR or is_fresh:
        cause = "It is being sent right now, or its outcome is being looked up"
        raise ConflictError(
            cause, fix="Wait until its outcome is known, then ignore it if it is held.", code=Code.ALREADY_BEGUN
        )
    if key.state == KeyState.REMOVED:
        # Nobody can ask that company any more: the person who ignores it has looked there, as its reason says.
        return
    run = await open_side_run(resources, transfer)
    books = await run.open_books(key, terms=booking_of(transfer, key))
    await _require_no_voucher(books, transfer)
    for remote in await _find_twice(books, transfer, pause=lag.total_seconds()):
        what = f"{remote.kind.value.replace('_', ' ')} {remote.number}".strip()
        cause = f"It is in Unimicro: {what} with id {remote.remote_id} ({remote.state.value})"
        fix = "Delete it there if it is a draft, then ignore it here; what is issued must be credited, so retry it."
        raise ConflictError(cause, fix=fix, code=Code.ALREADY_BEGUN)


async def _require_no_voucher(books: Books, transfer: Transfer) -> None:
    """One that was credited is none; whether it made a head does not matter.

    Raises:
        ConflictError: a voucher of the document stands in the books.
    """
    if transfer.booking != Booking.VOUCHER:
        return
    reference = external_reference(transfer.record_id)
    for voucher in await books.target.find_vouchers(transfer.number, reference, thoroughly=True):
        if voucher.is_made and voucher.external_reference in ("", reference):
            cause = f"It is in Unimicro: voucher {voucher.number}"
            fix = "Credit the voucher there, then ignore it here; or retry it."
            raise ConflictError(cause, fix=fix, code=Code.ALREADY_BEGUN)


async def _find_twice(books: Books, transfer: Transfer, *, pause: float) -> tuple[RemoteDocument, ...]:
    """What is there of it: that there is nothing is believed only when two looks, the read lag apart, say so."""
    found = await find_traces(books, transfer)
    if found:
        return found
    await asyncio.sleep(pause)
    return await find_traces(books, transfer)
