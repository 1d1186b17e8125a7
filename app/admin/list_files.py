"""A list as a file for people, .xlsx or .csv, as sheets of cells. Pure; whatever is sent, reading it ends soon."""

import csv
import io
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from app.admin.workbooks import (
    MOST_BYTES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    WORKBOOK_FORM,
    too_large,
    verify_workbook,
)
from app.domain.list_rows import Sheet
from app.domain.reasons.codes import Code
from app.errors import RequestError

# What an .xlsx begins with: it is a zip.
_ZIP = b"PK\x03\x04"
_MOST_SHEETS = 20


def parse_sheets(content: bytes) -> list[Sheet]:
    """The sheets of an .xlsx, or the one of a .csv; which of the two it is, its first bytes say.

    Raises:
        RequestError: it is neither, or larger than any list.
    """
    if not content:
        raise RequestError("Nothing was sent", fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE)
    sheets = _parse_workbook(content) if content.startswith(_ZIP) else [_parse_csv(content)]
    if any(len(sheet) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in sheet) for sheet in sheets):
        cause = f"The file has over {MOST_ROWS} rows or {MOST_COLUMNS} columns"
        raise RequestError(cause, fix="Leave out what is not needed.", code=Code.LIST_UNREADABLE)
    return sheets


def _parse_workbook(content: bytes) -> list[Sheet]:
    checked = verify_workbook(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(checked))
        return _read_sheets(book)
    except (CalamineError, ValueError, OSError, KeyError) as error:
        raise RequestError("The file is no workbook", fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE) from error


def _read_sheets(book: CalamineWorkbook) -> list[Sheet]:
    # A workbook may name one sheet by many names, each of which is read.
    cells = letters = 0
    sheets: list[Sheet] = []
    for name in book.sheet_names[:_MOST_SHEETS]:
        sheet = book.get_sheet_by_name(name).to_python()
        cells += sum(map(len, sheet))
        letters += sum(len(cell) for row in sheet for cell in row if isinstance(cell, str))
        if cells > MOST_CELLS or letters > MOST_BYTES:
            raise too_large()
        sheets.append(sheet)
    return sheets


def _parse_csv(content: bytes) -> Sheet:
    text = _decode(content)
    if "\0" in text:
        raise RequestError("The file is neither a workbook nor text", fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE)
    rows: list[list[Any]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=_find_delimiter(text), strict=True):
            rows.append([*row])
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as error:
        cause = f"The file is no CSV: row {len(rows) + 1}: {error}"
        raise RequestError(cause, fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE) from error
    return rows


def _decode(content: bytes) -> str:
    """UTF-8; what is not has been saved by an older spreadsheet, in the letters of Windows."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _find_delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(";,\t", key=head.count)
