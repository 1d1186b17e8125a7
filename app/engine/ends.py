"""How a lane ends: its hints with an outcome, itself given back, whoever waits for it woken.

What ends with nothing else to write shares one transaction with what ends at the same moment: most hints ask for
nothing (a product, a department, what is the same as before), and each would cost four round trips of its own. Whoever
ends alone waits for nobody: what comes while a lot is being written makes the next one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.domain.states import EventState, LaneState
from app.engine.lanes import Lease, check_fence
from app.platform.db import Session, Sessions, create_sessions, is_away
from app.platform.logger import get_logger
from app.platform.resources import Resources
from app.tables import Event

_MOST = 64

_log = get_logger(__name__)

# The end of a statement that gives a lane back. Compared with the lane's own counter: a subquery on events could miss
# one that is not committed yet. Whoever waits for the record looks again.
_RELEASED_LANE = """
    woken AS (
        UPDATE lane SET run_at = now(), waits_for = NULL
        WHERE tenant_id = :tenant_id AND waits_for = :own_name AND state = 'ready'
    )
    UPDATE lane SET token = NULL, leased_until = NULL, seen_seq = :seen, tries = 0, failing_since = NULL,
                    run_at = now(), known = '{}',
                    state = CASE WHEN seq > :seen THEN 'ready' ELSE :lane_state END
    WHERE tenant_id = :tenant_id AND id = :id AND token = :token
"""
_RELEASE = text(f"WITH {_RELEASED_LANE}")

_END_ONE = text(f"""
    WITH ended AS (
        UPDATE event SET ended_at = now(),
                         state = CASE WHEN id = :newest THEN CAST(:state AS text) ELSE CAST(:superseded AS text) END,
                         note = CASE WHEN id = :newest THEN CAST(:note AS text) ELSE note END
        WHERE tenant_id = :tenant_id AND id = ANY(CAST(:ids AS bigint[]))
          AND received_at BETWEEN :first_at AND :last_at
    ), {_RELEASED_LANE}
""")  # noqa: S608 - built from constants

# What is somebody else's by now, or held by somebody at this moment, is left out: nobody is waited for, so that two who
# hold many lanes each cannot wait for each other. A statement of its own, so that the next one sees who began to wait
# for these lanes until they were locked.
_FENCE = text("""
    SELECT lane.token FROM lane JOIN unnest(CAST(:tenants AS uuid[]), CAST(:lanes AS bigint[]), CAST(:tokens AS uuid[]))
      AS own(tenant_id, lane_id, token)
      ON lane.tenant_id = own.tenant_id AND lane.id = own.lane_id AND lane.token = own.token
    WHERE lane.leased_until > now() FOR UPDATE OF lane SKIP LOCKED
""")

# As `end_lane` does with one.
_END = text("""
    WITH own AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:tenants AS uuid[]), CAST(:lanes AS bigint[]), CAST(:tokens AS uuid[]),
                             CAST(:names AS text[]), CAST(:seen AS bigint[]), CAST(:states AS text[]))
          AS own(tenant_id, lane_id, token, name, seen_seq, state)
    ), told AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:of_tenants AS uuid[]), CAST(:events AS bigint[]), CAST(:times AS timestamptz[]),
                             CAST(:outcomes AS text[]), CAST(:notes AS text[]), CAST(:newest AS boolean[]))
          AS told(tenant_id, event_id, received_at, state, note, is_newest)
    ), ended AS (
        UPDATE event SET ended_at = now(), state = told.state,
                         note = CASE WHEN told.is_newest THEN told.note ELSE event.note END
        FROM told WHERE event.tenant_id = told.tenant_id AND event.id = told.event_id
          AND event.received_at = told.received_at AND event.received_at BETWEEN :first_at AND :last_at
    ), woken AS (
        UPDATE lane SET run_at = now(), waits_for = NULL FROM own
        WHERE lane.tenant_id = own.tenant_id AND lane.waits_for = own.name AND lane.state = 'ready'
    )
    UPDATE lane SET token = NULL, leased_until = NULL, seen_seq = own.seen_seq, tries = 0, failing_since = NULL,
                    run_at = now(), known = '{}',
                    state = CASE WHEN lane.seq > own.seen_seq THEN 'ready' ELSE own.state END
    FROM own WHERE lane.tenant_id = own.tenant_id AND lane.id = own.lane_id AND lane.token = own.token
