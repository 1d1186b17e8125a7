"""Moments of a world: all that is committed and all that stands in both stand-ins, to be put back as if it were now."""

import pickle
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.sandbox.unimicro.books import Books, to_stamp
from app.transfer.books import KnownBooks
from tests.world.databases import EMPTY
from tests.world.furniture import memory_of_recman, memory_of_unimicro, put_memory, read_rows, write_rows
from tests.world.world import World

# What is timed by hours of work, not by days: had it been put back as it was, every wait would have passed meanwhile.
_TIMED = ("lane", "transfer", "event", "attempt")
_CLOCKS = """
    SELECT attrelid::regclass::text AS owner, string_agg(format('%1$I = %1$I + $1', attname), ', ') AS moves
    FROM pg_attribute WHERE attrelid = ANY($1::text[]::regclass[]) AND atttypid = 'timestamptz'::regtype AND attnum > 0
    GROUP BY 1
"""


Prepare = Callable[[World], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Rows of our tables as Postgres writes them, the memory of both stand-ins, pickled, and Postgres' clock."""

    rows: dict[str, bytes]
    sequences: dict[str, int]
    unimicro: bytes
    recman: bytes
    faults: bytes
    at: datetime


# What was prepared once in this process, by whoever prepared it; and what he answered.
_PREPARED: dict[Prepare, tuple[Moment, bytes]] = {}


async def begin_at(world: World, prepare: Prepare) -> Any:
    """A plain world in which this was prepared, and what that answered: done once, and put into each that asks."""
    if prepare not in _PREPARED:
        answer = await prepare(world)
        _PREPARED[prepare] = await take_moment(world), pickle.dumps(answer)
        return answer
    moment, answer = _PREPARED[prepare]
    await put_moment(world, moment)
    return pickle.loads(answer)


async def take_moment(world: World) -> Moment:
    """What is there now; what is not committed is not there."""
    async with world.resources.engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        at = await raw.fetchval("SELECT clock_timestamp()")
    rows, sequences = await read_rows(world.resources.engine)
    return Moment(
        rows=rows,
        sequences=sequences,
        unimicro=pickle.dumps(memory_of_unimicro(world)),
        recman=pickle.dumps(memory_of_recman(world)),
        faults=pickle.dumps(world.unimicro.faults),  # type: ignore[attr-defined]
        at=at,
    )


async def put_moment(world: World, moment: Moment) -> None:
    """Make it that moment again: nothing else is there, and what was a second ago then is a second ago now."""
    async with world.resources.engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.execute(EMPTY)
    await write_rows(world.resources.engine, moment.rows, moment.sequences)
    passed = await _move_clocks(world, moment.at)
    unimicro = pickle.loads(moment.unimicro)
    for company in unimicro["companies"].values():
        _move_stamps(company.books, passed)
    put_memory(world, unimicro=unimicro, recman=pickle.loads(moment.recman))
    world.unimicro.faults = pickle.loads(moment.faults)  # type: ignore[attr-defined]
    world.resources.kept(KnownBooks).recipients.clear()


def _move_stamps(books: Books, passed: timedelta) -> None:
    # Whether a draft is ours is told by when it was made and when we asked.
    for table in books.tables.values():
        for record_id, record in table.items():
            stamps = {name: record[name] for name in ("CreatedAt", "UpdatedAt") if record.get(name)}
            moved = {name: to_stamp(datetime.fromisoformat(one) + passed) for name, one in stamps.items()}
            table[record_id] = record | moved


async def _move_clocks(world: World, at: datetime) -> timedelta:
    async with world.resources.engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        async with raw.transaction():
            await raw.execute("SET LOCAL session_replication_role = replica")
            passed: timedelta = await raw.fetchval("SELECT now() - $1::timestamptz", at)
            for owner, moves in await raw.fetch(_CLOCKS, list(_TIMED)):
                await raw.execute(f"UPDATE {owner} SET {moves}", passed)  # noqa: S608 - names of our own tables
    return passed
