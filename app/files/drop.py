"""Files into a folder: each whole or not at all, and once, whatever dies in between.

A whole copy is made beside the folder first, and the row says so; then it is moved, which is one step for the file
system; then the row says that, too. After a crash the copy tells where it was: beside the folder, it was not moved; in
it, it was; nowhere, it was moved and somebody has taken it away.
"""

import asyncio
import os
from errno import ENOENT
from pathlib import Path
from uuid import UUID, uuid4

from app.admin.audit import Change, record_change
from app.admin.keys import load_key
from app.domain.money import dump_json
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.errors import ServiceError
from app.files.choose import Wanted
from app.files.dropped import (
    find_undropped,
    has_begun,
    list_due_keys,
    list_undropped,
    record_drop_begun,
    record_drop_trouble,
    record_dropped,
)
from app.files.exports import ExportOrder, create_export, load_standing
from app.platform.db import Session, Sessions
from app.platform.logger import get_logger
from app.settings import Settings
from app.tables import Export, Key

_BESIDE = ".partial"
_ACTOR = "schedule"

_log = get_logger(__name__)


async def drop_due(sessions: Sessions, settings: Settings, tenant_id: UUID) -> int:
    """How many files went into the folder: what is due is made first, then all that is not there yet.

    One that cannot be made, or that the folder does not take, is told and tried again later; no other key waits for it,
    and of its own key nothing goes before it.
    """
    async with sessions() as session:
        due = await list_due_keys(session, tenant_id)
    if settings.exports_dir is None:
        for key in due:
            await _tell(sessions, "RMU_EXPORTS_DIR", tenant_id, key.id, OSError(ENOENT, "it is not set"))
        return 0
    for key in due:
        if await _has_place(sessions, settings.exports_dir, key):
            await _make(sessions, settings, key)
    async with sessions() as session:
        waiting = await list_undropped(session, tenant_id)
    placed, stopped = 0, set[UUID]()
    for export, name in waiting:
        if export.key_id in stopped:
            continue
        try:
            placed += await place_file(sessions, settings.exports_dir, export, name)
        except OSError as error:
            stopped.add(export.key_id)
            await _tell(sessions, settings.exports_dir, tenant_id, export.key_id, error)
    return placed


async def _has_place(sessions: Sessions, folder: Path, key: Key) -> bool:
    """Whether the folder is there: what cannot be put anywhere stays ready, for whoever makes a file by hand."""
    try:
        async with sessions() as session:
            await _require_place(session, folder, tenant_id=key.tenant_id, key_id=key.id)
    except OSError as error:
        await _tell(sessions, folder, key.tenant_id, key.id, error)
        return False
    return True


async def _require_place(session: Session, folder: Path, *, tenant_id: UUID, key_id: UUID) -> None:
    """Make sure that this is the folder into which the key's files went before.

    Where a disk is not mounted there is no folder, or an empty one: what is put there nobody finds.

    Raises:
        OSError: it is not.
    """
    wanted = folder
    if await has_begun(session, tenant_id=tenant_id, key_id=key_id):
        wanted = folder / str(key_id) / _BESIDE
    if not await asyncio.to_thread(wanted.is_dir):
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(wanted))


async def _tell(sessions: Sessions, folder: Path | str, tenant_id: UUID, key_id: UUID, error: OSError) -> None:
    _log.warning("folder_unusable", key=str(key_id), error=type(error).__name__, number=error.errno)
    place = error.filename or folder
    cause = f"No file can be put into the folder for files: {place}: {error.strerror or type(error).__name__}"
    reason = Reason(code=Code.FOLDER_UNUSABLE, cause=cause, fix=fix_for(Code.FOLDER_UNUSABLE))
    async with sessions.begin() as session:
        await record_drop_trouble(session, reason, tenant_id=tenant_id, key_id=key_id)


async def _make(sessions: Sessions, settings: Settings, key: Key) -> None:
    order = ExportOrder(wanted=Wanted(), made_by=_ACTOR, drops=True)
    try:
        async with sessions.begin() as session:
            own = await load_key(session, key.id)
            if not (await load_standing(session, own)).ready:
                return
            export, _ = await create_export(session, own, order, folder=settings.layouts_dir)
            await record_change(session, to_change(export, actor=_ACTOR))
    except ServiceError as error:
        _log.warning("file_not_made", key=key.name, code=error.code)
        async with sessions.begin() as session:
            await record_drop_trouble(session, error.reason, tenant_id=key.tenant_id, key_id=key.id)


def to_change(export: Export, *, actor: str) -> Change:
    """The export as the audit trail has it."""
    after = {"number": export.number, "documents": export.documents, "layout": export.layout, "wanted": export.wanted}
    return Change(
        actor=actor,
        action="export.make",
        subject=f"export:{export.id}",
        tenant_id=export.tenant_id,
        after=after,
    )


async def place_file(sessions: Sessions, folder: Path, export: Export, name: str) -> bool:
    """Put one file, and the export's manifest before it, into the key's part of the folder; False: it was there.

    Raises:
        OSError: the folder does not take it, or is not the one that took the key's files before.
    """
    where = folder / str(export.key_id)
    async with sessions.begin() as session:
        row = await find_undropped(session, export, name)
        if row is None:
            return False
        await _require_place(session, folder, tenant_id=export.tenant_id, key_id=export.key_id)
        if row.drop_begun_at is None:
            await asyncio.to_thread(write_whole, where / _BESIDE / name, row.content)
            manifest = dump_json(export.manifest).encode()
            await asyncio.to_thread(_place_manifest, where, f"{name}.json", manifest)
            await record_drop_begun(session, row)
    async with sessions.begin() as session:
        row = await find_undropped(session, export, name)
        if row is None:
            return False
        await asyncio.to_thread(_move, where / _BESIDE / name, where / name)
        await record_dropped(session, row, key_id=export.key_id)
    return True


def write_file_whole(path: Path, content: bytes) -> None:
    """A file that nobody sees before it is whole, and that lasts once this returns.

    Raises:
        OSError: the folder does not take it; nothing of it is left there.
    """
    # Whoever writes into the same folder at the same moment has copies of other names.
    copy = path.parent / f".{path.name}.{uuid4().hex}{_BESIDE}"
    try:
        write_whole(copy, content)
        _move(copy, path)
    finally:
        copy.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """A file that lasts, once this returns; before, it may be cut short."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    _sync_folder(path.parent)


def _place_manifest(where: Path, name: str, content: bytes) -> None:
    """The same manifest twice does no harm, so it needs no row."""
    write_whole(where / _BESIDE / name, content)
    _move(where / _BESIDE / name, where / name)


def _move(copy: Path, target: Path) -> None:
    """Show the whole file at once. A copy that is nowhere was moved before, by who died before he could say so."""
    if copy.exists():
        copy.replace(target)
    for folder in (copy.parent, target.parent):
        if folder.exists():
            _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
