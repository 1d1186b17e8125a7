"""What sweeps saw of RecMan's records, as hashes: the only owner of the table `recman_record`.

Seeing and passing on are two steps. A sweep first notes what differs from before; only when all of a scope was read,
and it is not suspiciously much, the changes are passed on. So a process may die at any moment, and nothing comes twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, text

from app.platform.db import Session
from app.tables import RecmanRecord

Change = Literal["new", "changed", "gone"]

# A quiet record is known from now on without having been passed on; a change of one that never was is "new".
_NOTE = text("""
    INSERT INTO recman_record AS known (tenant_id, scope, record_id, content_hash, next_hash, change, seen_sweep)
    SELECT :tenant_id, :scope, record_id, CASE WHEN quiet THEN hash END, CASE WHEN quiet THEN NULL ELSE hash END,
           CASE WHEN quiet THEN NULL ELSE 'new' END, :sweep_id
    FROM unnest(CAST(:ids AS text[]), CAST(:hashes AS bytea[]), CAST(:quiet AS bool[])) AS row (record_id, hash, quiet)
    ORDER BY record_id COLLATE "C"
    ON CONFLICT (tenant_id, scope, record_id) DO UPDATE SET
        seen_sweep = excluded.seen_sweep,
        misses = 0,
        content_hash = CASE WHEN excluded.change IS NULL AND (:quiet_changes OR known.content_hash IS NULL)
            THEN excluded.content_hash ELSE known.content_hash END,
        next_hash = CASE
            WHEN coalesce(excluded.content_hash, excluded.next_hash) = known.content_hash THEN NULL
            WHEN excluded.change IS NULL AND (:quiet_changes OR known.content_hash IS NULL) THEN NULL
            ELSE coalesce(excluded.content_hash, excluded.next_hash) END,
        change = CASE
            WHEN coalesce(excluded.content_hash, excluded.next_hash) = known.content_hash THEN NULL
            WHEN excluded.change IS NULL AND (:quiet_changes OR known.content_hash IS NULL) THEN NULL
            WHEN known.content_hash IS NULL THEN 'new' ELSE 'changed' END
""")

# Pages shift while they are read, so one miss says nothing. Source: docs/facts/recman.md §2.7 [C].
_MISS = text("""
    UPDATE recman_record SET misses = misses + 1,
        change = CASE WHEN misses + 1 >= :believed THEN 'gone' ELSE change END,
        next_hash = CASE WHEN misses + 1 >= :believed THEN NULL ELSE next_hash END
    WHERE tenant_id = :tenant_id AND scope = :scope AND seen_sweep < :sweep_id
      AND (content_hash IS NOT NULL OR change IS NOT NULL)
""")

_TAKE = text("""
    SELECT record_id, change FROM recman_record
    WHERE tenant_id = :tenant_id AND scope = :scope AND change IS NOT NULL
    ORDER BY record_id COLLATE "C" LIMIT :most FOR UPDATE
""")

_TOLD = text("""
    UPDATE recman_record SET content_hash = next_hash, next_hash = NULL, change = NULL
    WHERE tenant_id = :tenant_id AND scope = :scope AND record_id = ANY(:ids)
""")

# What was passed over for its date may be wanted now: the next sweep sees it as new where its day counts.
_FORGET = text("""
    UPDATE recman_record SET content_hash = NULL
    WHERE tenant_id = :tenant_id AND scope = 'invoice' AND content_hash IS NOT NULL AND change IS NULL
      AND NOT EXISTS (
        SELECT FROM transfer WHERE transfer.tenant_id = recman_record.tenant_id AND transfer.scope = 'invoice'
          AND transfer.record_id = recman_record.record_id
      )
""")

_SWEEPS_UNTIL_GONE = 2


@dataclass(frozen=True, slots=True)
class Sighting:
    """One record on a page; a `quiet` one is noted but not passed on."""

    record_id: str
    content_hash: bytes
    quiet: bool


async def record_sightings(
    session: Session, sightings: Sequence[Sighting], *, tenant_id: UUID, scope: str, sweep_id: int, quiet_changes: bool
) -> None:
    """Note what a page holds, each record once; `quiet_changes`: changes of a quiet record are not passed on either."""
    values = {
        "tenant_id": tenant_id,
        "scope": scope,
        "sweep_id": sweep_id,
        "quiet_changes": quiet_changes,
        "ids": [one.record_id for one in sightings],
        "hashes": [one.content_hash for one in sightings],
        "quiet": [one.quiet for one in sightings],
    }
    await session.execute(_NOTE, values)


async def record_misses(session: Session, *, tenant_id: UUID, scope: str, sweep_id: int) -> None:
    """Note what a whole sweep did not see; what two in a row did not see is gone."""
    values = {"tenant_id": tenant_id, "scope": scope, "sweep_id": sweep_id, "believed": _SWEEPS_UNTIL_GONE}
    await session.execute(_MISS, values)


async def count_changes(session: Session, tenant_ids: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """How many changes are still to be passed on, by tenant and scope."""
    pending = (RecmanRecord.tenant_id.in_(tenant_ids), RecmanRecord.change.is_not(None))
    query = select(RecmanRecord.tenant_id, RecmanRecord.scope, func.count()).where(*pending)
    rows = await session.execute(query.group_by(RecmanRecord.tenant_id, RecmanRecord.scope))
    return {(row[0], row[1]): row[2] for row in rows.all()}


async def take_changes(session: Session, *, tenant_id: UUID, scope: str, most: int) -> list[tuple[str, Change]]:
    """Changes that are to be passed on next, locked for the caller, in the order in which webhooks take lanes."""
    rows: Any = await session.execute(_TAKE, {"tenant_id": tenant_id, "scope": scope, "most": most})
    return [(row.record_id, row.change) for row in rows]


async def record_told(session: Session, ids: Sequence[str], *, tenant_id: UUID, scope: str) -> None:
    """Note that these changes were passed on, or that nobody wants them."""
    await session.execute(_TOLD, {"tenant_id": tenant_id, "scope": scope, "ids": list(ids)})


async def forget_untold(session: Session, *, tenant_id: UUID) -> None:
    """Let the next sweep look again at invoices that were noted and never passed on: a first day has changed."""
    await session.execute(_FORGET, {"tenant_id": tenant_id})
