"""Credit notes to Unimicro's JSON: what is changed on the draft that Unimicro makes of the credited invoice. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import fit_texts, guid_for
from app.accounting.unimicro.translate_documents import (
    Currency,
    continue_texts,
    to_dimensions,
    to_head_texts,
    to_item,
    to_own_recipient,
    to_sums,
)
from app.domain.documents import Document
from app.domain.money import to_decimal
from app.domain.reasons.codes import Reason
from app.domain.reference import Links
from app.errors import OutcomeUnknownError, System

# What a line is booked with; two lines that agree in these are one line.
_BOOKED = ("ProductID", "AccountID", "VatTypeID", "NumberOfItems", "PriceExVatCurrency", "DiscountPercent")
_TEXTS = ("ItemText", "Comment", "Unit")
_DAYS = ("InvoicePeriodStartDate", "InvoicePeriodEndDate")
_DIMENSIONS = ("ProjectID", "DepartmentID", *(f"Dimension{number}ID" for number in range(5, 11)))


def to_credit_head(
    document: Document, *, external_reference: str, customer_id: int | None
) -> tuple[dict[str, Any], list[Reason]]:
    """What is set on a credit draft that Unimicro made from the credited invoice; its lines stay."""
    # Both or neither: a nested customer would overwrite the customer's own record.
    # Source: docs/facts/unimicro.md §4.1 [o].
    customer = {} if customer_id is None else {"CustomerID": customer_id, "Customer": None}
    payload = {**customer, **to_own_recipient(document), **to_head_texts(document, external_reference)}
    # A credit note has no payment of its own.
    payload.pop("PaymentID", None)
    return payload, fit_texts(payload, "CustomerInvoice", where=f"Credit note {document.number}")


def to_credit_lines(
    document: Document, links: Links, *, there: Mapping[str, Any], rate: Decimal
) -> tuple[dict[str, Any], list[Reason]]:
    """RecMan's lines in place of the draft's, with negative quantities like Unimicro's; {} where all lines agree.

    `there` is the draft with its items and their dimensions, `rate` its invoice's: at another one all lines are written
    anew. The new lines' guids hang on the old lines' ids, so that a second change of the same draft is not taken for a
    repeat of the first. A line that levels the invoice's claim is none of RecMan's: it goes or stays with the others.
    Source: docs/facts/unimicro.md §3 (children [O]), §4.1 (edit lines for partial).

    Raises:
        OutcomeUnknownError: the draft does not show its lines.
    """
    old, seed = _list_lines(there), seed_of_lines(there)
    currency = Currency(currency_id=there.get("CurrencyCodeID") or 0, rate=rate)
    items, warnings = _to_items(document, links, currency, seed)
    theirs = [item for item in old if item.get("ProductID") is None or item["ProductID"] != links.rounding_product_id]
    is_same_rate = to_decimal(there.get("CurrencyExchangeRate") or 1) == rate
    if is_same_rate and _agree(items, theirs):
        return {}, warnings
    gone = [{"ID": item["ID"], "Deleted": True} for item in old]
    dimensions = to_dimensions(links, guid_for(seed, "dimensions"))
    head: dict[str, Any] = {"DefaultDimensions": dimensions} if dimensions else {"DefaultDimensionsID": None}
    if not is_same_rate:
        head["CurrencyExchangeRate"] = rate
    return {**head, **to_sums(items), "Items": [*gone, *items]}, warnings


def seed_of_lines(there: Mapping[str, Any]) -> str:
    """What guids of a credit draft's new lines hang on: another one as soon as it has other lines.

    Raises:
        OutcomeUnknownError: the draft does not show its lines.
    """
    return guid_for("credit", str(there["ID"]), *(str(item["ID"]) for item in _list_lines(there)))


def _list_lines(there: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not isinstance(there.get("Items"), list):
        raise OutcomeUnknownError("Unimicro does not show the lines of the credit draft", system=System.UNIMICRO)
    return sorted(
        (item for item in there["Items"] if not item.get("Deleted")),
        key=lambda item: (item.get("SortIndex") or 0, item["ID"]),
    )


def _to_items(
    document: Document, links: Links, currency: Currency, seed: str
) -> tuple[list[dict[str, Any]], list[Reason]]:
    items, warnings = [], []
    for index, (line, own) in enumerate(continue_texts(document.lines), start=1):
        credited = replace(line, quantity=-line.quantity)
        item = to_item(credited, links, of=own, guid=guid_for(seed, str(index)), currency=currency)
        warnings += fit_texts(item, "CustomerInvoiceItem", where=f"Line {line.position}")
        items.append({**item, "SortIndex": index})
    return items, warnings


def _agree(wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> bool:
    return len(wanted) == len(there) and all(map(_is_same_line, wanted, there))


def _is_same_line(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    if (wanted["ProductID"] or None) != (there.get("ProductID") or None):
        return False
    texts_agree = all((wanted.get(name) or "") == (there.get(name) or "") for name in _TEXTS)
    if wanted["ProductID"] is None:
        return texts_agree
    # A day may come as a time.
    days_agree = all((wanted.get(name) or "")[:10] == (there.get(name) or "")[:10] for name in _DAYS)
    # An account or VAT type that we leave to Unimicro is its own affair.
    named = [name for name in _BOOKED if wanted.get(name) is not None]
    booked_agree = all(to_decimal(wanted[name]) == to_decimal(there.get(name) or 0) for name in named)
    return texts_agree and days_agree and booked_agree and _read_dimensions(wanted) == _read_dimensions(there)


def _read_dimensions(item: Mapping[str, Any]) -> list[Any]:
    shown = item.get("Dimensions") or {}
    return [shown.get(name) or None for name in _DIMENSIONS]
