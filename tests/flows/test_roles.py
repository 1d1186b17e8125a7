"""What the real processes load: a role brings neither a stand-in nor a Postgres of our own into memory."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from app.platform.db import create_engine
from app.platform.http import httpx
from tests.world.workers import PATIENCE

# The console script as it is; at its end it tells what was loaded.
LOOK = """
import atexit, json, sys
from app.cli.commands import main
atexit.register(lambda: print(json.dumps(sorted(sys.modules))))
main()
"""
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def count_connections(database_url: str) -> int:
    """Those that somebody else has; what tests keep open is among them."""
    engine = create_engine(database_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return int((await connection.execute(text(OTHERS))).scalar_one())
    finally:
        await engine.dispose()


async def wait_until_at_work(database_url: str, process: Process, *, before: int) -> None:
    """Whoever has a connection has set its signals before."""
    engine = create_engine(database_url, pool_size=1)
    try:
        async with asyncio.timeout(PATIENCE), engine.connect() as connection:
            while (await connection.execute(text(OTHERS))).scalar_one() <= before:
                assert process.returncode is None
                await connection.rollback()
                await asyncio.sleep(0.1)
    finally:
        await engine.dispose()


async def wait_until_heard(http: httpx.AsyncClient) -> None:
    """A start asks Postgres before it listens."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(httpx.ConnectError):
                await http.get("/health/live")
                return
            await asyncio.sleep(0.05)


async def guess(port: str) -> list[int]:
    """What eleven wrong tokens are answered, each with another address in its X-Forwarded-For."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
        await wait_until_heard(http)
        headers = [{"Authorization": "Bearer no", "X-Forwarded-For": f"198.51.100.{n}"} for n in range(11)]
        return [(await http.get("/v1/keys", headers=one)).status_code for one in headers]


@pytest.mark.parametrize("role", ["serve", "worker"])
async def test_a_role_loads_neither_stand_ins_nor_a_postgres_of_our_own(role: str, database_url: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RMU_")}
    environment |= {"DATABASE_URL": database_url, "RMU_PORT": str(23000 + os.getpid() % 2000)}
    environment |= {"RMU_ENCRYPTION_KEYS": Fernet.generate_key().decode(), "RMU_BOOTSTRAP_TOKEN": "rmu_only-a-test"}
    environment |= {"RMU_LOG_LEVEL": "WARNING"}
    before = await count_connections(database_url)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOOK, role, env=environment, stdout=PIPE)
    try:
        await wait_until_at_work(database_url, process, before=before)
        if role == "serve":
            # The server itself believes nobody about addresses, either: it would believe its own machine by default.
            assert await guess(environment["RMU_PORT"]) == [401] * 10 + [429]
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            shown, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    loaded = json.loads(shown.splitlines()[-1])
    assert {"app.worker", "app.platform.db"} <= set(loaded)
    assert ("app.web" in loaded) == (role == "serve")
    assert [name for name in loaded if name.startswith(("app.sandbox", "app.embedded"))] == []
