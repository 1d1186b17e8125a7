"""A value as it stands in a field of a file; what cannot stand there, or not quite as it was, is told.

Whoever examines and whoever writes go by the same functions: what was found fit is what is written.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Protocol
from unicodedata import normalize

from app.domain.reasons.codes import Code
from app.files.layouts import Field, FieldKind, Format, Layout, Record
from app.files.sources import SOURCES, Row, Value, reader_of

Cell = str | Decimal | date
# As many digits of a number as every spreadsheet keeps.
_DIGITS_KEPT = 15
# No cell of a workbook holds more than 32767 halves of UTF-16; nobody reads half as much.
_LONGEST = 10_000
_REMEMBERED = 512
# Two digits of a year are of this century; a workbook's days begin in 1900.
_CENTURY = (2000, 2099)
_WORKBOOK_YEARS = (1901, 9999)
# No letters that are seen: controls, line ends, marks of direction, halves of letters, and what ends a text in XML.
_UNSEEN = "\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\\ud800-\\udfff"


class Listener(Protocol):
    """Whom it is told what cannot stand in a field, or does not stand there quite as it was."""

    def fault(self, code: Code, field: Field, words: str, case: str = "") -> None:
        """The field cannot be filled; `words` follow the field's name."""

    def note(self, code: Code, field: Field, words: str, case: str = "") -> None:
        """The field is filled, otherwise than the document has it."""


FormCell = Callable[[Row, Listener], Cell]


def to_columns(layout: Layout, record: Record) -> tuple[FormCell, ...]:
    """What fills each field of such a row, in their order; an empty text where nothing stands."""
    return tuple(_to_column(layout, one) for one in record.fields)


def _to_column(layout: Layout, one: Field) -> FormCell:
    if not one.source:
        return lambda _row, _listener: one.constant
    read = reader_of(SOURCES[one.source], layout.credit_sign)
    form = _FORMS[one.kind](layout, one)
    # A line of words alone has no product, price or the like, whatever is asked of other lines.
    is_of_line = one.source.startswith("line.")

    def fill(row: Row, listener: Listener) -> Cell:
        value = read(row)
        cell = "" if value is None or value == "" else form(value, listener)
        if cell == "" and one.mandatory and not (is_of_line and row.is_text):
            listener.fault(Code.FILE_FIELD_EMPTY, one, "is empty")
        return cell

    return fill


def _form_text(layout: Layout, one: Field) -> Callable[[Value, Listener], Cell]:
    clean, check, length = _cleaner(layout), _letter_check(layout, one), one.length or _LONGEST

    def form(value: Value, listener: Listener) -> Cell:
        text: str = one.words.get(value, value)
        whole = clean(text)
        # The guard comes last: what was taken out or cut off before it may leave a text of that form.
        written = _guard(layout, whole[:length].rstrip())
        if len(whole) > length:
            listener.note(Code.FILE_TEXT_CHANGED, one, f"is cut after {length} letters: {written!r}", "cut")
        elif written != text.strip():
            listener.note(Code.FILE_TEXT_CHANGED, one, f"is written {written!r} instead of {text!r}")
        check(written, listener)
        return written

    return form


def _form_code(layout: Layout, one: Field) -> Callable[[Value, Listener], Cell]:
    clean, check, length = _cleaner(layout), _letter_check(layout, one), one.length or _LONGEST

    def form(value: Value, listener: Listener) -> Cell:
        text: str = one.words.get(value, value).strip()
        if _guard(layout, clean(text)) != text:
            listener.fault(Code.FILE_CODE_UNFIT, one, f"has letters that end a field: {text!r}")
        if len(text) > length:
            listener.fault(Code.FILE_CODE_UNFIT, one, f"is longer than {length}: {text!r}", "long")
        check(text, listener)
        return text

    return form


def _form_number(layout: Layout, one: Field) -> Callable[[Value, Listener], Cell]:
    step = Decimal(1).scaleb(-one.decimals if one.kind is FieldKind.NUMBER else 0)
    finish = _finish_number(layout, one)

    def form(value: Value, listener: Listener) -> Cell:
        number = Decimal(value)
        if number and number.adjusted() >= _DIGITS_KEPT:
            listener.fault(Code.FILE_CODE_UNFIT, one, f"has too many digits: {number}", "digits")
            return ""
        rounded = number.quantize(step, rounding=ROUND_HALF_UP)
        if rounded != number:
            listener.note(Code.FILE_TEXT_CHANGED, one, f"is rounded from {number:f} to {rounded:f}", "rounded")
        # Nothing is never minus nothing.
        return finish(rounded or abs(rounded), listener)

    return form


