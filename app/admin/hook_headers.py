"""Which header names came to a hook, never their values: the only owner of the table `hook_headers`.

A combination is written down once; a known one costs a look into this process's memory.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from app.engine.pool import lease_connection
from app.platform.db import Session
from app.platform.resources import Resources
from app.tables import Hook, HookHeaders

# Somebody who knows the address could invent names; these are kept.
_MOST_SETS = 50
_MOST_KNOWN = 10_000
_MOST_NAMES = 100
_LONGEST_NAME = 100
_NOTE = f"""
    INSERT INTO hook_headers (hook_id, names_hash, tenant_id, names)
    SELECT $1::uuid, $2::bytea, $3::uuid, $4::text::jsonb
    WHERE (SELECT count(*) FROM hook_headers WHERE tenant_id = $3::uuid AND hook_id = $1::uuid) < {_MOST_SETS}
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - built from a constant

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class HeardHeaders:
    """Combinations that this process has written down, or found written, by hook."""

    places: set[tuple[UUID, tuple[bytes, ...]]] = field(default_factory=set, repr=False)


async def record_headers(resources: Resources, hook: Hook, headers: Headers) -> None:
    """Write the names down, if this process has not seen them together at this hook before."""
    place = (hook.id, tuple(sorted({name for name, _ in headers})))
    if place in resources.kept(HeardHeaders).places:
        return
    await _record(resources, hook, place[1])
    if len(resources.kept(HeardHeaders).places) >= _MOST_KNOWN:
        resources.kept(HeardHeaders).places.clear()
    resources.kept(HeardHeaders).places.add(place)


async def _record(resources: Resources, hook: Hook, raw: Sequence[bytes]) -> None:
    names = [_show(name) for name in raw[:_MOST_NAMES]]
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    async with lease_connection(resources) as connection:
        await connection.execute(_NOTE, hook.id, digest, hook.tenant_id, json.dumps(names))


def _show(name: bytes) -> str:
    return "".join(letter for letter in name.decode("latin-1").lower()[:_LONGEST_NAME] if letter.isprintable())


async def list_headers(session: Session, hook_id: UUID) -> Sequence[HookHeaders]:
    """Every combination of names that came to a hook, oldest first."""
    query = select(HookHeaders).where(HookHeaders.hook_id == hook_id).order_by(HookHeaders.first_at)
    return (await session.scalars(query)).all()
