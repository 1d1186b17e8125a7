"""RecMan's spellings, each in one place with its source, and the reading of single values.

Marks: [O] RecMan's documentation, [C] working third-party code, [I] inferred from RecMan's naming habit: assumed.
Source: docs/facts/recman.md §3.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.money import count_decimals, round_money, to_decimal, undo_float
from app.domain.org_numbers import hide_person_numbers

Raw = Mapping[str, Any]
T = TypeVar("T")

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
    "peppol_address": ("peppolAddress", "ehfAddress", "ehfNumber"),  # [I] the UI has an "EHF company number" [O]
    "gln": ("gln", "glnNumber", "globalLocationNumber"),  # [I]
    "currency": ("currency", "currencyCode"),  # [I]
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
    "department_id": ("departmentId", "department_id"),  # [I] [I]
    "project_id": ("projectId",),  # [C]
    "our_reference": ("ourReference", "ourRef"),  # [I]
    "your_reference": ("yourReference", "yourRef", "customerReference", "buyerReference"),  # [I]
    "recipient": (
        "invoiceRecipient",
        "invoiceReceiver",
        "recipient",
        "recipientName",
    ),  # [I] a name, or name and address
    "recipient_address": ("invoiceAddress", "recipientAddress"),  # [I]
    "requisition": ("requisition", "purchaseOrder", "orderReference"),  # [I]
    "kid": ("kid", "KID", "paymentReference"),  # [I]
    "note": ("notes", "invoiceNotes", "comment"),  # [I]
    "net": ("totalExVat", "sumExVat"),  # [I]
    "vat": ("vat", "vatAmount"),  # [I]
    "gross": ("totalIncVat", "sumIncVat"),  # [I]
    "exchange_rate": ("exchangeRate", "currencyRate"),  # [I]
    "base_vat": ("vatNok", "vatInNok", "vatBaseCurrency"),  # [I]
    "lines": ("lines", "rows", "items", "orderLines"),  # [C] [I] [I] [I]
    "file": ("file", "pdf"),  # [I] in the form that RecMan takes files in: {name, extension, base64} [C]
}
# Of the names for `credited_id`, those that can only mean what this document credits.
CREDITED = ("creditedInvoiceId", "creditForInvoiceId")
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
    "vat_code": ("vatCode",),  # [I] the name; that RecMan has one [O]
    "credit_account": ("creditAccount",),  # [I] the name; that RecMan has one [O]
    "debit_account": ("debitAccount",),  # [I] the same; for credit notes
    "product": ("product",),  # [I] a map: what RecMan's product says where the line does not
    "net": ("total", "sum"),  # [I] only to check our reading
    "comment": ("comment", "note"),  # [I]
    "department_number": ("departmentNumber",),  # [I]
    "period_start": ("periodStart", "startDate"),  # [I] informative: never holds
    "period_end": ("periodEnd", "endDate"),  # [I] informative: never holds
}
# RecMan's product inside of a line. [I], the names as on the line.
PRODUCT = {name: LINE[name] for name in ("vat_code", "credit_account", "debit_account")}
ADDRESS = ("address1", "address2", "postalCode", "city", "country")  # [C]
# Fields that v2 is asked for by name: every spelling, until RecMan has named those that it does not know. Names that
# are proven in use stand first (§3.1, §3.2); invoices are asked for without names (§2.2 [C]).
ASKED = {
    "company": (*(names for field, names in COMPANY.items() if field != "id"), ("created",), ("updated",)),
    "project": (
        *(names for field, names in PROJECT.items() if field != "id"),
        *(("departmentId",), ("type",), ("created",), ("updated",)),
    ),
}
SPELLINGS = {"company": COMPANY, "project": PROJECT, "department": DEPARTMENT, "invoice": INVOICE}
# By scope: what a raw name says of the record itself.
_OWN_FIELDS = {
    scope: {
        name: field
        for field, names in spellings.items()
        if field != "id" and not field.endswith("_id")
        for name in names
    }
    for scope, spellings in SPELLINGS.items()
}

_NO_DATE = "0000-00-00"
_DAY = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[ T](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
# Other years are slips of the keyboard.
_YEARS = range(2000, 2100)
# Neither Postgres nor Unimicro stores these.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONGEST_ID = 18
_LONGEST_SHOWN = 40
# More before the point is a misreading; more behind it is what a binary float makes of a third.
_MOST_DIGITS = 12
# As many decimals as Unimicro may keep: far beyond any sum.
_FINEST = Decimal("1e-10")
_FALSE_WORDS = frozenset({"0", "false", "no"})
_TRUE_WORDS = frozenset({"1", "true", "yes"})


class Unclear(ValueError):  # noqa: N818 - a finding about one value, turned into a gap by its reader
    """A value that is there but cannot be used; the text says why."""


def pick(raw: Raw, names: tuple[str, ...], convert: Callable[[Any], T]) -> T | None:
    """The converted value under any of its spellings, None when none says anything.

    Raises:
        Unclear: a value cannot be used, or two spellings disagree.
    """
    # For a mark, false is an answer, not "nothing".
    told = {name: raw.get(name) for name in names}
    told = {
        name: value for name, value in told.items() if not is_empty(value) or (value is False and convert is read_flag)
    }
    found = {name: convert(value) for name, value in told.items()}
    said = {name: value for name, value in found.items() if value not in (None, "")}
    values = list(said.values())
    if any(value != values[0] for value in values[1:]):
        listed = ", ".join(f"{name} is {show(raw[name])}" for name in said)
        raise Unclear(f"RecMan says two things: {listed}")
    return values[0] if values else None


def list_relatives(raw: Raw, pattern: re.Pattern[str], spellings: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Fields that say something under a name of this family which we do not know."""
    known = {name for names in spellings.values() for name in names}
    return [name for name, value in raw.items() if name not in known and is_said(value) and pattern.search(name)]


