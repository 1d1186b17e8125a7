"""A draft that was sent with the document's own number must have taken it before it is issued."""

from app.domain.documents import Document
from app.domain.reference import RemoteDocument
from app.errors import HoldError
from app.transfer.attempts import missing_is_unclear
from app.transfer.books import Books
from app.transfer.plan.own_number import find_number_gap


async def require_number(books: Books, document: Document, remote: RemoteDocument) -> None:
    """Make sure that a draft has taken the document's own number, where it was sent with it.

    Raises:
        HoldError: it has not; who holds the document stops the key, too.
    """
    gap = find_number_gap(document, remote, books.booking)
    if gap is not None:
        # What makes a draft may answer it without its number.
        async with missing_is_unclear():
            gap = find_number_gap(document, await books.target.fetch_document(remote.remote_id), books.booking)
    if gap is not None:
        raise HoldError((gap,))
