"""A real file beside a layout: the first place where they differ, and the others.

What agrees is no proof: two numbers side by side are numbers in either order. Therefore sums are compared, too, where
the layout knows which field is which.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from app.admin.workbooks import verify_workbook
from app.errors import RequestError
from app.files.layouts import Format, Layout, Record
from app.files.samples import find_odd, show, to_number
from app.files.sources import RowKind

# Prices of more decimals than a file has explain as much of a line's sum.
_NEAR = Decimal("0.02")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which the file is otherwise: where first, what the layout says, what is there."""

    place: str
    expected: str
    found: str

    @property
    def text(self) -> str:
        """The same in one line."""
        return f"{self.place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of comparing.

    Shape: `rows` counts the file's rows by their record's type or kind; `differences` in the order of the file, each
    field's first one alone.
    """

    layout: str
    rows: Mapping[str, int]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file: where it stands, which record it is, and its values."""

    place: str
    record: Record
    values: Sequence[Any]

    def value_of(self, source: str) -> Any:
        fields = zip(self.record.fields, self.values, strict=False)
        return next((value for one, value in fields if one.source == source), None)


def compare_with_sample(layout: Layout, content: bytes) -> Comparison:
    """Where the file is not as the layout says."""
    rows: Counter[str] = Counter()
    found: dict[tuple[str, str], Difference] = {}
    read = {Format.RECORDS: _read_records, Format.WORKBOOK: _read_workbook, Format.CSV: _read_csv}[layout.format]
    heads: list[_Row] = []
    for row in read(layout, content):
        if isinstance(row, Difference):
            found.setdefault((row.place.partition(" ")[0], row.expected), row)
            continue
        rows[row.record.type or row.record.rows.value] += 1
        for key, difference in chain(_judge(layout, row), _judge_place(row, heads), _judge_sums(layout, row)):
            found.setdefault(key, difference)
    return Comparison(layout=layout.name, rows=dict(rows), differences=tuple(found.values()))


def choose_layout(layouts: Iterable[Layout], content: bytes, *, extension: str) -> Comparison | None:
    """The comparison with the layout that the file is most like, of those that make files of its kind; None: none."""
    alike = [one for one in layouts if one.extension.lower() == extension.lower()]
    compared = [compare_with_sample(layout, content) for layout in alike]
    return min(compared, key=lambda one: len(one.differences), default=None)


def _judge(layout: Layout, row: _Row) -> Iterator[tuple[tuple[str, str], Difference]]:
    record = row.record.type or row.record.rows.value
    if len(row.values) != len(row.record.fields):
        expected, found = f"{len(row.record.fields)} fields", f"{len(row.values)}"
        yield (record, "fields"), Difference(place=row.place, expected=expected, found=found)
    for one, value in zip(row.record.fields, row.values, strict=False):
        odd = find_odd(layout, one, value)
        if odd and not _is_of_words(row, one.source):
            place = f"{row.place}, position {one.position} ({one.name}, {one.evidence})"
            yield (record, str(one.position)), Difference(place=place, expected=odd, found=show(value))


def _is_of_words(row: _Row, source: str) -> bool:
    """Whether the row may be a line of words alone, which has no product, price or the like."""
    return source.startswith("line.") and source != "line.text" and row.value_of("line.product_number") in {None, ""}


def _judge_place(row: _Row, heads: list[_Row]) -> Iterator[tuple[tuple[str, str], Difference]]:
    """Whether lines follow the head of their own document; `heads` holds the last head."""
    if row.record.rows is RowKind.DOCUMENTS:
        heads[:] = [row]
    if row.record.rows is not RowKind.LINES or not row.record.type:
        return
    wanted = heads[0].value_of("document.number") if heads else None
    number = row.value_of("document.number")
    if not heads or (number is not None and number != wanted):
        expected = f"lines of document {wanted}" if heads else "a document before its lines"
        yield ("order", row.record.type), Difference(place=row.place, expected=expected, found=show(number))


