"""A connection whose server has said that it dies, and whose end is not heard yet: nobody takes it for one that works.

For the driver this is an error of its own, unlike those of a connection that is gone.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.engine.pool import pool_of
from app.engine.wakeup import wake_workers
from app.platform.db import connect_bare, url_of
from tests.world import OURS, World
from tests.world.workers import PATIENCE

_SAID = b"SFATAL\0VFATAL\0C57P02\0Mterminating connection because of crash of another server process\0\0"
LAST_WORD = b"E" + struct.pack("!i", 4 + len(_SAID)) + _SAID


@asynccontextmanager
async def last_word_said(world: World) -> AsyncIterator[None]:
    """To every connection that webhooks are stored by; there is one at least, and all of them end with the block."""
    pool = await pool_of(world.resources)
    held = [holder._con for holder in pool._holders if holder._con is not None]
    assert held
    for connection in held:
        connection._protocol.data_received(LAST_WORD)
    yield
    for connection in held:
        connection.terminate()


async def deliver(world: World, record_id: int) -> int:
    body = {"event": "invoice.created", "id": record_id}
    return (await world.http.post(f"{OURS}{world.hook}", json=body)).status_code


async def test_a_webhook_that_meets_it_is_asked_to_come_again_and_is_stored_then(world: World) -> None:
    assert await deliver(world, 5001) == 202
    async with last_word_said(world):
        answers = [await deliver(world, 5002)]
        while answers[-1] != 202:
            assert answers[-1] == 503
            answers.append(await deliver(world, 5002))
    assert answers[0] == 503
    assert await world.count("SELECT count(*) FROM event WHERE record_id = '5002'") == 1


async def test_workers_are_woken_again_afterwards(world: World) -> None:
    assert await deliver(world, 5001) == 202
    heard = asyncio.Event()
    listens = await connect_bare(url_of(world.resources.sessions))
    try:
        await listens.add_listener("recman_work", lambda *_: heard.set())
        async with last_word_said(world), asyncio.timeout(PATIENCE):
            # The first words are lost with the connections; whoever says them goes on.
            while not heard.is_set():
                wake_workers(world.resources)
                await asyncio.sleep(0.1)
    finally:
        await listens.close()
