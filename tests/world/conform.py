"""Our API over a socket, and a machine that tries whatever its description allows and forbids."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from app.api.guesses import Tries
from app.platform.resources import Resources
from app.web import create_app
from tests.world.world import World

_ROOT = Path(__file__).resolve().parents[2]
CONFIG = _ROOT / "tests" / "contract" / "schemathesis.toml"
_COMMAND = Path(sys.executable).with_name("schemathesis")


@asynccontextmanager
async def serve(world: World) -> AsyncIterator[str]:
    """The address at which the world's service answers on this machine."""

    @asynccontextmanager
    async def lend() -> AsyncIterator[Resources]:
        yield world.resources

    # Whoever tries bad tokens by the hundred has one address here.
    world.resources.kept(Tries, lambda: Tries(most=1_000_000))
    server = uvicorn.Server(uvicorn.Config(create_app(lend), port=0, log_config=None, lifespan="on"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def try_out(address: str, token: str, *options: str, names: Sequence[str] = ()) -> str:
    """What the machine found wrong with these operations (none: all), for a caller with this token; empty: nothing."""
    chosen = [word for name in names for word in ("--include-operation-id", name)]
    process = await asyncio.create_subprocess_exec(
        *(str(_COMMAND), "--config-file", str(CONFIG), "run", f"{address}/openapi.json"),
        *("-H", f"Authorization: Bearer {token}", *chosen, *options),
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.world.conform_checks", "PYTHONPATH": str(_ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    return "" if process.returncode == 0 else re.sub(r"rmu_\w+", "rmu_…", told)
