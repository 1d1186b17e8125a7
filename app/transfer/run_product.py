"""Stop 7 for products: one that a document needs and Unimicro lacks is made under RecMan's number."""

from dataclasses import replace

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteProduct
from app.domain.states import TransferState
from app.errors import AlreadyStoredError, HoldError
from app.platform.db import Session
from app.transfer.attempts import attempt
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import record_values
from app.transfer.plan.steps import CreateProduct
from app.transfer.writes import write_product

# So often a product that Unimicro says it has, and does not show, is looked for before a person is asked.
_PRODUCT_TRIES = 3


async def create_product(run: Run, books: Books, step: CreateProduct) -> None:
    """Make the product on the document's own transfer: nothing else waits for it, and its number finds it again.

    Raises:
        HoldError: Unimicro says that it was made once, and does not show it.
        RemoteError, WaitError, StaleLeaseError: see `attempt`.
    """
    transfer_id = run.own_transfer_id

    async def settle(session: Session, _product: RemoteProduct) -> None:
        await record_values(session, transfer_id, state=TransferState.WAITING, lane_token=None)

    try:
        made = await attempt(
            run,
            books,
            transfer_id,
            step="product",
            call=lambda: write_product(books, step.product),
            settle=settle,
        )
    except AlreadyStoredError as error:
        if run.lease.tries < _PRODUCT_TRIES:
            raise
        raise HoldError((_product_gone(step.product.number),)) from error
    products = {**books.reference.products, made.number: (made,)}
    books.reference = replace(books.reference, products=products)


def _product_gone(number: str) -> Reason:
    cause = f"Product {number} was made in Unimicro once and is not there any more"
    return Reason(code=Code.PRODUCT_GONE, cause=cause, fix=fix_for(Code.PRODUCT_GONE, number=number))