def count_fields(raw: Raw, scope: str) -> int:
    """How many of a record's own fields are there; ids do not count, for an envelope carries them too."""
    own = _OWN_FIELDS[scope]
    return len({own[name] for name, value in raw.items() if name in own and not is_empty(value)})


def is_empty(value: Any) -> bool:
    """Whether RecMan means "nothing": null, "", [], {} or PHP's false. Source: §2.6 [C], false assumed."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def show(value: Any) -> str:
    """A short form of a value for a sentence, without what is inside a list or a map, or may be a person's number."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a map"
    return hide_person_numbers(_UNPRINTABLE.sub("?", str(value)))[:_LONGEST_SHOWN]


def is_said(value: Any) -> bool:
    """Whether a value says anything beyond "nothing" and zero."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return value != 0 if isinstance(value, Decimal) else bool(str(value).strip(" 0."))
    return not is_empty(value)


def read_id(value: object) -> str | None:
    """An id as a plain decimal text, from a whole positive number or digits; None for anything else."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_ID:
        return None
    return text.lstrip("0") or None


def read_own_id(value: Any) -> str:
    """The id of the record itself.

    Raises:
        Unclear: something that is no id.
    """
    found = read_id(value)
    if found is None:
        raise Unclear(f"“{show(value)}” is no id")
    return found


def read_link(value: Any) -> str | None:
    """The id of another record; 0 means none. Source: assumed, PHP's habit.

    Raises:
        Unclear: something that is no id.
    """
    return read_own_id(value) if is_said(value) else None


def read_text(value: Any) -> str:
    """A text; ids and numbers that came as numbers become their digits.

    Raises:
        Unclear: a list, a map or a yes where words belong.
    """
    if is_empty(value):
        return ""
    if isinstance(value, bool | list | dict):
        raise Unclear(f"“{show(value)}” is no text")
    if isinstance(value, Decimal):
        number = read_number(value)
        whole = number.to_integral_value()
        return f"{whole if number == whole else number:f}"
    return _UNPRINTABLE.sub("", str(value)).strip()


def read_flag(value: Any) -> bool:
    """A yes or no from 0/1, as number, text or boolean. Source: §2.6 [O/C].

    Raises:
        Unclear: anything else.
    """
    word = show(value).strip().lower()
    if word not in _FALSE_WORDS | _TRUE_WORDS:
        raise Unclear(f"“{show(value)}” is neither yes nor no")
    return word in _TRUE_WORDS


def read_number(value: Any) -> Decimal:
    """A number from a number or a text with a decimal point; the dust of a binary float is wiped off.

    Seven hours and twenty minutes, 7.333333333333333, are 7.3333333333.
    Source: PHP writes floats with up to fifty decimals (`serialize_precision`); that RecMan does is assumed.

    Raises:
        Unclear: anything else, and what no invoice could mean.
    """
    try:
        number = to_decimal(value)
    except ValueError:
        raise Unclear(f"“{show(value)}” is no number") from None
    if number.adjusted() >= _MOST_DIGITS:
        raise Unclear(f"“{show(value)}” is no number of an invoice")
    number = undo_float(number)
    return number if count_decimals(number) <= _MOST_DIGITS else round_money(number, _FINEST)


def read_day(value: Any) -> date | None:
    """A day from `YYYY-MM-DD`, with or without a time behind it; `0000-00-00` is no day.

    Raises:
        Unclear: anything else, also a moment with a time zone: which day that is depends on the place.
    """
    text = read_text(value)
    found = _DAY.fullmatch(text)
    if not text or (found and found["day"] == _NO_DATE):
        return None
    try:
        day = date.fromisoformat(found["day"] if found else "")
        at = time.fromisoformat((found and found["time"]) or "00:00")
    except ValueError:
        raise Unclear(f"“{show(text)}” is no date") from None
    if day.year not in _YEARS:
        raise Unclear(f"“{show(text)}” is in an unlikely year")
    if found and found["zone"] and at != time():
        raise Unclear(f"“{show(text)}” is a moment, not a day")
    return day


def read_list(value: Any) -> list[Raw]:
    """Rows of a list or of a map by id, in the order given. Source: §2.6 [C].

    Raises:
        Unclear: no list, or a row that is none: a line must not get lost.
    """
    rows = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unclear(f"“{show(value)}” is no list of rows")
    return rows
