"""Who works on what: tenants that have due lanes take turns, and each gets a fair share of the free places.

Two steps in one statement: first the tenants, from where the last turn ended, each found by one look at an index; then
the lanes inside each of them, longest due first. However much one tenant has waiting, it costs the others nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from app.engine.lanes import Lease
from app.platform.db import Session

# Before every tenant's id.
FIRST = UUID(int=0)

# One look per tenant: its lane that is due first. What comes behind the last turn, then from the start up to it.
_TENANTS = """
    {name} AS (
        (SELECT tenant_id, run_at FROM lane WHERE state = 'ready' AND tenant_id > {start} AND {limit}
         ORDER BY tenant_id, run_at LIMIT 1)
        UNION ALL
        SELECT next.tenant_id, next.run_at FROM {name} CROSS JOIN LATERAL (
            SELECT tenant_id, run_at FROM lane WHERE state = 'ready' AND tenant_id > {name}.tenant_id AND {limit}
            ORDER BY tenant_id, run_at LIMIT 1
        ) AS next
    )
"""
_AFTER = "CAST(:after AS uuid)"
_AHEAD = _TENANTS.format(name="ahead", start=_AFTER, limit="true")
_AROUND = _TENANTS.format(name="around", start=f"'{FIRST}'", limit=f"tenant_id <= {_AFTER}")

_LEASED = """
    UPDATE lane SET state = 'leased', token = (CAST(:tokens AS uuid[]))[n], waits_for = NULL,
                    leased_until = now() + make_interval(secs => :lease)
    FROM (SELECT *, row_number() OVER () AS n FROM due) AS due
    WHERE lane.tenant_id = due.tenant_id AND lane.id = due.id
    RETURNING lane.id, lane.tenant_id, scope, record_id, token, seq, seen_seq, tries, share, now() AS claimed_at,
              extract(epoch FROM now() - coalesce(failing_since, now()))::float AS failing_seconds,
              extract(epoch FROM now() - run_at)::float AS due_seconds
"""

# A paused tenant's webhooks are stored, its lanes wait.
#
# What is changed is chosen once and for all before: inside an IN, Postgres may choose again for every row that it looks
# at, and so take more lanes than asked for.
_CLAIM = text(f"""
    WITH RECURSIVE {_AHEAD}, {_AROUND}, chosen AS MATERIALIZED (
        SELECT tenant_id, room, tenant_id = ANY(CAST(:late AS uuid[])) AS late FROM (
            SELECT *, CAST(:cap AS int) - coalesce(
                (CAST(:places AS int[]))[array_position(CAST(:tenants AS uuid[]), tenant_id)], 0) AS room
            FROM (SELECT * FROM ahead UNION ALL SELECT * FROM around) AS turn
        ) AS turn
        WHERE run_at <= now() AND room > 0 AND tenant_id NOT IN (SELECT id FROM tenant WHERE state = 'paused')
        LIMIT CAST(:most AS int)
    ), shared AS MATERIALIZED (
        SELECT tenant_id, room, late, ceil(CAST(:most AS int)::float / count(*) OVER ())::int AS share FROM chosen
    ), due AS MATERIALIZED (
        SELECT tenant_id, one.id, CASE WHEN share < room THEN share END AS share FROM shared CROSS JOIN LATERAL (
            SELECT id FROM (
                SELECT id FROM lane
                WHERE NOT shared.late AND tenant_id = shared.tenant_id AND state = 'ready' AND run_at <= now()
                ORDER BY run_at LIMIT least(shared.share, shared.room) FOR UPDATE SKIP LOCKED
            ) AS longest
            UNION ALL
            SELECT id FROM (
                SELECT id FROM lane
                WHERE shared.late AND tenant_id = shared.tenant_id AND state = 'ready' AND run_at <= now()
                ORDER BY run_at DESC LIMIT least(shared.share, shared.room) FOR UPDATE SKIP LOCKED
            ) AS latest
        ) AS one LIMIT CAST(:most AS int)
    )
    {_LEASED}
