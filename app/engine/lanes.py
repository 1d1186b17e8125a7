"""Lanes: lease, fence, back off, release, wait, wake. Postgres is the engine; its clock is the clock."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.errors import StaleLeaseError
from app.platform.db import Session

# A lane that somebody writes to at this moment is renewed the next time: many rows taken while others wait for some of
# them could end in a deadlock, and a renewal must not stop a worker.
_RENEW = text("""
    UPDATE lane SET leased_until = now() + make_interval(secs => :lease)
    WHERE id IN (
        SELECT id FROM lane WHERE tenant_id = ANY(:tenant_ids) AND token = ANY(:tokens) AND state = 'leased'
        FOR NO KEY UPDATE SKIP LOCKED
    ) AND tenant_id = ANY(:tenant_ids)
    RETURNING token
""")

_FENCE = text("""
    SELECT id FROM lane WHERE tenant_id = :tenant_id AND id = :id AND token = :token AND leased_until > now() FOR UPDATE
""")

_IS_LEASED = text("SELECT id FROM lane WHERE tenant_id = :tenant_id AND token = :token AND leased_until > now()")

# Where a session remembers in which transaction it holds which lane.
_FENCED = "fenced"

_POSTPONE = text("""
    UPDATE lane SET token = NULL, leased_until = NULL, state = 'ready', waits_for = :waits_for,
                    run_at = now() + make_interval(secs => :seconds),
                    tries = tries + :spent,
                    failing_since = CASE WHEN :spent > 0 THEN coalesce(failing_since, now()) ELSE failing_since END
    WHERE tenant_id = :tenant_id AND id = :id AND token = :token
""")

_WAKE_WAITING = text("""
    UPDATE lane SET run_at = now(), waits_for = NULL
    WHERE tenant_id = :tenant_id AND waits_for = :waits_for AND state = 'ready'
""")

_WAKE_ANY = text("""
    WITH free AS (
        SELECT id FROM lane WHERE tenant_id = :tenant_id AND waits_for = ANY(:names) AND state = 'ready'
        FOR UPDATE SKIP LOCKED
    )
    UPDATE lane SET run_at = now(), waits_for = NULL FROM free WHERE lane.tenant_id = :tenant_id AND lane.id = free.id
""")

_WAKE_ALL = text("""
    UPDATE lane SET run_at = now(), waits_for = NULL
    WHERE tenant_id = :tenant_id AND waits_for IS NOT NULL AND starts_with(waits_for, :beginning) AND state = 'ready'
