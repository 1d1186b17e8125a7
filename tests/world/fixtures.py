"""Fixtures: one Postgres per test process, one database, empty for each test, one small world per test.

`tests/conftest.py` loads them for the tests of all folders but those that do without.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.embedded.postgres import EmbeddedPostgres
from app.platform.db import create_engine, migrate, to_async_url
from tests.world import World, open_world
from tests.world.databases import Spare, drop, execute, recreate, to_url
from tests.world.moves import guard_moves
from tests.world.pooler import IN_USE, open_pooler
from tests.world.tenant_watch import TenantWatch
from tests.world.tools import POOLED


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server to make databases on: DATABASE_URL's when set, else an embedded one."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield to_async_url(given)
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server.url


@pytest.fixture(scope="session")
async def template_database(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A migrated database to clone; migrations run once per test process."""
    name = f"rmu_template_{worker_id}"
    await recreate(server_url, name)
    engine = create_engine(to_url(server_url, name), pool_size=1)
    await migrate(engine)
    await engine.dispose()
    await execute(to_url(server_url, name), *guard_moves())
    yield name
    await drop(server_url, name)


@pytest.fixture(scope="session")
async def spare(server_url: str, template_database: str, worker_id: str) -> AsyncIterator[Spare]:
    """The database that the tests of this process use, one after the other."""
    made = Spare(server_url, template_database, f"rmu_test_{worker_id}")
    with open_pooler(server_url) if os.environ.get(POOLED) else nullcontext() as pooler:
        IN_USE.extend([pooler] if pooler else [])
        yield made
        IN_USE.clear()
    await made.close()
    await drop(server_url, made.name)


@pytest.fixture
async def database_url(spare: Spare) -> str:
    """An empty, migrated database of the test's own."""
    await spare.make_empty()
    return spare.url


@pytest.fixture(autouse=True)
def tenants_named() -> Iterator[None]:
    """No statement that the code sends looks at a tenant's table without saying whose rows it means."""
    watch = TenantWatch()
    watch.begin()
    yield
    watch.end()
    faults = "\n".join(dict.fromkeys(watch.take_faults()))
    assert not faults, faults


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The service between a sandbox RecMan and a sandbox Unimicro, with one key open to all departments."""
    async with open_world(database_url, tmp_path) as opened:
        yield opened
