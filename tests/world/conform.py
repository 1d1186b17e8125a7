"""Our API over a socket, and a machine that tries whatever its description allows and forbids."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import uvicorn

from app.api.guesses import Tries
from app.platform.resources import Resources
from app.web import create_app
from tests.world.world import World

_ROOT = Path(__file__).resolve().parents[2]
CONFIG = _ROOT / "tests" / "contract" / "schemathesis.toml"
_COMMAND = Path(sys.executable).with_name("schemathesis")


def _write_config(parameters: str) -> Path:
    with NamedTemporaryFile("w", suffix=".toml", delete=False, encoding="utf-8") as file:
        file.write(f"{CONFIG.read_text(encoding='utf-8')}\n[parameters]\n{parameters}")
    return Path(file.name)


@asynccontextmanager
async def serve(world: World) -> AsyncIterator[str]:
    """The address at which the world's service answers on this machine."""

    @asynccontextmanager
    async def lend() -> AsyncIterator[Resources]:
        yield world.resources

    # Whoever tries bad tokens by the hundred has one address here.
    world.resources.kept(Tries, lambda: Tries(most=1_000_000))
    config = uvicorn.Config(create_app(lend), port=0, log_config=None, lifespan="on", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def try_out(address: str, token: str, *options: str, names: Sequence[str] = (), known: Mapping[str, Any]) -> str:
    """What the machine found wrong with these operations (none: all), for a caller with this token; empty: nothing."""
    chosen = [word for name in names for word in ("--include-operation-id", name)]
    # A key and a document that are there: of ids that are nobody's little is learnt.
    parameters = "".join(f'"{name}" = "{value}"\n' for name, value in known.items())
    config = await asyncio.to_thread(_write_config, parameters)
    process = await asyncio.create_subprocess_exec(
        *(str(_COMMAND), "--config-file", str(config), "run", f"{address}/openapi.json"),
        *("-H", f"Authorization: Bearer {token}", *chosen, *options),
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.world.conform_checks", "PYTHONPATH": str(_ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    config.unlink()
    return "" if process.returncode == 0 else re.sub(r"rmu_\w+", "rmu_…", told)
