"""Files read by programs that share nothing with those that write them: as another system's import would.

The workbook's reader takes its XML as it lies there, so that the digits of a number are seen as they were written.
"""

import io
import re
import zipfile
from decimal import Decimal
from xml.etree import ElementTree as ET

from python_calamine import CalamineWorkbook

_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DAYS = {"dd.mm.yyyy"}


def read_cells(content: bytes) -> list[dict[str, str]]:
    """Each row's cells by their column's letter: `text …`, `number …` or `day …`, as they lie in the XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = ET.fromstring(parts.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
        days = _find_day_styles(ET.fromstring(parts.read("xl/styles.xml")))  # noqa: S314 - our own file
    return [{_column(cell): _show(cell, days) for cell in row.iter(f"{_SPACE}c")} for row in sheet.iter(f"{_SPACE}row")]


def read_marked_headings(content: bytes) -> list[str]:
    """The headings whose cells are filled with a colour."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = ET.fromstring(parts.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
        styles = ET.fromstring(parts.read("xl/styles.xml"))  # noqa: S314 - our own file
    fills, formats = styles.find(f"{_SPACE}fills"), styles.find(f"{_SPACE}cellXfs")
    assert fills is not None
    assert formats is not None
    coloured = {str(index) for index, fill in enumerate(fills) if fill.find(f".//{_SPACE}fgColor") is not None}
    marked = {str(index) for index, one in enumerate(formats) if one.get("fillId") in coloured}
    first = next(sheet.iter(f"{_SPACE}row"))
    return ["".join(part.text or "" for part in cell.iter(f"{_SPACE}t")) for cell in first if cell.get("s") in marked]


def _find_day_styles(styles: ET.Element) -> set[str]:
    shapes = {one.get("numFmtId") for one in styles.iter(f"{_SPACE}numFmt") if one.get("formatCode") in _DAYS}
    cells = styles.find(f"{_SPACE}cellXfs")
    assert cells is not None
    return {str(index) for index, one in enumerate(cells) if one.get("numFmtId") in shapes}


def _column(cell: ET.Element) -> str:
    return re.sub(r"\d+", "", cell.get("r", ""))


def _show(cell: ET.Element, days: set[str]) -> str:
    if cell.get("t") == "inlineStr":
        return f"text {''.join(part.text or '' for part in cell.iter(f'{_SPACE}t'))}"
    value = cell.findtext(f"{_SPACE}v")
    return f"{'day' if cell.get('s') in days else 'number'} {value}"


def read_workbook(content: bytes) -> list[dict[str, object]]:
    """The rows below the headings, by heading, as calamine has them; empty cells are left out."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    names = [str(name) for name in rows[0]]
    return [{name: value for name, value in zip(names, row, strict=True) if value != ""} for row in rows[1:]]


def read_unistd(content: bytes, encoding: str = "cp1252") -> list[tuple[str, list[str]]]:
    """Every record's type and its fields behind it; fails where a line has no end, or the file no last one."""
    assert content.endswith(b"\r\n") or not content
    lines = content.decode(encoding).split("\r\n")[:-1]
    assert not [line for line in lines if "\n" in line or "\r" in line or '"' in line]
    records = [line.split(",") for line in lines]
    return [(fields[0], fields[1:]) for fields in records]


def read_amount(text: str) -> Decimal:
    """An amount of a UniStd file."""
    assert re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII), text
    return Decimal(text)
