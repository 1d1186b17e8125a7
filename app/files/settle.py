"""What people say of an export: imported, refused, or free to go into another file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.admin.proving import record_confirmed
from app.domain.documents import DocumentKind
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import FileState, KeyState, Mode
from app.engine.lanes import lock_record, wake_waiting
from app.errors import ConflictError
from app.files.exports import list_standing, record_said
from app.platform.db import Session, load_now
from app.tables import Export, ExportDocument, Key, Transfer
from app.transfer.filed import is_seen, record_refused, record_released, record_taken
from app.transfer.retry import retry

_MOST_NAMED = 10
Standing = dict[int, tuple[ExportDocument, Transfer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says of an export's documents; `taken` None: every one that is not refused and still open.

    `refused`: why, by transfer.
    """

    refused: Mapping[int, str]
    taken: Collection[int] | None = None


async def record_confirmation(session: Session, export: Export, said: Said, *, actor: str) -> tuple[int, int]:
    """How many documents were imported and how many refused, by somebody's word; the caller has locked the export.

    A word may be taken back by another one, as long as nothing was found in Unimicro.

    Raises:
        ConflictError: one is not in this file, went into another one, or was found in Unimicro.
    """
    standing = {one.transfer_id: (one, transfer) for one, transfer in await list_standing(session, export)}
    taken = _list_taken(standing, said)
    _require_here(standing, {*taken, *said.refused})
    _require_unseen(standing, said.refused)
    mended = [one for one in taken if standing[one][0].state == FileState.REFUSED]
    await _wake_followers(session, [standing[one][1] for one in mended])
    await record_taken(session, taken, tenant_id=export.tenant_id)
    await record_refused(session, {one: _explain(export, why) for one, why in said.refused.items()})
    await _count(session, export, [standing[one] for one in taken], refused=len(said.refused), actor=actor)
    await record_said(session, export, dict.fromkeys(taken), state=FileState.TAKEN, said_by=actor)
    await record_said(session, export, said.refused, state=FileState.REFUSED, said_by=actor)
    return len(taken), len(said.refused)


def _list_taken(standing: Standing, said: Said) -> list[int]:
    if said.taken is not None:
        return sorted(said.taken)
    is_open = (one for one, (row, _) in standing.items() if row.state == FileState.IN_FILE)
    return sorted(set(is_open) - set(said.refused))


def _require_here(standing: Standing, ids: Collection[int]) -> None:
    strange = sorted(one for one in ids if one not in standing or standing[one][0].state == FileState.FREED)
    if strange:
        named = ", ".join(map(str, strange[:_MOST_NAMED]))
        fix = "Take ids from GET /v1/exports/{export_id}/documents; what was let go is in another file."
        raise ConflictError(f"Not in this file: {named}", fix=fix, code=Code.NOT_IN_EXPORT)


def _require_unseen(standing: Standing, ids: Collection[int]) -> None:
    """What was found in Unimicro is there, whatever anybody says; once or more than once."""
    seen = [transfer for one, transfer in (standing[each] for each in sorted(ids)) if is_seen(transfer)]
    if seen:
        named = ", ".join(transfer.number for transfer in seen[:_MOST_NAMED])
        fix = (
            "Look at it there: what should not count is credited. What is gone there is seen by another read-back "
            "(POST /v1/exports/{export_id}/read-back)."
        )
        raise ConflictError(f"In Unimicro, where it was found: {named}", fix=fix, code=Code.BOOKED)


def _explain(export: Export, why: str) -> Reason:
    cause = f"File {export.number} was imported without it: {why}"
    return Reason(code=Code.FILE_REFUSED, cause=cause, fix=fix_for(Code.FILE_REFUSED, export_id=export.id))


