"""What must be right of a whole document, whatever field it stands in: its sums, its currency, its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from app.domain.file_documents import FileDocument
from app.domain.money import ZERO, round_money, show_money
from app.domain.reasons.codes import Code
from app.files.layouts import Layout
from app.files.sources import RowKind

Range = tuple[int, int]
_DIGITS = 15
_HUNDRED = Decimal(100)
# What is wrong, in words, and which of the code's fixes helps.
Fault = tuple[Code, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a company says of its numbers and years, as far as it is known; nothing is compared with what is not.

    `customer_numbers`, `document_numbers`: (first, last) of each series that takes them, both inclusive.
    `first_month`: with which the financial year begins. Source: assumed (docs/facts/files.md §4: January, unless said).
    """

    customer_numbers: tuple[Range, ...] = ()
    document_numbers: tuple[Range, ...] = ()
    first_month: int = 1

    def year_of(self, day: date) -> int:
        """The financial year of a day, by the year in which it begins."""
        return day.year if day.month >= self.first_month else day.year - 1


def list_faults(layout: Layout, document: FileDocument, bounds: Bounds) -> Iterator[Fault]:
    """Everything that is wrong with the document as a whole, for a file of this layout."""
    amounts = _list_amounts(document)
    if any(amount and amount.adjusted() >= _DIGITS for amount in amounts):
        # Nothing more can be reckoned with it.
        yield (Code.FILE_CODE_UNFIT, f"An amount has more than {_DIGITS} digits before its decimals", "digits")
        return
    if any(amount != round_money(amount) for amount in amounts):
        # Rounded one by one in the file, and all together in the manifest, they would not be the same.
        yield (Code.FILE_SUMS_DIFFER, "An amount has more than two decimals", "")
    yield from _list_of_sums(layout, document)
    if layout.has_rows_of(RowKind.ENTRIES):
        yield from _list_of_entries(document)
    if not layout.for_people:
        yield from _list_of_currency(layout, document)
        yield from _list_of_numbers(layout, document, bounds)


def _list_amounts(document: FileDocument) -> list[Decimal]:
    """Everything that is money to the øre: prices are none of it."""
    return [
        *(document.net_amount, document.vat_amount, document.gross_amount),
        *(amount for line in document.lines for amount in (line.net_amount, line.vat_amount)),
        *(amount for entry in document.entries for amount in (entry.amount, entry.currency_amount)),
        *(amount for one in document.vat_by_code for amount in (one.net_amount, one.vat_amount)),
    ]


def is_in_base_only(layout: Layout, document: FileDocument) -> bool:
    """Whether the file has a foreign document in the company's currency alone."""
    return (
        document.currency != document.base_currency
        and layout.has_rows_of(RowKind.ENTRIES)
        and not layout.asks_for("entry.currency")
    )


def _list_of_sums(layout: Layout, document: FileDocument) -> Iterator[Fault]:
    if document.net_amount + document.vat_amount != document.gross_amount:
        yield _differ(f"net and VAT come to {show_money(document.net_amount + document.vat_amount)}", document)
    codes = document.vat_by_code
    net, vat = sum((one.net_amount for one in codes), ZERO), sum((one.vat_amount for one in codes), ZERO)
    if (net, vat) != (document.net_amount, document.vat_amount):
        yield _differ(f"its VAT codes come to {show_money(net)} net and {show_money(vat)} VAT", document)
    lines = sum((line.net_amount for line in document.lines), ZERO)
    if layout.has_rows_of(RowKind.LINES) and lines != document.net_amount:
        yield _differ(f"its lines come to {show_money(lines)} net", document)
    elif layout.has_rows_of(RowKind.LINES) and not layout.for_people and not layout.asks_for("line.net_amount"):
        yield from _list_of_reckoned(layout, document)


def _list_of_reckoned(layout: Layout, document: FileDocument) -> Iterator[Fault]:
    """Lines of which the file has quantity and price alone, as it writes them: whoever reads it reckons the rest."""
    steps = {one.source: Decimal(1).scaleb(-one.decimals) for record in layout.records for one in record.fields}
    for position, line in enumerate(document.lines, start=1):
        parts = {name: getattr(line, name) for name in ("quantity", "unit_price", "discount_percent")}
        if line.is_text or any(part and part.adjusted() >= _DIGITS for part in parts.values()):
            continue
        # What the layout does not ask for is not in the file: nothing is taken off there.
        quantity, price, off = (
            part.quantize(steps[f"line.{name}"], rounding=ROUND_HALF_UP) if f"line.{name}" in steps else ZERO
            for name, part in parts.items()
        )
        reckoned = round_money(quantity * price * (_HUNDRED - off) / _HUNDRED)
        if reckoned != line.net_amount:
            words = f"line {position} comes to {show_money(reckoned)} net by the quantity and price in the file"
            words = f"{words}, and to {show_money(line.net_amount)} in RecMan"
            yield (Code.FILE_SUMS_DIFFER, words[0].upper() + words[1:], "reckoned")


