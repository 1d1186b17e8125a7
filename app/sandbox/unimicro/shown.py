"""Records as answers show them, where that is not as they are kept.

Source: docs/facts/unimicro.md §3.7: ShowNumberOfDecimals is how many are shown "for amount and price" (reference).
"""

from decimal import Decimal

from app.sandbox.unimicro.amounts import SUMS, TOTALS, round_half_up
from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.schema import PRIVATE
from app.sandbox.unimicro.switches import LinesShown, PrivateFlag, SettingsShown
from app.sandbox.unimicro.vat import to_shown_vat_type

_AMOUNTS = (*SUMS, *TOTALS, "RestAmount", "CreditedAmount", "PriceExVat", "PriceIncVat", "Discount")
_SHOWN = {f"{name}{suffix}" for name in _AMOUNTS for suffix in ("", "Currency")}
# What of the company settings is there in any case, beside ids.
_LEAST = {"CompanyName", "OrganizationNumber", "TaxMandatory", "TaxMandatoryType", "Deleted"}
# What the flag is called. Source: assumed; §3.7 knows the action alone.
_TEN_DECIMALS = "Use10DecimalsOnInvoiceCalculation"
_LINES = {"CustomerInvoiceItem", "CustomerOrderItem"}
_DOCUMENTS = {"CustomerInvoice", "CustomerOrder", *_LINES}


def to_shown(books: Books, entity: str, record: Record) -> Record:
    """A copy of the record for an answer."""
    if entity == "VatType":
        return to_shown_vat_type(books, record)
    if entity == "Customer" and books.switches.private_flag is not PrivateFlag.KEPT:
        return {name: value for name, value in record.items() if name != PRIVATE}
    if entity == "CompanySettings":
        return _to_shown_settings(books, record)
    if entity in _LINES and books.switches.lines_shown is LinesShown.WITHOUT_SUMS:
        record = {name: value for name, value in record.items() if name.removesuffix("Currency") not in SUMS}
    digits = books.settings["ShowNumberOfDecimals"]
    if entity not in _DOCUMENTS or not books.switches.shown_decimals or digits is None:
        return dict(record)
    return {
        name: round_half_up(Decimal(value), digits) if name in _SHOWN and value is not None else value
        for name, value in record.items()
    }


def _to_shown_settings(books: Books, record: Record) -> Record:
    told = {_TEN_DECIMALS: books.switches.ten_decimals} if books.switches.ten_decimals_told else {}
    if books.switches.settings_shown is SettingsShown.ALL:
        return {**record, **told}
    return {name: value for name, value in record.items() if name in _LEAST or name.endswith(("ID", "LockedDate"))}


def to_answer_of_write(books: Books, shown: Record, body: Record) -> Record:
    """What a write answers of the stored tree: its lines as the switch says."""
    kind, items = books.switches.lines_shown, shown.get("Items")
    if not isinstance(items, list) or kind in {LinesShown.SENT, LinesShown.WITHOUT_SUMS}:
        return shown
    if kind is LinesShown.EXPANDED:
        return {name: value for name, value in shown.items() if name != "Items"}
    changed = {one["ID"] for one in body["Items"] if one.get("ID")}
    new = {one.get("SortIndex") for one in body["Items"] if not one.get("ID")}
    return {**shown, "Items": [one for one in items if one["ID"] in changed or one["SortIndex"] in new]}
