"""The loop: claim lanes, keep their leases, wait for more. What is done with a lane is handed in."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.engine.claims import Claimed, Turn, claim, take_over
from app.engine.lanes import Lease, renew
from app.engine.wakeup import bells_of, listener, run_beside
from app.errors import StaleLeaseError
from app.platform.db import Session, is_away
from app.platform.figures import LANE_RUNS, LANE_WAIT_SECONDS, LEASES_LOST, RENEWALS_MISSED
from app.platform.heartbeats import Pulse
from app.platform.logger import get_logger, log_fields
from app.platform.places import Place, placed
from app.platform.resources import Resources

# A small part of what one call to another system takes.
_GATHER_SECONDS = 0.005
# Whoever stands in a line for longer leaves its place to others; longer than a call mostly takes.
_STANDS_SECONDS = 0.25
# The place of one that was turned away rests so long: most that come next would be turned away, too.
_REST_SECONDS = 1.0
# In all, those that stand included, as many times the places.
_MOST_IN_HAND = 8
# Whoever is done before has asked nothing of another system; of such ones, so many are claimed for a place.
_SHORT_SECONDS = 0.1
_MOST_OF_A_PLACE = 8

_log = get_logger(__name__)

Work = Callable[[], Awaitable[None]]
# What is to be done with each of the lanes that were just claimed, in their order and in the claim's own transaction:
# what all of them need is asked for once.
Prepare = Callable[[Session, Sequence[Lease]], Awaitable[Sequence[Work]]]


async def run_loop(resources: Resources, stop: asyncio.Event, prepare: Prepare) -> None:
    """Work on lanes until `stop` is set, then finish what is in hand."""
    loop = Loop(resources, prepare)
    async with listener(resources), run_beside(loop.keep_leases()):
        while not stop.is_set():
            await loop.turn()
        await loop.drain()


@dataclass(frozen=True, slots=True)
class Hand:
    """A lane in hand, and the place at which it is worked on."""

    lease: Lease
    place: Place


@dataclass(slots=True)
class Pace:
    """How many lanes to claim for one place: more than one while most are over at once, for a claim costs what ten do.

    `long_share`: how many of those that ended lately took long. One that did counts for much, so that places are seldom
    overdrawn.
    """

    long_share: float = 1.0

    def note(self, seconds: float) -> None:
        """One has ended that took so long."""
        if seconds > _SHORT_SECONDS:
            self.long_share += (1 - self.long_share) / 4
        else:
            self.long_share -= self.long_share / 32

    @property
    def lanes_of_a_place(self) -> int:
        """As many as one of them is long."""
        return int(min(_MOST_OF_A_PLACE, 1 / self.long_share))


class Loop:
    """The lanes that one process has in hand.

    A lane that only stands in line, for a slot of its company, takes no place, so that others are worked on meanwhile;
    of one tenant and one line no more may stand so than a tenant has places.
    """

    def __init__(self, resources: Resources, prepare: Prepare) -> None:
        self._resources = resources
        self._prepare = prepare
        self._arrived = bells_of(resources).arrived
        self._tasks: dict[asyncio.Task[None], Hand] = {}
        self._crowd: set[Place] = set()
        self._turned_away: list[tuple[float, UUID]] = []
        self._turn = Turn()
        self._pace = Pace()
        self._looked_for_dead = -math.inf
        self._pulse = resources.kept(Pulse)

    async def turn(self) -> None:
        """Claim what fits, then wait until a lane is done, work arrives or the poll is due."""
        self._arrived.clear()
        self._pulse.turn()
        wanted = self._count_wanted()
        claimed, works = await self._claim(wanted) if wanted > 0 else (Claimed(), ())
        for lease, work in zip(claimed.leases, works, strict=True):
            LANE_WAIT_SECONDS.observe(lease.due_seconds)
            hand = Hand(lease, Place(lease.tenant_id, self._crowd))
            self._tasks[asyncio.create_task(self._work(hand, work))] = hand
        # With more in hand than asked for, a turn that waited for nothing would never let any of it go on.
        if wanted <= 0 or (len(claimed.leases) < wanted and not claimed.more):
            await self._wait()

    def _count_wanted(self) -> int:
        """How many lanes fit in the places that are free; notes which tenants have the others."""
        settings, now = self._resources.settings, time.monotonic()
        busy, standing = Counter[UUID](), Counter[tuple[UUID, str]]()
        for hand in self._tasks.values():
            if hand.place.line is not None and hand.place.stands(seconds=_STANDS_SECONDS):
                standing[hand.lease.tenant_id, hand.place.line] += 1
            else:
                busy[hand.lease.tenant_id] += 1
        for (tenant, _), count in standing.items():
            busy[tenant] += max(0, count - settings.places_of_a_tenant)
        self._turned_away = [one for one in self._turned_away if one[0] > now]
        self._turn.late = {tenant for _, tenant in self._turned_away}
        busy += Counter(tenant for _, tenant in self._turned_away)
        lanes = self._pace.lanes_of_a_place
        self._turn.busy = {tenant: count * lanes for tenant, count in busy.items()}
        # Who has overdrawn its places, because its lanes took longer than those before, leaves others theirs.
        taken = sum(min(count, settings.places_of_a_tenant) for count in busy.values())
        in_all = settings.worker_concurrency * _MOST_IN_HAND - len(self._tasks)
        return min((settings.worker_concurrency - taken) * lanes, in_all)

    async def _claim(self, most: int) -> tuple[Claimed, Sequence[Work]]:
        try:
            async with self._resources.sessions.begin() as session:
                claimed = await self._take(session, most)
                return claimed, await self._prepare(session, claimed.leases) if claimed.leases else ()
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("database_away", error=type(error).__name__)
            return Claimed(), ()

    async def _take(self, session: Session, most: int) -> Claimed:
        settings = self._resources.settings
        dead = await self._take_over(session, most)
        if len(dead) == most:
            return Claimed(dead)
        claimed = await claim(
            session,
            self._turn,
            most=most - len(dead),
            lease_seconds=settings.lease_seconds,
            cap=settings.places_of_a_tenant * self._pace.lanes_of_a_place,
        )
        return Claimed([*dead, *claimed.leases], claimed.more)

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
        if any(place.line is not None for place in self._crowd):
            timeout = min(timeout, _STANDS_SECONDS)
        await asyncio.wait({arrived, *self._tasks}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        if any(not task.done() for task in self._tasks):
            # Some more are about to end: one claim then serves several places.
            await asyncio.sleep(_GATHER_SECONDS)
        for task in [task for task in self._tasks if task.done()]:
            place = self._tasks.pop(task).place
            if place.turned_away:
                self._turned_away.append((time.monotonic() + _REST_SECONDS, place.owner))
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
            leases = [hand.lease for hand in self._tasks.values()]
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
            RENEWALS_MISSED.inc()
            _log.warning("renewal_missed", error=type(error).__name__)

    async def _work(self, hand: Hand, work: Work) -> None:
        lease = hand.lease
        with (
            placed(hand.place),
            log_fields(tenant=str(lease.tenant_id), lane=lease.lane_id, scope=lease.scope, record=lease.record_id),
        ):
            await self._work_safely(lease.scope, work)

    async def _work_safely(self, scope: str, work: Work) -> None:
        started, outcome = time.monotonic(), "stopped"
        try:
            await work()
            outcome = "done"
        except StaleLeaseError:
            outcome = "lost"
            LEASES_LOST.inc()
            _log.warning("lease_lost")
        except Exception as error:  # noqa: BLE001 - one lane's trouble must not stop its neighbours
            # The lane keeps its lease until it runs out and is then claimed again; nothing is lost.
            if not is_away(error):
                _log.exception("lane_stopped")
            else:
                outcome = "database_away"
                _log.warning("database_away", error=type(error).__name__)
        seconds = time.monotonic() - started
        self._pace.note(seconds)
        LANE_RUNS.labels(scope, outcome).inc()
        _log.debug("lane_done", milliseconds=round(seconds * 1000))