def _differ(words: str, document: FileDocument) -> Fault:
    sums = (document.net_amount, document.vat_amount, document.gross_amount)
    return (Code.FILE_SUMS_DIFFER, f"Of {' + '.join(map(show_money, sums[:2]))} = {show_money(sums[2])} {words}", "")


def _list_of_entries(document: FileDocument) -> Iterator[Fault]:
    if not document.entries:
        yield (Code.FILE_UNBALANCED, "It has no voucher", "none")
        return
    for name, currency in (("amount", document.base_currency), ("currency_amount", document.currency)):
        rest = sum((getattr(entry, name) for entry in document.entries), ZERO)
        if rest:
            yield (Code.FILE_UNBALANCED, f"Debit and credit are {show_money(rest)} {currency} apart", "")
    if any(bool(entry.account) is bool(entry.customer_number) for entry in document.entries):
        yield (Code.FILE_UNBALANCED, "An amount stands on no account, or on an account and a customer at once", "")
    yield from _list_of_claim(document)


def _list_of_claim(document: FileDocument) -> Iterator[Fault]:
    """What of the claim is not the document's: two claims would make two invoices of it."""
    claims = [entry for entry in document.entries if entry.customer_number]
    if len(claims) != 1:
        yield (Code.FILE_UNBALANCED, f"The customer is booked {len(claims)} times, and a document is one claim", "")
        return
    claim = claims[0]
    wanted = -document.gross_amount if document.is_credit_note else document.gross_amount
    if claim.currency_amount != wanted:
        words = (
            f"The customer is booked {show_money(claim.currency_amount)}, and the document says {show_money(wanted)}"
        )
        yield (Code.FILE_UNBALANCED, f"{words} {document.currency}", "")
    if not claim.invoice_number:
        yield (Code.FILE_FIELD_EMPTY, "The customer's amount has no invoice number", "")
    booked = (claim.customer_number, claim.invoice_number, claim.payment_id, claim.due_date)
    if booked != (document.customer.number, document.number, document.payment_id, document.due_date):
        words = "The customer's amount has another customer, number, KID or due date than the document"
        yield (Code.FILE_UNBALANCED, words, "")


def _list_of_currency(layout: Layout, document: FileDocument) -> Iterator[Fault]:
    if document.currency == document.base_currency:
        return
    is_in_base = layout.has_rows_of(RowKind.ENTRIES)
    needs_rate = is_in_base or layout.asks_for("document.exchange_rate")
    if needs_rate and not _is_positive(document.exchange_rate):
        yield (Code.FILE_RATE_MISSING, f"No rate from {document.currency} to {document.base_currency} is known", "")
    has_amounts = layout.has_rows_of(RowKind.DOCUMENTS) or layout.has_rows_of(RowKind.LINES)
    if has_amounts and not layout.asks_for("document.currency"):
        yield (Code.FILE_CURRENCY_UNTOLD, f"It is in {document.currency}, which the layout has no place for", "")


def _is_positive(rate: Decimal | None) -> bool:
    return rate is not None and rate > 0


def _list_of_numbers(layout: Layout, document: FileDocument, bounds: Bounds) -> Iterator[Fault]:
    customer = document.customer.number
    names_customer = layout.has_rows_of(RowKind.CUSTOMERS) or layout.has_rows_of(RowKind.ENTRIES)
    if (names_customer or layout.asks_for("customer.number")) and _is_outside(customer, bounds.customer_numbers):
        words = f"Customer number {customer!r} is in none of {_show_ranges(bounds.customer_numbers)}"
        yield (Code.FILE_NUMBER_OUTSIDE, words, "customer")
    if _is_outside(document.number, bounds.document_numbers):
        words = f"Number {document.number!r} is in none of {_show_ranges(bounds.document_numbers)}"
        yield (Code.FILE_NUMBER_OUTSIDE, words, "")


def _is_outside(number: str, ranges: tuple[Range, ...]) -> bool:
    """Whether a number that is there lies in none of the ranges; one that is missing is another fault."""
    if not ranges or not number:
        return False
    is_plain = number.isascii() and number.isdecimal()
    return not (is_plain and any(first <= int(number) <= last for first, last in ranges))


def _show_ranges(ranges: tuple[Range, ...]) -> str:
    return ", ".join(f"{first}–{last}" for first, last in ranges)