""")  # noqa: S608 - built from constants

# The worker of these has died.
_TAKE_OVER = text(f"""
    WITH due AS MATERIALIZED (
        SELECT tenant_id, id, NULL AS share FROM lane WHERE state = 'leased' AND leased_until < now()
          AND tenant_id NOT IN (SELECT id FROM tenant WHERE state = 'paused')
        ORDER BY leased_until LIMIT CAST(:most AS int) FOR UPDATE SKIP LOCKED
    )
    {_LEASED}
""")  # noqa: S608 - built from constants


_OLDEST = text("""
    SELECT wanted.id AS tenant_id, oldest.seconds FROM unnest(CAST(:tenant_ids AS uuid[])) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM now() - run_at)::float AS seconds FROM lane
        WHERE tenant_id = wanted.id AND state = 'ready' AND run_at <= now() ORDER BY run_at LIMIT 1
    ) AS oldest
""")


_PAUSE = text("""
    SELECT greatest(0, extract(epoch FROM run_at - now()))::float FROM lane
    WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = :record_id AND state = 'ready'
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """Lanes that are ours now; `more` says that a tenant among them has got its share and may have more that is due."""

    leases: Sequence[Lease] = ()
    more: bool = False


@dataclass(slots=True)
class Turn:
    """Whose turn it is, and how many places of this worker each tenant has.

    `late`: tenants of whose lanes those come first that were due last, for one of their keys keeps all others waiting.
    """

    after: UUID = FIRST
    busy: Mapping[UUID, int] = field(default_factory=dict)
    late: Collection[UUID] = ()

    def move(self, leases: Sequence[Lease]) -> None:
        """Let those come first the next time who come behind the last one that was served."""
        served = {lease.tenant_id for lease in leases}
        if served:
            self.after = max(served, key=lambda tenant: (tenant <= self.after, tenant))


async def claim(session: Session, turn: Turn, *, most: int, lease_seconds: float, cap: int | None = None) -> Claimed:
    """Up to `most` lanes that are due, tenants taking turns; no tenant has more than `cap` in hand afterwards."""
    values = {"most": most, "cap": cap or most, "lease": lease_seconds, "after": turn.after}
    values |= {"tenants": list(turn.busy), "places": list(turn.busy.values()), "late": list(turn.late)}
    rows = (await session.execute(_CLAIM, values | {"tokens": _make_tokens(most)})).all()
    leases = [_to_lease(row) for row in rows]
    turn.move(leases)
    got: dict[UUID, int] = {}
    for lease in leases:
        got[lease.tenant_id] = got.get(lease.tenant_id, 0) + 1
    return Claimed(leases, more=any(row.share and got[row.tenant_id] >= row.share for row in rows))


async def take_over(session: Session, *, most: int, lease_seconds: float) -> list[Lease]:
    """Up to `most` lanes whose worker has died."""
    rows = await session.execute(_TAKE_OVER, {"most": most, "lease": lease_seconds, "tokens": _make_tokens(most)})
    return [_to_lease(row) for row in rows]


async def list_oldest_due(session: Session, tenant_ids: Sequence[UUID]) -> dict[UUID, float]:
    """For how many seconds each tenant's lane that is due longest has been so; tenants without one are missing."""
    rows = await session.execute(_OLDEST, {"tenant_ids": list(tenant_ids)})
    return {row.tenant_id: row.seconds for row in rows}


async def find_pause(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> float | None:
    """In how many seconds a record's lane is due; None where somebody has it in hand, or it has none."""
    found: float | None = await session.scalar(_PAUSE, {"tenant_id": tenant_id, "scope": scope, "record_id": record_id})
    return found


def _make_tokens(most: int) -> list[UUID]:
    return [uuid4() for _ in range(most)]


def _to_lease(row: Any) -> Lease:
    return Lease(
        lane_id=row.id,
        tenant_id=row.tenant_id,
        scope=row.scope,
        record_id=row.record_id,
        token=row.token,
        seq=row.seq,
        seen_seq=row.seen_seq,
        tries=row.tries,
        failing_seconds=row.failing_seconds,
        claimed_at=row.claimed_at,
        due_seconds=row.due_seconds,
    )
