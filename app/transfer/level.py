"""A draft's sums compared with the document's before it counts, and its claim levelled where rounding has moved it.

Nothing is issued, or kept as a draft, whose claim is not the document's to the øre.
"""

from dataclasses import replace

from app.accounting.targets import Draft
from app.domain.documents import Document
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteProduct
from app.domain.rounding import choose_rounding_product
from app.errors import HoldError
from app.platform.db import Session
from app.transfer.attempts import attempt, missing_is_unclear
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.linked import find_rounding_product, find_vat_sums
from app.transfer.log import record_values, show_totals
from app.transfer.look import external_reference
from app.transfer.plan.amounts import compare_base, compare_found, compare_unlevelled
from app.transfer.plan.rounding import is_levelled, make_rounding_line
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import CreateProduct
from app.transfer.plan.vat_sums import VatSums, compare_codes
from app.transfer.run_product import create_product


async def level_draft(
    run: Run, books: Books, document: Document, draft: Draft, situation: DocumentSituation
) -> tuple[Draft, VatSums | None]:
    """The draft with the document's claim, and a note where rounding has net or VAT apart; and its sums by VAT code.

    Shape: no sums by code where nobody can say any more what the lines are booked on.

    Raises:
        HoldError: the sums differ, be it on two codes that make up for each other, or rounding has the claim apart and
            no account for it is named.
        RemoteError, WaitError, StaleLeaseError: see `attempt`.
    """
    # By the lists that it was made with: their ids may move.
    vat = find_vat_sums(books, document, situation)
    difference = compare_found(document, draft.document)
    if is_levelled(difference, draft.document, books.rules):
        draft = await _add_line(run, books, document, draft)
        difference = compare_unlevelled(document, draft.document, is_draft=True)
        # The product of the line may have been made for it.
        vat = None if vat is None else replace(vat, rounding_product_id=find_rounding_product(books))
    base = None
    if draft.rate is not None:
        base = compare_base(document, draft.document, rate=draft.rate, currency=books.reference.base_currency)
    told = [one for one in (difference, base) if one is not None]
    gaps = tuple(one for one in told if one.code != Code.TOTALS_ROUNDED)
    if gaps:
        raise HoldError(gaps)
    await _compare_codes(books, draft, vat)
    return replace(draft, warnings=(*draft.warnings, *told)), vat


async def _compare_codes(books: Books, draft: Draft, vat: VatSums | None) -> None:
    """Make sure that the lines are on the codes that they were sent with.

    Raises:
        HoldError: they are not.
    """
    if vat is None:
        return
    difference = compare_codes(vat, draft.document, books.reference)
    if draft.document.lines is None or difference is not None:
        # Whether what makes or changes a draft answers its lines, and all of them, is unknown: then they are read.
        # Source: assumed.
        async with missing_is_unclear():
            remote = await books.target.fetch_document(draft.document.remote_id)
        difference = compare_codes(vat, remote, books.reference)
    if difference is not None:
        raise HoldError((difference,))


async def _add_line(run: Run, books: Books, document: Document, draft: Draft) -> Draft:
    product = await _provide_product(run, books)
    line = make_rounding_line(document, draft.document, product)
    reference = external_reference(document.recman_invoice_id)

    async def settle(session: Session, levelled: Draft) -> None:
        await record_values(session, run.own_transfer_id, **show_totals("remote_", levelled.document.totals))

    return await attempt(
        run,
        books,
        run.own_transfer_id,
        step="level",
        call=lambda: books.target.add_rounding(draft, line, product, external_reference=reference),
        settle=settle,
    )


async def _provide_product(run: Run, books: Books) -> RemoteProduct:
    """The product of rounding lines, made where Unimicro has none yet: whoever named the account wanted it.

    Raises:
        HoldError: the account or the product cannot be used.
    """
    found = _choose(books)
    if isinstance(found, Reason) or not found.remote_id:
        # Somebody may have mended it, or made it, since the reference data were read.
        books.reference = await books.refresh(entirely=True) or books.reference
        found = _choose(books)
    if isinstance(found, Reason):
        raise HoldError((found,))
    if found.remote_id:
        return found
    await create_product(run, books, CreateProduct(product=found, reason="rounding lines need a product of their own"))
    return replace(found, remote_id=books.reference.products[found.number][0].remote_id)


def _choose(books: Books) -> RemoteProduct | Reason:
    if books.rules.rounding is None:
        raise TypeError("nothing is levelled without an account")
    return choose_rounding_product(books.rules.rounding, books.reference)
