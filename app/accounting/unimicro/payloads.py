"""Unimicro's spelling: lengths, status numbers, and texts cut to fit with a warning.

Source: docs/facts/unimicro.md §3 (lengths and numbers [O], [o] where marked there).
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from app.domain.money import dump_json
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason

# Draft in a POST; without any StatusCode an invoice is booked at once. Source: §4.1 [o].
DRAFT_ON_CREATE = 10001
INVOICE_DRAFT = 42001
ORDER_DRAFT = 41001
INVOICE_CREDITED = 42006
# Of a booked voucher's lines. Source: §12 [O].
VOUCHER_CREDITED = 31004
PRODUCT_ACTIVE = 35001
# Customers with these are not invoiced: inactive, deleted. Source: §3.1 [o].
CUSTOMER_DELETED = 90001
CUSTOMER_INACTIVE = frozenset({50001, CUSTOMER_DELETED})
CREDIT_NOTE_TYPE = 1
# TaxMandatoryType: no VAT at all, registered later, registered. Source: §3.7 [o].
VAT_NONE, VAT_PLANNED, VAT_REGISTERED = 1, 2, 3
VAT_DUTIES = (VAT_NONE, VAT_PLANNED, VAT_REGISTERED)


def _address(prefix: str, postal_code: int) -> dict[str, int]:
    lengths = {"AddressLine1": 255, "AddressLine2": 255, "PostalCode": postal_code, "City": 100, "CountryCode": 100}
    return {f"{prefix}{name}": most for name, most in lengths.items()}


# The longest texts by entity. Source: §3.1 to §3.6, §12 [O]; for Email and Phone assumed.
LENGTHS: Mapping[str, Mapping[str, int]] = {
    "Customer": {"OrgNumber": 100, "PeppolAddress": 50, "GLN": 13},
    "BusinessRelation": {"Name": 255},
    "Address": _address("", 100),
    "Email": {"EmailAddress": 255},
    "Phone": {"Number": 100},
    "Project": {"Name": 255},
    "Department": {"Name": 100},
    "Product": {"PartName": 255, "Name": 255},
    "CustomerInvoice": {
        "CustomerName": 255,
        "CustomerOrgNumber": 100,
        "InvoiceReceiverName": 255,
        **_address("Invoice", 10),
        **_address("Shipping", 10),
        "EmailAddress": 255,
        "YourReference": 255,
        "OurReference": 255,
        "Requisition": 255,
        "PaymentID": 100,
        "FreeTxt": 500,
        "InternalNote": 500,
    },
    "CustomerInvoiceItem": {"ItemText": 255, "Comment": 500, "Unit": 100},
    "JournalEntry": {"Description": 200},
    "JournalEntryLineDraft": {"Description": 500, "InvoiceNumber": 100, "PaymentID": 255},
}
EXTERNAL_REFERENCE_LENGTH = 20
# Half of one of these is another one, or none: too long, they are left out.
_WHOLE = frozenset({"OrgNumber", "CustomerOrgNumber", "PeppolAddress", "GLN", "EmailAddress", "Number", "PaymentID"})
_WHOLE |= frozenset({"PostalCode", "InvoicePostalCode", "ShippingPostalCode"})

_LAST_BLANK = re.compile(r"\s(?=\S*$)")
_NAMESPACE = UUID("6d1f2c9e-5a3b-5c47-9d0e-7f1b8c2a4e60")


def guid_for(*parts: str) -> str:
    """The `_createguid` of a thing: the same parts give the same guid, so that a resent record is recognised.

    As JSON, so that no part can pass for two: RecMan's texts may hold any separator.
    """
    return str(uuid5(_NAMESPACE, dump_json(parts)))


def fit_texts(payload: dict[str, Any], entity: str, *, where: str) -> list[Reason]:
    """Shorten over-long texts in place, drop those that make no sense shortened; a warning for each of them.

    Units: UTF-16, as .NET and SQL Server count; assumed, and never more than Unimicro takes.
    """
    warnings = []
    for name, most in LENGTHS[entity].items():
        text = payload.get(name)
        length = _count(text) if isinstance(text, str) else 0
        if length <= most:
            continue
        if name in _WHOLE:
            del payload[name]
        else:
            payload[name] = _cut(str(text), most)
        what = "left out" if name in _WHOLE else "cut"
        cause = f"{where}: {name} has {length} characters, Unimicro takes {most}; it was {what}"
        warnings.append(Reason(code=Code.TEXT_CUT, cause=cause, fix=fix_for(Code.TEXT_CUT)))
    return warnings


def split_text(text: str, most: int) -> list[str]:
    """The text in parts that fit, one at least; broken between words where they allow it, and no word is lost.

    Units: UTF-16, like `fit_texts`.
    """
    parts, rest = [], text
    while _count(rest[: most + 1]) > most:
        head = _shorten(rest, most)
        blank = _LAST_BLANK.search(rest[: len(head) + 1])
        # A part less than half full is more trouble than a broken word.
        end = blank.start() if blank and blank.start() > len(head) // 2 else len(head)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def list_lost_lines(sent: Mapping[str, Any], made: Mapping[str, Any], *, where: str) -> list[Reason]:
    """A warning where fewer lines came back than were sent: a line of words is missed by no sum.

    Whether an answer shows its lines is unknown; where it does not, nothing is said.
    """
    items = made.get("Items")
    if not isinstance(items, list) or "Items" not in sent:
        return []
    wanted, there = (sum(not item.get("Deleted") for item in rows) for rows in (sent["Items"], items))
    if there >= wanted:
        return []
    cause = f"{where}: {wanted} lines were sent, Unimicro shows {there}"
    return [Reason(code=Code.LINES_MISSING, cause=cause, fix=fix_for(Code.LINES_MISSING))]


def _count(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, most: int) -> str:
    return _shorten(text, most - 1) + "…"


def _shorten(text: str, most: int) -> str:
    short = text[:most]
    while _count(short) > most:
        short = short[:-1]
    return short


def to_day(day: date | None) -> str | None:
    """A day as Unimicro writes it. Source: §2 [O]."""
    return day.isoformat() if day is not None else None


def to_text(value: object) -> str:
    """A text or number as text; empty for null."""
    return "" if value is None else str(value)
