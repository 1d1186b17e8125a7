"""Workbooks that would want more memory than there is, from a few kilobytes: refused before a reader sees them."""

import io
import zipfile
from collections.abc import Mapping

import pytest
import xlsxwriter

from app.admin.list_files import parse_sheets
from app.errors import RequestError

SHARED = "xl/sharedStrings.xml"
SHEET = "xl/worksheets/sheet1.xml"


def to_workbook(*, sheets: int = 1) -> bytes:
    """One with a heading and a number in each sheet."""
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        for _ in range(sheets):
            book.add_worksheet().write_column(0, 0, ["kode", 3])
    return sink.getvalue()


def repack(changes: Mapping[str, tuple[str, str]], *, name: str = "", sheets: int = 1) -> bytes:
    """It with other words in these parts; `name`: that of the first sheet's part."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(to_workbook(sheets=sheets))) as source, zipfile.ZipFile(sink, "w") as packed:
        for one in source.infolist():
            text = source.read(one).decode()
            for part, (old, new) in changes.items():
                assert one.filename != part or old in text
                text = text.replace(old, new) if one.filename == part else text
            packed.writestr(name if name and one.filename == SHEET else one.filename, text)
    return sink.getvalue()


def test_a_workbook_comes_through_as_it_was() -> None:
    assert parse_sheets(to_workbook(sheets=2)) == [[["kode"], [3.0]]] * 2
    unplaced = repack({SHEET: ("</sheetData>", "<row><c><v>4</v></c><c/></row></sheetData>")})
    assert parse_sheets(unplaced) == [[["kode"], [3.0], [4.0]]]


@pytest.mark.parametrize(
    "rows",
    [
        # Cells that do not say where they stand stand beside each other: five thousand million with the empty ones.
        '<row r="90000">' + "<c><v>1</v></c>" * 60_000 + "</row>",
        '<row r="90000">' + """<c x=' r="A1"'><v>1</v></c>""" * 60_000 + "</row>",
        '<x:row xmlns:x="x" r="90000">' + "<x:c><x:v>1</x:v></x:c>" * 60_000 + "</x:row>",
        '<row r="2"><c r="CW2"><v>1</v></c></row>',
        '<row r="2"><c r="cw2"><v>1</v></c></row>',
        '<row r="2"><c r="A100001"><v>1</v></c></row>',
        '<row r="2"><c r="A99999999999"><v>1</v></c></row>',
        "<row/>" * 100_001,
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="100000"><c r="CV100000"><v>1</v></c></row>',
    ],
)
def test_a_sheet_that_reaches_too_far_is_refused(rows: str) -> None:
    with pytest.raises(RequestError, match="holds over"):
        parse_sheets(repack({SHEET: ("</sheetData>", f"{rows}</sheetData>")}))


def test_all_sheets_together_have_one_bound() -> None:
    far = '<row r="60000"><c r="Z60000"><v>1</v></c></row></sheetData>'
    changes = {f"xl/worksheets/sheet{number}.xml": ("</sheetData>", far) for number in (1, 2)}
    assert len(parse_sheets(repack({SHEET: ("</sheetData>", far)}))[0]) == 60_000
    with pytest.raises(RequestError, match="holds over"):
        parse_sheets(repack(changes, sheets=2))


def test_a_text_that_many_cells_share_counts_for_each_of_them() -> None:
    cells = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(3, 2000))
    changes = {SHEET: ("</sheetData>", f"{cells}</sheetData>"), SHARED: ("kode", "k" * 1_000_000)}
    with pytest.raises(RequestError, match="holds over"):
        parse_sheets(repack(changes))
    assert len(parse_sheets(repack({SHEET: changes[SHEET]}))[0]) == 1999


def test_one_sheet_of_many_names_is_no_way_around_it() -> None:
    far = '<row r="50000"><c r="AX50000"><v>1</v></c></row></sheetData>'
    once = '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>'
    often = "".join(f'<sheet name="S{number}" sheetId="{number}" r:id="rId1"/>' for number in range(1, 20))
    with pytest.raises(RequestError, match="holds over"):
        parse_sheets(repack({SHEET: ("</sheetData>", far), "xl/workbook.xml": (once, often)}))


@pytest.mark.parametrize(
    "begin",
    [
        # What one reader takes for broken another may read on in.
        "<worksheet a=1>",
        # Letters that read otherwise in another alphabet, which the document claims.
        '<?xml version="1.0" encoding="cp037"?><worksheet>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><worksheet>',
    ],
)
def test_what_cannot_be_looked_through_is_not_read_either(begin: str) -> None:
    far = '<row r="90000">' + "<c><v>1</v></c>" * 60_000 + "</row>"
    sheet = f"{begin}<sheetData>{far}</sheetData></worksheet>"
    changed = repack({})
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(changed)) as source, zipfile.ZipFile(sink, "w") as packed:
        for one in source.infolist():
            packed.writestr(one.filename, sheet if one.filename == SHEET else source.read(one))
    with pytest.raises(RequestError):
        parse_sheets(sink.getvalue())


def test_a_part_that_stands_twice_is_refused() -> None:
    sink = io.BytesIO(to_workbook())
    with zipfile.ZipFile(sink, "a") as packed:
        packed.writestr(SHEET.upper(), "<worksheet/>")
    with pytest.raises(RequestError, match="no workbook"):
        parse_sheets(sink.getvalue())
