"""The roles a process can have: API, worker, or both; each with its resources, its signals and its tidy end."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
import uvloop

from app.admin.tokens import ensure_operator
from app.platform.resources import Resources, open_resources
from app.scheduler import run_schedule
from app.settings import Settings
from app.worker import run_worker

# Requests in flight at a stop get this long.
_GRACE_SECONDS = 10


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


async def serve(settings: Settings, url: str) -> None:
    """The API until it is stopped."""
    stop = _stop_on_signal()
    async with open_resources(settings, database_url=url) as resources:
        await _announce_operator(resources)
        await _serve(resources, stop)


async def work(settings: Settings, url: str) -> None:
    """A worker until it is stopped; what it has in hand is finished first."""
    stop = _stop_on_signal()
    async with open_resources(settings, database_url=url) as resources:
        await _work_by_clock(resources, stop)


async def serve_and_work(settings: Settings, url: str) -> None:
    """API and worker in one process; whichever ends ends both, for half a service would look like a whole one."""
    stop = _stop_on_signal()
    async with open_resources(settings, database_url=url) as resources:
        await _announce_operator(resources)
        roles = [asyncio.create_task(_work_by_clock(resources, stop)), asyncio.create_task(_serve(resources, stop))]
        await asyncio.wait(roles, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.gather(*roles)


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


async def _serve(resources: Resources, stop: asyncio.Event) -> None:
    from app.web import create_app  # noqa: PLC0415 - building every route takes a second, which no worker needs

    @asynccontextmanager
    async def share() -> AsyncIterator[Resources]:
        yield resources

    settings = resources.settings
    config = uvicorn.Config(
        create_app(share),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
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
        print(f"First operator token, shown this once: {made}", flush=True)  # noqa: T201 - meant for the console
