"""A draft that was found again is gone on with only when its lines are booked as they would be now.

Rules, products and VAT types may have changed since it was made: it would be issued on what nobody says any more.
"""

from dataclasses import replace

from app.domain.documents import Document
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import HoldError, RemoteUnavailableError, System
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.plan.products import choose_products
from app.transfer.plan.sale import to_sale
from app.transfer.plan.situation import DocumentSituation
from app.transfer.series import is_in_series
from app.transfer.take_back import take_back_draft


async def require_as_planned(run: Run, books: Books, remote: RemoteDocument, situation: DocumentSituation) -> None:
    """Make sure that the lines of a found draft stand on the products, accounts and VAT codes that decide now.

    Raises:
        RemoteUnavailableError: they do not; the draft is taken back, and the next try makes another one.
        HoldError: Unimicro does not let us take it back.
    """
    if await is_as_planned(books, remote, situation):
        return
    left = await take_back_draft(run)
    if left:
        raise HoldError(left)
    cause = f"the draft with id {remote.remote_id} was made by other rules or for other products than there are now"
    raise RemoteUnavailableError(cause, system=System.UNIMICRO)


async def is_as_planned(books: Books, remote: RemoteDocument, situation: DocumentSituation) -> bool:
    """Whether a found draft may be gone on with; what is issued stands as it stands.

    Raises:
        RemoteError: its lines could not be read.
    """
    document = situation.document
    if remote.state is not DocumentState.DRAFT or not isinstance(document, Document):
        return True
    if not is_in_series(remote, situation):
        return False
    sale = to_sale(document, situation, reference=books.reference)
    rounding = "" if books.rules.rounding is None else books.rules.rounding.product
    besides = frozenset(one.remote_id for one in books.reference.products.get(rounding, ()))
    return await books.target.is_booked_as(remote.remote_id, document, choose_products(sale), besides=besides)


def imagine_taken_back(situation: DocumentSituation) -> DocumentSituation:
    """The same once the draft that was found is deleted: as `take_back_draft` leaves it."""
    past = situation.past
    gone = (
        None
        if past is None
        else replace(past, remote_id=None, unclear=False, guid_spent=False, guid_version=past.guid_version + 1)
    )
    return replace(situation, found=(), past=gone)
