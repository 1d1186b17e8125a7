"""Many documents for a file, made as they are asked for, and what the file costs."""

import io
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import BinaryIO

from app.domain.file_documents import FileDocument
from app.files.examine import examine
from app.files.layouts import Layout
from app.files.manifest import to_manifest
from app.files.writing import write_file
from tests.world.file_documents import make_file_document, make_file_line, make_text_line

# As many documents have one customer.
_TO_ONE = 5
_LINES = (
    make_file_line(),
    make_file_line(vat_code="31", account="3010", text="Lunsj, «kantine»"),
    make_file_line(vat_code="33", account="3020"),
    make_file_line(department_number="20"),
    make_text_line(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCost:
    """CPU seconds of examining, writing and summing up; bytes of the file."""

    cpu_seconds: float
    size: int


def make_many_documents(count: int) -> Iterator[FileDocument]:
    """Invoices of four products and a line of words, in four shares of two departments."""
    model = make_file_document(lines=_LINES)
    for place in range(count):
        number, customer = str(5000 + place), replace(model.customer, number=str(100000 + place // _TO_ONE))
        claim, *shares = model.entries
        claim = replace(claim, customer_number=customer.number, invoice_number=number)
        yield replace(
            model, number=number, transfer_id=str(place), customer=customer, entries=(claim, *map(replace, shares))
        )


def measure_file(layout: Layout, count: int) -> FileCost:
    """What a file of so many documents costs, from the examination to the manifest."""
    started = time.process_time()
    with TemporaryFile() as out:
        _make(layout, count, out)
        return FileCost(cpu_seconds=time.process_time() - started, size=out.seek(0, io.SEEK_END))


def measure_file_megabytes(layout: Layout, count: int) -> float:
    """The most memory that making the file needs, the documents among it."""
    tracemalloc.start()
    try:
        with TemporaryFile() as out:
            _make(layout, count, out)
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def _make(layout: Layout, count: int, out: BinaryIO) -> None:
    found = examine(layout, make_many_documents(count), accepted=[layout.name])
    assert found.is_fit
    tally = write_file(layout, make_many_documents(count), out)
    manifest = to_manifest(layout, tally, file_name="many", sha256="", number=1)
    assert manifest["documents"] == count
