"""Documents into a file of any layout: the one door of this room for whoever makes a file.

```
layout = load_layout("bilag", settings.layouts_dir)
found = examine(layout, documents, accepted=..., bounds=...)     # everything that is wrong, at once
tally = write_file(layout, documents, out)                       # raises where `found` has faults
manifest = to_manifest(layout, tally, file_name=..., sha256=..., number=...)
```
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from app.domain.file_documents import FileDocument
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import ConflictError
from app.files.cells import Listener
from app.files.csv_file import CsvWriter
from app.files.import_central import WorkbookWriter
from app.files.layouts import Field, Format, Layout
from app.files.manifest import Tally
from app.files.unistd import RecordsWriter


class Writer(Protocol):
    """Takes documents one by one; `open_writer` finishes and frees it."""

    def add(self, document: FileDocument) -> None:
        """Write what the document makes."""

    def finish(self) -> None:
        """Write what is left."""

    def free(self) -> None:
        """Let go of what lies beside the file, finished or not; whose stream it is closes that."""


class _Strict:
    """Ends the writing at the first thing that cannot be written: it was to be found before."""

    def fault(self, code: Code, field: Field, words: str, case: str = "") -> None:
        raise ConflictError(f"{field.name} {words}", fix=fix_for(code, case), code=code)

    def note(self, code: Code, field: Field, words: str, case: str = "") -> None:
        """What stands there otherwise was told by whoever examined it."""


_WRITERS: dict[Format, Callable[[Layout, BinaryIO, Listener], Writer]] = {
    Format.WORKBOOK: WorkbookWriter,
    Format.RECORDS: RecordsWriter,
    Format.CSV: CsvWriter,
}


@contextmanager
def open_writer(layout: Layout, out: BinaryIO) -> Iterator[Writer]:
    """What writes documents of this layout to the stream, one by one: for whoever reads them page by page.

    The file is whole when the context was left without an error; else nothing of it may be used.
    """
    writer = _WRITERS[layout.format](layout, out, _Strict())
    try:
        yield writer
        writer.finish()
    finally:
        writer.free()


def write_file(layout: Layout, documents: Iterable[FileDocument], out: BinaryIO) -> Tally:
    """Write a whole file; the answer has its sums.

    The same documents in the same order make the same bytes.

    Raises:
        ConflictError: something cannot be written, and nothing of the file may be used; `examine` finds it beforehand.
    """
    tally = Tally()
    with open_writer(layout, out) as writer:
        for document in documents:
            writer.add(document)
            tally.add(document)
    return tally
