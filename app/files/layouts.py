"""Layouts of files, as data: what each position or column is, where its value comes from, and how sure that is.

Ours are the TOML files beside this module; a folder may hold others, of one's own making. A layout keeps the text that
it was read from, so that an export can keep it with itself: a file that is made again is made by the layout of then.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from app.domain.reasons.codes import Code
from app.errors import NotFoundError, RequestError
from app.files.sources import SOURCES, CreditSign, RowKind, ValueKind

_OURS = Path(__file__).resolve().parent / "layouts"
_STRICT = ConfigDict(extra="forbid", title="layout")
# Names stand in names of files.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NO_END = re.compile(r"[^\w\s\".'+-]|\t")
_FEW = re.compile(r"[\w ./-]*")
_PLAIN = "".join(map(chr, range(0x20, 0x7F))) + "\r\n\t"
_SPELT = "\\u0141"
_SHEET = 31
_MOST_DECIMALS = 10


class Evidence(StrEnum):
    """How a field is known: nobody said so, a page of the vendor's does, a real file shows it."""

    ASSUMED = "assumed"
    DOCUMENTED = "documented"
    SAMPLE = "sample"


class Format(StrEnum):
    """What a file is for the program that reads it."""

    WORKBOOK = "workbook"
    RECORDS = "records"
    CSV = "csv"


class FieldKind(StrEnum):
    """How a value is written.

    `text`: words, cut where they are too long. `code`: a number by which something is known: every nought stays, none
    is cut. `number`, `whole`: an amount, with and without decimals. `date`: a day.
    """

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    WHOLE = "whole"
    DATE = "date"


_SUITED = {
    FieldKind.TEXT: {ValueKind.TEXT},
    FieldKind.CODE: {ValueKind.TEXT},
    FieldKind.NUMBER: {ValueKind.NUMBER},
    FieldKind.WHOLE: {ValueKind.NUMBER},
    FieldKind.DATE: {ValueKind.DATE},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One position of a record, or one column.

    `source` is one of `SOURCES`; empty: `constant` stands there on every row, and that may be nothing.
    `words`: what stands there for a source of few words, by the word. `length`: in letters; 0: any.
    """

    __pydantic_config__ = _STRICT
    position: int
    name: str
    evidence: Evidence
    source: str = ""
    constant: str = ""
    kind: FieldKind = FieldKind.TEXT
    length: int = 0
    decimals: int = 2
    mandatory: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One kind of rows; `type` is what such a row begins with, where a file has several kinds."""

    __pydantic_config__ = _STRICT
    rows: RowKind
    fields: tuple[Field, ...]
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One layout, whole.

    `mark`: the file begins with the mark by which spreadsheets know UTF-8.
    `one_year`: a file of it holds documents of one financial year. `for_people`: no program reads it, so that nothing
    of it is assumed. `assumptions`: what besides its fields nobody has told us. `text`: the TOML that it was read from.
    """

    __pydantic_config__ = _STRICT
    name: str
    version: str
    title: str
    format: Format
    extension: str
    records: tuple[Record, ...]
    sheet: str = ""
    encoding: str = "utf-8"
    mark: bool = False
    separator: str = ""
    decimal_mark: str = "."
    date_format: str = "yyyy-MM-dd"
    credit_sign: CreditSign = CreditSign.QUANTITY
    one_year: bool = False
    for_people: bool = False
    assumptions: tuple[str, ...] = ()
    text: str = ""

    @property
    def assumed_fields(self) -> tuple[str, ...]:
        """The fields that are assumed, each with its record and position."""
        return tuple(
            f"{record.type or record.rows} {one.position} {one.name}"
            for record in self.records
            for one in record.fields
            if one.evidence is Evidence.ASSUMED
        )

    @property
    def is_assumed(self) -> bool:
        """Whether an administrator must have accepted it by name before a file of it is made."""
        return bool(self.assumed_fields)

    @property
    def digest(self) -> str:
        """SHA-256 of the text that it was read from."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def has_rows_of(self, rows: RowKind) -> bool:
        """Whether a file of it has such rows."""
        return any(record.rows is rows for record in self.records)

    def asks_for(self, source: str) -> bool:
        """Whether some field is filled with it."""
        return any(one.source == source for record in self.records for one in record.fields)


_LAYOUT = TypeAdapter(Layout)


def load_layouts(folder: Path | None = None) -> dict[str, Layout]:
    """Every layout by its name: ours, and those of the folder.

    Raises:
        RequestError: there is no such folder, or one of its layouts cannot be used or has the name of another.
    """
    if folder is not None and not folder.is_dir():
        raise _unusable(str(folder), ["there is no folder of that name"])
    found: dict[str, Layout] = {}
    for path in [*sorted(_OURS.glob("*.toml")), *sorted(folder.glob("*.toml") if folder else [])]:
        layout = parse_layout(_read(path), place=path.name)
        if layout.name in found:
            raise _unusable(path.name, [f"another layout is called {layout.name!r}, too"])
        found[layout.name] = layout
    return found


def load_layout(name: str, folder: Path | None = None) -> Layout:
    """The layout of this name.

    Raises:
        NotFoundError: there is none.
        RequestError: one of the folder cannot be used.
    """
    layouts = load_layouts(folder)
    if name not in layouts:
        raise NotFoundError(f"There is no layout {name!r}", fix=f"Name one of these: {', '.join(sorted(layouts))}.")
    return layouts[name]


def parse_layout(text: str, *, place: str) -> Layout:
    """The layout that a text of TOML describes; `place` says where it stands, for people.

    Raises:
        RequestError: with everything that is wrong with it.
    """
    try:
        layout = _LAYOUT.validate_python({**tomllib.loads(text), "text": text})
    except tomllib.TOMLDecodeError as error:
        raise _unusable(place, [str(error)]) from error
    except ValidationError as error:
        raise _unusable(place, [_tell(part) for part in error.errors()]) from error
    mistakes = _list_mistakes(layout)
    if mistakes:
        raise _unusable(place, mistakes)
    return layout


def choose(layout: Layout, *, encoding: str = "", credit_sign: CreditSign | None = None) -> Layout:
    """The layout with what an administrator has chosen instead of its own letters and signs; nothing: as it is.

    Raises:
        RequestError: there is no such encoding, or the layout's format has its own.
    """
    changed = replace(layout, encoding=encoding or layout.encoding, credit_sign=credit_sign or layout.credit_sign)
    mistakes = _list_mistakes(changed)
    if mistakes:
        raise _unusable(layout.name, mistakes)
    return changed


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path.name, [str(error)]) from error


