"""Workers in this process, for those who wait for what they do, or kill one in the middle of its work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from app.engine.lanes import Lease
from app.engine.wakeup import bells_of
from app.platform.resources import Resources
from app.transfer.context import Run
from app.worker import Carry, carry, prepare, run_worker

# Far off on purpose: whoever waits is woken by what happens, so a slow machine costs time and never a test.
PATIENCE = 240
# What happens outside this process wakes nobody.
_LOOK_AGAIN_SECONDS = 0.05


class Shift:
    """What a worker has in hand, and when it was last through with something."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._moved = asyncio.Event()
        self.is_over = False

    async def carry(self, run: Run) -> None:
        """What a worker does with a lane, watched."""
        self._in_hand += 1
        try:
            await carry(run)
        finally:
            self._in_hand -= 1
            self._moved.set()

    def end(self, _: object) -> None:
        """The worker ended by itself."""
        self.is_over = True
        self._moved.set()

    async def move(self) -> None:
        """Return when the worker was through with something, or a moment later."""
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), _LOOK_AGAIN_SECONDS)

    async def rest(self) -> None:
        """The same, but never in the middle of its work: looking would cost it as much as a step of its own."""
        await self.move()
        while self._in_hand and not self.is_over:
            await self.move()


@asynccontextmanager
async def at_work(resources: Resources) -> AsyncIterator[Shift]:
    """A worker that ends in good order with the block."""
    shift, stop = Shift(), asyncio.Event()
    worker = asyncio.create_task(run_worker(resources, stop, carry_one=shift.carry))
    worker.add_done_callback(shift.end)
    try:
        yield shift
    finally:
        stop.set()
        bells_of(resources).arrived.set()
        await worker


async def work_on(resources: Resources, carry_one: Carry, lease: Lease) -> None:
    """Carry what one claimed lane has heard."""
    async with resources.sessions() as session:
        (work,) = await prepare(resources, carry_one, session, [lease])
    await work()


def list_lanes(before: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """The lanes that a worker began since."""
    is_lane: Callable[[Any], bool] = lambda task: task.get_coro().__qualname__ == "Worker._work"  # noqa: E731
    return [task for task in asyncio.all_tasks() - before if is_lane(task)]


async def wait_until(is_true: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until it is true."""
    async with asyncio.timeout(PATIENCE):
        while not await is_true():  # noqa: ASYNC110 - what is looked at is in the database
            # Often enough to lose no time, seldom enough not to take it from whoever works.
            await asyncio.sleep(0.02)