""")

_WAKE_FIRST = text("""
    UPDATE lane SET run_at = now(), waits_for = NULL
    WHERE tenant_id = :tenant_id AND id = (
        SELECT id FROM lane WHERE tenant_id = :tenant_id AND waits_for = :waits_for AND state = 'ready'
        ORDER BY run_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
""")

# Companies and projects have no transfer yet when their key rests, so all of the tenant's look again.
_WAKE_KEY = text("""
    UPDATE lane SET run_at = now()
    WHERE tenant_id = :tenant_id AND state = 'ready' AND waits_for IS NULL AND run_at > now()
      AND (scope IN ('company', 'project') OR id IN (
        SELECT lane_id FROM transfer WHERE tenant_id = :tenant_id AND key_id = :key_id
      ))
""")

_WAKE_TENANT = text("""
    UPDATE lane SET run_at = now()
    WHERE tenant_id = :tenant_id AND state = 'ready' AND waits_for IS NULL AND run_at > now()
""")

_WAKE_RECORD = text("""
    UPDATE lane SET run_at = now(), waits_for = NULL
    WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = :record_id AND state = 'ready'
""")

_LIST_WAITING = text("""
    SELECT record_id FROM lane
    WHERE state = 'ready' AND run_at <= now() + make_interval(secs => :ahead) AND waits_for IS NULL
      AND tenant_id = :tenant_id AND scope = :scope
    ORDER BY run_at LIMIT :most
""")

_PEEK = text("""
    UPDATE lane SET peeks = peeks + 1
    WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = :record_id AND state IN ('ready', 'leased')
""")

# Whoever waits for none of them can be in nobody's way.
_PEEK_ALONG = text("""
    WITH free AS (
        SELECT id FROM lane WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = ANY(:along)
          AND state IN ('ready', 'leased') FOR UPDATE SKIP LOCKED
    )
    UPDATE lane SET peeks = peeks + 1 FROM free
    WHERE lane.tenant_id = :tenant_id AND lane.id = free.id RETURNING lane.record_id
""")

_LIST_OPEN = text("""
    SELECT record_id FROM lane WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = ANY(:along)
      AND state IN ('ready', 'leased')
""")

# Whoever has a lane in hand, or writes to it now, is in the middle of it; nobody is waited for, so that two who hold
# some lanes each cannot wait for each other.
_LOCK_FREE = text("""
    SELECT event.id FROM event JOIN lane ON lane.id = event.lane_id
    WHERE event.tenant_id = :tenant_id AND lane.tenant_id = :tenant_id AND event.id = ANY(:event_ids)
      AND event.state = 'waiting'
      AND (lane.state <> 'leased' OR lane.leased_until < now())
    FOR UPDATE OF lane SKIP LOCKED
""")

# A person's own wish to look again, or another job's.
_LIST_WISHED = text("""
    SELECT event.id FROM event JOIN event AS other
      ON other.tenant_id = event.tenant_id AND other.lane_id = event.lane_id AND other.id <> event.id
    WHERE event.tenant_id = :tenant_id AND event.id = ANY(:event_ids) AND other.state = 'waiting'
      AND (other.source = 'retry' OR other.source LIKE 'job:%')
""")

# A lane whose only hint was withdrawn is found empty, and rests again.
_WAKE_EMPTIED = text("""
    UPDATE lane SET run_at = now(), waits_for = NULL FROM event
    WHERE event.tenant_id = :tenant_id AND event.id = ANY(:event_ids) AND lane.tenant_id = :tenant_id
      AND lane.id = event.lane_id AND lane.state = 'ready'
""")

_COUNT_WAITING = text("""
    SELECT tenant_id, count(*) AS lanes FROM lane
    WHERE state = 'ready' AND tenant_id = ANY(:tenant_ids) GROUP BY tenant_id
""")

_LOCK_OTHER = text(
    "SELECT id FROM lane WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = :record_id FOR UPDATE"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane in this worker's hands; `token` fences every write made on its behalf.

    `seq` is the lane's counter at the claim: events up to it are committed; `seen_seq` is the last one dealt with.
    `claimed_at` by the database's clock; None where nothing was claimed. `due_seconds`: for how long it was due then.
    """

    lane_id: int
    tenant_id: UUID
    scope: str
    record_id: str
    token: UUID
    seq: int
    seen_seq: int
    tries: int
    failing_seconds: float
    claimed_at: datetime | None = None
    due_seconds: float = 0.0


async def renew(session: Session, leases: Sequence[Lease], *, lease_seconds: float) -> set[UUID]:
    """Prolong the leases that are still ours; what is missing in the answer was lost, or is being written to."""
    values = {"tenant_ids": list({one.tenant_id for one in leases}), "tokens": [one.token for one in leases]}
    rows = await session.execute(_RENEW, values | {"lease": lease_seconds})
    return set(rows.scalars())


async def check_fence(session: Session, lease: Lease) -> None:
    """Lock the lane row for this transaction, so that nobody takes the lane over before it commits.

    Raises:
        StaleLeaseError: the lane belongs to somebody else by now.
    """
    # Once locked, the row stays so until the transaction ends: asking again in the same one could only say the same.
    if session.info.get(_FENCED) == (session.sync_session.get_transaction(), lease.token):
        return
    values = {"tenant_id": lease.tenant_id, "id": lease.lane_id, "token": lease.token}
    found = (await session.execute(_FENCE, values)).scalar()
    if found is None:
        raise StaleLeaseError(f"lane {lease.lane_id} was taken over by another worker")
    # A lock that was taken inside a savepoint goes with it.
    if not session.in_nested_transaction():
        session.info[_FENCED] = (session.sync_session.get_transaction(), lease.token)


async def is_leased(session: Session, *, tenant_id: UUID, token: UUID) -> bool:
    """Whether somebody works with this token right now."""
    return await session.scalar(_IS_LEASED, {"tenant_id": tenant_id, "token": token}) is not None


async def postpone(session: Session, lease: Lease, *, seconds: float, spends_try: bool) -> None:
    """Give the lane back unfinished; it is due again after `seconds`."""
    await session.execute(
        _POSTPONE,
        {
            "tenant_id": lease.tenant_id,
            "id": lease.lane_id,
            "token": lease.token,
            "seconds": seconds,
            "spent": int(spends_try),
            "waits_for": None,
        },
    )


async def lock_record(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> None:
    """Lock another record's lane row, so that its end and our decision to wait cannot pass each other."""
    await session.execute(_LOCK_OTHER, {"tenant_id": tenant_id, "scope": scope, "record_id": record_id})


async def wait_for(session: Session, lease: Lease, *, scope: str, record_id: str, seconds: float) -> None:
    """Give the lane back until `wake_waiting` names the other record, at the latest after `seconds`."""
    await session.execute(
        _POSTPONE,
        {
            "tenant_id": lease.tenant_id,
            "id": lease.lane_id,
            "token": lease.token,
            "seconds": seconds,
            "spent": 0,
            "waits_for": f"{scope}:{record_id}",
        },
    )


async def wake_waiting(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> None:
    """Make every lane due that waits for this record."""
    await session.execute(_WAKE_WAITING, {"tenant_id": tenant_id, "waits_for": f"{scope}:{record_id}"})


async def wake_any(session: Session, *, tenant_id: UUID, scope: str, record_ids: Sequence[str]) -> None:
    """Make every lane due that waits for one of these records; nobody is waited for who writes to such a lane now."""
    names = [f"{scope}:{record_id}" for record_id in record_ids]
    await session.execute(_WAKE_ANY, {"tenant_id": tenant_id, "names": names})


async def wake_all(session: Session, *, tenant_id: UUID, scope: str, beginning: str) -> None:
    """Make every lane due that waits for a record of this scope whose id begins so."""
    await session.execute(_WAKE_ALL, {"tenant_id": tenant_id, "beginning": f"{scope}:{beginning}"})


async def wake_first(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> None:
    """Make the one lane due that has waited longest for this: only one of them can go."""
    await session.execute(_WAKE_FIRST, {"tenant_id": tenant_id, "waits_for": f"{scope}:{record_id}"})


async def wake_key(session: Session, *, tenant_id: UUID, key_id: UUID) -> None:
    """Make the lanes due that may rest with this key, now that it can be used again."""
    await session.execute(_WAKE_KEY, {"tenant_id": tenant_id, "key_id": key_id})


async def wake_record(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> None:
    """Make a record's lane due, whatever it waits for."""
    await session.execute(_WAKE_RECORD, {"tenant_id": tenant_id, "scope": scope, "record_id": record_id})


async def wake_tenant(session: Session, *, tenant_id: UUID) -> None:
    """Make every lane of a tenant due, now that its records can be read again."""
    await session.execute(_WAKE_TENANT, {"tenant_id": tenant_id})


async def lock_free(session: Session, *, tenant_id: UUID, event_ids: Sequence[int]) -> list[int]:
    """Those of these hints that wait while nobody has their lanes in hand; nobody takes them up until the commit."""
    return list(await session.scalars(_LOCK_FREE, {"tenant_id": tenant_id, "event_ids": list(event_ids)}))


async def list_wished(session: Session, *, tenant_id: UUID, event_ids: Sequence[int]) -> set[int]:
    """Those of these hints beside which somebody else wants the same record to be looked at again."""
    return set(await session.scalars(_LIST_WISHED, {"tenant_id": tenant_id, "event_ids": list(event_ids)}))


async def wake_emptied(session: Session, *, tenant_id: UUID, event_ids: Sequence[int]) -> None:
    """Make the lanes due whose hints were withdrawn."""
    await session.execute(_WAKE_EMPTIED, {"tenant_id": tenant_id, "event_ids": list(event_ids)})


async def list_waiting(
    session: Session, *, tenant_id: UUID, scope: str, ahead_seconds: float, most: int
) -> Sequence[str]:
    """The records of a scope whose lanes are due now or within `ahead_seconds`, first due first."""
    values = {"tenant_id": tenant_id, "scope": scope, "ahead": ahead_seconds, "most": most}
    return (await session.scalars(_LIST_WAITING, values)).all()


async def record_peek(
    session: Session, *, tenant_id: UUID, scope: str, record_id: str, along: Sequence[str]
) -> list[str]:
    """Note that a record is about to be read, and others along with it: an equal hint is a new one from now on.

    Those of `along` may be read along that are answered: nobody is writing about them at this moment.
    """
    place = {"tenant_id": tenant_id, "scope": scope}
    await session.execute(_PEEK, {**place, "record_id": record_id})
    if not along:
        return []
    noted = set(await session.scalars(_PEEK_ALONG, {**place, "along": list(along)}))
    busy = set(await session.scalars(_LIST_OPEN, {**place, "along": list(along)})) - noted
    return [one for one in along if one not in busy]


async def count_waiting(session: Session, tenant_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many lanes of each of these tenants have something to do and do not do it yet."""
    rows = await session.execute(_COUNT_WAITING, {"tenant_ids": list(tenant_ids)})
    return {row.tenant_id: row.lanes for row in rows}


def backoff_seconds(tries: int, *, first: float, cap: float, random_unit: float | None = None) -> float:
    """The pause before the next try: exponential with full jitter, never under a tenth of the ceiling."""
    ceiling: float = min(cap, math.ldexp(first, min(tries, 32)))
    unit = random.random() if random_unit is None else random_unit  # noqa: S311 - spread, not secrecy
    return ceiling * (0.1 + 0.9 * unit)
