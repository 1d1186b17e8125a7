"""Records as answers show them, where that is not as they are kept.

Source: docs/facts/unimicro.md §3.7: ShowNumberOfDecimals is how many are shown "for amount and price" (reference).
"""

from decimal import Decimal

from app.sandbox.unimicro.amounts import SUMS, TOTALS, round_half_up
from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.schema import PRIVATE
from app.sandbox.unimicro.switches import PrivateFlag
from app.sandbox.unimicro.vat import to_shown_vat_type

_AMOUNTS = (*SUMS, *TOTALS, "RestAmount", "CreditedAmount", "PriceExVat", "PriceIncVat", "Discount")
_SHOWN = {f"{name}{suffix}" for name in _AMOUNTS for suffix in ("", "Currency")}
_DOCUMENTS = {"CustomerInvoice", "CustomerInvoiceItem", "CustomerOrder", "CustomerOrderItem"}


def to_shown(books: Books, entity: str, record: Record) -> Record:
    """A copy of the record for an answer."""
    if entity == "VatType":
        return to_shown_vat_type(books, record)
    if entity == "Customer" and books.switches.private_flag is not PrivateFlag.KEPT:
        return {name: value for name, value in record.items() if name != PRIVATE}
    digits = books.settings["ShowNumberOfDecimals"]
    if entity not in _DOCUMENTS or not books.switches.shown_decimals or digits is None:
        return dict(record)
    return {
        name: round_half_up(Decimal(value), digits) if name in _SHOWN and value is not None else value
        for name, value in record.items()
    }
