"""Exports: what went out in which file, and what became of each document there.

The only owner of the tables `export`, `export_file`, `export_document` and `export_number`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, Select, and_, delete, exists, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import defer

from app.admin.proving import require_next_file
from app.domain.reasons.codes import Code
from app.domain.states import BY_FILE, FileState, Proof, TransferState
from app.errors import ConflictError, NotFoundError
from app.files.choose import Wanted, find_overtaken
from app.files.make import Draft, draft_export, explain_faults, require_files
from app.files.manifest import to_manifest
from app.platform.db import Session, load_now, locked
from app.platform.paging import at_most
from app.tables import Export, ExportDocument, ExportFile, ExportNumber, FiledDocument, Key, Transfer
from app.transfer.filed import record_exported

# Whoever was overtaken so often gives up: somebody else makes files all the time.
_TRIES = 3
_QUIET = {"synchronize_session": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """An export to be made; `layout` None: the key's usual one. `drops`: its files go into the folder, too."""

    wanted: Wanted
    made_by: str
    layout: str | None = None
    drops: bool = False


async def create_export(session: Session, key: Key, order: ExportOrder, *, folder: Any) -> tuple[Export, Draft]:
    """The export, its files whole and its documents in no other one, once the caller commits; and what it was made of.

    Two at once: each document goes into one of them, and the second has what is left.

    Raises:
        ConflictError: nothing is ready, something keeps the file from being made, or an earlier one is unconfirmed.
        RequestError: the layout is not for such documents.
    """
    for _ in range(_TRIES):
        draft = await draft_export(session, key, order.wanted, layout=order.layout, folder=folder)
        if draft.faults:
            raise explain_faults(draft.faults)
        attempt = await session.begin_nested()
        export = await _record_export(session, key, order, draft)
        if export is not None:
            return export, draft
        # Whoever makes another file waits for us from here on.
        await attempt.rollback()
    fix = "Look what is ready now (POST /v1/exports with dry_run), and try again."
    cause = "Documents went into another file, or changed, while this one was made"
    raise ConflictError(cause, fix=fix, code=Code.DOCUMENT_NOT_READY)


async def _record_export(session: Session, key: Key, order: ExportOrder, draft: Draft) -> Export | None:
    """The export; None where a document went into another file, or was collected anew, since the draft was made."""
    number = await _take_number(session, key)
    ids = [one.transfer_id for one in draft.chosen]
    count = await record_exported(session, ids, tenant_id=key.tenant_id)
    if count != len(ids) or await find_overtaken(session, key, draft.chosen):
        return None
    birth = _Birth(number=number, export_id=uuid4(), made_at=await load_now(session))
    names = [shape.to_name(key, number) for shape in draft.shapes]
    row = {
        "tenant_id": key.tenant_id,
        "id": birth.export_id,
        "key_id": key.id,
        "number": number,
        "layout": draft.layout,
        "layouts": {one.layout.name: one.layout.text for one in draft.shapes},
        "manifest": _to_manifest(key, order, draft, names, birth),
        "wanted": order.wanted.show(),
        "documents": len(ids),
        "drops": order.drops,
        "made_by": order.made_by,
        "made_at": birth.made_at,
    }
    made = (await session.scalars(insert(Export).values(row).returning(Export))).one()
    await _record_files(session, made, draft, names)
    await _record_documents(session, made, ids)
    return made


async def _take_number(session: Session, key: Key) -> int:
    """The key's next running number; whoever makes another file waits until this transaction ends."""
    place = {"tenant_id": key.tenant_id, "key_id": key.id}
    await session.execute(upsert(ExportNumber).values(place).on_conflict_do_nothing())
    own = (ExportNumber.tenant_id == key.tenant_id, ExportNumber.key_id == key.id)
    row = (await session.scalars(locked(select(ExportNumber).where(*own)))).one()
    await session.refresh(key)
    require_files(key)
    if key.proof != Proof.OPEN:
        require_next_file(key, unconfirmed=await _count_open(session, key))
    row.last_number, row.trouble = row.last_number + 1, None
    await session.flush()
    return row.last_number


