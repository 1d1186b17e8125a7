"""What of exports goes into a folder: which files are not there yet, and which keys' next ones are due."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.reasons.codes import Code, Reason
from app.domain.states import FileState, KeyState, Mode
from app.platform.db import Session, load_now, locked
from app.tables import Export, ExportDocument, ExportFile, ExportNumber, Key

# A file that cannot be made is tried again so much later.
_REST = timedelta(minutes=10)


async def list_undropped(session: Session, tenant_id: UUID) -> list[tuple[Export, str]]:
    """The files that are to go into the folder and are not there yet, oldest first: the export, and the file's name.

    None of which a document was let go: whoever imports it there has that one twice.
    """
    query = select(Export, ExportFile.name).join(
        ExportFile, and_(ExportFile.tenant_id == Export.tenant_id, ExportFile.export_id == Export.id)
    )
    own = (Export.tenant_id == tenant_id, Export.drops.is_(True), ExportFile.dropped_at.is_(None))
    rows = await session.execute(
        query.where(*own, ~_has_freed()).order_by(Export.made_at, Export.number, ExportFile.position)
    )
    return [(row[0], row[1]) for row in rows]


def _has_freed() -> ColumnElement[bool]:
    own = (ExportDocument.tenant_id == ExportFile.tenant_id, ExportDocument.export_id == ExportFile.export_id)
    return exists().where(*own, ExportDocument.state == FileState.FREED)


async def find_undropped(session: Session, export: Export, name: str) -> ExportFile | None:
    """The file, locked, unless another process has put it into the folder or is at it, or a document was let go."""
    own = (ExportFile.tenant_id == export.tenant_id, ExportFile.export_id == export.id, ExportFile.name == name)
    query = locked(select(ExportFile).where(*own, ExportFile.dropped_at.is_(None), ~_has_freed()), skips=True)
    return (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def record_drop_begun(session: Session, row: ExportFile) -> None:
    """A whole copy lies beside the folder: from now on a copy that is nowhere was taken away by somebody."""
    row.drop_begun_at = await load_now(session)
    await session.flush()


async def record_dropped(session: Session, row: ExportFile, *, key_id: UUID) -> None:
    """The file was put into the folder, which takes files again if it did not."""
    row.dropped_at = await load_now(session)
    await session.flush()
    own = (ExportNumber.tenant_id == row.tenant_id, ExportNumber.key_id == key_id)
    query = update(ExportNumber).where(*own, ExportNumber.trouble["code"].astext == Code.FOLDER_UNUSABLE)
    await session.execute(query.values(trouble=None), execution_options={"synchronize_session": False})


async def has_begun(session: Session, *, tenant_id: UUID, key_id: UUID) -> bool:
    """Whether a file of the key was ever put into its part of the folder, or beside it."""
    query = select(ExportFile.name).join(
        Export, and_(Export.tenant_id == ExportFile.tenant_id, Export.id == ExportFile.export_id)
    )
    own = (ExportFile.tenant_id == tenant_id, Export.key_id == key_id, ExportFile.drop_begun_at.is_not(None))
    return await session.scalar(query.where(*own).limit(1)) is not None


async def record_drop_trouble(session: Session, reason: Reason, *, tenant_id: UUID, key_id: UUID) -> None:
    """Show why the clock could not make the key's next file, or put one into the folder; making rests for a while."""
    place = {"tenant_id": tenant_id, "key_id": key_id}
    values = {"trouble": asdict(reason), "tried_at": func.now()}
    query = upsert(ExportNumber).values(place | values)
    await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))


async def list_due_keys(session: Session, tenant_id: UUID) -> list[Key]:
    """The keys whose next file is due by the clock; one that could not be made rests for a while."""
    wanted = (Key.tenant_id == tenant_id, Key.mode == Mode.FILE, Key.settings["drop_hours"].astext.is_not(None))
    keys = (await session.scalars(select(Key).where(*wanted))).all()
    if not keys:
        return []
    last = select(Export.key_id, func.max(Export.made_at)).where(Export.tenant_id == tenant_id, Export.drops.is_(True))
    made = {row[0]: row[1] for row in await session.execute(last.group_by(Export.key_id))}
    tried = select(ExportNumber.key_id, ExportNumber.tried_at).where(ExportNumber.tenant_id == tenant_id)
    rests = {row[0]: row[1] for row in await session.execute(tried.where(ExportNumber.trouble.is_not(None)))}
    now = await load_now(session)
    return [key for key in keys if _is_due(key, made.get(key.id), rests.get(key.id), now)]


def _is_due(key: Key, made_at: datetime | None, tried_at: datetime | None, now: datetime) -> bool:
    hours = key.settings.get("drop_hours")
    if not hours or key.state == KeyState.REMOVED:
        return False
    is_over = made_at is None or now - made_at >= timedelta(hours=float(hours))
    return is_over and (tried_at is None or now - tried_at >= _REST)
