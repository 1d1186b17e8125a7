"""What was made of a document and may not stand is taken away again: no hold leaves a draft for a person to issue."""

from contextlib import suppress

from app.domain.booking import Booking
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.domain.states import TransferState
from app.errors import HoldError, RemoteMissingError, RemoteRejectedError, RemoteUnavailableError, System
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.attempts import attempt, missing_is_unclear
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import booking_of, find_transfer, is_begun, record_values, show_totals
from app.transfer.look import external_reference
from app.transfer.pasts import past_of
from app.transfer.plan.credit import list_own_drafts


async def take_back_draft(run: Run) -> tuple[Reason, ...]:
    """Delete the draft that this document has in Unimicro, if it has one; a reason more where that is refused.

    Asked before a hold is recorded, so that a kill in between makes the next run meet draft and refusal again.

    Raises:
        RemoteError, KeyPausedError: it is not certain what became of the draft; the hold must wait.
    """
    if run.lease.scope != "invoice":
        return ()
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(None, "invoice", run.lease.record_id))
    if transfer is None or transfer.booked_at is not None or not is_begun(transfer):
        return ()
    if transfer.booking == Booking.VOUCHER:
        # It was never a draft: whatever looks like one is a person's.
        return ()
    # Also of a document that RecMan does not show any more: it is the lane's own.
    run.show_transfer(transfer.id)
    books = await _open_books(run, transfer)
    draft = None if books is None else await _find_own_draft(books, transfer)
    return () if books is None or draft is None else await _delete(run, books, transfer, draft)


async def require_unmoved(run: Run, books: Books) -> None:
    """What Unimicro refused, or summed up to something else, may have named ids that have changed since they were read.

    Ids of VAT types change: what is told then is about a code that nobody meant.

    Raises:
        RemoteUnavailableError: they have; nothing of the document is left there, and the next try knows the new ones.
    """
    used = books.reference
    fresh = await books.refresh(entirely=True)
    if fresh is None or fresh.ids == used.ids:
        return
    left = await take_back_draft(run)
    if left:
        raise HoldError(left)
    cause = "Unimicro's VAT types, accounts or products have other ids than when they were read"
    raise RemoteUnavailableError(cause, system=System.UNIMICRO)


async def _open_books(run: Run, transfer: Transfer) -> Books | None:
    """The books in which the document was begun; None where they may not be used any more."""
    if run.books is not None and run.books.key.id == transfer.key_id:
        return run.books
    async with run.sessions() as session:
        key = await session.get(Key, (transfer.tenant_id, transfer.key_id))
    try:
        return None if key is None else await run.open_books(key, terms=booking_of(transfer, key))
    except HoldError:
        # A key that was removed has no sign-in left; its own hold says what to do.
        return None


async def find_traces(books: Books, transfer: Transfer) -> tuple[RemoteDocument, ...]:
    """What may be there of a begun document: under its id, else by our reference, else a credit draft without one.

    Vouchers are looked for elsewhere: they are no drafts.
    """
    if transfer.remote_id is not None:
        with suppress(RemoteMissingError):
            return (await books.target.fetch_document(transfer.remote_id),)
    found = await books.target.find_documents_by_reference(external_reference(transfer.record_id))
    if found or transfer.credits_remote_id is None:
        return found
    credit_notes = await books.target.find_credits(transfer.credits_remote_id)
    with suppress(RemoteMissingError):
        credited = await books.target.fetch_document(transfer.credits_remote_id)
        return list_own_drafts(past_of(transfer, key_id=books.key.id, now=transfer.updated_at), credited, credit_notes)
    return ()


async def _find_own_draft(books: Books, transfer: Transfer) -> RemoteDocument | None:
    """The document's draft as long as it is one, ours, and the only one."""
    found = await find_traces(books, transfer)
    if len(found) != 1 or found[0].state is not DocumentState.DRAFT:
        return None
    # A credit draft may not have its mark yet: the answer that it was made with names its id, else its
    # time shows which it is.
    is_unmarked = transfer.kind == "credit_note" and found[0].credited_id == transfer.credits_remote_id
    reference = found[0].external_reference
    is_ours = reference == external_reference(transfer.record_id) or (is_unmarked and not reference)
    return found[0] if is_ours else None


async def _delete(run: Run, books: Books, transfer: Transfer, draft: RemoteDocument) -> tuple[Reason, ...]:
    async def settle(session: Session, _answer: None) -> None:
        # A deleted draft has taken its guid with it; of a credit note nothing is begun any more.
        totals = show_totals("remote_", draft.totals)
        version = transfer.guid_version + 1
        values = {"state": TransferState.WAITING, "lane_token": None, "remote_id": None, "guid_version": version}
        values |= {"credits_remote_id": None}
        await record_values(session, transfer.id, **values, **totals)

    async def call() -> None:
        async with missing_is_unclear():
            await books.target.delete_draft(draft.remote_id)

    try:
        await attempt(run, books, transfer.id, step="delete", call=call, settle=settle)
    except RemoteRejectedError as error:
        cause = f"Its draft (id {draft.remote_id}) is still in Unimicro, which does not let us delete it: {error.cause}"
        return (Reason(code=Code.DRAFT_LEFT, cause=cause, fix=fix_for(Code.DRAFT_LEFT)),)
    return ()
