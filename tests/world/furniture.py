"""What every plain world begins with, made once by its own doors and then put into each as it was.

Tenant, hook, key and customer check cost more than what most tests are about. The first world of a process makes them
over REST; what that left in our tables and in the two stand-ins is kept and put into the next one, exactly.
"""

import pickle
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.wakeup import Bells
from app.platform.resources import Closable
from tests.world.canary import Told
from tests.world.world import World

# Settings that have no part in what is made at the beginning: how fast and how long a worker tries, which way it takes.
PACE = {
    "DATABASE_DIRECT_URL",
    "DATABASE_POOLED",
    "DATABASE_URL",
    "backoff_cap_seconds",
    "backoff_first_seconds",
    "follow_minutes",
    "give_up_hours",
    "lease_seconds",
    "poll_seconds",
    "recman_debounce_seconds",
    "unimicro_read_lag_seconds",
    "worker_concurrency",
}

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' ORDER BY relname
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
_IDENTITY = ("codes", "refresh_tokens", "live", "assertions", "refreshes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """Rows of our tables as Postgres writes them, and the memory of both stand-ins, pickled."""

    rows: dict[str, bytes]
    sequences: dict[str, int]
    unimicro: bytes
    recman: bytes
    told: Told
    tenant_id: UUID
    key_id: UUID
    hook: str


# By whether there is a key, and whether its customers are checked.
FURNITURE: dict[tuple[bool, bool], Furniture] = {}


async def take_furniture(world: World, *, told: Told) -> Furniture:
    """What this world has become, copied."""
    rows, sequences = await read_rows(world.resources.engine)
    _forget_what_was_read(world)
    return Furniture(
        rows=rows,
        sequences=sequences,
        unimicro=pickle.dumps(memory_of_unimicro(world)),
        recman=pickle.dumps(memory_of_recman(world)),
        told=told,
        tenant_id=world.tenant_id,
        key_id=world.key_id,
        hook=world.hook,
    )


async def put_furniture(world: World, furniture: Furniture) -> None:
    """Make an empty world the same as the one that the furniture was taken from."""
    await write_rows(world.resources.engine, furniture.rows, furniture.sequences)
    put_memory(world, unimicro=pickle.loads(furniture.unimicro), recman=pickle.loads(furniture.recman))
    world.tenant_id, world.key_id, world.hook = furniture.tenant_id, furniture.key_id, furniture.hook


def _forget_what_was_read(world: World) -> None:
    """The next worlds have read nothing yet, so neither has this one; what is open stays open, who listens listens."""
    kept = world.resources._kept
    for kind in [kind for kind, one in kept.items() if not isinstance(one, Closable | Bells)]:
        del kept[kind]


def put_memory(world: World, *, unimicro: dict[str, Any], recman: dict[str, Any]) -> None:
    """Let both stand-ins remember this, and nothing else."""
    there = world.unimicro.state.world
    there.companies = unimicro["companies"]
    for name, value in unimicro["identity"].items():
        setattr(there.identity, name, value)
    log = world.unimicro.calls  # type: ignore[attr-defined]
    log.last, log.counts = unimicro["last_calls"], unimicro["counts"]
    for name, value in recman.items():
        setattr(world.recman.state.store, name, value)


def memory_of_unimicro(world: World) -> dict[str, Any]:
    """What the stand-in knows by now, itself and no copy."""
    there, log = world.unimicro.state.world, world.unimicro.calls  # type: ignore[attr-defined]
    identity = {name: getattr(there.identity, name) for name in _IDENTITY}
    return {"companies": there.companies, "identity": identity, "last_calls": log.last, "counts": log.counts}


def memory_of_recman(world: World) -> dict[str, Any]:
    """What the stand-in knows by now, itself and no copy."""
    store = world.recman.state.store
    return {"records": store.records, "calls": store.calls, "used": store.used}


async def read_rows(engine: AsyncEngine) -> tuple[dict[str, bytes], dict[str, int]]:
    """Every row of every table as Postgres writes it, and where the sequences stand."""
    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        rows = {}
        for (table,) in await raw.fetch(_TABLES):
            copied = BytesIO()
            if await raw.copy_from_table(table, output=copied, format="binary") != "COPY 0":
                rows[table] = copied.getvalue()
        return rows, dict(await raw.fetch(_SEQUENCES))


async def write_rows(engine: AsyncEngine, rows: dict[str, bytes], sequences: dict[str, int]) -> None:
    """Put rows that were read into empty tables."""
    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        async with raw.transaction():
            # Triggers and foreign keys saw these rows when they were made.
            await raw.execute("SET LOCAL session_replication_role = replica")
            # The operators' own is there from the beginning, and among the rows.
            await raw.execute("DELETE FROM tenant")
            for table, copied in rows.items():
                await raw.copy_to_table(table, source=BytesIO(copied), format="binary")
            last = list(sequences.items())
            await raw.executemany("SELECT setval($1::text::regclass, $2)", last)
