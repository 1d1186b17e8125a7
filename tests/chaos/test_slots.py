"""Calls to one company at a time: never more than the setting says, over any number of processes."""

import asyncio

import asyncpg
import pytest

from app.accounting.slots import Slots
from app.platform.db import to_driver_url
from tests.world.workers import PATIENCE

MOST = 3


class Gauge:
    """How many are inside, and the most there ever were."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    async def visit(self, slots: Slots, company: str = "a") -> None:
        async with slots.hold(company):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.01)
            self.inside -= 1


async def test_never_more_than_the_setting_says_over_all_processes(database_url: str) -> None:
    # Each has a connection of its own, like a process.
    processes = [Slots(database_url, most=MOST) for _ in range(3)]
    gauge = Gauge()
    await asyncio.gather(*(gauge.visit(processes[n % 3]) for n in range(60)))
    assert gauge.most == MOST
    for one in processes:
        await one.close()


async def test_companies_do_not_wait_for_each_other(database_url: str) -> None:
    slots = Slots(database_url, most=1)
    gauge = Gauge()
    async with slots.hold("a"), asyncio.timeout(PATIENCE):
        await gauge.visit(slots, "b")
    assert gauge.most == 1
    await slots.close()


async def test_slots_of_a_dead_process_are_free_again_when_their_time_is_over(database_url: str) -> None:
    dead, alive = Slots(database_url, most=1, seconds=1), Slots(database_url, most=1)
    holding = dead.hold("a")
    await holding.__aenter__()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await Gauge().visit(alive)
    assert dead._renewing is not None
    dead._renewing.cancel()
    async with asyncio.timeout(PATIENCE):
        await Gauge().visit(alive)
    # What the dead one was doing ends without an error that would hide what came of its call.
    await holding.__aexit__(None, None, None)
    await alive.close()
    await dead.close()


async def test_a_slot_lasts_as_long_as_its_call_also_on_other_connections(database_url: str) -> None:
    slow, other = Slots(database_url, most=1, seconds=0.6), Slots(database_url, most=1, seconds=0.6)
    async with slow.hold("a"):
        # As a restarted pooler or server would.
        slow._connection.terminate()
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await Gauge().visit(other)
    async with asyncio.timeout(PATIENCE):
        await Gauge().visit(other)
    await slow.close()
    await other.close()


async def test_whoever_lost_a_slot_takes_it_from_nobody(database_url: str) -> None:
    first, second = Slots(database_url, most=1), Slots(database_url, most=1)
    async with first.hold("a"):
        (lost,) = first._held
        await run(database_url, "UPDATE leasehold SET leased_until = now()")
        async with asyncio.timeout(PATIENCE), second.hold("A"):
            await first._renew([lost])
            assert first._held == set()
            await first._give_back(lost)
            taken = "SELECT count(*) FROM leasehold WHERE leased_until > now() AND token IS NOT NULL"
            assert await run(database_url, taken) == 1
    await first.close()
    await second.close()


async def test_a_process_that_ends_gives_its_slots_back(database_url: str) -> None:
    ending, other = Slots(database_url, most=1), Slots(database_url, most=1)
    holding = ending.hold("a")
    await holding.__aenter__()
    await ending.close()
    async with asyncio.timeout(PATIENCE):
        gauge = Gauge()
        await gauge.visit(other)
    assert gauge.most == 1
    await holding.__aexit__(None, None, None)
    await other.close()


async def test_no_lock_outlives_a_transaction(database_url: str) -> None:
    slots = Slots(database_url, most=1)
    async with slots.hold("a"):
        assert await run(database_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    await slots.close()


async def run(database_url: str, statement: str) -> int:
    """The number that a statement answers."""
    connection = await asyncpg.connect(to_driver_url(database_url))
    try:
        return int(await connection.fetchval(statement) or 0)
    finally:
        await connection.close()
