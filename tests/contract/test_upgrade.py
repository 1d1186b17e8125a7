"""A migration that cannot get on gives up soon: nothing that comes in may wait behind it."""

from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.engine.claims import Turn, claim
from app.engine.inbox import Arrival, accept, dedupe_key, load_unseen
from app.platform.db import create_engine, create_sessions, migrate, migration_config


def _migrate(connection: Connection, revision: str) -> None:
    (command.downgrade if revision == "base" else command.upgrade)(_config_of(connection), revision)


def _config_of(connection: Connection) -> Config:
    config = migration_config()
    config.attributes["connection"] = connection
    return config


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


_OLD_ROWS = """
    INSERT INTO tenant (id, name) VALUES ('{tenant}', 'of before');
    INSERT INTO lane (tenant_id, scope, record_id, seq) VALUES ('{tenant}', 'invoice', '5001', 1);
    INSERT INTO event_key (tenant_id, lane_id, dedupe) SELECT tenant_id, id, 'unread' FROM lane;
    INSERT INTO event_key (tenant_id, lane_id, dedupe, hook_id) VALUES ('{tenant}', 0, 'recorded', '{tenant}');
    INSERT INTO event (tenant_id, scope, record_id, lane_id, seq) SELECT tenant_id, scope, record_id, id, 1 FROM lane;
    INSERT INTO transfer (tenant_id, scope, kind, record_id, customer_name)
    SELECT '{tenant}', scope, 'invoice', n::text, name
    FROM (VALUES (1, 'invoice', 'Often AS'), (2, 'invoice', 'Often AS'), (3, 'invoice', ''),
                 (4, 'company', 'Customer alone AS')) AS one (n, scope, name);
"""


async def test_what_was_accepted_before_a_migration_is_worked_on_after_it(database_url: str) -> None:
    tenant_id = uuid4()
    engine = create_engine(database_url, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate, "base")
        await connection.run_sync(_migrate, "0001")
        for statement in _OLD_ROWS.format(tenant=tenant_id).split(";")[:-1]:
            await connection.execute(text(statement))
    await migrate(engine)
    arrival = Arrival(
        tenant_id=tenant_id, scope="invoice", record_id="5001", operation="update", dedupe=dedupe_key("another")
    )
    async with create_sessions(engine).begin() as session:
        assert [await accept(session, arrival) is not None for _ in range(2)] == [True, False]
        (lease,) = (await claim(session, Turn(), most=10, lease_seconds=30)).leases
        unseen = await load_unseen(session, [lease], limit=10)
        keys = (await session.scalars(text("SELECT dedupe FROM event_key"))).all()
        names = (await session.scalars(text("SELECT name FROM invoiced_name"))).all()
    async with engine.begin() as connection:
        # Whoever goes back keeps as much.
        await connection.run_sync(lambda found: command.downgrade(_config_of(found), "0001"))
        assert (
            await connection.execute(text("SELECT count(*) FROM event JOIN lane ON lane_id = lane.id"))
        ).scalar() == 2
        await connection.run_sync(_migrate, "base")
        await connection.run_sync(_migrate, "head")
    await engine.dispose()
    assert [one.seq for one in unseen[lease.lane_id]] == [1, 2]
    assert keys == [b"recorded"]
    assert names == ["Often AS"]
