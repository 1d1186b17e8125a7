"""Unimicro's spelling: lengths, status numbers, and texts cut to fit with a warning.

Source: facts/unimicro-api.md §3 (lengths and numbers [O], [o] where marked there).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from app.domain.money import dump_json
from app.errors import Reason

# Draft in a POST; without any StatusCode an invoice is booked at once. Source: §4.1 [o].
DRAFT_ON_CREATE = 10001
INVOICE_DRAFT = 42001
PRODUCT_ACTIVE = 35001
# Customers with these are not invoiced: inactive, deleted. Source: §3.1 [o].
CUSTOMER_INACTIVE = frozenset({50001, 90001})
CREDIT_NOTE_TYPE = 1
VAT_REGISTERED = 3

INVOICE_LENGTHS: Mapping[str, int] = {
    "CustomerName": 255,
    "InvoiceReceiverName": 255,
    "CustomerOrgNumber": 100,
    "InvoiceAddressLine1": 255,
    "InvoiceAddressLine2": 255,
    "InvoicePostalCode": 10,
    "InvoiceCity": 100,
    "InvoiceCountryCode": 100,
    "EmailAddress": 255,
    "YourReference": 255,
    "OurReference": 255,
    "Requisition": 255,
    "PaymentID": 100,
    "FreeTxt": 500,
    "InternalNote": 500,
}
ITEM_LENGTHS: Mapping[str, int] = {"ItemText": 255, "Comment": 500, "Unit": 100}
EXTERNAL_REFERENCE_LENGTH = 20

_NAMESPACE = UUID("6d1f2c9e-5a3b-5c47-9d0e-7f1b8c2a4e60")


def guid_for(*parts: str) -> str:
    """The `_createguid` of a thing: the same parts give the same guid, so that a resent record is recognised.

    As JSON, so that no part can pass for two: RecMan's texts may hold any separator.
    """
    return str(uuid5(_NAMESPACE, dump_json(parts)))


def cut_texts(payload: dict[str, Any], lengths: Mapping[str, int], *, where: str) -> list[Reason]:
    """Shorten over-long texts in place; one warning each, so that nobody finds a cut by surprise."""
    warnings = []
    for name, most in lengths.items():
        text = payload.get(name)
        if isinstance(text, str) and len(text) > most:
            payload[name] = text[: most - 1] + "…"
            cause = f"{where}: {name} has {len(text)} characters, Unimicro takes {most}; it was cut"
            warnings.append(Reason(code="text_cut", cause=cause, fix="Shorten the text in RecMan if it matters."))
    return warnings


def to_day(day: date | None) -> str | None:
    """A day as Unimicro writes it. Source: facts §2 [O]."""
    return day.isoformat() if day is not None else None


def to_text(value: object) -> str:
    """A text or number as text; empty for null."""
    return "" if value is None else str(value)
