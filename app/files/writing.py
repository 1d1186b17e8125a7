"""Documents into a file of any layout: the one door of this room for whoever makes a file.

```
layout = load_layout("bilag", settings.layouts_dir)
found = examine(layout, documents, accepted=..., bounds=...)     # everything that is wrong, at once
tally = write_file(layout, documents, out)                       # raises where `found` has faults
manifest = to_manifest(layout, tally, file_name=..., sha256=..., number=...)
```
"""

from collections.abc import Callable, Iterable
from typing import BinaryIO, Protocol, Self

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


class _Form(Protocol):
    """What each format has for writing."""

    def add(self, document: FileDocument) -> None: ...

    def finish(self) -> None: ...

    def free(self) -> None: ...


class _Strict:
    """Ends the writing at the first thing that cannot be written: it was to be found before."""

    def fault(self, code: Code, field: Field, words: str, case: str = "") -> None:
        raise ConflictError(f"{field.name} {words}", fix=fix_for(code, case), code=code)

    def note(self, code: Code, field: Field, words: str, case: str = "") -> None:
        """What stands there otherwise was told by whoever examined it."""


_FORMS: dict[Format, Callable[[Layout, BinaryIO, Listener], _Form]] = {
    Format.WORKBOOK: WorkbookWriter,
    Format.RECORDS: RecordsWriter,
    Format.CSV: CsvWriter,
}


class FileWriter:
    """Writes documents to a stream, one by one: for whoever reads them page by page.

    The file is whole when it was closed, or its context left without an error; else nothing of it may be used. The
    stream stays open.
    """

    def __init__(self, layout: Layout, out: BinaryIO) -> None:
        self._form = _FORMS[layout.format](layout, out, _Strict())
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._free()

    def add(self, document: FileDocument) -> None:
        """Write what the document makes.

        Raises:
            ConflictError: something of it cannot be written; `examine` finds it beforehand.
        """
        self._form.add(document)

    def close(self) -> None:
        """Write what is left, and let go of what lies beside the file; once is enough."""
        try:
            if self._is_open:
                self._form.finish()
        finally:
            self._free()

    def give_up(self) -> None:
        """Let go of what lies beside the file, which is never whole."""
        self._free()

    def _free(self) -> None:
        if self._is_open:
            self._is_open = False
            self._form.free()


def open_writer(layout: Layout, out: BinaryIO) -> FileWriter:
    """What writes documents of this layout to the stream: a context, so that nothing is left of what is given up."""
    return FileWriter(layout, out)


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
