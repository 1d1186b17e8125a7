"""The lines of an invoice or order as the server finishes them: product's defaults, account, VAT, prices, sums.

Source: docs/facts/unimicro.md §3.3 [o]. Which account a line may stand on, and the words of refusals, are assumed.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.sandbox.unimicro.amounts import (
    FOREIGN,
    SUMS,
    Sheet,
    round_half_up,
    to_exact_sums,
    to_head_sums,
    to_stored_sums,
)
from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.rates import load_base_code, load_rate, to_unit_rate
from app.sandbox.unimicro.switches import BasePrices, LineVat, LongPrices, Unproduced
from app.sandbox.unimicro.vat import NO_VAT_COMPANY, to_line_vat

_ZERO = Decimal(0)
_GROSS_PRICE_DIGITS = 4
# A line without a product is text only: these are nulled (§3.3: the UI does it; that the server does is assumed).
_TEXT_LINE_NULLS = ("AccountID", "VatTypeID", "VatPercent", "PriceExVat", "PriceExVatCurrency", "PriceIncVat")
_TEXT_LINE: Record = dict.fromkeys((*_TEXT_LINE_NULLS, "NumberOfItems", "DimensionsID", "Unit"))
_TEXT_LINE |= dict.fromkeys((f"{name}{suffix}" for name in (*SUMS, "Discount") for suffix in ("", FOREIGN)), _ZERO)
_PRICES = ("PriceExVat", "PriceExVatCurrency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document under way: `entity` is the head's; `sheet` says how it is computed."""

    books: Books
    entity: str
    head: Record
    sheet: Sheet
    is_issued: bool = False


def finish_lines(books: Books, entity: str, head: Record, *, is_issued: bool = False) -> Record:
    """What the head gets: currency, rate and sums; its lines are finished and stored.

    Raises:
        AnswerError: 400 when a line's account, VAT or price, or the document's rate, is not accepted.
    """
    currency_id = head["CurrencyCodeID"] or books.settings["BaseCurrencyCodeID"]
    code = str(books.tables["CurrencyCode"][currency_id]["Code"])
    rate = head["CurrencyExchangeRate"] or load_rate(books, code, _to_rate_day(books, head))
    unit_rate = to_unit_rate(books, code, Decimal(rate))
    foreign = code != load_base_code(books)
    sheet = Sheet(switches=books.switches, settings=books.settings, rate=unit_rate, foreign=foreign)
    draft = Draft(books=books, entity=entity, head=head, sheet=sheet, is_issued=is_issued)
    items = books.children(f"{entity}Item", f"{entity}ID", head["ID"])
    sums = to_head_sums(sheet, [_finish_line(draft, item) for item in items])
    return {"CurrencyCodeID": currency_id, "CurrencyExchangeRate": rate} | sums


def _to_rate_day(books: Books, head: Record) -> date:
    day = head.get("InvoiceDate") or head.get("OrderDate")
    return date.fromisoformat(day[:10]) if day else books.today()


def _finish_line(draft: Draft, item: Record) -> Record:
    """The stored line with the exact sums that the head is made of."""
    books, entity = draft.books, f"{draft.entity}Item"
    changes: Record = {"DiscountPercent": item["DiscountPercent"] or _ZERO}
    if _is_text(draft, item):
        return books.update(entity, item["ID"], changes | _TEXT_LINE)
    changes |= _to_product_fields(draft, item)
    changes |= _to_prices(draft, item | changes)
    if not books.options.recompute_sums:
        return books.update(entity, item["ID"], changes)
    exact = to_exact_sums(draft.sheet, item | changes)
    return books.update(entity, item["ID"], changes | to_stored_sums(draft.sheet, exact)) | exact


def _is_text(draft: Draft, item: Record) -> bool:
    """Whether the line carries no amounts: none without a product does, unless the switch lets it."""
    priced = item["NumberOfItems"] and any(item[name] for name in _PRICES)
    if item["ProductID"] or not priced:
        return not item["ProductID"]
    if draft.books.switches.unproduced is Unproduced.REFUSED:
        raise refused("ProductID is required.", entity=f"{draft.entity}Item", field="ProductID")
    return draft.books.switches.unproduced is Unproduced.TEXT or not item["AccountID"]


def _to_product_fields(draft: Draft, item: Record) -> Record:
    """VAT and account of the line; missing ones come from its product (assumed, an option)."""
    books = draft.books
    inherits = books.options.inherit_from_product and item["ProductID"]
    product: Record = books.tables["Product"][item["ProductID"]] if inherits else {}
    account_id = item["AccountID"] or product.get("AccountID")
    account = books.find("Account", account_id) or {}
    if account.get("Locked") and books.switches.refuse_locked_account:
        text = f"Account {account['AccountNumber']} is locked."
        raise refused(text, entity=f"{draft.entity}Item", field="AccountID")
    vat_id = item["VatTypeID"] or product.get("VatTypeID")
    if _is_put_on_products_type(draft):
        vat_id = books.tables["Product"].get(item["ProductID"], {}).get("VatTypeID") or vat_id
    if not vat_id and books.switches.vat_from_account:
        vat_id = account.get("VatTypeID")
    if books.settings["TaxMandatoryType"] == NO_VAT_COMPANY:
        # Where a type must be null, nothing puts one there that was not asked for.
        vat_id = item["VatTypeID"]
    return to_line_vat(books, draft.head, vat_id) | {"AccountID": account_id}


def _is_put_on_products_type(draft: Draft) -> bool:
    kind = draft.books.switches.line_vat
    return kind is LineVat.PRODUCT or (kind is LineVat.PRODUCT_AT_ISSUE and draft.is_issued)


def _to_prices(draft: Draft, item: Record) -> Record:
    """Both prices of the line: base = currency x rate; the one that is missing is computed (§3.3)."""
    rate = draft.sheet.rate
    base, foreign = (_to_kept_price(draft, item, name) for name in _PRICES)
    if foreign is None:
        foreign = (base or _ZERO) if rate == 1 else (base or _ZERO) / rate
    if base is None or draft.books.switches.base_prices is BasePrices.COMPUTED:
        base = foreign * rate
    gross = round_half_up(base * (1 + item["VatPercent"] / 100), _GROSS_PRICE_DIGITS)
    return {"PriceExVat": base, "PriceExVatCurrency": foreign, "PriceIncVat": gross}


def _to_kept_price(draft: Draft, item: Record, name: str) -> Decimal | None:
    """The price with the decimals that the company allows."""
    if item[name] is None:
        return None
    price, kind, digits = Decimal(item[name]), draft.books.switches.long_prices, draft.sheet.price_digits
    if kind is LongPrices.KEPT:
        return price
    kept = round_half_up(price, digits)
    if kept != price and kind is LongPrices.REFUSED:
        text = f"{name} cannot have more than {digits} decimals."
        raise refused(text, entity=f"{draft.entity}Item", field=name)
    return kept
