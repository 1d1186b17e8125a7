"""Fixtures: one Postgres per test process, one cloned database per test, one small world per test."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from app.embedded.postgres import EmbeddedPostgres
from app.platform.db import create_engine, migrate, to_async_url
from tests.world import World, open_world
from tests.world.moves import guard_moves

# How many made-up inputs a property is tried with: few while somebody works, many in the whole run (`make test`).
settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("whole", max_examples=300, deadline=None)
settings.load_profile("quick")


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
    await _recreate(server_url, name)
    engine = create_engine(_url_of(server_url, name), pool_size=1)
    await migrate(engine)
    await engine.dispose()
    await _execute(_url_of(server_url, name), *guard_moves())
    yield name
    await _drop(server_url, name)


@pytest.fixture
async def database_url(server_url: str, template_database: str, worker_id: str) -> AsyncIterator[str]:
    """An empty, migrated database of the test's own."""
    name = f"rmu_test_{worker_id}"
    await _recreate(server_url, name, template=template_database)
    yield _url_of(server_url, name)
    await _drop(server_url, name)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The service between a sandbox RecMan and a sandbox Unimicro, with one key open to all departments."""
    async with open_world(database_url, tmp_path) as opened:
        yield opened


def _url_of(server_url: str, database: str) -> str:
    head, _, query = server_url.partition("?")
    return f"{head.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")


async def _execute(server_url: str, *statements: str) -> None:
    connection = await asyncpg.connect(server_url.replace("postgresql+asyncpg://", "postgresql://"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _recreate(server_url: str, name: str, *, template: str = "template0") -> None:
    await _execute(
        server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{template}"'
    )


async def _drop(server_url: str, name: str) -> None:
    await _execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
