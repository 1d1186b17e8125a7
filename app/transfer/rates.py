"""The rate that a document is reckoned with, and the memory of the last one used. The only owner of `used_rate`."""

from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.answers import Question, Way, knows_otherwise
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Quote
from app.errors import HoldError
from app.platform.db import Session
from app.tables import UsedRate
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.plan.rates import choose_rate


async def load_rate(run: Run, books: Books, document: Document) -> Decimal:
    """What one unit of the document's currency is worth in the company's own, on the document's day.

    Raises:
        HoldError: Unimicro has no rate, or one that is not believed.
        RemoteError: Unimicro could not be asked.
    """
    reference = books.reference
    if document.currency == reference.base_currency:
        return Decimal(1)
    ids = reference.currencies
    base_id = ids[reference.base_currency]
    quote = await books.target.fetch_quote(ids[document.currency], base_id, document.invoice_date)
    _require_taken(books, document, quote)
    if knows_otherwise(books.answers, Question.RATE_FACTOR, Way.PER_UNIT):
        # The company was seen to tell rates for one unit whatever the factor says.
        quote = Quote(quote.amount)
    async with run.sessions() as session:
        last = await _find_last(session, run, books, document.currency)
    found = choose_rate(document, quote, base_currency=reference.base_currency, last=last, named=books.rules.rates)
    if isinstance(found, Reason):
        raise HoldError((found,))
    return found


def _require_taken(books: Books, document: Document, quote: Quote) -> None:
    """Make sure that the company takes a document's rate as we send it: for one unit.

    What is quoted for one unit goes: whether its sums come out, its draft shows. A voucher brings its amounts in both
    currencies, and what comes of those is proven by itself.

    Raises:
        HoldError: `golive` has seen it do otherwise in this company.
    """
    takes_units = quote.units != 1 and knows_otherwise(books.answers, Question.RATE_SENT, Way.PER_FACTOR)
    is_unlike = takes_units or knows_otherwise(books.answers, Question.RATE_SENT, Way.UNLIKE)
    if is_unlike and books.booking is not Booking.VOUCHER:
        told = f"for {quote.units.normalize():f} units" if takes_units else "in no way that is known"
        cause = f"The company takes a document's rate {told}, as `golive` has seen: {document.currency} would be wrong"
        raise HoldError((Reason(code=Code.RATE_DOUBTFUL, cause=cause, fix=fix_for(Code.RATE_DOUBTFUL, "sent")),))


async def _find_last(session: Session, run: Run, books: Books, currency: str) -> Decimal | None:
    query = select(UsedRate.rate).where(
        UsedRate.tenant_id == run.lease.tenant_id,
        UsedRate.company_key == books.key.company_key,
        UsedRate.currency == currency,
    )
    return await session.scalar(query)


async def record_rate(session: Session, run: Run, books: Books, document: Document, rate: Decimal | None) -> None:
    """Remember the rate that an invoice was booked with; the company's own currency has none.

    A credit note's is its invoice's, be that of years ago: it says nothing of the next one's.
    """
    is_own = document.currency != books.reference.base_currency and document.kind is DocumentKind.INVOICE
    if rate is None or not is_own:
        return
    place = {"tenant_id": run.lease.tenant_id, "company_key": books.key.company_key, "currency": document.currency}
    values = {"rate": rate, "used_at": func.now()}
    query = upsert(UsedRate).values(place | values)
    await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))
