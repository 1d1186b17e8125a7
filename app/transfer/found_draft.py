"""A draft that was found again is gone on with only when its lines are booked as they would be now.

Rules, products and VAT types may have changed since it was made: it would be issued on what nobody says any more.
"""

from app.domain.documents import Document
from app.domain.reference import DocumentState, RemoteDocument
from app.errors import HoldError, RemoteUnavailableError, System
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.plan.products import choose_products
from app.transfer.plan.sale import to_sale
from app.transfer.plan.situation import DocumentSituation
from app.transfer.take_back import take_back_draft


async def require_as_planned(run: Run, books: Books, remote: RemoteDocument, situation: DocumentSituation) -> None:
    """Make sure that the lines of a found draft stand on the products, accounts and VAT codes that decide now.

    Raises:
        RemoteUnavailableError: they do not; the draft is taken back, and the next try makes another one.
        HoldError: Unimicro does not let us take it back.
    """
    document = situation.document
    if remote.state is not DocumentState.DRAFT or not isinstance(document, Document):
        return
    sale = to_sale(document, situation, reference=books.reference)
    rounding = "" if books.rules.rounding is None else books.rules.rounding.product
    besides = frozenset(one.remote_id for one in books.reference.products.get(rounding, ()))
    if await books.target.is_booked_as(remote.remote_id, document, choose_products(sale), besides=besides):
        return
    left = await take_back_draft(run)
    if left:
        raise HoldError(left)
    cause = f"the draft with id {remote.remote_id} was made by other rules or for other products than there are now"
    raise RemoteUnavailableError(cause, system=System.UNIMICRO)
