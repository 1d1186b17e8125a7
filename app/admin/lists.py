"""The lists of a key without sign-in: kept as they were checked, read by whoever plans with them.

The only owner of table `key_list`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import defer

from app.admin.list_files import parse_sheets
from app.domain.list_rows import read_rows
from app.domain.lists import ListKind, Lists, ReadList, list_strangers
from app.domain.money import dump_json
from app.domain.reasons.codes import Code
from app.errors import RequestError
from app.platform.db import Session, locked
from app.tables import Key, KeyList

_MOST_TOLD = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLists:
    """What this process remembers of keys' lists: by key, the sums of the files they were read from, and the rows."""

    kept: dict[UUID, tuple[frozenset[tuple[str, str]], Lists]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewList:
    """A list that was read and may be used, and the SHA-256 of its file."""

    kind: ListKind
    rows: tuple[Any, ...]
    digest: str


def parse_list(kind: ListKind, content: bytes) -> NewList:
    """The list in a file.

    Raises:
        RequestError: it is no such file; or rows of it cannot be used, of which all the first are named.
    """
    read = read_rows(kind, parse_sheets(content))
    require_no_faults(kind, read)
    return NewList(kind=kind, rows=read.rows, digest=sha256(content).hexdigest())


def require_no_faults(kind: ListKind, read: ReadList) -> None:
    """Make sure that nothing is wrong with a list.

    Raises:
        RequestError: something is; all of it is told, as far as there is room.
    """
    if not read.faults:
        return
    told, more = read.faults[:_MOST_TOLD], len(read.faults) - _MOST_TOLD
    rest = f"; and {more} more" if more > 0 else ""
    cause = f"The list of {show_kind(kind)} cannot be used: {'; '.join(told)}{rest}"
    raise RequestError(
        cause, fix="Correct the file and send it again; nothing of it was kept.", code=Code.LIST_UNUSABLE
    )


def show_kind(kind: ListKind) -> str:
    """What is listed, in a sentence."""
    return {ListKind.VAT_CODES: "VAT codes"}.get(kind, kind.value)


async def record_list(session: Session, key: Key, new: NewList, *, actor: str) -> KeyList:
    """Keep the list in place of the one before.

    Raises:
        RequestError: it and the key's other lists name what the other does not have.
    """
    lists = {**await load_lists(session, key), new.kind: new.rows}
    require_no_faults(new.kind, ReadList(rows=new.rows, faults=tuple(list_strangers(lists))))
    place = {"tenant_id": key.tenant_id, "key_id": key.id, "kind": new.kind}
    values = {"rows": [dict(row) for row in new.rows], "count": len(new.rows), "digest": new.digest, "made_by": actor}
    query = upsert(KeyList).values(place | values)
    changed = query.on_conflict_do_update(index_elements=[*place], set_={**values, "made_at": func.now()})
    return (await session.scalars(changed.returning(KeyList), execution_options={"populate_existing": True})).one()


async def load_lists(session: Session, key: Key) -> Lists:
    """All lists of the key; empty when there is none."""
    query = select(KeyList.kind, KeyList.rows).where(*_is_of(key))
    return {ListKind(kind): tuple(rows) for kind, rows in await session.execute(query)}


async def load_known_lists(session: Session, key: Key, known: KnownLists) -> Lists:
    """The same, out of what is remembered as long as nobody has sent another list."""
    query = select(KeyList.kind, KeyList.digest).where(*_is_of(key))
    sums = frozenset((kind, digest) for kind, digest in await session.execute(query))
    kept = known.kept.get(key.id)
    if kept is not None and kept[0] == sums:
        return kept[1]
    lists = await load_lists(session, key)
    known.kept[key.id] = (sums, lists)
    return lists


async def list_lists(session: Session, key: Key) -> Sequence[KeyList]:
    """Each list without its rows."""
    query = select(KeyList).where(*_is_of(key)).order_by(KeyList.kind)
    return (await session.scalars(query.options(defer(KeyList.rows)))).all()


async def find_list(session: Session, key: Key, kind: ListKind) -> KeyList | None:
    """One list with its rows."""
    return (await session.scalars(select(KeyList).where(*_is_of(key), KeyList.kind == kind))).one_or_none()


async def erase_customers(session: Session, *, tenant_id: UUID, numbers: Collection[tuple[UUID, str]]) -> int:
    """How many rows of customers are gone from keys' lists; `numbers`: of which key, and which customer there.

    The file that was sent is nobody's any more: sent once more it is a list like any other.
    """
    wanted: dict[UUID, set[str]] = {}
    for key_id, number in numbers:
        wanted.setdefault(key_id, set()).add(number)
    own = (KeyList.tenant_id == tenant_id, KeyList.key_id.in_(wanted), KeyList.kind == ListKind.CUSTOMERS)
    found = await session.scalars(locked(select(KeyList).where(*own).order_by(KeyList.key_id)))
    count = 0
    for one in found.all():
        kept = [row for row in one.rows if row["number"] not in wanted[one.key_id]]
        if len(kept) < len(one.rows):
            count += len(one.rows) - len(kept)
            # By this sum processes know whether what they remember is still the list.
            digest = sha256(dump_json(kept).encode()).hexdigest()
            one.rows, one.count, one.digest = kept, len(kept), digest
    await session.flush()
    return count


async def prune_lists(session: Session, key: Key) -> None:
    """Let the lists of a removed key go: they name its company's customers."""
    await session.execute(delete(KeyList).where(*_is_of(key)))


def _is_of(key: Key) -> tuple[Any, ...]:
    return KeyList.tenant_id == key.tenant_id, KeyList.key_id == key.id