def _tell(part: Any) -> str:
    return f"{'.'.join(map(str, part['loc'])) or 'the whole'}: {part['msg']}"


def _unusable(place: str, mistakes: list[str]) -> RequestError:
    cause = f"The layout {place} cannot be used: {'; '.join(mistakes)}"
    return RequestError(cause, fix="Correct them and try again.", code=Code.LAYOUT_UNUSABLE)


def _list_mistakes(layout: Layout) -> list[str]:
    """Everything for which no file of it could be made, or one that nobody could read again."""
    wrong = {
        "its name has letters, digits, - and _ alone": not _NAME.fullmatch(layout.name),
        "its extension has letters and digits alone": not (layout.extension.isascii() and layout.extension.isalnum()),
        "it has no records": not layout.records,
        f"a {layout.format} has one kind of rows": layout.format is not Format.RECORDS and len(layout.records) > 1,
        "two records have one type": len({record.type for record in layout.records}) < len(layout.records),
        "days are written with dd, MM and yy or yyyy": not _has_day(layout.date_format),
    }
    found = [words for words, is_so in wrong.items() if is_so]
    found += _list_of_workbook(layout) if layout.format is Format.WORKBOOK else _list_of_text(layout)
    return [*found, *(mistake for record in layout.records for mistake in _list_of_record(layout, record))]


def _has_day(shape: str) -> bool:
    return all(len(re.findall(sign, shape)) == 1 for sign in ("dd", "MM", "(?<!y)(?:yyyy|yy)(?!y)"))


def _list_of_workbook(layout: Layout) -> list[str]:
    title = layout.sheet or layout.title
    wrong = {
        "a workbook has letters of its own: utf-8": layout.encoding != "utf-8",
        "a sheet's name has at most 31 letters, and none of []:*?/\\": not 0 < len(title) <= _SHEET
        or bool(set(title) & set("[]:*?/\\'")),
    }
    return [words for words, is_so in wrong.items() if is_so]


def _list_of_text(layout: Layout) -> list[str]:
    separator, mark = layout.separator, layout.decimal_mark
    wrong = {
        "one letter separates its fields, none of a number or a text": not _NO_END.fullmatch(separator),
        "a point or a comma is the decimal mark, and another letter than that between fields": mark not in {".", ","}
        or mark == separator,
        "only utf-8 has a mark": layout.mark and layout.encoding != "utf-8",
        f"{layout.encoding} does not write plain letters as plain bytes": not writes_plain(layout.encoding),
    }
    return [words for words, is_so in wrong.items() if is_so]


def writes_plain(encoding: str) -> bool:
    """Whether each letter of ASCII is its own byte: else ends of fields and lines would not be what they are.

    One that spells letters which it does not have as several others is none.
    """
    try:
        is_read_again = _SPELT.encode(encoding).decode(encoding) == _SPELT
        return is_read_again and _PLAIN.encode(encoding) == _PLAIN.encode("ascii")
    except (LookupError, UnicodeError):
        return False


def _list_of_record(layout: Layout, record: Record) -> list[str]:
    place = record.type or record.rows.value
    mistakes = []
    if [one.position for one in record.fields] != list(range(1, len(record.fields) + 1)) or not record.fields:
        mistakes.append(f"{place}: positions go 1, 2, 3 … with none left out")
    if layout.format is Format.RECORDS and (not record.type or record.fields[:1] != _types_of(record)):
        mistakes.append(f"{place}: position 1 is the record's type, as a constant")
    return [*mistakes, *(f"{place} {one.position}: {wrong}" for one in record.fields if (wrong := _odd(record, one)))]


def _types_of(record: Record) -> tuple[Field, ...]:
    return tuple(one for one in record.fields[:1] if one.constant == record.type and not one.source)


def _odd(record: Record, one: Field) -> str:
    if not _FEW.fullmatch("".join((one.constant, *one.words.values()))):
        return "its constant and words are letters, digits, blanks and .-_/ alone"
    if not (0 <= one.decimals <= _MOST_DECIMALS and one.length >= 0):
        return f"it has 0 to {_MOST_DECIMALS} decimals, and no length below nothing"
    if not one.source:
        return ""
    source = SOURCES.get(one.source)
    if source is None:
        return f"there is no source {one.source!r}"
    if record.rows not in source.rows:
        return f"rows of {record.rows} have no {one.source}"
    return "" if source.kind in _SUITED[one.kind] else f"{one.source} is no {one.kind}"
