"""A process shows that it lives, and tells what it has counted, for as long as it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from app.admin.hooks import HeardHooks, record_heard
from app.engine.wakeup import run_beside
from app.platform.db import is_away
from app.platform.heartbeats import EVERY_SECONDS, Pulse, end_beat, record_beat
from app.platform.logger import get_logger
from app.platform.resources import Resources

_log = get_logger(__name__)


@asynccontextmanager
async def beating(resources: Resources, role: str, *, works: bool) -> AsyncIterator[None]:
    """While open, the process is known to live; at a tidy end it is known to be gone."""
    resources.kept(Pulse).begin(role, works=works)
    try:
        async with run_beside(_beat_forever(resources)):
            yield
    finally:
        await _try(end_beat, resources)


async def _beat_forever(resources: Resources) -> None:
    while True:
        await _try(beat, resources)
        await asyncio.sleep(EVERY_SECONDS)


async def beat(resources: Resources) -> None:
    """Write once that this process lives, what it has counted, and which hooks were heard."""
    await record_beat(resources)
    heard = resources.kept(HeardHooks).take()
    if heard:
        async with resources.sessions.begin() as session:
            await record_heard(session, heard)


async def _try(work: Callable[[Resources], Awaitable[None]], resources: Resources) -> None:
    """Do it, unless Postgres is away: then the next time."""
    try:
        await work(resources)
    except Exception as error:
        if not is_away(error):
            raise
        _log.warning("heartbeat_missed", error=type(error).__name__)
