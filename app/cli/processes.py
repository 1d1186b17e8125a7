"""The roles a process can have: API, worker, or both; each with its resources, its signals and its tidy end."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
import uvloop

from app.admin.tokens import ensure_operator
from app.cli.beating import beating
from app.cli.patience import make_config, to_patience
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import StartError
from app.platform.citus import distribute_database
from app.platform.db import check_schema, migrate_database
from app.platform.logger import get_logger
from app.platform.resources import Resources, open_resources
from app.platform.standing import explained, load_standing, make_label
from app.reading.quota import load_midnight
from app.scheduler import run_schedule
from app.settings import Settings
from app.worker import run_worker

# Requests in flight at a stop get this long.
_GRACE_SECONDS = 10

_log = get_logger(__name__)


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def serve(settings: Settings, url: str, sockets: Sequence[socket.socket]) -> None:
    """The API until it is stopped."""
    stop = _stop_on_signal()
    async with _opened(settings, url, serves=True, works=False) as resources:
        await _announce_operator(resources)
        async with beating(resources, "serve", works=False):
            await _serve(resources, stop, sockets)


async def work(settings: Settings, url: str) -> None:
    """A worker until it is stopped; what it has in hand is finished first."""
    stop = _stop_on_signal()
    async with _opened(settings, url, serves=False, works=True) as resources, beating(resources, "worker", works=True):
        await _work_by_clock(resources, stop)


async def serve_and_work(settings: Settings, url: str, sockets: Sequence[socket.socket]) -> None:
    """API and worker in one process; whichever ends ends both, for half a service would look like a whole one."""
    stop = _stop_on_signal()
    async with _opened(settings, url, serves=True, works=True) as resources:
        await _announce_operator(resources)
        async with beating(resources, "up", works=True):
            roles = [
                asyncio.create_task(_work_by_clock(resources, stop)),
                asyncio.create_task(_serve(resources, stop, sockets)),
            ]
            await asyncio.wait(roles, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await asyncio.gather(*roles)


async def migrate(settings: Settings, url: str) -> None:
    """Bring the schema up to date, past a pooler where one is known.

    Raises:
        ServiceError: the database cannot be used, or holds what this version must not touch.
    """
    direct = settings.database_direct_url
    async with explained(direct or url):
        await migrate_database(direct or url, pooled=settings.database_pooled and direct is None)


async def distribute(settings: Settings, url: str) -> list[str]:
    """Bring the schema up to date and distribute its tables by tenant; those that were not distributed before.

    Raises:
        ServiceError: the database cannot be used, has no Citus, or holds what this version must not touch.
    """
    direct = settings.database_direct_url or url
    async with explained(direct):
        return await distribute_database(direct)


@asynccontextmanager
async def _opened(settings: Settings, url: str, *, serves: bool, works: bool) -> AsyncIterator[Resources]:
    """What a process needs, once it is known that it can work with what is around it."""
    label = make_label(settings, serves=serves, works=works)
    async with open_resources(settings, database_url=url, label=label) as resources:
        found = await load_standing(settings, url, serves=serves, works=works)
        async with explained(url):
            await check_schema(resources.engine)
            await _verify_zone(resources)
        tell = _log.warning if found.is_tight else _log.info
        tell("database_found", sentence=found.sentence)
        yield resources


async def _verify_zone(resources: Resources) -> None:
    """Make sure that Postgres can tell when RecMan's day ends: else health, metrics and every call to RecMan fail."""
    async with resources.sessions() as session:
        await load_midnight(session, zone=resources.settings.recman_day_zone)


async def _work_by_clock(resources: Resources, stop: asyncio.Event) -> None:
    """A worker that also looks at the clock; whichever ends, for whatever reason, ends both."""
    roles = [asyncio.create_task(run_worker(resources, stop)), asyncio.create_task(run_schedule(resources, stop))]
    await asyncio.wait(roles, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.gather(*roles)


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    return stop


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again at its end, before our database has been stopped."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(resources: Resources, stop: asyncio.Event, sockets: Sequence[socket.socket]) -> None:
    from app.web import create_app  # noqa: PLC0415 - building every route takes a second, which no worker needs

    @asynccontextmanager
    async def share() -> AsyncIterator[Resources]:
        yield resources

    patience = to_patience(resources.settings)
    server = _Server(make_config(create_app(share), patience, timeout_graceful_shutdown=_GRACE_SECONDS))
    # What is there now stays: a collection that walks through all of it keeps every request waiting.
    gc.freeze()
    serving = asyncio.create_task(server.serve(sockets=list(sockets)))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopped.cancel()
    await serving


async def _announce_operator(resources: Resources) -> None:
    given = resources.settings.bootstrap_token
    async with resources.sessions.begin() as session:
        made = await ensure_operator(session, given.get_secret_value() if given is not None else None)
        if made is not None:
            # Before the commit: a token that nobody has seen lets nobody in, and no second one is made.
            _show(f"First operator token, shown this once: {made}\n")


def _show(line: str) -> None:
    """Write it to the console, or raise.

    Raises:
        StartError: there is no console, or it takes no more.
    """
    try:
        # None where the process was started with its output closed.
        sys.stdout.write(line)
        sys.stdout.flush()
    except (AttributeError, OSError) as error:
        cause = "The first operator token could not be shown, so none was made"
        raise StartError(cause, fix=fix_for(Code.CANNOT_START, "token")) from error