async def _count_open(session: Session, key: Key) -> int:
    """Of how many documents in the key's files nobody has said what became of them."""
    own = (Export.tenant_id == key.tenant_id, Export.key_id == key.id, Export.settled_at.is_(None))
    query = (
        select(func.count())
        .select_from(ExportDocument)
        .join(Export, and_(Export.tenant_id == ExportDocument.tenant_id, Export.id == ExportDocument.export_id))
    )
    return int(await session.scalar(query.where(*own, ExportDocument.state == FileState.IN_FILE)) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Birth:
    """By what an export is known, and since when."""

    number: int
    export_id: UUID
    made_at: datetime


def _to_manifest(key: Key, order: ExportOrder, draft: Draft, names: Sequence[str], birth: _Birth) -> dict[str, Any]:
    files = [
        to_manifest(one.shape.layout, one.tally, file_name=name, sha256=one.sha256, number=birth.number)
        | {"imported_first": one.shape.is_first, "year": one.shape.year}
        for one, name in zip(draft.files, names, strict=True)
    ]
    return {
        "number": birth.number,
        "export_id": str(birth.export_id),
        "key": {"id": str(key.id), "name": key.name},
        "company": {"key": key.company_key, "name": key.company_name},
        "made_at": birth.made_at.isoformat(),
        "made_by": order.made_by,
        **draft.tally.show(),
        "files": files,
    }


async def _record_files(session: Session, export: Export, draft: Draft, names: Sequence[str]) -> None:
    place = {"tenant_id": export.tenant_id, "export_id": export.id}
    for position, (one, name) in enumerate(zip(draft.files, names, strict=True), start=1):
        row = {"name": name, "position": position, "layout": one.shape.layout.name}
        row |= {"sha256": one.sha256, "content": one.content}
        await session.execute(insert(ExportFile).values(place | row))


async def _record_documents(session: Session, export: Export, ids: Sequence[int]) -> None:
    """Each document as it stands in the file, in the file's order."""
    tenant_id = literal(export.tenant_id)
    place = func.unnest(literal(list(ids), ARRAY(BigInteger))).table_valued("id", with_ordinality="position")
    place = place.render_derived()
    columns = ("tenant_id", "export_id", "transfer_id", "position", "content")
    rows = select(tenant_id, literal(export.id), FiledDocument.transfer_id, place.c.position, FiledDocument.content)
    rows = rows.join(place, place.c.id == FiledDocument.transfer_id).where(FiledDocument.tenant_id == export.tenant_id)
    await session.execute(insert(ExportDocument).from_select(columns, rows, include_defaults=False))


async def load_export(session: Session, export_id: UUID, *, lock: bool = False) -> Export:
    """The export.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(Export).where(Export.id == export_id)
    export = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if export is None:
        raise NotFoundError(f"There is no export {export_id}", fix="Take an id from GET /v1/exports.")
    return export


async def list_exports(
    session: Session, *, tenant_id: UUID | None, key_id: UUID | None, before: UUID | None, limit: int
) -> Sequence[Export]:
    """Exports, newest first; of one tenant, or all. `before` continues a listing behind the export with this id."""
    query = select(Export).order_by(Export.made_at.desc(), Export.id.desc()).limit(at_most(limit))
    if tenant_id is not None:
        query = query.where(Export.tenant_id == tenant_id)
    if key_id is not None:
        query = query.where(Export.key_id == key_id)
    if before is not None:
        mark = await load_export(session, before)
        query = query.where(tuple_(Export.made_at, Export.id) < tuple_(literal(mark.made_at), literal(mark.id)))
    return (await session.scalars(query)).all()


async def count_states(session: Session, exports: Collection[Export]) -> dict[UUID, dict[str, int]]:
    """How many documents of each export are how far."""
    tenants = {one.tenant_id for one in exports}
    own = (ExportDocument.tenant_id.in_(tenants), ExportDocument.export_id.in_([one.id for one in exports]))
    query = select(ExportDocument.export_id, ExportDocument.state, func.count()).where(*own)
    found: dict[UUID, dict[str, int]] = {}
    for row in await session.execute(query.group_by(ExportDocument.export_id, ExportDocument.state)):
        found.setdefault(row[0], {})[row[1]] = row[2]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One file of an export without its bytes."""

    name: str
    layout: str
    sha256: str
    size: int
    dropped_at: datetime | None


async def list_files(session: Session, export: Export) -> list[FileRow]:
    """The files of an export in the order in which they are imported."""
    size = func.octet_length(ExportFile.content).label("size")
    query = select(ExportFile.name, ExportFile.layout, ExportFile.sha256, size, ExportFile.dropped_at)
    query = query.where(ExportFile.tenant_id == export.tenant_id, ExportFile.export_id == export.id)
    rows = await session.execute(query.order_by(ExportFile.position))
    return [FileRow(**row._mapping) for row in rows]  # noqa: SLF001 - the row's own way to say its names


async def load_files(session: Session, export: Export, name: str | None = None) -> Sequence[ExportFile]:
    """The files of an export with their bytes, in the order in which they are imported; `name`: this one alone.

    Raises:
        NotFoundError: it has none of this name.
    """
    own = [ExportFile.tenant_id == export.tenant_id, ExportFile.export_id == export.id]
    if name is not None:
        own.append(ExportFile.name == name)
    found = (await session.scalars(select(ExportFile).where(*own).order_by(ExportFile.position))).all()
    if not found:
        raise NotFoundError(f"The export has no file {name!r}", fix="Take a name from GET /v1/exports/{export_id}.")
    return found


async def list_documents(
    session: Session, export: Export, *, after: int, limit: int
) -> list[tuple[ExportDocument, Transfer]]:
    """The documents of an export in the file's order, from behind position `after` on."""
    query = select(ExportDocument, Transfer).join(
        Transfer, and_(Transfer.tenant_id == ExportDocument.tenant_id, Transfer.id == ExportDocument.transfer_id)
    )
    own = (ExportDocument.tenant_id == export.tenant_id, ExportDocument.export_id == export.id)
    query = query.where(*own, ExportDocument.position > after).order_by(ExportDocument.position).limit(at_most(limit))
    return [(row[0], row[1]) for row in await session.execute(query)]


async def list_standing(session: Session, export: Export) -> list[tuple[ExportDocument, Transfer]]:
    """Every document of an export, whose row the caller has locked, with its transfer, in the order of the lanes.

    Without what it says: nobody who speaks of ten thousand wants that of all.
    """
    query = select(ExportDocument, Transfer).join(
        Transfer, and_(Transfer.tenant_id == ExportDocument.tenant_id, Transfer.id == ExportDocument.transfer_id)
    )
    own = (ExportDocument.tenant_id == export.tenant_id, ExportDocument.export_id == export.id)
    query = query.options(defer(ExportDocument.content, raiseload=True)).order_by(Transfer.record_id)
    return [(row[0], row[1]) for row in await session.execute(query.where(*own))]


async def load_document(session: Session, export: Export, transfer_id: int) -> tuple[ExportDocument, Transfer]:
    """A document of an export, whose row the caller has locked, with its transfer, both as they are now."""
    query = select(ExportDocument, Transfer).join(
        Transfer, and_(Transfer.tenant_id == ExportDocument.tenant_id, Transfer.id == ExportDocument.transfer_id)
    )
    own = (ExportDocument.tenant_id == export.tenant_id, ExportDocument.export_id == export.id)
    query = query.where(*own, ExportDocument.transfer_id == transfer_id)
    row = (await session.execute(query.execution_options(populate_existing=True))).one()
    return row[0], row[1]


async def record_said(
    session: Session, export: Export, said: Mapping[int, str | None], *, state: FileState, said_by: str
) -> None:
    """What somebody said of these documents of an export, by their transfers' ids; each with a word, or none."""
    own = (ExportDocument.tenant_id == export.tenant_id, ExportDocument.export_id == export.id)
    common = {"state": state, "said_by": said_by, "said_at": func.now()}
    for word in dict.fromkeys(said.values()):
        ids = [one for one, its in said.items() if its == word]
        query = update(ExportDocument).where(*own, ExportDocument.transfer_id.in_(ids))
        await session.execute(query.values(common | {"said": word}), execution_options=_QUIET)
    await _record_settled(session, export)


async def _record_settled(session: Session, export: Export) -> None:
    """An export of which somebody has said everything is settled; one of which something is open again is not."""
    own = (ExportDocument.tenant_id == export.tenant_id, ExportDocument.export_id == export.id)
    is_open = await session.scalar(select(exists().where(*own, ExportDocument.state == FileState.IN_FILE)))
    query = update(Export).where(Export.tenant_id == export.tenant_id, Export.id == export.id)
    settled_at = None if is_open else func.coalesce(Export.settled_at, func.now())
    await session.execute(query.values(settled_at=settled_at), execution_options=_QUIET)
    await session.refresh(export)


async def list_written(session: Session, *, tenant_id: UUID, transfer_ids: Sequence[int]) -> frozenset[int]:
    """Which of these documents stand in a file, whatever became of them there: no file changes while it is kept."""
    own = (ExportDocument.tenant_id == tenant_id, ExportDocument.transfer_id.in_(transfer_ids))
    return frozenset((await session.scalars(select(ExportDocument.transfer_id).where(*own))).all())


def select_old_exports(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Exports of years that no law keeps; none of which anything is open."""
    old = (Export.tenant_id == tenant_id, Export.made_at < before, Export.settled_at.is_not(None))
    return select(Export.id).where(*old)


async def prune_exports(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these exports go, with their files."""
    await session.execute(
        delete(Export).where(Export.tenant_id == tenant_id, Export.id.in_(ids)), execution_options=_QUIET
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    """How a key's files stand: what is ready, what is open, and what the clock could not do."""

    ready: int
    in_file: int
    open_exports: Sequence[UUID]
    last_number: int
    trouble: Mapping[str, Any] | None
    tried_at: datetime | None


async def load_standing(session: Session, key: Key) -> KeyFiles:
    """How the key's files stand now."""
    own = (Transfer.tenant_id == key.tenant_id, Transfer.key_id == key.id, Transfer.state.in_(BY_FILE))
    counted = await session.execute(select(Transfer.state, func.count()).where(*own).group_by(Transfer.state))
    counts = {row[0]: row[1] for row in counted}
    open_ones = (Export.tenant_id == key.tenant_id, Export.key_id == key.id, Export.settled_at.is_(None))
    number = (ExportNumber.tenant_id == key.tenant_id, ExportNumber.key_id == key.id)
    row = (await session.scalars(select(ExportNumber).where(*number))).one_or_none()
    return KeyFiles(
        ready=counts.get(TransferState.COLLECTED, 0),
        in_file=counts.get(TransferState.EXPORTED, 0),
        open_exports=(await session.scalars(select(Export.id).where(*open_ones).order_by(Export.number))).all(),
        last_number=0 if row is None else row.last_number,
        trouble=None if row is None else row.trouble,
        tried_at=None if row is None else row.tried_at,
    )
