"""The loop: claim lanes, keep their leases, wait for more. What is done with a lane is handed in."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from app.engine.claims import Claimed, Turn, claim, take_over
from app.engine.lanes import Lease, renew
from app.engine.wakeup import bells_of, listener, run_beside
from app.errors import StaleLeaseError
from app.platform.db import Session, is_away
from app.platform.logger import get_logger, log_fields
from app.platform.resources import Resources

# A small part of what one call to another system takes.
_GATHER_SECONDS = 0.005

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
        self._turn = Turn()
        self._looked_for_dead = -math.inf

    async def turn(self) -> None:
        """Claim what fits, then wait until a lane is done, work arrives or the poll is due."""
        self._arrived.clear()
        free = self._resources.settings.worker_concurrency - len(self._tasks)
        claimed = await self._claim(free) if free > 0 else Claimed()
        for lease in claimed.leases:
            self._tasks[asyncio.create_task(self._work(lease))] = lease
        # With more in hand than asked for, a turn that waited for nothing would never let any of it go on.
        if free <= 0 or (len(claimed.leases) < free and not claimed.more):
            await self._wait()

    async def _claim(self, most: int) -> Claimed:
        settings = self._resources.settings
        self._turn.busy = Counter(lease.tenant_id for lease in self._tasks.values())
        try:
            async with self._resources.sessions.begin() as session:
                dead = await self._take_over(session, most)
                if len(dead) == most:
                    return Claimed(dead)
                claimed = await claim(
                    session,
                    self._turn,
                    most=most - len(dead),
                    lease_seconds=settings.lease_seconds,
                    cap=settings.places_of_a_tenant,
                )
                return Claimed([*dead, *claimed.leases], claimed.more)
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("database_away", error=type(error).__name__)
            return Claimed()

    async def _take_over(self, session: Session, most: int) -> list[Lease]:
        """The lanes of workers that have died, looked for once in a while only."""
        settings = self._resources.settings
        if time.monotonic() - self._looked_for_dead < settings.poll_seconds:
            return []
        self._looked_for_dead = time.monotonic()
        return await take_over(session, most=most, lease_seconds=settings.lease_seconds)

    async def _wait(self) -> None:
        arrived = asyncio.create_task(self._arrived.wait())
        timeout = self._resources.settings.poll_seconds
        await asyncio.wait({arrived, *self._tasks}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        if any(not task.done() for task in self._tasks):
            # Some more are about to end: one claim then serves several places.
            await asyncio.sleep(_GATHER_SECONDS)
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
            leases = list(self._tasks.values())
            if leases:
                await self._renew(leases, seconds)

    async def _renew(self, leases: list[Lease], seconds: float) -> None:
        try:
            async with self._resources.sessions.begin() as session:
                await renew(session, leases, lease_seconds=seconds)
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
