"""A workbook of unknown origin, looked through before a reader makes anything of it. Pure.

A reader makes room for every cell up to the farthest one, and writes a shared text anew for each cell that has it: six
kilobytes can want more memory than there is, and the reader then ends the process. It also finds parts, and reads them,
in ways of its own; so it is handed nothing but what was looked through here, packed anew.
"""

import io
import re
import zipfile
import zlib
from array import array
from xml.parsers import expat

from app.domain.reasons.codes import Code
from app.errors import RequestError

# An .xlsx may grow so much when it is unpacked, and have so many parts: a real one has about twenty.
MOST_BYTES = 64 * 1024 * 1024
_MOST_PARTS = 200
_BLOCK = 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 100
# Of all sheets together, the empty ones before the farthest one too: 100,000 rows of 30 columns.
MOST_CELLS = 3_000_000
_STANDS = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LETTERS = 26
WORKBOOK_FORM = "Send an .xlsx (Unimicro's template with its rows, for example) or a .csv, saved as UTF-8."


def verify_workbook(content: bytes) -> bytes:
    """The workbook with nothing in it but parts that were looked through, and no larger than a list may be.

    Raises:
        RequestError: it is none, or larger, or would be when it is read.
    """
    sink, look = io.BytesIO(), _Look()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(sink, "w") as checked:
            parts = packed.infolist()
            if len(parts) > _MOST_PARTS or sum(one.file_size for one in parts) > MOST_BYTES:
                raise too_large()
            _verify_names([one.filename.lower() for one in parts])
            # Texts first: how long they are says what the cells that share them come to.
            for one in sorted(parts, key=lambda one: "sharedstrings" not in one.filename.lower()):
                text = _unpack(packed, one)
                if look.through(text):
                    checked.writestr(one.filename, text)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise RequestError("The file is no workbook", fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE) from error
    return sink.getvalue()


def _verify_names(names: list[str]) -> None:
    if "xl/workbook.xml" not in names or "content.xml" in names:
        raise RequestError("The file is no .xlsx", fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE)
    if len(set(names)) < len(names):
        # Which of the two is meant nobody can say.
        raise zipfile.BadZipFile


def _unpack(packed: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """A zip may say less of itself than it holds."""
    text = bytearray()
    with packed.open(one) as part:
        while block := part.read(_BLOCK):
            text += block
            if len(text) > MOST_BYTES:
                raise too_large()
    return bytes(text)


def too_large() -> RequestError:
    """The refusal of a workbook that is larger than a list may be."""
    cause = f"The workbook holds over {MOST_BYTES // 1024 // 1024} MB, {MOST_ROWS} rows or {MOST_COLUMNS} columns"
    return RequestError(cause, fix="Leave out what is not needed.", code=Code.LIST_UNREADABLE)


class _Look:
    """What all parts come to so far: cells, and the texts that they share."""

    def __init__(self) -> None:
        self._cells = 0
        self._texts = array("L")
        self._shared = 0

    def through(self, text: bytes) -> bool:
        """Whether the part is XML, as every part is that a list needs.

        Raises:
            RequestError: what is read of it would be too large.
        """
        sheet = _Sheet(self._texts)
        # The document's own word for its letters is not taken: the reader takes none either.
        parser = expat.ParserCreate(encoding="utf-8")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = sheet.enter, sheet.leave
        parser.CharacterDataHandler = sheet.hear
        # No workbook has one; whatever it would say, the two readers would not agree on it.
        parser.StartDoctypeDeclHandler = _refuse
        try:
            parser.Parse(text, True)
        except expat.ExpatError:
            return False
        self._cells += max(sheet.rows * sheet.columns, sheet.cells)
        self._shared += sheet.shared
        if self._cells > MOST_CELLS or self._shared > MOST_BYTES:
            raise too_large()
        return True


def _refuse(*_said: object) -> None:
    raise RequestError("The file is no workbook", fix=WORKBOOK_FORM, code=Code.LIST_UNREADABLE)


class _Sheet:
    """How far a part reaches, if it is a sheet; and the texts of one that is shared, added to `texts`."""

    def __init__(self, texts: "array[int]") -> None:
        self._texts = texts
        self.rows = self.columns = self.cells = self.shared = 0
        self._column = 0
        self._is_shared = self._is_heard = False
        self._heard: list[str] = []

    def enter(self, name: str, said: dict[str, str]) -> None:
        """A cell or a row stands where it says, or else behind the one before."""
        kind = name.rpartition(":")[2]
        if kind == "c":
            self._place(said.get("r", ""))
            self._is_shared = said.get("t") == "s"
        elif kind == "row":
            self._column = 0
            self._reach(int(said["r"]) if _NUMBER.fullmatch(said.get("r", "")) else self.rows + 1)
        elif kind in ("v", "si"):
            self._is_heard, self._heard = True, []

    def hear(self, text: str) -> None:
        """A text's letters, or the number of a shared one."""
        if self._is_heard:
            self._heard.append(text)

    def leave(self, name: str) -> None:
        """A text or a cell's value is whole."""
        kind = name.rpartition(":")[2]
        if kind == "si":
            self._texts.append(sum(map(len, self._heard)))
        elif kind == "v" and self._is_shared:
            number = "".join(self._heard).strip()
            known = _NUMBER.fullmatch(number) is not None and int(number) < len(self._texts)
            self.shared += self._texts[int(number)] if known else 0
        self._is_heard = self._is_heard and kind not in ("v", "si")

    def _place(self, where: str) -> None:
        self.cells += 1
        self._column += 1
        if where:
            stands = _STANDS.fullmatch(where)
            if stands is None:
                raise too_large()
            self._column = max(self._column, _to_column(stands[1].upper()))
            self._reach(int(stands[2]))
        self.columns = max(self.columns, self._column)
        if self.columns > MOST_COLUMNS or self.cells > MOST_CELLS:
            raise too_large()

    def _reach(self, row: int) -> None:
        self.rows = max(self.rows, row)
        if self.rows > MOST_ROWS:
            raise too_large()


def _to_column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number
