"""RecMan's spellings, each in one place with its source, and the reading of single values.

Marks: [O] RecMan's documentation, [C] working third-party code, [I] inferred from RecMan's naming habit: assumed.
Source: facts/recman-api.md §3.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.money import to_decimal

Raw = Mapping[str, Any]

# What a name in our domain may be called in a raw record, the likeliest first.
COMPANY = {
    "id": ("companyId", "id"),  # [C]
    "number": ("companyNumber", "number"),  # [C] legacy, [I]
    "name": ("name",),  # [C]
    "kind": ("type",),  # [C]
    "org_number": ("vatNumber", "countryRegNumber", "companyRegNumber", "organizationNumber"),  # [C] [C] [I] [I]
    "email": ("email",),  # [C]
    "invoice_email": ("invoiceEmail",),  # [C]
    "phone": ("phone",),  # [C]
    "credit_days": ("creditTime", "creditDays"),  # [C] [I]
    "invoice_address": ("invoiceAddress",),  # [C]
    "delivery_address": ("deliveryAddress",),  # [C]
    "post_address": ("postAddress",),  # [C]
    "visit_address": ("visitAddress",),  # [C]
}
PROJECT = {
    "id": ("projectId", "id"),  # [O]
    "number": ("number", "projectNumber"),  # [O] [I]
    "name": ("name",),  # [O]
    "company_id": ("companyId", "customerId"),  # [O] [C]
    "start_date": ("startDate",),  # [O]
    "end_date": ("endDate",),  # [O]
    "status": ("status",),  # [O]
}
DEPARTMENT = {
    "id": ("department_id", "departmentId", "_key"),  # [C] [I] [C]
    "number": ("number",),  # [C]
    "name": ("name",),  # [C]
}
INVOICE = {
    "id": ("invoiceId", "id"),  # [I]
    "number": ("invoiceNumber", "number", "invoiceNo"),  # [I]
    "kind": ("type", "invoiceType"),  # [I]
    "is_credit_note": ("isCreditNote", "creditNote"),  # [I]
    "credited_id": (
        "creditedInvoiceId",
        "creditInvoiceId",
        "creditForInvoiceId",
        "originalInvoiceId",
        "parentInvoiceId",
    ),  # [I]
    "invoice_date": ("invoiceDate", "date"),  # [I]
    "due_date": ("dueDate", "invoiceDueDate"),  # [I]
    "credit_days": ("creditTime", "dayCredit", "creditDays"),  # [I]
    "delivery_date": ("deliveryDate",),  # [I]
    "currency": ("currency", "currencyCode"),  # [I]
    "company_id": ("companyId", "customerId"),  # [I]
    "department_id": ("departmentId",),  # [I]
    "project_id": ("projectId",),  # [C]
    "our_reference": ("ourReference", "ourRef"),  # [I]
    "your_reference": ("yourReference", "yourRef", "customerReference"),  # [I]
    "requisition": ("requisition", "purchaseOrder", "orderReference"),  # [I]
    "kid": ("kid", "KID", "paymentReference"),  # [I]
    "note": ("notes", "invoiceNotes", "comment"),  # [I]
    "net": ("totalExVat", "sumExVat"),  # [I]
    "vat": ("vat", "vatAmount"),  # [I]
    "gross": ("totalIncVat", "sumIncVat"),  # [I]
    "lines": ("lines", "rows", "items", "orderLines"),  # [C] [I] [I] [I]
}
LINE = {
    "position": ("position", "sortOrder"),  # [I]
    "product_number": ("productNumber",),  # [I] not `number`: in RecMan's UI that means quantity
    "product_name": ("productName", "name"),  # [I]
    "description": ("description",),  # [C]
    "quantity": ("quantity",),  # [I]
    "unit": ("unit",),  # [I]
    "price": ("unitPrice", "price"),  # [I]
    "discount": ("discount", "discountPercent"),  # [I]
    "vat_rate": ("vatRate", "vatPercent"),  # [I]
    "comment": ("comment", "note"),  # [I]
}
ADDRESS = ("address1", "address2", "postalCode", "city", "country")  # [C]

_NO_DATE = "0000-00-00"


class Unclear(ValueError):  # noqa: N818 - a finding about one value, turned into a gap by its reader
    """A value that is there but cannot be used; the text says why."""


def pick(raw: Raw, names: tuple[str, ...]) -> Any:
    """The value under any of its spellings, None when none has one.

    Raises:
        Unclear: two spellings disagree.
    """
    found = {name: raw[name] for name in names if not _is_empty(raw.get(name))}
    if len({_plain(value) for value in found.values()}) > 1:
        listed = ", ".join(f"{name} is {value}" for name, value in found.items())
        raise Unclear(f"RecMan says two things: {listed}")
    return next(iter(found.values()), None)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _plain(value: Any) -> str:
    try:
        return str(to_decimal(value).normalize())
    except ValueError:
        return str(value).strip()


def read_text(value: Any) -> str:
    """A text; ids and numbers that came as numbers become their digits."""
    if value is None or isinstance(value, bool | list | dict):
        return ""
    return str(value).strip()


def read_number(value: Any) -> Decimal:
    """A number from a number or a text with a decimal point.

    Raises:
        Unclear: anything else.
    """
    try:
        return to_decimal(value)
    except ValueError:
        raise Unclear(f"“{str(value)[:40]}” is no number") from None


def read_day(value: Any) -> date | None:
    """A day from `YYYY-MM-DD` with or without a time behind it; `0000-00-00` is no day.

    Raises:
        Unclear: anything else.
    """
    text = read_text(value)
    if not text or text.startswith(_NO_DATE):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Unclear(f"“{text[:40]}” is no date") from None


def read_list(value: Any) -> list[Raw]:
    """Rows of a list or of a map by id, in the order given. Source: facts §2.6 [C]."""
    rows = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict)]