def _judge_sums(layout: Layout, row: _Row) -> Iterator[tuple[tuple[str, str], Difference]]:
    net, vat, gross = (_number(layout, row, f"document.{name}_amount") for name in ("net", "vat", "gross"))
    if net is not None and vat is not None and gross is not None and net + vat != gross:
        expected = f"net {net} and VAT {vat} to come to the gross amount"
        yield ("sums", "document"), Difference(place=row.place, expected=expected, found=str(gross))
    quantity, price, line = (_number(layout, row, f"line.{name}") for name in ("quantity", "unit_price", "net_amount"))
    if quantity is None or price is None or line is None:
        return
    discount = _number(layout, row, "line.discount_percent") or Decimal(0)
    wanted = quantity * price * (_HUNDRED - discount) / _HUNDRED
    if abs(wanted - line) > _NEAR:
        expected = f"{quantity} times {price} less {discount} per cent to come to the line's net amount"
        yield ("sums", "line"), Difference(place=row.place, expected=expected, found=str(line))


def _number(layout: Layout, row: _Row, source: str) -> Decimal | None:
    value = row.value_of(source)
    return None if value is None or value == "" else to_number(layout, value)


def _read_text(layout: Layout, content: bytes) -> str | Difference:
    """The file's letters; a difference where they are others."""
    encoding = "utf-8-sig" if layout.mark else layout.encoding
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Difference(
            place=f"line {line}", expected=f"letters in {encoding}", found=show(content[error.start :][:4])
        )
    if not content.isascii() and not layout.encoding.startswith("utf") and _is_utf8(content):
        odd = next(index for index, byte in enumerate(content) if byte >= 0x80)  # noqa: PLR2004 - past ASCII
        line = content[:odd].count(b"\n") + 1
        return Difference(place=f"line {line}", expected=f"letters in {encoding}", found="letters in utf-8")
    return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_records(layout: Layout, content: bytes) -> Iterator[_Row | Difference]:
    text = _read_text(layout, content)
    if isinstance(text, Difference):
        yield text
        text = content.decode(layout.encoding, errors="replace")
    records = {record.type: record for record in layout.records}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        place = f"line {number}"
        if not line.endswith("\r"):
            yield Difference(place=place, expected="CR LF at its end", found="LF" if "\n" in text else "nothing")
        values = line.removesuffix("\r").split(layout.separator)
        record = records.get(values[0])
        if record is None:
            yield Difference(place=place, expected=f"a record of {', '.join(records)}", found=show(values[0]))
            continue
        if any(value[:1] == '"' == value[-1:] for value in values):
            yield Difference(place=place, expected="no quotes", found=show(next(one for one in values if '"' in one)))
        yield _Row(f"{place}, record {record.type}", record, values)


def _read_workbook(layout: Layout, content: bytes) -> Iterator[_Row | Difference]:
    try:
        # A cell far away makes a sheet of all the empty ones before it.
        checked = verify_workbook(content)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(checked)).get_sheet_by_index(0)
    except (CalamineError, OSError, ValueError, KeyError, IndexError) as error:
        yield Difference(place="the file", expected="a workbook", found=str(error))
        return
    except RequestError as error:
        yield Difference(place="the file", expected="a workbook", found=error.cause)
        return
    yield from _read_table(layout, sheet.to_python(skip_empty_area=False))


def _read_csv(layout: Layout, content: bytes) -> Iterator[_Row | Difference]:
    text = _read_text(layout, content)
    if isinstance(text, Difference):
        yield text
        text = content.decode(layout.encoding, errors="replace")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=layout.separator)
    try:
        yield from _read_table(layout, list(rows))
    except csv.Error as error:
        yield Difference(place=f"line {rows.line_num}", expected="rows of a CSV", found=str(error))


def _read_table(layout: Layout, rows: Sequence[Sequence[Any]]) -> Iterator[_Row | Difference]:
    """Rows below a row of headings; empty ones are none."""
    record = layout.records[0]
    names = [str(value).strip() for value in (rows[0] if rows else [])]
    while names and not names[-1]:
        names.pop()
    for index in range(max(len(names), len(record.fields))):
        wanted = record.fields[index].name if index < len(record.fields) else "no more columns"
        found = names[index] if index < len(names) else "no more columns"
        if wanted.casefold() != found.casefold():
            yield Difference(place=f"heading {index + 1}", expected=wanted, found=found)
    for number, values in enumerate(rows[1:], start=2):
        if any(value != "" for value in values):
            yield _Row(f"row {number}", record, values[: len(record.fields)])
