"""UniStd text: one record a line, its type first, fields by position. Source: docs/facts/files.md §2, §4.

Nothing is quoted, for nothing is known to understand it: what would end a field or a line is taken out beforehand
(`cells`). Customers come first, once each; after them every invoice with its lines.
"""

from codecs import BOM_UTF8
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from app.domain.file_documents import FileDocument
from app.files.cells import Cell, FormCell, Listener, to_columns
from app.files.layouts import Layout, Record
from app.files.rows import Once, list_records, list_rows
from app.files.sources import Row

_END = "\r\n"
# What the documents make waits until the customers are known: in memory up to this size, then in a file without a name.
_KEPT_IN_MEMORY = 4_000_000
_CHUNK = 1_000_000


class RecordsWriter:
    """Writes documents as records of text; what stands there once is known at the end, and comes first."""

    def __init__(self, layout: Layout, out: BinaryIO, listener: Listener) -> None:
        self._layout, self._out, self._listener = layout, out, listener
        self._heads = [(record, to_columns(layout, record)) for record in list_records(layout, once=True)]
        self._parts = [(record, to_columns(layout, record)) for record in list_records(layout, once=False)]
        self._once = Once()
        self._body = SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY)  # noqa: SIM115 - closed by `free`

    def add(self, document: FileDocument) -> None:
        """Write the document's records: its head, then its lines."""
        self._once.add(document)
        for record, columns in self._parts:
            for row in list_rows(document, record.rows):
                self._body.write(self._to_line(columns, row))

    def finish(self) -> None:
        """Write what stands there once, then what the documents made."""
        if self._layout.mark:
            self._out.write(BOM_UTF8)
        self._write_heads(self._heads)
        self._body.seek(0)
        while chunk := self._body.read(_CHUNK):
            self._out.write(chunk)

    def free(self) -> None:
        """Let go of what waited."""
        self._body.close()

    def _write_heads(self, heads: list[tuple[Record, tuple[FormCell, ...]]]) -> None:
        for record, columns in heads:
            for row in self._once.list_rows(record.rows):
                self._out.write(self._to_line(columns, row))

    def _to_line(self, columns: tuple[FormCell, ...], row: Row) -> bytes:
        cells: list[Cell] = [fill(row, self._listener) for fill in columns]
        return f"{self._layout.separator.join(map(str, cells))}{_END}".encode(self._layout.encoding)
