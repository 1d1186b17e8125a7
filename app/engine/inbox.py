"""Where hints land: accept once and durably, load what a lane has not seen, end what is done.

The lane's sequence number is taken under the lane's row lock *before* the event is inserted, in one statement; the
other way round a reader could pass a higher number and never see the lower one.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import defer

from app.domain.states import EventState
from app.engine.lanes import Lease
from app.engine.pool import lease_connection
from app.platform.db import Session
from app.platform.paging import at_most, older_than
from app.platform.resources import Resources
from app.tables import Event, EventKey, Hook


def _to_known(seen_seq: object, peeks: object, token: object) -> str:
    """By what the lane knows an equal hint, in sixteen bytes; expressions in SQL."""
    told = f"$5::bytea || int8send({seen_seq}) || int8send({peeks}) || coalesce(uuid_send({token}), '')"
    return f"substr(sha256({told}), 1, 16)"


# The lane first, then the event; numbered parameters in the order of `Arrival.row`.
#
# A repeat is an equal hint that comes while the first one has not been read yet: its key holds what the lane has seen,
# how often its record was read for anybody, and who reads it now. Then nothing is inserted, and nothing is lost, for
# the reading is still to come. An equal hint that comes during or after the reading is a new one: with ids only, two
# changes look the same. The lane's own row holds the keys of the newest hints: an older one that comes again is one
# more event, which costs no more than itself. Whoever has waited for the row looks at them once more.
#
# What is the record itself is compared with the newest alone: of A, B and A again the last one counts.
_MOST_KNOWN = 32
_KNOWN = _to_known("lane.seen_seq", "lane.peeks", "lane.token")
_IS_KNOWN = f"""CASE WHEN $11::boolean THEN lane.known[cardinality(lane.known)] IS NOT DISTINCT FROM {_KNOWN}
                ELSE {_KNOWN} = ANY(lane.known) END"""
_ACCEPT = f"""
    WITH bumped AS (
        INSERT INTO lane (tenant_id, scope, record_id, seq, run_at, known)
        SELECT $1::uuid, $2::text, $3::text, 1, now() + $10::interval, ARRAY[{_to_known(0, 0, "NULL::uuid")}]
        -- Known at once, a repeat locks and writes nothing.
        WHERE NOT EXISTS (
            SELECT FROM lane WHERE lane.tenant_id = $1::uuid AND lane.scope = $2::text AND lane.record_id = $3::text
              AND {_IS_KNOWN}
        )
        ON CONFLICT (tenant_id, scope, record_id) DO UPDATE SET
            seq = lane.seq + 1,
            known = lane.known[greatest(1, cardinality(lane.known) - {_MOST_KNOWN - 2}):] || {_KNOWN},
            -- A blocked lane looks again: the new hint may be the mending, and planning twice changes nothing.
            run_at = CASE WHEN lane.state IN ('idle', 'blocked') THEN excluded.run_at ELSE lane.run_at END,
            state = CASE WHEN lane.state IN ('idle', 'blocked') THEN 'ready' ELSE lane.state END
        WHERE NOT {_IS_KNOWN}
        RETURNING id, seq
    )
    INSERT INTO event (tenant_id, scope, record_id, operation, source, hook_id, content_type, body, lane_id, seq)
    SELECT $1::uuid, $2::text, $3::text, $4::text, $6::text, $7::uuid, $8::text, $9::bytea, bumped.id, bumped.seq
    FROM bumped
    RETURNING id
