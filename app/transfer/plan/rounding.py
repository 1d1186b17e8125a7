"""What levels a claim that rounding has moved: a line without VAT, on the account that the key's rules name. Pure.

The line has a product of its own (domain.rounding): whether Unimicro takes priced lines without one is unknown
(docs/facts/unimicro.md §9 row 10), so none is ever sent.
"""

from decimal import Decimal

from app.domain.documents import Document, Line
from app.domain.money import ZERO
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument, RemoteProduct
from app.domain.rounding import ROUNDING_TEXT
from app.domain.rules import Rules


def is_levelled(difference: Reason | None, remote: RemoteDocument, rules: Rules) -> bool:
    """Whether a line of its own makes the claim the document's: rounding moved a draft's, and an account is named."""
    is_rounding = difference is not None and difference.code == Code.ROUNDING
    return is_rounding and remote.state is DocumentState.DRAFT and rules.rounding is not None


def make_rounding_line(document: Document, remote: RemoteDocument, product: RemoteProduct) -> Line:
    """The line that makes Unimicro's claim the document's."""
    amount = document.totals.gross_amount - remote.totals.gross_amount
    return Line(
        position=len(document.lines) + 1,
        text=ROUNDING_TEXT,
        product_number=product.number,
        quantity=Decimal(1) if amount > 0 else Decimal(-1),
        unit_price_net=abs(amount),
        vat_rate=ZERO,
    )
