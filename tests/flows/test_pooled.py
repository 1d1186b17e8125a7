"""A pooler in transaction mode may stand before Postgres: each transaction meets another connection of the server."""

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from app.accounting.slots import slots_of
from app.engine.inbox import Arrival, accept, dedupe_key
from app.engine.wakeup import bells_of, listener
from app.scheduler import look_at_clock
from tests.world import World, open_world
from tests.world.pooler import Pooler, list_ways, open_pooler
from tests.world.workers import PATIENCE, at_work, wait_until

# So few that what belongs together and is no transaction would meet another one soon.
FEW = 4


@pytest.fixture(params=list_ways())
def pooler(server_url: str, request: pytest.FixtureRequest) -> Iterator[Pooler | None]:
    """One before the server, on machines that have it; None: Postgres itself."""
    with nullcontext() if request.param == "directly" else open_pooler(server_url, most=FEW) as opened:
        yield opened


def take(pooler: Pooler | None, database_url: str) -> dict[str, Any]:
    """The settings of a service that takes this way; what it does without statements kept is tried on every machine."""
    url = database_url if pooler is None else pooler.before(database_url)
    return {"DATABASE_URL": url, "DATABASE_POOLED": True}


async def test_many_workers_book_the_samples_as_a_calm_one_does(
    pooler: Pooler | None, database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, **take(pooler, database_url)) as world:
        books = await world.learn_books()
        await world.deliver_samples(repeat=2, seed=7)
        await world.settle_with(workers=3)
        assert await world.books() == books


async def test_no_statement_starts_other_processes_of_the_server(
    pooler: Pooler | None, database_url: str, tmp_path: Path
) -> None:
    way = take(pooler, database_url) if pooler is not None else {}
    async with open_world(database_url, tmp_path, **way) as world:
        assert await world.count("SELECT current_setting('max_parallel_workers_per_gather')") == 0


async def test_many_doors_slots_and_looks_at_once_do_not_meet_each_others_statements(
    pooler: Pooler | None, database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, **take(pooler, database_url)) as world:
        slots, inside = slots_of(world.resources), 0

        async def call() -> None:
            nonlocal inside
            async with slots.hold("a"):
                inside += 1
                assert inside <= world.resources.settings.unimicro_parallel_calls
                await asyncio.sleep(0)
                inside -= 1

        async def post(number: int) -> None:
            await world.post_hook({"scope": "project", "operation": "update", "projectId": 1000 + number})

        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(call())
                group.create_task(post(number))
                group.create_task(world.get("/v1/transfers", limit=10))
        assert await world.count("SELECT count(*) FROM event WHERE scope = 'project'") == 40
        assert await look_at_clock(world.resources) is True


async def test_without_a_direct_address_a_worker_looks_by_itself(
    pooler: Pooler | None, database_url: str, tmp_path: Path
) -> None:
    opened = open_world(database_url, tmp_path, **take(pooler, database_url))
    async with opened as world, listener(world.resources), at_work(world.resources):
        # Past this process's own bell, as from another one.
        await hear_in_silence(world, "301")
        done = "SELECT count(*) FROM event WHERE state <> 'waiting'"
        await wait_until(lambda: is_counted(world, done))
        listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        assert await world.count(listens) == 0


async def test_with_a_direct_address_beside_it_a_worker_is_woken(
    pooler: Pooler | None, database_url: str, tmp_path: Path
) -> None:
    way = take(pooler, database_url) | {"DATABASE_DIRECT_URL": database_url}
    async with open_world(database_url, tmp_path, **way) as world, listener(world.resources):
        bell = bells_of(world.resources).arrived
        async with asyncio.timeout(PATIENCE):
            while not bell.is_set():
                await notify(world)
                await asyncio.sleep(0.02)
        assert bell.is_set()


async def notify(world: World) -> None:
    """What another process sends through its own connections."""
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("SELECT pg_notify('recman_work', '')")


async def hear_in_silence(world: World, record_id: str) -> None:
    """A hint that rings no bell."""
    async with world.resources.sessions.begin() as session:
        arrival = Arrival(
            tenant_id=world.tenant_id,
            scope="project",
            record_id=record_id,
            operation="update",
            dedupe=dedupe_key("pooled", record_id),
        )
        await accept(session, arrival)


async def is_counted(world: World, query: str) -> bool:
    return await world.count(query) > 0