"""  # noqa: S608 - built from a constant


# The lateral part is one look at an index for each lane. What was delivered stays where it is: many lanes are claimed
# at once, and whoever reads it asks for it.
_TOLD = ", ".join(column.name for column in Event.__table__.columns if column.name != Event.body.key)
_UNSEEN = select(Event).from_statement(
    text(f"""
        SELECT unseen.* FROM unnest(CAST(:tenants AS uuid[]), CAST(:lanes AS bigint[]), CAST(:seen AS bigint[]))
          AS one(tenant_id, lane_id, seen_seq)
        CROSS JOIN LATERAL (
            SELECT {_TOLD} FROM event WHERE event.tenant_id = one.tenant_id AND event.lane_id = one.lane_id
              AND event.seq > one.seen_seq AND event.state = :waiting
            ORDER BY event.seq LIMIT :most
        ) AS unseen ORDER BY unseen.lane_id, unseen.seq
    """)  # noqa: S608 - built from constants
)

# An equal hint must not take one that nobody will look at for itself. One that comes before this is committed does:
# nobody withdraws but jobs their own hints, and no other hint is equal to those.
_WITHDRAW = text("""
    WITH ended AS (
        UPDATE event SET state = :state, note = :note, ended_at = now()
        WHERE tenant_id = :tenant_id AND id = ANY(CAST(:ids AS bigint[])) RETURNING lane_id
    )
    UPDATE lane SET known = '{}' WHERE tenant_id = :tenant_id AND id IN (SELECT lane_id FROM ended)
""")

# Known for a minute; longer than any statement takes that still asks for it.
_KEPT_SECONDS = 120
_FORGET = text("DELETE FROM event_key WHERE tenant_id = ANY(:tenant_ids) AND until < now()")

# The source of one of several records in a delivery; the delivery itself is kept beside it, whole.
PART = "webhook:part"
# The source of what was recorded first and then let go; the recorded one is kept beside it.
RELEASED = "webhook:released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One hint about one record, ready to be stored; its record is looked at after `delay`, others' along with it.

    `is_record`: what came is the record itself, for nobody can be asked for it.
    """

    tenant_id: UUID
    scope: str
    record_id: str
    operation: str
    dedupe: bytes
    source: str = "webhook"
    hook_id: UUID | None = None
    content_type: str = ""
    body: bytes | None = field(default=None, repr=False)
    delay: timedelta = timedelta()
    is_record: bool = False

    @property
    def row(self) -> tuple[object, ...]:
        """The values in the order of the accepting statement."""
        return (
            self.tenant_id,
            self.scope,
            self.record_id,
            self.operation,
            self.dedupe,
            self.source,
            self.hook_id,
            self.content_type,
            self.body,
            self.delay,
            self.is_record,
        )


