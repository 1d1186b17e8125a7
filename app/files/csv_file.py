"""A list of documents for people, as a spreadsheet opens it: quoted where needed, and no cell begins a formula."""

import csv
import io
from typing import BinaryIO

from app.domain.cells import to_cell
from app.domain.file_documents import FileDocument
from app.files.cells import Cell, Listener, to_columns
from app.files.layouts import FieldKind, Layout
from app.files.rows import ONCE, Once, list_rows
from app.files.sources import Row

_MARK = "\ufeff"


class CsvWriter:
    """Writes documents as rows below their columns' names."""

    def __init__(self, layout: Layout, out: BinaryIO, listener: Listener) -> None:
        self._record = layout.records[0]
        self._columns = to_columns(layout, self._record)
        self._is_number = [one.kind in {FieldKind.NUMBER, FieldKind.WHOLE} for one in self._record.fields]
        self._listener = listener
        self._once = Once()
        self._text = io.TextIOWrapper(out, encoding=layout.encoding, newline="", write_through=True)
        if layout.mark:
            self._text.write(_MARK)
        self._rows = csv.writer(self._text, delimiter=layout.separator)
        self._rows.writerow(one.name for one in self._record.fields)

    def add(self, document: FileDocument) -> None:
        """Write the document's rows."""
        self._once.add(document)
        for row in list_rows(document, self._record.rows):
            self._write(row)

    def finish(self) -> None:
        """Write what stands there once."""
        if self._record.rows in ONCE:
            for row in self._once.list_rows(self._record.rows):
                self._write(row)

    def free(self) -> None:
        """Give the stream back as it was given to us: open."""
        self._text.detach()

    def _write(self, row: Row) -> None:
        cells = [fill(row, self._listener) for fill in self._columns]
        self._rows.writerow(map(_show, cells, self._is_number))


def _show(cell: Cell, is_number: bool) -> str:  # noqa: FBT001 - one of two lists that are read together
    # An amount is a number whatever it begins with.
    return str(cell) if is_number else to_cell(str(cell))
