"""kill -9 of real workers in the middle of each booking's calls and in between: nothing half, nothing twice, no gap."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from app.domain.booking import Booking
from tests.world import World
from tests.world.booked import begin, check_books, write_documents
from tests.world.nursery import Process
from tests.world.processes import is_through, real_world, start_worker
from tests.world.today import choose_for_today
from tests.world.workers import PATIENCE, wait_until

_MAKE = {"method": "POST", "path": "/api/biz/invoices", "query": ""}
_ISSUE = {"method": "POST", "path": "/api/biz/invoices", "query": "action=invoice"}
_READ = {"method": "GET", "path": "/api/biz/invoices"}
_BOOK = {"method": "POST", "path": "/api/biz/journalentries"}
_ORDER = {"method": "POST", "path": "/api/biz/orders", "query": ""}
_REGISTER = {"method": "POST", "path": "/api/biz/orders", "query": "action=register"}
# In the middle of which calls a worker dies, one after the other: done there, and nobody heard of it.
DEADLY: Mapping[Booking, tuple[dict[str, Any], ...]] = {
    Booking.SERIES: (_MAKE, _ISSUE, {"method": "GET", "path": "/api/biz/number-series"}, _READ),
    Booking.VOUCHER: (_BOOK, _READ, _BOOK, {"method": "GET", "path": "/api/statistics"}),
    Booking.OWN_NUMBER: (_MAKE, _ISSUE, _READ, _MAKE),
    Booking.RENUMBERED: (_MAKE, _ISSUE, _READ, _ISSUE),
    Booking.ORDER: (_ORDER, _REGISTER, _ORDER, _REGISTER),
    Booking.DRAFT: (_MAKE, _MAKE, _MAKE),
}


def end(worker: Process) -> None:
    worker.terminate()
    worker.wait(20)


async def _hangs(world: World, count: int) -> bool:
    """Whether so many calls hung at last; False once everything is through: a quick worker makes no more of them."""
    hanging = asyncio.create_task(world.hang(count))
    while not hanging.done():
        if await is_through(world):
            hanging.cancel()
            return False
        await asyncio.wait({hanging}, timeout=0.2)
    return True


@pytest.mark.timeout(300)
@pytest.mark.parametrize("booking", choose_for_today(list(Booking)))
async def test_killed_workers_leave_every_document_once_and_whole(
    database_url: str, tmp_path: Path, booking: Booking
) -> None:
    chance = random.Random(f"{booking}")
    async with real_world(database_url, tmp_path) as world:
        await begin(world, booking)
        ids = write_documents(world, booking)
        await world.hear_of("invoice", *ids)
        kills = 0
        async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
            for call in DEADLY[booking]:
                await world.fault("hang", **call, seconds=60)
                worker = start_worker(world.resources.settings, tmp_path)
                stack.callback(end, worker)
                if not await _hangs(world, kills + 1):
                    break
                worker.kill()
                worker.wait()
                kills += 1
                # Leases of the dead have their time, or have not.
                await asyncio.sleep(chance.uniform(0, 1.5))
            else:
                worker = start_worker(world.resources.settings, tmp_path)
                stack.callback(end, worker)
            await wait_until(lambda: is_through(world))
        assert kills >= 2
        assert await world.outcomes(*ids) == {"done": [""] * len(ids)}
        check_books(world, booking, ids)
