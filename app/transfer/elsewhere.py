"""Linking a document that somebody booked by hand: only when it is that customer's, and that amount."""

from typing import Any

from app.db import Session
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import ConflictError, RemoteMissingError, RequestError
from app.keys import is_removed
from app.lanes import wake_waiting
from app.resources import Resources
from app.tables import Transfer
from app.transfer.books import Books
from app.transfer.claims import claim_sending
from app.transfer.context import Run
from app.transfer.log import (
    find_transfer,
    is_begun,
    is_linked,
    record_done,
    record_remote,
    record_values,
    show_totals,
)
from app.transfer.look import external_reference, look_at_customer
from app.transfer.plan import compare_totals, hash_document
from app.transfer.route import choose_key, require_in_use
from app.transfer.side_run import open_side_run

_FIX = "Check the id in Unimicro: it must be the same customer's document with the same amount."


async def link_elsewhere(resources: Resources, transfer: Transfer, *, unimicro_id: int) -> None:
    """Take over a document of Unimicro's as this transfer's.

    Raises:
        ConflictError: it is begun already, with a key that is in use; or the document is not issued, of another kind,
            customer or amount, or taken.
        RequestError: Unimicro has no such document, or RecMan's record cannot be read.
        RemoteError, HoldError, KeyPausedError, WaitError: the systems could not be asked.
    """
    run = await open_side_run(resources, transfer)
    document = await run.reader.read_document(transfer.record_id)
    if not isinstance(document, Document):
        cause = f"RecMan does not show invoice {transfer.record_id} completely"
        raise RequestError(cause, fix="Mend the record in RecMan first.", code="record_incomplete")
    books = await run.open_books(await choose_key(run, document, anew=True))
    remote = await _fetch(books, unimicro_id)
    await _require_match(run, books, document, remote)
    await _record(run, books, transfer, document, remote)


async def _fetch(books: Books, unimicro_id: int) -> RemoteDocument:
    try:
        return await books.target.fetch_document(unimicro_id)
    except RemoteMissingError as error:
        cause = f"Unimicro has no invoice with id {unimicro_id}"
        raise RequestError(cause, fix=_FIX, code="remote_missing") from error


async def _require_match(run: Run, books: Books, document: Document, remote: RemoteDocument) -> None:
    if remote.kind is not document.kind:
        raise ConflictError("One of the two is a credit note, the other is not", fix=_FIX, code="kind_differs")
    if remote.state is not DocumentState.ISSUED:
        cause = f"The document in Unimicro is {remote.state.value}"
        raise ConflictError(cause, fix="Issue it in Unimicro first, or name another one.", code="not_issued")
    difference = compare_totals(document, remote, tolerance=books.rules.tolerance)
    if difference is not None and difference.code == "totals_differ":
        raise ConflictError(difference.cause, fix=_FIX, code="amount_differs")
    if remote.customer_id not in await _list_customer_ids(run, books, document.recman_company_id):
        cause = f"The document in Unimicro belongs to another customer (id {remote.customer_id})"
        raise ConflictError(cause, fix=_FIX, code="customer_differs")


async def _list_customer_ids(run: Run, books: Books, company_id: str) -> set[int]:
    view = await look_at_customer(run, books, company_id)
    if view.past is not None and view.past.booked:
        return {view.past.remote_id} if view.past.remote_id is not None else set()
    number = view.record.number if isinstance(view.record, Customer) else None
    return {match.remote_id for match in view.matches if match.number == number}


async def _take_hold(session: Session, books: Books, transfer: Transfer, run: Run) -> bool:
    """Whether the transfer may be linked; what it was at a removed key means nothing any more and is forgotten."""
    values: dict[str, Any] = {"key_id": books.key.id}
    if is_begun(transfer):
        if transfer.key_id is None or not await is_removed(session, transfer.key_id):
            return False
        values |= {"booked_at": None, "unimicro_id": None, "unimicro_number": None, "credits_unimicro_id": None}
        values |= {"external_reference": None, "unclear": False, "unclear_since": None, "guid_spent": False}
        values |= {"state": "waiting", "warnings": []}
    await record_values(session, transfer.id, **values)
    return await claim_sending(session, transfer.id, run.lease, key_id=books.key.id, step="link") is not None


async def _record(run: Run, books: Books, transfer: Transfer, document: Document, remote: RemoteDocument) -> None:
    async with run.sessions.begin() as session:
        await require_in_use(session, books.key)
        if await is_linked(session, key_id=books.key.id, remote_id=remote.remote_id, besides=transfer.id):
            cause = f"Another document of RecMan's is {remote.number} in Unimicro already"
            raise ConflictError(cause, fix=_FIX, code="already_linked")
        present = await find_transfer(session, run.place(books.key.id, "invoice", transfer.record_id), lock=True)
        if present is None or not await _take_hold(session, books, present, run):
            cause = "This document is in Unimicro already, or on its way there right now"
            raise ConflictError(
                cause,
                fix="Look at its attempts. If nothing of it is in Unimicro any more, ignore it first.",
                code="already_begun",
            )
        await record_remote(
            session,
            transfer.id,
            books.key,
            remote_id=remote.remote_id,
            unimicro_customer_id=remote.customer_id,
            # What was booked by hand carries nothing of ours.
            external_reference=_find_reference(transfer, remote),
        )
        await record_done(
            session,
            transfer.id,
            key_id=books.key.id,
            unimicro_number=remote.number,
            content_hash=hash_document(document),
            method=books.key.method,
            warnings=[],
            **show_totals("unimicro_", remote.totals),
        )
        tenant_id, record_id = transfer.tenant_id, transfer.record_id
        await wake_waiting(session, tenant_id=tenant_id, scope="invoice", record_id=record_id)


def _find_reference(transfer: Transfer, remote: RemoteDocument) -> str | None:
    ours = external_reference(transfer.record_id)
    return ours if remote.external_reference == ours else None