""")


async def release(session: Session, lease: Lease, *, seen_seq: int, blocked: bool = False) -> None:
    """Give the lane back after its events up to `seen_seq` ended; later ones make it ready at once.

    Every lane that waits for this record is due at once.
    """
    await session.execute(_RELEASE, _to_release(lease, seen_seq=seen_seq, blocked=blocked))


async def end_lane(
    session: Session,
    lease: Lease,
    events: Sequence[Event],
    *,
    state: EventState,
    note: str | None = None,
    blocked: bool = False,
) -> None:
    """End what the lane was told of and give the lane back: the newest event has the outcome.

    The older ones, which it made moot, are superseded. What came meanwhile makes the lane ready at once, and every lane
    that waits for this record is due.

    Raises:
        StaleLeaseError: another worker owns the lane; the transaction must not commit.
    """
    await check_fence(session, lease)
    ids = [event.id for event in events]
    times = [event.received_at for event in events]
    await session.execute(
        _END_ONE,
        {
            "ids": ids,
            "newest": ids[-1],
            "superseded": EventState.SUPERSEDED,
            "state": state,
            "note": note,
            "first_at": min(times),
            "last_at": max(times),
            **_to_release(lease, seen_seq=events[-1].seq or 0, blocked=blocked),
        },
    )


def _to_release(lease: Lease, *, seen_seq: int, blocked: bool = False) -> dict[str, object]:
    """The values that `_RELEASED_LANE` asks for."""
    return {
        "tenant_id": lease.tenant_id,
        "id": lease.lane_id,
        "token": lease.token,
        "own_name": f"{lease.scope}:{lease.record_id}",
        "seen": seen_seq,
        "lane_state": _end_state_of(blocked=blocked),
    }


def _end_state_of(*, blocked: bool) -> LaneState:
    """How a lane rests that has nothing left to do."""
    return LaneState.BLOCKED if blocked else LaneState.IDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a lane ends: its events, what became of the newest, and whether the lane is blocked."""

    lease: Lease
    events: Sequence[Event]
    state: EventState
    note: str | None = None
    blocked: bool = False


class Ender:
    """The ends that wait in one process."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._waiting: list[tuple[End, asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def end(self, end: End) -> None:
        """End the lane; it is committed when this returns.

        Raises:
            StaleLeaseError: another worker owns the lane.
        """
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((end, ended))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        if not await ended:
            async with self._sessions.begin() as session:
                await end_lane(session, end.lease, end.events, state=end.state, note=end.note, blocked=end.blocked)

    async def _write(self) -> None:
        """Write what waits, lot by lot; whom that does not help ends alone, and meets the same trouble by itself."""
        while self._waiting:
            lot, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            ended = await self._end_safely([end for end, _ in lot]) if len(lot) > 1 else set()
            for end, future in lot:
                if not future.done():
                    future.set_result(end.lease.token in ended)

    async def _end_safely(self, ends: Sequence[End]) -> set[UUID]:
        try:
            return await self._end_together(ends)
        except Exception as error:  # noqa: BLE001 - one end's trouble must not stop its neighbours: each tries alone
            _log.warning("database_away" if is_away(error) else "ends_parted", error=type(error).__name__)
            return set()

    async def _end_together(self, ends: Sequence[End]) -> set[UUID]:
        """The tokens of the lanes that ended; the others are not ours any more, or held by somebody."""
        async with self._sessions.begin() as session:
            held = set(await session.scalars(_FENCE, _list_lanes(ends)))
            ours = [end for end in ends if end.lease.token in held]
            if ours:
                await session.execute(_END, _list_lanes(ours) | _list_ends(ours) | _list_events(ours))
            return held


def _list_lanes(ends: Sequence[End]) -> dict[str, object]:
    leases = [end.lease for end in ends]
    return {
        "tenants": [one.tenant_id for one in leases],
        "lanes": [one.lane_id for one in leases],
        "tokens": [one.token for one in leases],
    }


def _list_ends(ends: Sequence[End]) -> dict[str, object]:
    return {
        "names": [f"{end.lease.scope}:{end.lease.record_id}" for end in ends],
        "seen": [end.events[-1].seq or 0 for end in ends],
        "states": [_end_state_of(blocked=end.blocked) for end in ends],
    }


def _list_events(ends: Sequence[End]) -> dict[str, object]:
    told = [(event, event is end.events[-1], end) for end in ends for event in end.events]
    times = [event.received_at for event, _, _ in told]
    return {
        "of_tenants": [event.tenant_id for event, _, _ in told],
        "events": [event.id for event, _, _ in told],
        "times": times,
        "outcomes": [end.state if is_newest else EventState.SUPERSEDED for _, is_newest, end in told],
        "notes": [end.note if is_newest else None for _, is_newest, end in told],
        "newest": [is_newest for _, is_newest, _ in told],
        "first_at": min(times),
        "last_at": max(times),
    }


def ender_of(resources: Resources) -> Ender:
    """The ends of this process."""
    return resources.kept(Ender, lambda: Ender(create_sessions(resources.engine)))
