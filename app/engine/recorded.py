"""Deliveries of hooks that record first: stored without effects until somebody confirms how they are read."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.states import EventState
from app.engine.inbox import RELEASED, Arrival, accept, dedupe_key
from app.platform.db import Session, Sessions, locked
from app.tables import Event, EventKey, Hook

_AT_ONCE = 200
_ROWS_AT_ONCE = 1000


async def record_arrivals(session: Session, arrivals: Sequence[Arrival]) -> None:
    """Keep hints without touching a lane; an equal one that is still kept is not kept twice.

    What is the record itself is kept as often as it comes: of A, B and A again the last one counts.
    """
    rows = [
        {
            "tenant_id": one.tenant_id,
            "hook_id": one.hook_id,
            "source": one.source,
            "scope": one.scope,
            "record_id": one.record_id,
            "operation": one.operation,
            "content_type": one.content_type,
            "body": one.body,
            "state": EventState.RECORDED,
        }
        for one in await _claim_fresh(session, arrivals)
    ]
    # A statement takes some 32,000 values.
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        lot = rows[first : first + _ROWS_AT_ONCE]
        await session.execute(insert(Event).values(lot))


async def _claim_fresh(session: Session, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those that are not kept yet, each once."""
    keys = {dedupe_key("recorded", one.dedupe): one for one in arrivals if not one.is_record}
    rows = [{"tenant_id": one.tenant_id, "dedupe": key, "hook_id": one.hook_id} for key, one in keys.items()]
    fresh = [one for one in arrivals if one.is_record]
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        query = upsert(EventKey).values(rows[first : first + _ROWS_AT_ONCE]).on_conflict_do_nothing()
        fresh += [keys[key] for key in await session.scalars(query.returning(EventKey.dedupe))]
    return fresh


async def _prune_keys(session: Session, hook_ids: Collection[UUID]) -> None:
    """An equal delivery may come again once the first one is through."""
    own = (EventKey.hook_id.in_(hook_ids), EventKey.until.is_(None))
    await session.execute(delete(EventKey).where(*own), execution_options={"synchronize_session": False})


async def release_recorded(sessions: Sessions, hook_ids: Sequence[UUID]) -> int:
    """Let what these hooks recorded have its effects now; how many records that were.

    Each lot is let go and marked in one transaction; several that release at once do it one after the other.
    """
    released = 0
    while True:
        async with sessions.begin() as session:
            events = await _take(session, hook_ids)
            if not events:
                return released
            # In the order in which webhooks take lanes too, so that the two cannot wait for each other.
            for event in sorted(events, key=lambda one: (one.scope or "", one.record_id or "", one.id)):
                await accept(session, _arrival(event))
            await _record_end(
                session, [event.id for event in events], state=EventState.DONE, note="recorded first, then let go"
            )
            await _prune_keys(session, {event.hook_id for event in events if event.hook_id is not None})
            released += len(events)


async def list_recorders(session: Session) -> Sequence[UUID]:
    """The tenants that have recorded something which nobody has confirmed yet."""
    query = select(Event.tenant_id).where(Event.state == EventState.RECORDED).distinct()
    return (await session.scalars(query)).all()


async def discard_recorded(session: Session, hook_id: UUID, *, actor: str) -> int:
    """Never let what the hook recorded have effects; how many records that were."""
    query = select(Event.id).where(Event.hook_id == hook_id, Event.state == EventState.RECORDED)
    ids = (await session.scalars(locked(query))).all()
    await _record_end(session, ids, state=EventState.IGNORED, note=f"recorded first, then discarded by {actor}")
    await _prune_keys(session, {hook_id})
    return len(ids)


async def count_recorded(session: Session, hook_id: UUID) -> int:
    """How many records wait for a person to confirm them."""
    query = select(func.count()).select_from(Event).where(Event.hook_id == hook_id, Event.state == EventState.RECORDED)
    return (await session.execute(query)).scalar_one()


async def _take(session: Session, hook_ids: Sequence[UUID]) -> Sequence[Event]:
    # Somebody may have switched it on again meanwhile: then the rest stays, and so does what came since.
    live = select(Hook.id).where(Hook.id.in_(hook_ids), Hook.record_first.is_(False))
    hooks = (await session.scalars(locked(live, shared=True))).all()
    query = (
        select(Event)
        .where(Event.state == EventState.RECORDED, Event.hook_id.in_(hooks))
        .order_by(Event.id)
        .limit(_AT_ONCE)
    )
    return (await session.scalars(locked(query))).all()


def _arrival(event: Event) -> Arrival:
    return Arrival(
        tenant_id=event.tenant_id,
        hook_id=event.hook_id,
        scope=event.scope or "",
        record_id=event.record_id or "",
        operation=event.operation or "unknown",
        source=RELEASED,
        content_type=event.content_type or "",
        body=event.body,
        dedupe=dedupe_key("released", event.id),
    )


async def _record_end(session: Session, ids: Sequence[int], *, state: EventState, note: str) -> None:
    values = {"state": state, "note": note, "ended_at": func.now()}
    await session.execute(update(Event).where(Event.id.in_(ids)).values(values))
