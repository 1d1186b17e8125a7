"""A draft that was sent with the document's own number must have taken it, and alone, before it is issued."""

from app.domain.answers import refuses_twice
from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.reasons.codes import Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import HoldError
from app.transfer.attempts import missing_is_unclear
from app.transfer.books import Books
from app.transfer.plan.own_number import find_number_gap, find_other_with_number


async def require_number(books: Books, document: Document, remote: RemoteDocument) -> None:
    """Make sure that a draft has taken the document's own number, where it was sent with it.

    Raises:
        HoldError: it has not, or another one has it; who holds the document stops the key, too.
    """
    gap = find_number_gap(document, remote, books.booking)
    if gap is not None:
        # What makes a draft may answer it without its number.
        async with missing_is_unclear():
            gap = find_number_gap(document, await books.target.fetch_document(remote.remote_id), books.booking)
    if gap is None:
        gap = await _find_other(books, document, remote)
    if gap is not None:
        raise HoldError((gap,))


async def _find_other(books: Books, document: Document, remote: RemoteDocument) -> Reason | None:
    """Whose number it is besides: asked just before it is issued, for nothing tells afterwards which one was first.

    Where Unimicro was seen to refuse a second invoice with a number, it is as good as asked.
    """
    is_draft = remote.state is DocumentState.DRAFT
    if books.booking is not Booking.OWN_NUMBER or not is_draft or refuses_twice(books.answers):
        return None
    async with missing_is_unclear():
        found = await books.target.find_documents_by_number(document.number)
    return find_other_with_number(document, remote, found)
