"""Waking workers: a coalesced NOTIFY behind the commit, never inside the transaction that answers a webhook.

The one-second poll stays the truth; this only makes it feel instant. Behind a pooler nobody can be woken, for whoever
listens must keep his connection: with a direct address beside it that one is listened at, without one the poll is all.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from app.engine.pool import lease_connection
from app.platform.db import BARE_ERRORS, connect_bare, url_of
from app.platform.logger import get_logger
from app.platform.resources import Resources

_CHANNEL = "recman_work"
_COALESCE_SECONDS = 0.02
_RETRY_SECONDS = 1.0

_log = get_logger(__name__)


@dataclass(slots=True)
class Bells:
    """The two events of this process: work was accepted here; work has arrived somewhere."""

    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


def bells_of(resources: Resources) -> Bells:
    """The events of this process."""
    return resources.kept(Bells)


def wake_workers(resources: Resources) -> None:
    """Let every worker look for work soon; called behind the commit."""
    bells_of(resources).accepted.set()


@asynccontextmanager
async def notifier(resources: Resources) -> AsyncIterator[None]:
    """While open, what `wake_workers` is told here reaches every worker, at most fifty times a second."""
    async with run_beside(_notify_forever(resources)):
        yield


@asynccontextmanager
async def listener(resources: Resources) -> AsyncIterator[None]:
    """While open, the notifications of any process ring in this one."""
    url = resources.settings.listens_at(url_of(resources.sessions))
    async with run_beside(_listen_forever(resources, url)) if url is not None else nullcontext():
        yield


@asynccontextmanager
async def run_beside(coroutine: Any) -> AsyncIterator[None]:
    """While open, the coroutine runs as a task of its own; it is cancelled and waited for at the end."""
    task = asyncio.create_task(coroutine)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _notify_forever(resources: Resources) -> None:
    bells = bells_of(resources)
    while True:
        await bells.accepted.wait()
        await asyncio.sleep(_COALESCE_SECONDS)
        bells.accepted.clear()
        bells.arrived.set()
        try:
            # Fifty times a second while webhooks pour in: a session would cost several times as much.
            async with lease_connection(resources) as connection:
                await connection.execute("SELECT pg_notify($1, '')", _CHANNEL)
        except BARE_ERRORS as error:
            _log.warning("notify_failed", error=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)


async def _listen_forever(resources: Resources, url: str) -> None:
    while True:
        try:
            raw = await connect_bare(url)
            try:
                await _listen(raw, bells_of(resources).arrived)
            finally:
                raw.terminate()
        except BARE_ERRORS as error:
            _log.warning("listen_failed", error=type(error).__name__)
        await asyncio.sleep(_RETRY_SECONDS)


async def _listen(raw: Any, arrived: asyncio.Event) -> None:
    lost = asyncio.Event()
    raw.add_termination_listener(lambda *_: lost.set())
    await raw.add_listener(_CHANNEL, lambda *_: arrived.set())
    await lost.wait()
