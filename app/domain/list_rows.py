"""Cells of a sheet → the rows of a list, or everything that is wrong with them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.lists import COLUMNS, Column, Form, ListKind, ReadList

# A template may have a title and a line of help above its headings.
_HEADINGS_WITHIN = 10
_FLAGS = {"true": True, "ja": True, "yes": True, "1": True, "x": True, "sann": True, "aktiv": True, "active": True}
_FLAGS |= {"false": False, "nei": False, "no": False, "0": False, "usann": False, "inaktiv": False, "inactive": False}
_HIGHEST_RATE = Decimal(100)
_LONGEST_NUMBER = 15
_LONGEST_TEXT = 255

Cell = Any
Sheet = Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the headings stand, and which column of the sheet is which of ours."""

    row: int
    columns: Mapping[int, Column]


def read_rows(kind: ListKind, sheets: Sequence[Sheet]) -> ReadList:
    """The rows below the headings, in the first sheet that has those that are needed."""
    for sheet in sheets:
        place = _find_place(kind, sheet)
        if place is not None:
            return _read_below(kind, sheet, place)
    wanted = ", ".join(f"{one.name} ({one.headings[1]})" for one in COLUMNS[kind] if one.needed)
    return ReadList(faults=(f"no sheet has a row with all of these headings: {wanted}",))


def _find_place(kind: ListKind, sheet: Sheet) -> _Place | None:
    for number, row in enumerate(sheet[:_HEADINGS_WITHIN]):
        columns = _match_headings(kind, row)
        if all(column in columns.values() for column in COLUMNS[kind] if column.needed):
            return _Place(number, columns)
    return None


def _match_headings(kind: ListKind, row: Sequence[Cell]) -> dict[int, Column]:
    """Each column where its likeliest heading stands: one that is named earlier wins over a later one."""
    headings = {_to_heading(cell): place for place, cell in reversed([*enumerate(row)]) if _to_heading(cell)}
    found: dict[int, Column] = {}
    for column in COLUMNS[kind]:
        place = next((headings[one] for one in column.headings if one in headings and headings[one] not in found), None)
        if place is not None:
            found[place] = column
    return found


def _to_heading(cell: Cell) -> str:
    # Mandatory columns may be marked.
    return show_cell(cell).casefold().rstrip("*: ").strip()


def _read_below(kind: ListKind, sheet: Sheet, place: _Place) -> ReadList:
    named = COLUMNS[kind][0].name
    rows: list[dict[str, str]] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, cells in enumerate(sheet[place.row + 1 :], start=place.row + 2):
        if not any(show_cell(cell) for cell in cells):
            continue
        row, wrong = _read_row(cells, place)
        faults += [f"row {number}: {one}" for one in wrong]
        name = row.get(named, "")
        if name and name in seen:
            faults.append(f"row {number}: {named} {name} stands in row {seen[name]} already")
        seen.setdefault(name, number)
        rows.append(row)
    if not rows:
        faults.append("there is no row below the headings")
    return ReadList(rows=tuple(_level_rates(rows)), faults=tuple(faults))


def _read_row(cells: Sequence[Cell], place: _Place) -> tuple[dict[str, str], list[str]]:
    row: dict[str, str] = {}
    faults = []
    for position, column in place.columns.items():
        text = show_cell(cells[position]) if position < len(cells) else ""
        if not text:
            if column.needed:
                faults.append(f"{column.name} is empty")
            continue
        value = _READERS[column.form](text)
        if value is None:
            faults.append(f"{column.name} “{text[:40]}” is no {_FORMS[column.form]}")
        else:
            row[column.name] = value
    return row, faults


def show_cell(cell: Cell) -> str:
    """What stands in a cell: a whole number without the decimals that a spreadsheet keeps."""
    if cell is None or isinstance(cell, date):
        return "" if cell is None else cell.isoformat()
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).strip()


def _read_text(text: str) -> str | None:
    return text if len(text) <= _LONGEST_TEXT and text.isprintable() else None


def _read_number(text: str) -> str | None:
    """Digits, without zeros in front: Unimicro's numbers of customers and accounts are numbers, not texts."""
    return str(int(text)) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def _read_rate(text: str) -> str | None:
    try:
        rate = Decimal(text.rstrip("% ").replace(",", "."))
    except InvalidOperation:
        return None
    return f"{rate:f}" if rate.is_finite() and 0 <= rate <= _HIGHEST_RATE else None


def _read_flag(text: str) -> str | None:
    found = _FLAGS.get(text.casefold())
    return None if found is None else str(found).lower()


_READERS = {Form.TEXT: _read_text, Form.NUMBER: _read_number, Form.RATE: _read_rate, Form.FLAG: _read_flag}
_FORMS = {
    Form.TEXT: f"text of one line with {_LONGEST_TEXT} letters at most",
    Form.NUMBER: "whole number",
    Form.RATE: "per cent",
    Form.FLAG: "yes or no",
}


def _level_rates(rows: Sequence[dict[str, str]]) -> Iterator[dict[str, str]]:
    """A spreadsheet keeps 25 % as 0.25: where no rate reaches one per cent, all are such parts."""
    rates = [Decimal(row["rate"]) for row in rows if "rate" in row]
    are_parts = any(rates) and max(rates) < 1
    for row in rows:
        if are_parts and "rate" in row:
            yield {**row, "rate": f"{(Decimal(row['rate']) * 100).normalize():f}"}
        else:
            yield row
