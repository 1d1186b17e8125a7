"""A list as a file for people, .xlsx or .csv, as sheets of cells. Pure; whatever is sent, reading it ends soon."""

import csv
import io
import re
import zipfile
import zlib
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from app.domain.list_rows import Sheet
from app.domain.reasons.codes import Code
from app.errors import RequestError

# What an .xlsx begins with: it is a zip.
_ZIP = b"PK\x03\x04"
# An .xlsx may grow so much when it is unpacked, and have so many parts: a real one has about twenty.
_MOST_BYTES = 64 * 1024 * 1024
_MOST_PARTS = 200
_BLOCK = 1024 * 1024
_MOST_SHEETS = 20
_MOST_ROWS = 100_000
_MOST_COLUMNS = 100
# Where a cell or a row says it stands: the reader makes room for all that lies before it.
_STANDS = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,4})(\d{1,9})["']""")
_LONGEST_MATCH = 64
_LETTERS = 26
_FORM = "Send an .xlsx (Unimicro's template with its rows, for example) or a .csv, saved as UTF-8."


def parse_sheets(content: bytes) -> list[Sheet]:
    """The sheets of an .xlsx, or the one of a .csv; which of the two it is, its first bytes say.

    Raises:
        RequestError: it is neither, or larger than any list.
    """
    if not content:
        raise RequestError("Nothing was sent", fix=_FORM, code=Code.LIST_UNREADABLE)
    sheets = _parse_workbook(content) if content.startswith(_ZIP) else [_parse_csv(content)]
    if any(len(sheet) > _MOST_ROWS or any(len(row) > _MOST_COLUMNS for row in sheet) for sheet in sheets):
        cause = f"The file has over {_MOST_ROWS} rows or {_MOST_COLUMNS} columns"
        raise RequestError(cause, fix="Leave out what is not needed.", code=Code.LIST_UNREADABLE)
    return sheets


def _parse_workbook(content: bytes) -> list[Sheet]:
    verify_workbook(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[:_MOST_SHEETS]]
    except (CalamineError, ValueError, OSError, KeyError) as error:
        raise RequestError("The file is no workbook", fix=_FORM, code=Code.LIST_UNREADABLE) from error


def verify_workbook(content: bytes) -> None:
    """Make sure that what is packed is an .xlsx, and no larger than a list may be, before anything is made of it.

    Raises:
        RequestError: it is none, or larger, or a cell stands so far away that its sheet would be.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > _MOST_PARTS or sum(one.file_size for one in parts) > _MOST_BYTES:
                raise _too_large()
            names = {one.filename.lower() for one in parts}
            if "xl/workbook.xml" not in names or "content.xml" in names:
                raise RequestError("The file is no .xlsx", fix=_FORM, code=Code.LIST_UNREADABLE)
            # A zip may say less of itself than it holds: what it says is checked by unpacking it.
            for one in parts:
                _verify_part(packed, one)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise RequestError("The file is no workbook", fix=_FORM, code=Code.LIST_UNREADABLE) from error


def _verify_part(packed: zipfile.ZipFile, one: zipfile.ZipInfo) -> None:
    """One cell far to the right and below makes a sheet of all the empty ones before it."""
    rest = b""
    with packed.open(one) as part:
        while block := part.read(_BLOCK):
            for letters, digits in _STANDS.findall(rest + block):
                if int(digits) > _MOST_ROWS or _to_column(letters) > _MOST_COLUMNS:
                    raise _too_large()
            rest = block[-_LONGEST_MATCH:]


def _to_column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * _LETTERS + letter - ord("A") + 1
    return number


def _too_large() -> RequestError:
    cause = f"The workbook holds over {_MOST_BYTES // 1024 // 1024} MB, {_MOST_ROWS} rows or {_MOST_COLUMNS} columns"
    return RequestError(cause, fix="Leave out what is not needed.", code=Code.LIST_UNREADABLE)


def _parse_csv(content: bytes) -> Sheet:
    text = _decode(content)
    if "\0" in text:
        raise RequestError("The file is neither a workbook nor text", fix=_FORM, code=Code.LIST_UNREADABLE)
    rows: list[list[Any]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=_find_delimiter(text), strict=True):
            rows.append([*row])
            if len(rows) > _MOST_ROWS:
                break
    except csv.Error as error:
        cause = f"The file is no CSV: row {len(rows) + 1}: {error}"
        raise RequestError(cause, fix=_FORM, code=Code.LIST_UNREADABLE) from error
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
