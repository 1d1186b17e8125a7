"""Clients that were generated from the description work, and show cause and fix of a refusal; for `make api-check`."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.world import World
from tests.world.conform import serve

_HERE = Path(__file__).parent
# Where `make api-check` has installed and generated.
_TOOLS = Path(os.environ.get("API_CHECK_TOOLS", ".api-check")).resolve()
_COMMANDS = {
    "python": (str(_TOOLS / "venv" / "bin" / "python"), str(_HERE / "client.py")),
    "typescript": (str(_TOOLS / "node_modules" / ".bin" / "tsx"), str(_TOOLS / "client.ts")),
}


async def run(*command: str) -> Any:
    """What a client told in its only line."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "PYTHONPATH": str(_TOOLS)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told
    return json.loads(told.splitlines()[-1])


@pytest.mark.parametrize("language", _COMMANDS)
async def test_a_generated_client_shows_cause_and_fix_and_does_three_things(world: World, language: str) -> None:
    await world.carry("invoice", 5001)
    token = await world.office.make_token(world.tenant_id, "admin")
    (row,) = await world.get("/v1/invoices")
    async with serve(world) as address:
        told = await run(*_COMMANDS[language], address, token, str(world.tenant_id))
    assert told == {
        "status": 422,
        "code": "nothing_named",
        "cause": "Nothing was named",
        "fix": "Name ids or a filter, or say `everything: true`.",
        "number": row["number"],
        "job": "running",
    }
