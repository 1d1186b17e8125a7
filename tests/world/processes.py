"""A world that other processes reach too, and our commands and workers as processes of their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.platform.http import httpx
from app.sandbox.recman import app as recman
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.unimicro import app as unimicro
from app.sandbox.unimicro.options import SandboxOptions
from app.settings import Settings
from tests.world.names import CLIENT_SECRET, OURS, RECMAN_KEY
from tests.world.opening import open_world
from tests.world.world import World

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


def start_worker(settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    """A worker process; what it says goes into a file of the folder."""
    with (folder / "worker.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "app", "worker"], env=make_environment(settings), stdout=output, stderr=output
        )


async def is_through(world: World) -> bool:
    """Whether nothing waits for a worker."""
    return await world.count("SELECT count(*) FROM event WHERE state = 'waiting'") == 0


def run_alone(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One of our commands, run to its end with no other settings of ours than those named."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("RMU_", "DATABASE_"))}
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(
        command, env=environment | _WIDE | variables, capture_output=True, text=True, timeout=100, check=False
    )


async def start_command(world: World, *arguments: str) -> asyncio.subprocess.Process:
    """One of our commands beside the world, under way."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *arguments),
        env=make_environment(world.resources.settings) | _WIDE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run_command(world: World, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and error output of one of our commands."""
    process = await start_command(world, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()
