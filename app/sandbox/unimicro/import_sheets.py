"""Workbooks as Import central reads them: the first sheet, headings in its first row, typed cells below.

Source: docs/facts/files.md §3 for the cards and their columns; how cells are read is assumed.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

_FIRST_ROW = 2


class ImportRefusedError(Exception):
    """The file is refused; `faults` says why, row by row."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(slots=True)
class SheetRow:
    """One row by its headings; reading a cell that cannot be used is noted in `faults`."""

    number: int
    cells: dict[str, Any]
    faults: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """What stands in a cell; a number as a person would type it."""
        cell = self.cells.get(name)
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))
        return "" if cell is None else str(cell).strip()

    def day(self, name: str) -> str | None:
        """A day, from a cell with a date or a text as 05.10.2026; None where there is none."""
        cell = self.cells.get(name)
        if isinstance(cell, datetime | date):
            return cell.isoformat()[:10]
        found: str | None = self._read(name, _to_day)
        return found

    def amount(self, name: str) -> Decimal | None:
        """A number; None where there is none."""
        cell = self.cells.get(name)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return Decimal(str(cell))
        found: Decimal | None = self._read(name, Decimal)
        return found

    def complain(self, what: str) -> None:
        """Note what is wrong with the row."""
        self.faults.append(f"row {self.number}: {what}")

    def _read(self, name: str, read: Callable[[str], Any]) -> Any:
        text = self.text(name)
        try:
            return read(text) if text else None
        except (ValueError, InvalidOperation):
            self.complain(f"{name} “{text}” cannot be read")
            return None


def _to_day(text: str) -> str:
    day, month, year = text.split(".")
    return date(int(year), int(month), int(day)).isoformat()


def read_sheet(content: bytes, needed: tuple[str, ...]) -> list[SheetRow]:
    """The rows below the headings, none that is empty.

    Raises:
        ImportRefusedError: it is no workbook, or lacks a column that must be there, or has no rows.
    """
    try:
        cells = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    except (CalamineError, IndexError) as error:
        raise ImportRefusedError([f"the file is no workbook: {error}"]) from error
    # What must be there is coloured in the templates; a mark on its heading does no harm.
    headings = [str(cell).rstrip("* ") for cell in cells[0]] if cells else []
    missing = [name for name in needed if name not in headings]
    if missing:
        raise ImportRefusedError([f"the column {name} is missing" for name in missing])
    rows = [
        SheetRow(number, {name: (None if cell == "" else cell) for name, cell in zip(headings, row, strict=False)})
        for number, row in enumerate(cells[1:], start=_FIRST_ROW)
    ]
    rows = [row for row in rows if any(cell is not None for cell in row.cells.values())]
    if not rows:
        raise ImportRefusedError(["there is no row below the headings"])
    for row in rows:
        for name in needed:
            if row.cells.get(name) is None:
                row.complain(f"{name} is empty")
    return rows
