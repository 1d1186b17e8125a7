"""A migration that cannot get on gives up soon: nothing that comes in may wait behind it."""

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.platform.db import create_engine, migrate, migration_config


def _migrate(connection: Connection, revision: str) -> None:
    config = migration_config()
    config.attributes["connection"] = connection
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)


async def test_an_installation_can_go_back_to_nothing_and_come_again(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate, "base")
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        assert (await connection.execute(text(tables))).scalar_one() == 0
        await connection.run_sync(_migrate, "head")
    async with engine.connect() as connection:
        operators = (await connection.execute(text("SELECT name FROM tenant"))).scalars().all()
    await engine.dispose()
    assert operators == ["(operators)"]


async def test_a_migration_waits_for_a_lock_no_longer_than_its_limit_and_leaves_everything_as_it_was(
    database_url: str,
) -> None:
    engine = create_engine(database_url, pool_size=2)
    async with engine.connect() as other, engine.connect() as connection:
        known = "SELECT version_num FROM alembic_version"
        newest = (await connection.execute(text(known))).scalar_one()
        await other.execute(text("LOCK TABLE event IN ACCESS SHARE MODE"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            await connection.run_sync(_migrate, "base")
        await connection.rollback()
        assert (await connection.execute(text(known))).scalar_one() == newest
    await engine.dispose()


async def test_limits_of_a_migration_end_with_it(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    await migrate(engine)
    async with engine.connect() as connection:
        limits = [
            (await connection.execute(text(f"SHOW {name}_timeout"))).scalar_one() for name in ("lock", "statement")
        ]
    await engine.dispose()
    assert limits == ["0", "0"]
