"""How long hints and what they carried are kept; copies that are needed longer are put aside first."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, text, union_all, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.platform.db import Session
from app.tables import Event, EventKey, RecordCopy

# Puts aside which of a record's deliveries, by scope and id, are needed still.
KeepCopies = Callable[[Session, str, str], Awaitable[None]]
# Of a month: what is open, and what was not looked through yet for copies that must stay longer.
EVENT_IS_NEEDED = "ended_at IS NULL OR body IS NOT NULL"
_MOST_BODIES = 20
# Lanes are locked in the order in which webhooks take them.
_ERASE_KNOWN = text("""
    WITH mine AS (
        SELECT id FROM lane WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = ANY(:record_ids)
        ORDER BY record_id COLLATE "C" FOR NO KEY UPDATE
    )
    UPDATE lane SET known = '{}' FROM mine WHERE lane.tenant_id = :tenant_id AND lane.id = mine.id
""")
_COPIED = ("id", "tenant_id", "scope", "record_id", "operation", "content_type", "body", "received_at")


def select_old_bodies(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Hints that have ended and whose bodies are old, by id."""
    old = Event.tenant_id == tenant_id, Event.received_at < before, Event.ended_at.is_not(None)
    return select(Event.id).where(*old, Event.body.is_not(None)).order_by(Event.id)


async def prune_bodies(
    session: Session, tenant_id: UUID, ids: Sequence[Any], *, keep: KeepCopies | None = None
) -> None:
    """Empty these hints; `keep` puts aside what is needed still."""
    mine = Event.tenant_id == tenant_id, Event.id.in_(ids)
    if keep is not None:
        named = select(Event.scope, Event.record_id).where(*mine, Event.lane_id.is_not(None)).distinct()
        for scope, record_id in (await session.execute(named)).all():
            await keep(session, str(scope), str(record_id))
    await session.execute(
        update(Event).where(*mine).values(body=None), execution_options={"synchronize_session": False}
    )


def select_old_events(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Hints that ended so long ago that nobody asks for them."""
    old = Event.tenant_id == tenant_id, Event.received_at < before, Event.ended_at < before
    return select(Event.id).where(*old).order_by(Event.id)


async def prune_events(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these hints go."""
    gone = delete(Event).where(Event.tenant_id == tenant_id, Event.id.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})


def select_copies(tenant_id: UUID) -> Select[Any]:
    """What was put aside of a tenant, all of it: for one whose RecMan can be asked by now."""
    return select(RecordCopy.id).where(RecordCopy.tenant_id == tenant_id)


async def prune_copies(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these copies go."""
    gone = delete(RecordCopy).where(RecordCopy.tenant_id == tenant_id, RecordCopy.id.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})


async def list_bodies(
    session: Session, *, tenant_id: UUID, scope: str, record_id: str
) -> list[tuple[int, bytes, str, str]]:
    """The newest bodies that named a record, newest first: id, body, content type, what was read from it."""
    events, copies = (
        select(one.id, one.received_at, one.body, one.content_type, one.operation).where(
            one.tenant_id == tenant_id, one.scope == scope, one.record_id == record_id, one.body.is_not(None)
        )
        for one in (Event, RecordCopy)
    )
    # What is only recorded, or was discarded then, has no lane: nobody confirmed that it is read rightly.
    both = union_all(events.where(Event.lane_id.is_not(None)), copies).subquery()
    rows = await session.execute(select(both).order_by(both.c.received_at.desc(), both.c.id.desc()).limit(_MOST_BODIES))
    return [(row.id, row.body, row.content_type or "", row.operation or "") for row in rows]


async def record_copies(
    session: Session, *, tenant_id: UUID, scope: str, record_id: str, event_ids: Sequence[int], before: datetime
) -> None:
    """Put aside which of these deliveries of a record will go, in the place of what was put aside of it before."""
    place = (RecordCopy.tenant_id == tenant_id, RecordCopy.scope == scope, RecordCopy.record_id == record_id)
    await session.execute(delete(RecordCopy).where(*place, RecordCopy.id.not_in(event_ids)))
    columns: list[Any] = [getattr(Event, name) for name in _COPIED]
    found = select(*columns).where(Event.tenant_id == tenant_id, Event.id.in_(event_ids), Event.body.is_not(None))
    found = found.where(Event.received_at < before)
    await session.execute(upsert(RecordCopy).from_select(list(_COPIED), found).on_conflict_do_nothing())


async def erase_bodies(session: Session, *, tenant_id: UUID, scope: str, record_ids: Sequence[str]) -> int:
    """How many deliveries about these records had a body that is gone now, copies included."""
    gone = 0
    named = Event.tenant_id == tenant_id, Event.scope == scope, Event.record_id.in_(record_ids)
    emptied = update(Event).where(*named, Event.body.is_not(None)).values(body=None).returning(Event.id)
    gone += len((await session.scalars(emptied, execution_options={"synchronize_session": False})).all())
    await _erase_keys(session, tenant_id=tenant_id, scope=scope, record_ids=record_ids)
    kept = RecordCopy.tenant_id == tenant_id, RecordCopy.scope == scope, RecordCopy.record_id.in_(record_ids)
    removed = delete(RecordCopy).where(*kept).returning(RecordCopy.id)
    return gone + len((await session.scalars(removed, execution_options={"synchronize_session": False})).all())


async def _erase_keys(session: Session, *, tenant_id: UUID, scope: str, record_ids: Sequence[str]) -> None:
    """Let what is equal to an erased delivery be kept when it comes again, be that one unread or only recorded."""
    await session.execute(_ERASE_KNOWN, {"tenant_id": tenant_id, "scope": scope, "record_ids": list(record_ids)})
    recorded = EventKey.tenant_id == tenant_id, EventKey.until.is_(None)
    await session.execute(delete(EventKey).where(*recorded), execution_options={"synchronize_session": False})