def dedupe_key(*parts: object) -> bytes:
    """The value by which equal hints are recognised: equal parts, equal key."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.digest()


async def accept(session: Session, arrival: Arrival) -> int | None:
    """The new event's id, or None when an equal hint still waits to be read; part of the caller's transaction."""
    connection = await session.connection()
    found: int | None = (await connection.exec_driver_sql(_ACCEPT, arrival.row)).scalar()
    return found


async def accept_work(session: Session, *, tenant_id: UUID, scope: str, work_id: UUID | int, source: str) -> None:
    """Let a worker take up a piece of our own work, a job or a sweep, which is a lane like any record."""
    arrival = Arrival(
        tenant_id=tenant_id,
        scope=scope,
        record_id=str(work_id),
        operation="insert",
        source=source,
        dedupe=dedupe_key(scope, work_id),
    )
    await accept(session, arrival)


async def accept_at_once(resources: Resources, arrival: Arrival) -> int | None:
    """Like `accept`, but committed when it returns: one statement, one round trip, no session.

    Webhooks come this way; a session would cost several times the insert itself.
    """
    async with lease_connection(resources) as connection:
        found: int | None = await connection.fetchval(_ACCEPT, *arrival.row)
    return found


async def record_meaningless(
    session: Session,
    *,
    hook: Hook,
    note: str,
    scope: str | None,
    content_type: str,
    body: bytes,
) -> None:
    """Keep a delivery that asks for no work of its own, with the reason why; an equal one once a minute.

    With a `scope` it is a hint that some record of it may have changed, nobody knows which.
    """
    minute, hook_id = int(time.time()) // 60, hook.id
    row = {"tenant_id": hook.tenant_id, "hook_id": hook_id, "note": note, "scope": scope}
    row |= {"content_type": content_type, "body": body}
    until = func.now() + timedelta(seconds=_KEPT_SECONDS)
    key = {"tenant_id": hook.tenant_id, "dedupe": dedupe_key(hook_id, "delivery", minute, body)}
    known = upsert(EventKey).values(**key, hook_id=hook_id, until=until).on_conflict_do_nothing()
    if await session.scalar(known.returning(EventKey.dedupe)) is not None:
        await session.execute(insert(Event).values(state=EventState.IGNORED, ended_at=text("now()"), **row))


async def prune_keys(session: Session, tenant_ids: Sequence[UUID]) -> None:
    """Let go of the keys of deliveries that meant nothing, once an equal one is kept again."""
    await session.execute(_FORGET, {"tenant_ids": list(tenant_ids)})


async def is_any_unnamed(session: Session, *, tenant_id: UUID, since: datetime) -> bool:
    """Whether a delivery since then was about a scope but named no record of it."""
    unnamed = (Event.record_id.is_(None), Event.scope.is_not(None))
    query = select(Event.id).where(Event.tenant_id == tenant_id, Event.received_at > since, *unnamed).limit(1)
    return (await session.scalars(query)).one_or_none() is not None


async def load_unseen(session: Session, leases: Sequence[Lease], *, limit: int) -> Mapping[int, Sequence[Event]]:
    """What each of these lanes has heard and not dealt with, by lane, oldest first, at most `limit` of one lane.

    One look for all of them; not what was withdrawn. A lane of which nothing else is left is not in the answer.
    """
    values = {"tenants": [one.tenant_id for one in leases], "lanes": [one.lane_id for one in leases]}
    values |= {"seen": [one.seen_seq for one in leases], "most": limit, "waiting": EventState.WAITING}
    unseen: dict[int, list[Event]] = {}
    for event in await session.scalars(_UNSEEN, values):
        unseen.setdefault(event.lane_id, []).append(event)
    return unseen


async def record_withdrawn(session: Session, *, tenant_id: UUID, event_ids: Sequence[int], note: str) -> None:
    """End hints of our own before anybody has looked; the caller holds their lanes (`lanes.lock_free`)."""
    values = {"tenant_id": tenant_id, "ids": list(event_ids), "state": EventState.IGNORED, "note": note}
    await session.execute(_WITHDRAW, values)


async def list_deliveries(session: Session, hook_id: UUID, *, limit: int) -> list[tuple[Event, int]]:
    """What came to a hook, newest first, without bodies but with their sizes in bytes.

    Records that came together have the source of a part.
    """
    query = select(Event, func.coalesce(func.octet_length(Event.body), 0)).options(defer(Event.body))
    newest_first = query.where(Event.hook_id == hook_id).order_by(Event.received_at.desc(), Event.id.desc())
    return [(row[0], row[1]) for row in await session.execute(newest_first.limit(at_most(limit)))]


async def list_events(
    session: Session, *, tenant_id: UUID | None, state: str | None, before_id: int | None, limit: int
) -> Sequence[Event]:
    """Events newest first, without bodies; `before_id` continues a listing."""
    conditions: list[ColumnElement[bool]] = []
    if tenant_id is not None:
        conditions.append(Event.tenant_id == tenant_id)
    if state is not None:
        # Written into the statement: only so can a prepared one use the index of what is not done.
        conditions.append(Event.state == literal(str(state), literal_execute=True))
    conditions += older_than(Event.received_at, before_id)
    query = select(Event).options(defer(Event.body)).where(*conditions)
    newest_first = query.order_by(Event.received_at.desc(), Event.id.desc())
    return (await session.scalars(newest_first.limit(at_most(limit)))).all()