async def _wake_followers(session: Session, transfers: Collection[Transfer]) -> None:
    """Credit notes of what was refused, and is there after all; lanes before transfers, as workers take them."""
    for transfer in transfers:
        tenant_id, scope, record_id = transfer.tenant_id, transfer.scope, transfer.record_id
        await lock_record(session, tenant_id=tenant_id, scope=scope, record_id=record_id)
        await wake_waiting(session, tenant_id=tenant_id, scope=scope, record_id=record_id)


async def _count(
    session: Session,
    export: Export,
    taken: Collection[tuple[ExportDocument, Transfer]],
    *,
    refused: int,
    actor: str,
) -> None:
    """What was imported as it was written proves the key, each document once."""
    fresh = [transfer for row, transfer in taken if row.state != FileState.TAKEN]
    key = await _load_own_key(session, export)
    if not _makes_files(key) or not (fresh or refused):
        return
    now = await load_now(session)
    word = {"name": actor, "reason": f"file {export.number} was imported", "at": now.isoformat(), "by": actor}
    await record_confirmed(
        session,
        key,
        taken=len(fresh),
        credit_notes=sum(transfer.kind == DocumentKind.CREDIT_NOTE for transfer in fresh),
        refused=refused,
        word=word,
    )


async def _load_own_key(session: Session, export: Export) -> Key:
    """The export's key, which may have been removed since."""
    return await session.get_one(Key, (export.tenant_id, export.key_id), populate_existing=True)


def _makes_files(key: Key) -> bool:
    return key.mode == Mode.FILE and key.state != KeyState.REMOVED


async def record_again(
    session: Session, export: Export, ids: Collection[int] | None, *, reason: str, actor: str
) -> list[int]:
    """Let documents of this file go into another one; the ids of those that were. The caller has locked the export.

    Each is decided about once more, as it is in RecMan now. `ids` None: every one that nobody said was imported.

    Raises:
        ConflictError: one was imported, was found in Unimicro, or is not in this file; or the key sends by now, and
            nobody said that the import refused it.
    """
    standing = {one.transfer_id: (one, transfer) for one, transfer in await list_standing(session, export)}
    if ids is None:
        ids = [one for one, (row, _) in standing.items() if row.state in (FileState.IN_FILE, FileState.REFUSED)]
    _require_here(standing, ids)
    _require_not_taken(standing, ids)
    _require_unseen(standing, ids)
    await _require_file_key(session, export, standing, ids)
    freed = sorted((standing[one][1] for one in set(ids)), key=lambda one: one.record_id)
    for transfer in freed:
        # The lane before the transfer, as workers take them.
        await retry(session, transfer)
    found = [transfer.id for transfer in freed]
    await record_released(session, found, tenant_id=export.tenant_id)
    await record_said(session, export, dict.fromkeys(found, reason), state=FileState.FREED, said_by=actor)
    return found


def _require_not_taken(standing: Standing, ids: Collection[int]) -> None:
    taken = [standing[one][1].number for one in sorted(ids) if standing[one][0].state == FileState.TAKEN]
    if taken:
        raise ConflictError(
            f"Somebody has said that these were imported: {', '.join(taken[:_MOST_NAMED])}",
            fix="If one was not, say so first: POST /v1/exports/{export_id}/confirm with it under `refused`.",
            code=Code.EXPORT_TAKEN,
        )


async def _require_file_key(session: Session, export: Export, standing: Standing, ids: Collection[int]) -> None:
    """A key that sends would send what may have been imported: then a person must have said that it was not."""
    key = await _load_own_key(session, export)
    unsure = [standing[one][1].number for one in sorted(ids) if standing[one][0].state == FileState.IN_FILE]
    if not _makes_files(key) and unsure:
        raise ConflictError(
            f"Key “{key.name}” makes no files any more, and nobody has said whether these were imported: "
            f"{', '.join(unsure[:_MOST_NAMED])}",
            fix="Look in Unimicro, and say what was not (POST /v1/exports/{export_id}/confirm, `refused`).",
            code=Code.EXPORT_UNCONFIRMED,
        )
