"""Whether a draft that was sent with RecMan's number has it; what is issued is compared with all the rest. Pure."""

from collections.abc import Iterable

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.money import show_money
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


def find_other_with_number(document: Document, own: RemoteDocument, found: Iterable[RemoteDocument]) -> Reason | None:
    """The other document there, if any, that has the document's number."""
    other = next((one for one in found if one.remote_id != own.remote_id), None)
    if other is None:
        return None
    what = f"{other.kind.value.replace('_', ' ')} (id {other.remote_id}, {other.state})"
    told = f"{what} over {show_money(other.totals.gross_amount)}, reference {other.external_reference or 'none'}"
    cause = f"Unimicro has number {document.number} of {name_document(document)} already: {told}"
    return Reason(code=Code.NUMBER_IN_BOOKS, cause=cause, fix=fix_for(Code.NUMBER_IN_BOOKS))
