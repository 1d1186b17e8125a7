"""The loop: claim lanes, keep their leases, wait for more. What is done with a lane is handed in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from app.engine.lanes import Lease, claim, renew
from app.engine.wakeup import bells_of, listener, run_beside
from app.errors import StaleLeaseError
from app.platform.db import is_away
from app.platform.logger import get_logger, log_fields
from app.platform.resources import Resources

_log = get_logger(__name__)

WorkOn = Callable[[Lease], Awaitable[None]]


async def run_loop(resources: Resources, stop: asyncio.Event, work_on: WorkOn) -> None:
    """Work on lanes until `stop` is set, then finish what is in hand."""
    loop = Loop(resources, work_on)
    async with listener(resources), run_beside(loop.keep_leases()):
        while not stop.is_set():
            await loop.turn()
        await loop.drain()


class Loop:
    """The lanes that one process has in hand."""

    def __init__(self, resources: Resources, work_on: WorkOn) -> None:
        self._resources = resources
        self._work_on = work_on
        self._arrived = bells_of(resources).arrived
        self._tasks: dict[asyncio.Task[None], Lease] = {}

    async def turn(self) -> None:
        """Claim what fits, then wait until a lane is done, work arrives or the poll is due."""
        settings = self._resources.settings
        self._arrived.clear()
        free = settings.worker_concurrency - len(self._tasks)
        leases = await self._claim(free) if free > 0 else []
        for lease in leases:
            self._tasks[asyncio.create_task(self._work(lease))] = lease
        # With more in hand than asked for, a turn that waited for nothing would never let any of it go on.
        if len(leases) < free or free <= 0:
            await self._wait()

    async def _claim(self, most: int) -> list[Lease]:
        settings = self._resources.settings
        try:
            async with self._resources.sessions.begin() as session:
                return await claim(session, most=most, lease_seconds=settings.lease_seconds)
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("database_away", error=type(error).__name__)
            return []

    async def _wait(self) -> None:
        arrived = asyncio.create_task(self._arrived.wait())
        timeout = self._resources.settings.poll_seconds
        await asyncio.wait({arrived, *self._tasks}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            task.result()

    async def drain(self) -> None:
        """Finish what is in hand."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def keep_leases(self) -> None:
        """Renew the leases in hand in time, for ever."""
        seconds = self._resources.settings.lease_seconds
        while True:
            await asyncio.sleep(seconds / 3)
            tokens = [lease.token for lease in self._tasks.values()]
            if tokens:
                await self._renew(tokens, seconds)

    async def _renew(self, tokens: list[Any], seconds: float) -> None:
        try:
            async with self._resources.sessions.begin() as session:
                await renew(session, tokens, lease_seconds=seconds)
        except Exception as error:
            # The fence stops whatever outlives its lease, so a missed renewal costs time, not correctness.
            if not is_away(error):
                raise
            _log.warning("renewal_missed", error=type(error).__name__)

    async def _work(self, lease: Lease) -> None:
        with log_fields(tenant=str(lease.tenant_id), lane=lease.lane_id, scope=lease.scope, record=lease.record_id):
            await self._work_safely(lease)

    async def _work_safely(self, lease: Lease) -> None:
        started = time.monotonic()
        try:
            await self._work_on(lease)
        except StaleLeaseError:
            _log.warning("lease_lost")
        except Exception as error:  # noqa: BLE001 - one lane's trouble must not stop its neighbours
            # The lane keeps its lease until it runs out and is then claimed again; nothing is lost.
            if not is_away(error):
                _log.exception("lane_stopped")
            else:
                _log.warning("database_away", error=type(error).__name__)
        _log.debug("lane_done", milliseconds=round((time.monotonic() - started) * 1000))
