"""Is a booked document still in Unimicro as it was booked? Asked when a person wants it looked at again. Reads only."""

from decimal import Decimal

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import DRIFTS, Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import RemoteMissingError, RemoteUnavailableError
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.credit_log import is_credited_by_us
from app.transfer.plan.amounts import compare_base, compare_totals, is_apart
from app.transfer.plan.situation import Past


async def find_drift(run: Run, books: Books, document: Document, past: Past) -> Reason | None:
    """What somebody did to the document in Unimicro since, or None when it stands as it was booked.

    Raises:
        RemoteError: Unimicro could not be read, or must be asked once more.
    """
    # An order's id is no invoice's: what was booked by another booking is not looked for.
    if past.remote_id is None or (past.booking == Booking.ORDER) != (books.key.booking == Booking.ORDER):
        return None
    where = f"{document.kind.value.replace('_', ' ')} {document.number} ({past.remote_number or 'a draft'} in Unimicro)"
    try:
        remote = await books.target.fetch_document(past.remote_id)
    except RemoteMissingError as error:
        if run.asks_again or await _is_listed(books, past):
            raise RemoteUnavailableError(
                f"Unimicro does not show the {where} by its id right now", system=error.system
            ) from error
        return Reason(
            code=Code.DRIFT_DELETED, cause=f"The {where} was deleted in Unimicro", fix=fix_for(Code.DRIFT_DELETED)
        )
    if not _is_same(past, remote):
        cause = f"The {where} was stored with id {past.remote_id}, which now shows another document"
        return Reason(code=Code.DRIFT_OTHER, cause=cause, fix=fix_for(Code.DRIFT_OTHER))
    if remote.state is DocumentState.CREDITED:
        async with run.sessions() as session:
            ours = await is_credited_by_us(session, key_id=books.key.id, remote_id=past.remote_id)
        if not ours:
            return Reason(
                code=Code.DRIFT_CREDITED,
                cause=f"The {where} was credited in Unimicro, not by RecMan",
                fix=fix_for(Code.DRIFT_CREDITED),
            )
    # An earlier release has let totals pass that were a little apart: they are no alarm as long as they stay so.
    if past.totals == remote.totals and not is_alarmed(past):
        return None
    return find_changed(books, document, remote)


def find_changed(
    books: Books, document: Document, remote: RemoteDocument, *, rate: Decimal | None = None
) -> Reason | None:
    """How the sums of an issued document are not RecMan's: a draft may be changed by others until it is issued.

    `rate` is the one that it was made with, where that is known.
    """
    difference = compare_totals(document, remote)
    if not is_apart(difference) and rate is not None:
        difference = compare_base(document, remote, rate=rate, currency=books.reference.base_currency)
    if difference is None or not is_apart(difference):
        return None
    where = f"{document.kind.value.replace('_', ' ')} {document.number} ({remote.number or 'a draft'} in Unimicro)"
    return Reason(
        code=Code.DRIFT_CHANGED, cause=f"The {where} was changed. {difference.cause}", fix=fix_for(Code.DRIFT_CHANGED)
    )


def is_alarmed(past: Past) -> bool:
    """Whether a booked document is held because it did not stand in Unimicro as it was booked."""
    return any(reason.code in DRIFTS for reason in past.held_for)


async def _is_listed(books: Books, past: Past) -> bool:
    reference = past.external_reference
    return bool(reference and await books.target.find_documents_by_reference(reference))


def _is_same(past: Past, remote: RemoteDocument) -> bool:
    """Whether the id shows what was stored: what we made by our reference, what was linked by hand by its number."""
    if past.external_reference:
        return remote.external_reference == past.external_reference
    return not past.remote_number or remote.number == past.remote_number
