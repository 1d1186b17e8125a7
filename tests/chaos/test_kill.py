"""kill -9 of a real worker process, at any moment and again and again: books equal, nothing lost, nothing twice."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from app.sandbox.recman import app as recman
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.samples import load_samples
from app.sandbox.unimicro import app as unimicro
from app.sandbox.unimicro.options import SandboxOptions
from app.settings import Settings
from tests.world import CLIENT_SECRET, OURS, RECMAN_KEY, World, open_world

SAMPLES = load_samples()


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
        recman_url = await stack.enter_async_context(serving(recman_app))
        opened = open_world(
            database_url,
            folder,
            apps=(unimicro_app, recman_app),
            unimicro_url=unimicro_url,
            recman_url=recman_url,
            lease_seconds=1,
        )
        yield await stack.enter_async_context(opened)


def make_environment(settings: Settings) -> dict[str, str]:
    """The settings as another process reads them."""
    variables = {"DATABASE_URL": str(settings.database_url), "RMU_LOG_LEVEL": "WARNING"}
    for name in settings.model_fields_set - {"database_url"}:
        value: Any = getattr(settings, name)
        variables[f"RMU_{name.upper()}"] = str(getattr(value, "get_secret_value", lambda value=value: value)())
    return {**os.environ, **variables}


def start_worker(settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "worker.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "app", "worker"], env=make_environment(settings), stdout=output, stderr=output
        )


async def is_through(world: World) -> bool:
    waiting = await world.count("SELECT count(*) FROM event WHERE state = 'waiting'")
    return waiting == 0


@pytest.mark.parametrize("seed", [11, 12])
async def test_killing_the_worker_again_and_again_leaves_the_same_books(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with real_world(database_url, tmp_path) as world:
        assert set(await world.hear(SAMPLES.webhooks)) == {202}
        await world.settle()
        clean = await world.books()
        await world.reset()
        assert set(await world.hear(SAMPLES.webhooks)) == {202}
        kills = 0
        worker = start_worker(world.resources.settings, tmp_path)
        try:
            async with asyncio.timeout(90):
                while not await is_through(world):
                    await asyncio.sleep(chance.uniform(0.05, 0.25) + (1.0 if kills == 0 else 0.9))
                    if kills < 4:
                        worker.kill()
                        worker.wait()
                        kills += 1
                        worker = start_worker(world.resources.settings, tmp_path)
        finally:
            worker.terminate()
            worker.wait(20)
        assert kills >= 1
        assert await world.books() == clean
