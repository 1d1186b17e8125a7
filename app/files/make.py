"""An export before anybody knows its number: everything that is wrong listed at once, or its files, whole."""

import asyncio
import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
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
from app.files.examine import Examiner, Finding
from app.files.key_choices import bounds_of
from app.files.manifest import Tally
from app.files.shapes import Shape, choose_layouts, to_shapes
from app.files.writing import open_writer
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
    shapes = to_shapes(layouts, chosen, bounds_of(key))
    examiners = await _examine(session, key, chosen, shapes, accepted=await list_good(session, key, layouts))
    faults, notes = _collect(examiners)
    tally = Tally()
    files: Sequence[MadeFile] = ()
    if not faults:
        files = await _write(session, key, chosen, shapes, tally)
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


async def _examine(
    session: Session, key: Key, chosen: Sequence[Chosen], shapes: Sequence[Shape], *, accepted: frozenset[str]
) -> list[Examiner]:
    bounds = bounds_of(key)
    examiners = [Examiner(shape.layout, accepted=accepted, bounds=bounds) for shape in shapes]

    def look(page: Sequence[Chosen], documents: Sequence[FileDocument]) -> None:
        for one, document in zip(page, documents, strict=True):
            for shape, examiner in zip(shapes, examiners, strict=True):
                if shape.takes(one):
                    examiner.add(document)

    for page in _to_pages(chosen):
        # Others are answered meanwhile.
        await asyncio.to_thread(look, page, await load_contents(session, key, page))
    return examiners


def _collect(examiners: Iterable[Examiner]) -> tuple[list[Finding], list[Finding]]:
    """Everything that was found, each thing once although several files have it."""
    faults: dict[Any, Finding] = {}
    notes: dict[Any, Finding] = {}
    for examiner in examiners:
        found = examiner.finish()
        for findings, kept in ((found.faults, faults), (found.notes, notes)):
            kept.update({(one.transfer_id, one.reason): one for one in findings})
    return list(faults.values()), list(notes.values())


async def _write(
    session: Session, key: Key, chosen: Sequence[Chosen], shapes: Sequence[Shape], whole: Tally
) -> list[MadeFile]:
    tallies = [Tally() for _ in shapes]
    with ExitStack() as kept, ExitStack() as writing:
        outs: list[BinaryIO] = [kept.enter_context(tempfile.SpooledTemporaryFile(_SPOOL)) for _ in shapes]  # type: ignore[misc]
        opened = [open_writer(shape.layout, out) for shape, out in zip(shapes, outs, strict=True)]
        writers = [writing.enter_context(one) for one in opened]

        def write(page: Sequence[Chosen], documents: Sequence[FileDocument]) -> None:
            for one, document in zip(page, documents, strict=True):
                whole.add(document)
                for shape, writer, tally in zip(shapes, writers, tallies, strict=True):
                    if shape.takes(one):
                        writer.add(document)
                        tally.add(document)

        for page in _to_pages(chosen):
            await asyncio.to_thread(write, page, await load_contents(session, key, page))
        # Only now are the files whole.
        await asyncio.to_thread(writing.close)
        return [
            MadeFile(shape=shape, content=_read(out), tally=tally)
            for shape, out, tally in zip(shapes, outs, tallies, strict=True)
        ]


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
