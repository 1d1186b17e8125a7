"""Whether a document that was sent with RecMan's number has it: on the draft, and once it is issued. Pure."""

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.transfer.plan.basics import name_document


def find_number_gap(document: Document, remote: RemoteDocument, booking: str) -> Reason | None:
    """How the number there is not the document's, where it must be; None: it is, or need not be."""
    if booking != Booking.OWN_NUMBER or remote.number == document.number:
        return None
    is_draft = remote.state is DocumentState.DRAFT
    what = "a draft" if is_draft else "issued"
    cause = (
        f"{name_document(document)} was sent with its number; in Unimicro it is {what} under {remote.number or 'none'}"
    )
    fix = fix_for(Code.NUMBER_NOT_KEPT, "" if is_draft else "issued")
    return Reason(code=Code.NUMBER_NOT_KEPT, cause=cause, fix=fix)
