"""Who makes a record of one name in a company: one lane at a time. The only owner of the table `making`.

Two RecMan companies with one organisation number must not become two customers because two workers looked before
either had made one; nor may one company through two keys. A name is held for as long as the lane that holds it is
leased, so a dead worker lets go by itself.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from app.engine.lanes import Lease
from app.errors import WaitError
from app.platform.db import Session

# Another lane is making it; it takes a second or so.
_OTHER_LANE_SECONDS = 5

# What was made a moment ago may not show yet; a record's own traces are looked for otherwise (`unclear`).
_CLAIM = text("""
    INSERT INTO making (tenant_id, key_id, name, record_id, lane_token)
    VALUES (:tenant_id, :key_id, :name, :record_id, :token)
    ON CONFLICT (tenant_id, key_id, name) DO UPDATE
        SET record_id = excluded.record_id, lane_token = excluded.lane_token, touched_at = now()
        WHERE making.lane_token = excluded.lane_token OR (
            NOT EXISTS (
                SELECT FROM lane WHERE lane.tenant_id = :tenant_id AND lane.token = making.lane_token
                  AND lane.leased_until > now()
            )
            AND (making.record_id = excluded.record_id
                 OR making.touched_at <= now() - make_interval(secs => :lag))
        )
    RETURNING xmax = 0 AS is_new
""")

_HOLDER = text("""
    SELECT record_id, EXISTS (
        SELECT FROM lane
        WHERE lane.tenant_id = :tenant_id AND lane.token = making.lane_token AND lane.leased_until > now()
    ) AS is_live
    FROM making WHERE tenant_id = :tenant_id AND key_id = :key_id AND name = :name
""")

# A company may be reached by several keys: what is made in it is noted with the oldest, removed or not.
_ELDEST = text("""
    SELECT eldest.id FROM key
    JOIN key AS eldest ON eldest.tenant_id = key.tenant_id AND eldest.company_key = key.company_key
    WHERE key.tenant_id = :tenant_id AND key.id = :key_id ORDER BY eldest.created_at, eldest.id LIMIT 1
""")

_TOUCH = text("""
    UPDATE making SET lane_token = NULL, touched_at = now()
    WHERE tenant_id = :tenant_id AND key_id = :key_id AND lane_token = :token
""")


async def claim_names(  # noqa: PLR0913 - who claims what, and where
    session: Session, lease: Lease, *, key_id: UUID, scope: str, record_id: str, names: Sequence[str], lag: float
) -> bool:
    """Whether nobody ever made a record of these names; False: look once more before making it.

    Raises:
        WaitError: another record of such a name is being made, or was a moment ago.
    """
    is_new = True
    eldest_id = await session.scalar(_ELDEST, {"tenant_id": lease.tenant_id, "key_id": key_id})
    # One record is two when it comes by two keys: the one's traces are not the other's.
    maker = f"{record_id}@{key_id}"
    # In one order, so that two lanes cannot wait for each other.
    for name in sorted(set(names)):
        place = {"tenant_id": lease.tenant_id, "key_id": eldest_id, "name": name}
        claimed = await session.scalar(_CLAIM, {**place, "record_id": maker, "token": lease.token, "lag": lag})
        if claimed is None:
            raise await _explain(session, place, scope=scope, lag=lag)
        is_new = is_new and bool(claimed)
    return is_new


async def _explain(session: Session, place: dict[str, object], *, scope: str, lag: float) -> WaitError:
    holder = (await session.execute(_HOLDER, place)).one()
    record_id = holder.record_id.partition("@")[0]
    cause = f"waits for {scope} {record_id}, which has the same {place['name']} and is being made"
    if holder.is_live:
        return WaitError(cause, scope=scope, record_id=record_id, seconds=_OTHER_LANE_SECONDS)
    # It has ended; what it made shows after the read lag.
    return WaitError(cause, scope="", record_id="", seconds=lag + 0.1)


async def release_names(session: Session, lease: Lease, *, key_id: UUID) -> None:
    """Let go of every name that the lane holds, and note that something may have been made until now."""
    eldest_id = await session.scalar(_ELDEST, {"tenant_id": lease.tenant_id, "key_id": key_id})
    await session.execute(_TOUCH, {"tenant_id": lease.tenant_id, "key_id": eldest_id, "token": lease.token})
