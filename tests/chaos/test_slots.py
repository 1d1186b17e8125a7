"""Calls to one company at a time: never more than the setting says, over any number of processes."""

import asyncio

import pytest

from app.accounting.slots import Slots
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


async def test_slots_of_a_dead_process_are_free_again(database_url: str) -> None:
    dead, alive = Slots(database_url, most=1), Slots(database_url, most=1)
    holding = dead.hold("a")
    await holding.__aenter__()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await Gauge().visit(alive)
    dead._connection.terminate()
    async with asyncio.timeout(PATIENCE):
        await Gauge().visit(alive)
    # What the dead one was doing ends without an error that would hide what came of its call.
    await holding.__aexit__(None, None, None)
    await alive.close()
    await dead.close()
