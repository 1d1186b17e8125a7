"""Linking a document that somebody booked by hand: only when it is that customer's, and that amount."""

from app.clerk.side_run import open_side_run
from app.domain.booking import IN_BOOKS, Booking
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reference import DocumentState, RemoteDocument
from app.engine.lanes import wake_waiting
from app.errors import ConflictError, RemoteMissingError, RequestError
from app.platform.resources import Resources
from app.tables import Transfer
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.link import record_link
from app.transfer.look import look_at_customer
from app.transfer.plan.amounts import compare_totals, is_apart
from app.transfer.route import choose_key

_BY_HAND = (
    "RecMan's documents never change: leave it in Unimicro as it was entered by hand, and ignore it here "
    "(POST /v1/transfers/{transfer_id}/ignore)."
)
_FIX = "Check the id in Unimicro: it must be the same customer's document with the same amount."


async def link_elsewhere(resources: Resources, transfer: Transfer, *, remote_id: int) -> None:
    """Take over a document of Unimicro's as this transfer's.

    Raises:
        ConflictError: it is begun already, with a key that is in use, and not gone in Unimicro since; or the document
            is not issued, of another kind, customer or amount, or taken.
        RequestError: Unimicro has no such document, or RecMan's record cannot be read.
        RemoteError, HoldError, KeyPausedError, WaitError: the systems could not be asked.
    """
    run = await open_side_run(resources, transfer)
    document = await run.reader.read_document(transfer.record_id)
    if not isinstance(document, Document):
        cause = f"RecMan does not show invoice {transfer.record_id} completely"
        raise RequestError(cause, fix=_BY_HAND, code=Code.RECORD_INCOMPLETE)
    async with run.sessions() as session:
        key = await choose_key(session, run, document, by_hand=True)
    # What was issued is an invoice, also where the key itself makes orders.
    books = await run.open_books(key, terms=None if key.booking in IN_BOOKS else Booking.DRAFT)
    remote = await _fetch(books, remote_id)
    await _require_match(run, books, document, remote)
    await _record(run, books, document, remote)


async def _fetch(books: Books, remote_id: int) -> RemoteDocument:
    try:
        return await books.target.fetch_document(remote_id)
    except RemoteMissingError as error:
        cause = f"Unimicro has no invoice with id {remote_id}"
        raise RequestError(cause, fix=fix_for(Code.REMOTE_MISSING), code=Code.REMOTE_MISSING) from error


async def _require_match(run: Run, books: Books, document: Document, remote: RemoteDocument) -> None:
    if remote.kind is not document.kind:
        raise ConflictError("One of the two is a credit note, the other is not", fix=_FIX, code=Code.KIND_DIFFERS)
    # What was credited since is booked all the same; only a draft is not.
    if remote.state is DocumentState.DRAFT:
        cause = f"The document in Unimicro is {remote.state.value}"
        raise ConflictError(cause, fix="Issue it in Unimicro first, or name another one.", code=Code.NOT_ISSUED)
    if remote.currency_id not in (None, books.reference.currencies.get(document.currency)):
        cause = f"The document in Unimicro is not in {document.currency}"
        raise ConflictError(cause, fix=_FIX, code=Code.CURRENCY_DIFFERS)
    difference = compare_totals(document, remote)
    if difference is not None and is_apart(difference):
        raise ConflictError(difference.cause, fix=_FIX, code=Code.AMOUNT_DIFFERS)
    if remote.customer_id not in await _list_customer_ids(run, books, document.recman_company_id):
        cause = f"The document in Unimicro belongs to another customer (id {remote.customer_id})"
        raise ConflictError(cause, fix=_FIX, code=Code.CUSTOMER_DIFFERS)


async def _list_customer_ids(run: Run, books: Books, company_id: str) -> set[int]:
    view = await look_at_customer(run, books, company_id)
    if view.past is not None and view.past.booked:
        return {view.past.remote_id} if view.past.remote_id is not None else set()
    number = view.record.number if isinstance(view.record, Customer) else None
    return {match.remote_id for match in view.matches if match.number == number}


async def _record(run: Run, books: Books, document: Document, remote: RemoteDocument) -> None:
    async with run.sessions.begin() as session:
        await record_link(session, run, books, document, remote)
        await wake_waiting(
            session, tenant_id=run.lease.tenant_id, scope="invoice", record_id=document.recman_invoice_id
        )
