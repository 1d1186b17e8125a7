"""An export before anybody knows its number: everything that is wrong listed at once, or its files, whole."""

import asyncio
import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from app.admin.proving import WANTED
from app.domain.file_documents import FileDocument
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.states import KeyState, Mode, Proof
from app.errors import ConflictError
from app.files.accepted import list_good
from app.files.choose import Chosen, Wanted, choose_documents, load_contents
from app.files.examine import Examination, Examiner, Finding
from app.files.key_choices import bounds_of
from app.files.manifest import Tally
from app.files.shapes import Shape, choose_layouts, to_shapes
from app.files.writing import FileWriter, open_writer
from app.platform.db import Session
from app.tables import Key

# So many documents go into one export at most; the rest stays ready.
MOST = 10_000
_PAGE = 500
_MOST_TOLD = 20
# A file is kept in memory up to this size while it is written.
_SPOOL = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file, whole, and its sums."""

    shape: Shape
    content: bytes
    tally: Tally

    @property
    def sha256(self) -> str:
        """By which the file is known."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an export would be: `files` are none where `faults` keep it from being made.

    `left`: so many more documents are ready. `tally`: of all documents.
    """

    layout: str
    chosen: Sequence[Chosen]
    left: int
    shapes: Sequence[Shape]
    tally: Tally
    faults: Sequence[Finding] = ()
    notes: Sequence[Finding] = ()
    files: Sequence[MadeFile] = ()


def require_files(key: Key) -> None:
    """Make sure that the key's documents may go into a file now.

    Raises:
        ConflictError: it sends, rests, or was stopped.
    """
    if key.mode != Mode.FILE:
        fix = "Set its mode to file (PATCH /v1/keys/{key_id}), or send its documents (POST /v1/invoices/send)."
        raise ConflictError(f"Key “{key.name}” sends; it makes no files", fix=fix, code=Code.KEY_NOT_FOR_FILES)
    if key.state == KeyState.PAUSED:
        fix = fix_for(Code.KEY_PAUSED, key_id=key.id)
        raise ConflictError(f"Key “{key.name}” is paused", fix=fix, code=Code.KEY_PAUSED)
    if key.proof == Proof.STOPPED:
        fix = fix_for(Code.KEY_STOPPED, key_id=key.id)
        raise ConflictError(f"Key “{key.name}” was stopped", fix=fix, code=Code.KEY_STOPPED)


async def draft_export(session: Session, key: Key, wanted: Wanted, *, layout: str | None, folder: Path | None) -> Draft:
    """The export as it would be made now; nothing is kept of it.

    Raises:
        ConflictError: nothing is ready, what was named is not, or the key makes no files now.
        RequestError: the layout is not for such documents.
    """
    require_files(key)
    layouts = choose_layouts(key, layout, folder)
    most = WANTED if key.proof == Proof.PROVING else MOST
    chosen, left = await choose_documents(session, key, wanted, most=most)
    if not chosen:
        cause = f"No document of key “{key.name}” is ready for a file"
        raise ConflictError(cause, fix="Look at what is held (GET /v1/invoices).", code=Code.NOTHING_READY)
    if wanted.ids is not None and left:
        cause = (
            f"Key “{key.name}” is being proven: a file has {most} documents at most until people have confirmed some"
        )
        raise ConflictError(cause, fix=fix_for(Code.KEY_PROVING), code=Code.KEY_PROVING)
    bounds = bounds_of(key)
    shapes = to_shapes(layouts, chosen, bounds)
    good = await list_good(session, key, layouts)
    found, tally, files = await _make(
        session, key, chosen, [_Making(shape, Examiner(shape.layout, accepted=good, bounds=bounds)) for shape in shapes]
    )
    faults, notes = _collect(found)
    return Draft(
        layout=layouts[0].name,
        chosen=chosen,
        left=left,
        shapes=shapes,
        tally=tally,
        faults=faults,
        notes=notes,
        files=files,
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """One file while it is made: everything that is wrong is listed, and as long as nothing is, it is written."""

    shape: Shape
    examiner: Examiner
    tally: Tally = field(default_factory=Tally)


async def _make(
    session: Session, key: Key, chosen: Sequence[Chosen], making: Sequence[_Making]
) -> tuple[list[Examination], Tally, Sequence[MadeFile]]:
    """What was found, the sums of all documents, and the files, none where something is wrong.

    Each document is read once: what is found wrong of it is found before anything of it is written.
    """
    whole = Tally()
    with ExitStack() as kept, ExitStack() as writing:
        outs: list[BinaryIO] = [kept.enter_context(tempfile.SpooledTemporaryFile(_SPOOL)) for _ in making]  # type: ignore[misc]
        writers = [
            writing.enter_context(open_writer(one.shape.layout, out)) for one, out in zip(making, outs, strict=True)
        ]
        for page in _to_pages(chosen):
            # Others are answered meanwhile.
            pairs = list(zip(page, await load_contents(session, key, page), strict=True))
            await asyncio.to_thread(_examine, making, pairs)
            if not any(one.examiner.has_faults for one in making):
                await asyncio.to_thread(_write, making, writers, whole, pairs)
        found = [one.examiner.finish() for one in making]
        if any(one.faults for one in found):
            writing.pop_all()
            for writer in writers:
                writer.give_up()
            return found, Tally(), ()
        # Only now are the files whole.
        await asyncio.to_thread(writing.close)
        made = zip(making, outs, strict=True)
        return found, whole, [MadeFile(shape=one.shape, content=_read(out), tally=one.tally) for one, out in made]


_Pairs = Sequence[tuple[Chosen, FileDocument]]


def _examine(making: Sequence[_Making], pairs: _Pairs) -> None:
    for one, document in pairs:
        for file in making:
            if file.shape.takes(one):
                file.examiner.add(document)


def _write(making: Sequence[_Making], writers: Sequence[FileWriter], whole: Tally, pairs: _Pairs) -> None:
    for one, document in pairs:
        whole.add(document)
        for file, writer in zip(making, writers, strict=True):
            if file.shape.takes(one):
                writer.add(document)
                file.tally.add(document)


def _collect(examined: Iterable[Examination]) -> tuple[list[Finding], list[Finding]]:
    """Everything that was found, each thing once although several files have it."""
    faults: dict[Any, Finding] = {}
    notes: dict[Any, Finding] = {}
    for found in examined:
        for findings, kept in ((found.faults, faults), (found.notes, notes)):
            kept.update({(one.transfer_id, one.reason): one for one in findings})
    return list(faults.values()), list(notes.values())


def _read(out: BinaryIO) -> bytes:
    out.seek(0)
    return out.read()


def _to_pages(chosen: Sequence[Chosen]) -> Iterable[Sequence[Chosen]]:
    return (chosen[start : start + _PAGE] for start in range(0, len(chosen), _PAGE))


def explain_faults(faults: Sequence[Finding]) -> ConflictError:
    """Why the file cannot be made: as much as an error can say; a dry run lists everything."""
    told = "; ".join(f"{one.number or 'the file'}: {one.reason.cause}" for one in faults[:_MOST_TOLD])
    more = f"; and {len(faults) - _MOST_TOLD} more" if len(faults) > _MOST_TOLD else ""
    fixes = " ".join(dict.fromkeys(one.reason.fix for one in faults[:5]))
    return ConflictError(
        f"{len(faults)} things keep the file from being made, and nothing of it was: {told}{more}",
        fix=f"{fixes} A dry run lists all of them.",
        code=Code.EXPORT_UNFIT,
    )
