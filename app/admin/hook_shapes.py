"""What deliveries of a hook looked like when they came, never their values: the only owner of the table `hook_shape`.

Describing costs as much as storing, so a hook that is sent much has some of its deliveries described.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from sqlalchemy import select

from app.engine.pool import lease_connection
from app.platform.aside import run_aside
from app.platform.db import Session
from app.platform.resources import Resources
from app.tables import Hook, HookShape

# Somebody who knows the address could invent shapes; these are kept.
_MOST_SHAPES = 50
# Of each hook and process.
_DESCRIBED = RateLimitItemPerSecond(50, 10)
# Beyond, describing takes longer than the shape of one more delivery is worth.
_LARGEST = 65_536
_TOO_LARGE = "(larger than 64 kB)"
_NOTE = f"""
    INSERT INTO hook_shape AS known (tenant_id, hook_id, shape_hash, shape, count)
    SELECT $1::uuid, $2::uuid, $3::bytea, $4::text, $5::bigint
    WHERE (SELECT count(*) FROM hook_shape WHERE tenant_id = $1::uuid AND hook_id = $2::uuid) < {_MOST_SHAPES}
       OR EXISTS (SELECT FROM hook_shape WHERE tenant_id = $1::uuid AND hook_id = $2::uuid AND shape_hash = $3::bytea)
    ON CONFLICT (tenant_id, hook_id, shape_hash) DO UPDATE SET count = known.count + excluded.count
"""  # noqa: S608 - built from a constant


# A shape that is known is only counted, and the counts are written now and then: storing stays one statement.
_WRITE_SECONDS = 60.0
_MOST_KNOWN = 10_000


@dataclass(slots=True)
class Describing:
    """What this process has described lately: how often, which shapes are written, what is still to be counted."""

    counted: FixedWindowRateLimiter = field(default_factory=lambda: FixedWindowRateLimiter(MemoryStorage()))
    known: set[tuple[UUID, str]] = field(default_factory=set, repr=False)
    waiting: dict[UUID, Counter[str]] = field(default_factory=dict, repr=False)
    written_at: dict[UUID, float] = field(default_factory=dict, repr=False)

    def is_due(self, hook_id: UUID, shape: str) -> bool:
        """Whether counts of the hook are to be written, with this shape among them."""
        is_old = time.monotonic() - self.written_at.get(hook_id, 0) > _WRITE_SECONDS
        return is_old or (hook_id, shape) not in self.known

    def take(self, hook_id: UUID) -> Counter[str]:
        """What is to be written of a hook; from now on it is known."""
        taken = self.waiting.pop(hook_id, Counter[str]())
        if len(self.known) > _MOST_KNOWN:
            self.known.clear()
            self.written_at.clear()
        self.known.update((hook_id, shape) for shape in taken)
        self.written_at[hook_id] = time.monotonic()
        return taken


async def record_shape(resources: Resources, hook: Hook, size: int, describe: Callable[[], str]) -> None:
    """Count what a delivery of so many bytes looks like, if it is the turn of one."""
    describing = resources.kept(Describing)
    if not await describing.counted.hit(_DESCRIBED, str(hook.id)):
        return
    # Four bytes are described in the time that thirty are read in.
    shape = _TOO_LARGE if size > _LARGEST else await run_aside(describe, size=size * 8)
    describing.waiting.setdefault(hook.id, Counter())[shape] += 1
    if describing.is_due(hook.id, shape):
        await record_counts(resources, hook)


async def record_counts(resources: Resources, hook: Hook) -> None:
    """Write down what this process has counted of a hook."""
    taken = resources.kept(Describing).take(hook.id)
    if not taken:
        return
    rows = [
        (hook.tenant_id, hook.id, hashlib.sha256(shape.encode()).digest(), shape, count)
        for shape, count in sorted(taken.items())
    ]
    async with lease_connection(resources) as connection:
        await connection.executemany(_NOTE, rows)


async def list_shapes(session: Session, hook_id: UUID) -> Sequence[HookShape]:
    """Every shape that came to a hook, the most frequent first."""
    query = select(HookShape).where(HookShape.hook_id == hook_id)
    return (await session.scalars(query.order_by(HookShape.count.desc(), HookShape.shape))).all()
