"""Whether a draft that was sent with RecMan's number has it; what is issued is compared with all the rest. Pure."""

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.transfer.plan.basics import name_document


def find_number_gap(document: Document, remote: RemoteDocument, booking: Booking) -> Reason | None:
    """How a draft has not the document's number, where it must have it; None: it has, or need not."""
    is_draft = remote.state is DocumentState.DRAFT
    if booking is not Booking.OWN_NUMBER or not is_draft or remote.number == document.number:
        return None
    cause = f"{name_document(document)} was sent with its number; in Unimicro the draft has {remote.number or 'none'}"
    return Reason(code=Code.NUMBER_NOT_KEPT, cause=cause, fix=fix_for(Code.NUMBER_NOT_KEPT))
