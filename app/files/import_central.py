"""A workbook as Unimicro's Import central takes it: a row of headings, then typed cells, the same bytes every time.

Codes are texts, so that no nought is lost; days and amounts are what they are, and amounts have their own digits, not a
binary number's. What must be filled is marked. Source: docs/facts/files.md §3.
"""

from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import BinaryIO

from xlsxwriter import Workbook

from app.domain.file_documents import FileDocument
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import ConflictError
from app.files.cells import Cell, Listener, to_columns
from app.files.layouts import FieldKind, Layout
from app.files.rows import ONCE, Once, list_rows
from app.files.sources import Row

# A workbook tells when it was made: were it the clock's, no file could be made again.
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's days have no zone
# Below the headings.
MOST_ROWS = 1_048_575
_WIDTH = 18
_MARKED = {"bold": True, "bg_color": "#FFD966"}


class WorkbookWriter:
    """Writes documents into a workbook, row by row: no more than one row is in memory, and what stands there once."""

    def __init__(self, layout: Layout, out: BinaryIO, listener: Listener) -> None:
        self._record = layout.records[0]
        self._columns = to_columns(layout, self._record)
        self._listener = listener
        self._once = Once()
        self._rows = 0
        self._folder = TemporaryDirectory(prefix="workbook-")
        options = {"constant_memory": True, "default_date_format": "dd.mm.yyyy", "tmpdir": self._folder.name}
        self._book = Workbook(out, options)
        self._book.set_properties({"created": _MADE})
        self._sheet = self._book.add_worksheet(layout.sheet or layout.title)
        self._formats = {
            FieldKind.DATE: self._book.add_format({"num_format": "dd.mm.yyyy"}),
            FieldKind.CODE: self._book.add_format({"num_format": "@"}),
        }
        self._write_headings()

    def add(self, document: FileDocument) -> None:
        """Write the document's rows."""
        self._once.add(document)
        for row in list_rows(document, self._record.rows):
            self._write(row)

    def finish(self) -> None:
        """Write what stands there once, and finish the workbook."""
        if self._record.rows in ONCE:
            for row in self._once.list_rows(self._record.rows):
                self._write(row)
        self._book.close()

    def free(self) -> None:
        """Let go of the rows that wait in a file of their own."""
        self._sheet._opt_close()  # noqa: SLF001 - the library closes it with the workbook alone
        self._folder.cleanup()

    def _write_headings(self) -> None:
        plain, marked = self._book.add_format({"bold": True}), self._book.add_format(_MARKED)
        for index, one in enumerate(self._record.fields):
            # The format of the whole column: a cell that a person fills in later keeps its noughts, too.
            self._sheet.set_column(index, index, _WIDTH, self._formats.get(one.kind))
            self._sheet.write_string(0, index, one.name, marked if one.mandatory else plain)

    def _write(self, row: Row) -> None:
        self._rows += 1
        if self._rows > MOST_ROWS:
            # The library would leave the row out and say nothing.
            raise ConflictError(
                f"A workbook has at most {MOST_ROWS} rows", fix=fix_for(Code.FILE_ROWS), code=Code.FILE_ROWS
            )
        for index, fill in enumerate(self._columns):
            cell = fill(row, self._listener)
            if cell != "":
                self._write_cell(index, cell)

    def _write_cell(self, index: int, cell: Cell) -> None:
        if isinstance(cell, str):
            self._sheet.write_string(self._rows, index, cell)
        elif isinstance(cell, Decimal):
            # The library writes whatever prints itself as a number: a Decimal keeps the digits that a float would lose.
            self._sheet.write_number(self._rows, index, cell)
        else:
            self._sheet.write_datetime(self._rows, index, cell, self._formats[FieldKind.DATE])
