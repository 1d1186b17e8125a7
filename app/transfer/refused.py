"""Whether a locked period is why Unimicro refused a document, in the plan's own words. Reads only."""

from dataclasses import replace

from app.domain.booking import Booking
from app.domain.documents import Document
from app.errors import HoldError, PeriodLockedError, RemoteError, RemoteMissingError, RemoteRejectedError
from app.transfer.books import Books
from app.transfer.plan.basics import list_lock_gaps, name_document, period_locked
from app.transfer.plan.situation import DocumentSituation


async def explain_refusal(
    books: Books, situation: DocumentSituation, error: RemoteRejectedError
) -> HoldError | RemoteRejectedError:
    """The hold that the plan would have made had it known of the lock; the error itself where no lock explains it.

    The settings may have changed since they were read: they are read again, unless they are newer than the newest hint.
    """
    document = situation.document
    if isinstance(error, RemoteMissingError) or not isinstance(document, Document):
        return error
    try:
        reference = await books.refresh(entirely=False) or books.reference
    except RemoteError:
        # What Unimicro has said stands all the same.
        reference = books.reference
    if situation.booking is Booking.VOUCHER:
        # A voucher is booked on the day that we name, which is the document's own.
        reference = replace(reference, books_on_delivery_date=False)
    gaps = list_lock_gaps(document, reference, credited=situation.credited_document)
    if gaps:
        return HoldError(tuple(gaps))
    if not isinstance(error, PeriodLockedError):
        return error
    days = f"invoice date {document.invoice_date}"
    if document.delivery_date is not None:
        days += f", delivery date {document.delivery_date}"
    cause = f"{name_document(document)} ({days}) lies in a period that is locked in Unimicro: {error.cause}"
    return HoldError((period_locked(document, cause),))