def _finish_number(layout: Layout, one: Field) -> Callable[[Decimal, Listener], Cell]:
    is_workbook = layout.format is Format.WORKBOOK

    def finish(number: Decimal, listener: Listener) -> Cell:
        if is_workbook and len(number.as_tuple().digits) > _DIGITS_KEPT:
            listener.fault(Code.FILE_CODE_UNFIT, one, f"has too many digits: {number:f}", "digits")
        if is_workbook:
            return number
        text = f"{number:f}".replace(".", layout.decimal_mark)
        if one.length and len(text) > one.length:
            listener.fault(Code.FILE_CODE_UNFIT, one, f"is longer than {one.length}: {text}", "long")
        return text

    return finish


def _form_date(layout: Layout, one: Field) -> Callable[[Value, Listener], Cell]:
    is_workbook = layout.format is Format.WORKBOOK
    is_short = not is_workbook and "yyyy" not in layout.date_format
    first, last = _CENTURY if is_short else _WORKBOOK_YEARS
    shape = layout.date_format.replace("yyyy", "{0:04d}").replace("yy", "{1:02d}")
    shape = shape.replace("MM", "{2:02d}").replace("dd", "{3:02d}")

    def form(value: Value, listener: Listener) -> Cell:
        if not first <= value.year <= last:
            listener.fault(Code.FILE_CODE_UNFIT, one, f"is a day that cannot be written: {value}", "day")
            return ""
        day: date = value
        return day if is_workbook else shape.format(day.year, day.year % 100, day.month, day.day)

    return form


_FORMS: dict[FieldKind, Callable[[Layout, Field], Callable[[Value, Listener], Cell]]] = {
    FieldKind.TEXT: _form_text,
    FieldKind.CODE: _form_code,
    FieldKind.NUMBER: _form_number,
    FieldKind.WHOLE: _form_number,
    FieldKind.DATE: _form_date,
}


def _cleaner(layout: Layout) -> Callable[[str], str]:
    """What takes out of a text whatever would end its field or its row."""
    is_records = layout.format is Format.RECORDS
    # A CSV quotes what needs it; a workbook's cells have ends of their own.
    ends = re.escape(layout.separator) if is_records else ""
    bad = re.compile(f"[{ends}{_UNSEEN}]+")
    odd = re.compile(f'[{ends}{_UNSEEN}"]') if is_records else bad
    # A comma in a number is a point to whoever takes commas for ends.
    in_number = re.compile(r"(?<=\d),(?=\d)") if is_records and layout.separator == "," else None

    def clean(text: str) -> str:
        # An å may be an a and a ring: one letter to people, and to a code page none.
        text = text if text.isascii() else normalize("NFC", text)
        if odd.search(text) is None:
            return text.strip()
        if is_records:
            text = text.replace('"', "'")
        if in_number is not None:
            text = in_number.sub(".", text)
        return " ".join(stripped for part in bad.split(text) if (stripped := part.strip()))

    # Names, accounts and codes come again and again, and most rows of a document have its own words.
    return lru_cache(_REMEMBERED)(clean)


def _guard(layout: Layout, text: str) -> str:
    """The text, as no markup: XlsxWriter takes one of this form for its own, and writes it as it is."""
    is_markup = layout.format is Format.WORKBOOK and text.startswith("<r>") and text.endswith("</r>")
    return f"< {text[1:]}" if is_markup else text


def _letter_check(layout: Layout, one: Field) -> Callable[[str, Listener], None]:
    encoding = layout.encoding

    def check(text: str, listener: Listener) -> None:
        if text.isascii():
            return
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            odd = "".join(dict.fromkeys(letter for letter in text if not _can_write(letter, encoding)))
            listener.fault(Code.FILE_LETTERS, one, f"has letters that {encoding} does not have: {odd!r} in {text!r}")

    return check


def _can_write(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
