"""A world that other processes reach too, and our commands and workers as processes of their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import uvicorn
from fastapi import FastAPI

from app.platform.http import httpx
from app.sandbox.recman import app as recman
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.unimicro import app as unimicro
from app.sandbox.unimicro.options import SandboxOptions
from app.settings import Settings
from tests.world.names import CLIENT_SECRET, OURS, RECMAN_KEY
from tests.world.nursery import Process, fork
from tests.world.opening import open_world
from tests.world.world import World

_COMMAND_SECONDS = 100
_WIDE = {"COLUMNS": "300", "NO_COLOR": "1"}


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@asynccontextmanager
async def real_world(
    database_url: str,
    folder: Path,
    *,
    sandbox: SandboxOptions | None = None,
    recman_options: RecmanOptions | None = None,
) -> AsyncIterator[World]:
    """A world whose stand-ins are reached over sockets, so that another process can use them."""
    async with AsyncExitStack() as stack:
        options = SandboxOptions(redirect_uris=(f"{OURS}/oauth/unimicro/callback",), client_secret=CLIENT_SECRET)
        unimicro_app, recman_app = (
            unimicro.create_app(sandbox or options),
            recman.create_app(recman_options or RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}))),
        )
        unimicro_url = await stack.enter_async_context(serving(unimicro_app))
        identity_url = await stack.enter_async_context(serving(unimicro_app.state.identity))
        recman_url = await stack.enter_async_context(serving(recman_app))
        opened = open_world(
            database_url,
            folder,
            apps=(unimicro_app, recman_app),
            unimicro_url=unimicro_url,
            identity_url=identity_url,
            recman_url=recman_url,
            lease_seconds=1,
        )
        yield await stack.enter_async_context(opened)


@cache
def outside() -> httpx.Client:
    """Asks whatever listens on this machine; made once, for reading certificates takes longer than most answers."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def make_way(settings: Settings) -> dict[str, str]:
    """How another process reaches the same database."""
    return {"DATABASE_URL": str(settings.database_url), "DATABASE_POOLED": str(settings.database_pooled)}


def make_environment(settings: Settings) -> dict[str, str]:
    """The settings as another process reads them."""
    variables = {**make_way(settings), "RMU_LOG_LEVEL": "WARNING"}
    for name in settings.model_fields_set - {"database_url", "database_pooled"}:
        value: Any = getattr(settings, name)
        variables[f"RMU_{name.upper()}"] = str(getattr(value, "get_secret_value", lambda value=value: value)())
    return {**os.environ, **variables}


def start_worker(settings: Settings, folder: Path) -> Process:
    """A worker process; what it says goes into a file of the folder."""
    with (folder / "worker.log").open("ab") as output:
        return fork(("worker",), environment=make_environment(settings), out=output, err=output)


async def is_through(world: World) -> bool:
    """Whether nothing waits for a worker."""
    return await world.count("SELECT count(*) FROM event WHERE state = 'waiting'") == 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run_alone(*arguments: str, **variables: str) -> Ended:
    """One of our commands, run to its end with no other settings of ours than those named."""
    return _run(arguments, _bare_environment() | variables)


def run_from_scratch(*arguments: str, **variables: str) -> Ended:
    """The same, started as whoever types it starts it."""
    command, environment = [sys.executable, "-m", "app", *arguments], _bare_environment() | variables
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def _bare_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("RMU_", "DATABASE_"))} | _WIDE


def _run(arguments: tuple[str, ...], environment: dict[str, str]) -> Ended:
    with TemporaryFile() as out, TemporaryFile() as err:
        process = fork(arguments, environment=environment, out=out, err=err)
        try:
            status = process.wait(_COMMAND_SECONDS)
        finally:
            process.kill()
        return Ended(status, *(_read(file) for file in (out, err)))


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def start_command(world: World, *arguments: str) -> Process:
    """One of our commands beside the world, under way; nobody hears what it says."""
    with Path(os.devnull).open("wb") as nowhere:
        return fork(arguments, environment=make_environment(world.resources.settings), out=nowhere, err=nowhere)


async def run_command(world: World, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and error output of one of our commands."""
    environment = make_environment(world.resources.settings) | _WIDE
    ended = await asyncio.to_thread(_run, arguments, environment)
    return ended.returncode, ended.stdout, ended.stderr
