"""What a field of a file can be filled with: one row of a file, and every name by which a layout asks for a part of it.

A credit note's sums are positive with us: its kind says the direction. A file may want a minus somewhere; where, is the
layout's to say (`CreditSign`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import Any

from app.domain.file_documents import FileCustomer, FileDocument, FileEntry, FileLine

# A value before it is written: None stands for nothing.
Value = Any


class RowKind(StrEnum):
    """What a file has one row for."""

    CUSTOMERS = "customers"
    PRODUCTS = "products"
    DOCUMENTS = "documents"
    LINES = "lines"
    ENTRIES = "entries"


class ValueKind(StrEnum):
    """What a source gives."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


class CreditSign(StrEnum):
    """Where a credit note's minus stands. Source: assumed (docs/facts/files.md §4: no file of RecMan's was seen)."""

    QUANTITY = "minus_on_quantity"
    PRICE = "minus_on_price"
    NONE = "no_minus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file before its fields are read; what it is no row of is None.

    `named_by`: the last document that names what stands in a file once.
    """

    customer: FileCustomer
    document: FileDocument | None = None
    line: FileLine | None = None
    entry: FileEntry | None = None
    position: int = 0
    named_by: FileDocument | None = None

    @property
    def is_text(self) -> bool:
        """Whether it is a line of words alone."""
        return self.line is not None and self.line.is_text


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from, for rows of which kinds, and with which of a credit note's signs."""

    kind: ValueKind
    rows: frozenset[RowKind]
    read: Callable[[Row], Value]
    signed_by: frozenset[CreditSign] = frozenset()


_ALL = frozenset({RowKind.CUSTOMERS, RowKind.DOCUMENTS, RowKind.LINES, RowKind.ENTRIES})
_OF_DOCUMENT = frozenset({RowKind.DOCUMENTS, RowKind.LINES, RowKind.ENTRIES})
_OF_LINE = frozenset({RowKind.LINES, RowKind.PRODUCTS})
_OF_ENTRY = frozenset({RowKind.ENTRIES})
_MINUS_ANYWHERE = frozenset({CreditSign.QUANTITY, CreditSign.PRICE})


def _take(kind: ValueKind, rows: frozenset[RowKind], *paths: str) -> dict[str, Source]:
    return {path: Source(kind, rows, attrgetter(path)) for path in paths}


def _sign(path: str, rows: frozenset[RowKind], *signs: CreditSign) -> dict[str, Source]:
    return {path: Source(ValueKind.NUMBER, rows, _of_priced(path), frozenset(signs))}


def _of_priced(path: str) -> Callable[[Row], Value]:
    """A number of a line, or nothing where the line has words alone."""
    read = attrgetter(path)
    return (lambda row: None if row.is_text else read(row)) if path.startswith("line.") else read


def _country_of(row: Row) -> str:
    return row.customer.address.country_code


def _dimension(name: str) -> Callable[[Row], Value]:
    """The line's own project or department; its document's, where it has none."""

    def read(row: Row) -> Value:
        own = "" if row.line is None or row.line.is_text else getattr(row.line, name)
        return own or ("" if row.document is None or row.is_text else getattr(row.document, name))

    return read


def _party(row: Row) -> str:
    """The account, or the customer where the amount stands on one: both are numbers of the books."""
    return "" if row.entry is None else row.entry.account or row.entry.customer_number


def _kind(row: Row) -> str:
    return "" if row.document is None else row.document.kind.value


SOURCES: Mapping[str, Source] = {
    **_take(
        ValueKind.TEXT,
        _ALL,
        *("customer.number", "customer.name", "customer.organisation_number", "customer.email", "customer.phone"),
        *(f"customer.address.{part}" for part in ("line1", "line2", "postal_code", "city")),
        *(f"customer.delivery_address.{part}" for part in ("line1", "line2", "postal_code", "city", "country_code")),
        "customer.currency",
    ),
    "customer.address.country_code": Source(ValueKind.TEXT, _ALL, _country_of),
    **_take(ValueKind.NUMBER, _ALL, "customer.credit_days"),
    **_take(
        ValueKind.TEXT,
        _OF_DOCUMENT,
        *("document.number", "document.record_id", "document.payment_id", "document.currency"),
        *("document.our_reference", "document.your_reference", "document.requisition", "document.note"),
        *("document.credited_number", "document.project_number", "document.department_number"),
    ),
    "document.kind": Source(ValueKind.TEXT, _OF_DOCUMENT, _kind),
    **_take(ValueKind.DATE, _OF_DOCUMENT, "document.invoice_date", "document.due_date", "document.delivery_date"),
    **_take(ValueKind.NUMBER, _OF_DOCUMENT, "document.exchange_rate"),
    **_sign("document.net_amount", _OF_DOCUMENT, *_MINUS_ANYWHERE),
    **_sign("document.vat_amount", _OF_DOCUMENT, *_MINUS_ANYWHERE),
    **_sign("document.gross_amount", _OF_DOCUMENT, *_MINUS_ANYWHERE),
    **_take(
        ValueKind.TEXT,
        _OF_LINE,
        *("line.product_number", "line.product_name", "line.text", "line.unit", "line.vat_code", "line.account"),
    ),
    "line.project_number": Source(ValueKind.TEXT, _OF_LINE, _dimension("project_number")),
    "line.department_number": Source(ValueKind.TEXT, _OF_LINE, _dimension("department_number")),
    **_sign("line.quantity", _OF_LINE, CreditSign.QUANTITY),
    **_sign("line.unit_price", _OF_LINE, CreditSign.PRICE),
    **_sign("line.discount_percent", _OF_LINE),
    **_sign("line.net_amount", _OF_LINE, *_MINUS_ANYWHERE),
    **_sign("line.vat_amount", _OF_LINE, *_MINUS_ANYWHERE),
    "line.position": Source(ValueKind.NUMBER, frozenset({RowKind.LINES}), lambda row: Decimal(row.position)),
    "entry.party_number": Source(ValueKind.TEXT, _OF_ENTRY, _party),
    **_take(
        ValueKind.TEXT,
        _OF_ENTRY,
        *("entry.account", "entry.customer_number", "entry.project_number", "entry.department_number", "entry.text"),
        *("entry.vat_code", "entry.invoice_number", "entry.payment_id", "entry.currency"),
    ),
    **_take(ValueKind.DATE, _OF_ENTRY, "entry.due_date"),
    **_take(ValueKind.NUMBER, _OF_ENTRY, "entry.amount", "entry.currency_amount"),
}


def reader_of(source: Source, sign: CreditSign) -> Callable[[Row], Value]:
    """What reads the source of a row, with a minus on credit notes where this sign puts one."""
    if sign not in source.signed_by:
        return source.read

    def read(row: Row) -> Value:
        value = source.read(row)
        is_turned = value and row.document is not None and row.document.is_credit_note
        return -value if is_turned else value

    return read
