"""A draft that was sent with the document's own number must have taken it, before it is issued."""

from app.domain.documents import Document
from app.domain.reference import RemoteDocument
from app.errors import HoldError
from app.transfer.attempts import missing_is_unclear
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.plan.own_number import find_number_gap
from app.transfer.proof import record_stop


async def require_number(run: Run, books: Books, document: Document, remote: RemoteDocument) -> None:
    """Make sure that a draft has taken the document's own number, where it was sent with it.

    Raises:
        HoldError: it has not; the key is stopped, for so it is with every document of the company.
    """
    gap = find_number_gap(document, remote, books.booking)
    if gap is not None:
        # What makes a draft may answer it without its number.
        async with missing_is_unclear():
            gap = find_number_gap(document, await books.target.fetch_document(remote.remote_id), books.booking)
    if gap is not None:
        async with run.sessions.begin() as session:
            await record_stop(session, run, books, gap)
        raise HoldError((gap,))
