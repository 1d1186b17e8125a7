"""Renewing tokens when many want one at once, and when the process dies in the middle of it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from app.admin.access_tokens import fresh_token
from app.admin.keys import open_secret
from app.errors import AuthExpiredError
from app.sandbox.unimicro.options import SandboxOptions
from app.tables import Key
from tests.world import CLIENT_SECRET, OURS, World
from tests.world.processes import make_environment, real_world
from tests.world.renew import WORKERS
from tests.world.workers import PATIENCE

REDIRECTS = (f"{OURS}/oauth/unimicro/callback",)


def start(world: World, *, refused: str) -> subprocess.Popen[str]:
    """A process of workers; the refused token goes in by its standard input, like everything secret."""
    command = [sys.executable, "-m", "tests.world.renew", str(world.key_id)]
    process = subprocess.Popen(
        command,
        env=make_environment(world.resources.settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(f"{refused}\n")
    process.stdin.flush()
    return process


async def be_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert (await asyncio.to_thread(process.stdout.readline)).strip() == "ready", process.stderr


async def present_token(world: World) -> str:
    async with world.resources.sessions() as session:
        key = await session.get_one(Key, (world.tenant_id, world.key_id))
    return open_secret(world.resources.vault, key, "access_token") or ""


@pytest.mark.parametrize("how", ["expired by the clock", "refused by Unimicro"])
async def test_twenty_workers_in_two_processes_refresh_once(database_url: str, tmp_path: Path, how: str) -> None:
    async with real_world(database_url, tmp_path) as world:
        refused = ""
        if how == "refused by Unimicro":
            world.ledger.identity.expire_access_tokens()
            refused = await present_token(world)
        else:
            async with world.resources.engine.begin() as connection:
                await connection.execute(text("UPDATE key SET token_expires_at = now()"))
        before = set(world.ledger.identity.refresh_tokens)
        processes = [start(world, refused=refused) for _ in range(2)]
        await asyncio.gather(*map(be_ready, processes))
        ends = await asyncio.gather(*[asyncio.to_thread(one.communicate, "\n", 60) for one in processes])
        assert [one.returncode for one in processes] == [0, 0], ends
        tokens = "".join(output for output, _ in ends).split()
        assert len(tokens) == 2 * WORKERS
        assert len(set(tokens)) == 1
        assert world.ledger.identity.refreshes == 1
        # The one refresh token was used up, and the new one is what the key holds now.
        assert len(world.ledger.identity.refresh_tokens) == len(before)
        await fresh_token(world.resources.of_tenant(world.tenant_id), world.key_id, refused=await present_token(world))
        assert world.ledger.identity.refreshes == 2


@pytest.mark.parametrize("rotates", [True, False])
async def test_kill_between_refresh_and_save_leaves_the_key_usable_or_clearly_signed_out(
    database_url: str, tmp_path: Path, *, rotates: bool
) -> None:
    options = SandboxOptions(redirect_uris=REDIRECTS, client_secret=CLIENT_SECRET, rotate_refresh_tokens=rotates)
    async with real_world(database_url, tmp_path, sandbox=options) as world:
        async with world.resources.engine.begin() as connection:
            await connection.execute(text("UPDATE key SET token_expires_at = now()"))
        # Carried out, but the answer does not come: now the old refresh token is used up and the new one is not saved.
        await world.fault("hang", method="POST", path="/connect/token", seconds=30)
        process = start(world, refused="")
        await be_ready(process)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        async with asyncio.timeout(PATIENCE):
            while world.ledger.identity.refreshes == 0:  # noqa: ASYNC110 - the sandbox has no event for it
                await asyncio.sleep(0.01)
        process.kill()
        await asyncio.to_thread(process.communicate)
        await world.hear_of("invoice", 5001)
        if rotates:
            await world.stall()
            assert (await world.get("/v1/keys"))[0]["state"] == "sign_in_again"
            with pytest.raises(AuthExpiredError):
                await fresh_token(world.resources.of_tenant(world.tenant_id), world.key_id, refused=None)
            await world.office.sign_in(world.tenant_id, key_id=str(world.key_id))
        await world.settle()
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"
        assert (await world.get("/v1/keys"))[0]["state"] == "active"
