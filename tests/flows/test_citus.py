"""Tables are distributed by tenant where Citus is: each of them, in an order in which they can be, once."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.platform.citus import LOCAL, list_calls
from app.platform.db import migrate_database, to_driver_url
from app.tables import Table
from tests.world.databases import drop, execute, recreate, to_url
from tests.world.processes import run_alone

# What the extension brings, as far as we call it: it notes its calls, and refuses what Citus would refuse.
FAKE = """
    CREATE TABLE call (n bigserial, name text, by text, beside text);
    CREATE TABLE pg_dist_partition (logicalrelid regclass);
    CREATE FUNCTION note(name text, by text, beside text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE missing text;
    BEGIN
        SELECT confrelid::regclass INTO missing FROM pg_constraint
        WHERE contype = 'f' AND conrelid = name::regclass AND confrelid <> conrelid AND conparentid = 0
          AND confrelid NOT IN (SELECT logicalrelid FROM pg_dist_partition);
        IF missing IS NOT NULL THEN RAISE EXCEPTION '% refers to %, which is local', name, missing; END IF;
        IF beside NOT IN ('everywhere', 'none') AND beside::regclass NOT IN (SELECT logicalrelid FROM pg_dist_partition)
        THEN RAISE EXCEPTION '% is not distributed', beside; END IF;
        IF by IS NOT NULL AND EXISTS (
            SELECT FROM pg_index WHERE indrelid = name::regclass AND indisunique AND by::text NOT IN (
                SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = ANY(indkey)))
        THEN RAISE EXCEPTION '% has a unique key without its %', name, by; END IF;
        IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = name::regclass AND NOT tgisinternal)
           AND current_setting('citus.enable_unsafe_triggers', true) IS DISTINCT FROM 'on'
        THEN RAISE EXCEPTION '% has a trigger', name; END IF;
        INSERT INTO call (name, by, beside) VALUES (name, by, beside);
        INSERT INTO pg_dist_partition VALUES (name::regclass);
    END $$;
    CREATE FUNCTION create_distributed_table(name text, by text, colocate_with text) RETURNS void
        LANGUAGE sql AS $$ SELECT note(name, by, colocate_with) $$;
    CREATE FUNCTION create_reference_table(name text) RETURNS void
        LANGUAGE sql AS $$ SELECT note(name, NULL, 'everywhere') $$;
"""


@pytest.fixture
async def own_url(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A database with our tables and nothing else."""
    name = f"rmu_citus_{worker_id}"
    await recreate(server_url, name)
    await migrate_database(to_url(server_url, name))
    yield to_url(server_url, name)
    await drop(server_url, name)


async def list_noted(url: str) -> list[tuple[str, str | None, str]]:
    connection = await asyncpg.connect(to_driver_url(url))
    try:
        return [tuple(row) for row in await connection.fetch("SELECT name, by, beside FROM call ORDER BY n")]
    finally:
        await connection.close()


async def test_every_table_is_distributed_by_its_tenant_or_is_in_a_list(own_url: str) -> None:
    await execute(own_url, FAKE)
    done = run_alone("migrate", "--citus", DATABASE_URL=own_url)
    assert done.returncode == 0, done.stderr
    noted = await list_noted(own_url)
    assert {name for name, _, _ in noted} | LOCAL == set(Table.metadata.tables)
    assert {name for name, by, _ in noted if by is None} == {
        *("tenant", "hook_address", "sign_in_hash", "token_hash", "series_claim")
    }
    assert {by for _, by, _ in noted} == {None, "tenant_id"}
    # All lie beside each other: one tenant's rows on one machine.
    assert len([name for name, _, beside in noted if beside == "none"]) == 1
    for name in ("event", "attempt", "transfer", "lane", "event_key"):
        assert name in done.stdout


async def test_once_more_goes_on_where_it_was_interrupted(own_url: str) -> None:
    await execute(own_url, FAKE)
    assert run_alone("migrate", "--citus", DATABASE_URL=own_url).returncode == 0
    await execute(own_url, "DELETE FROM pg_dist_partition WHERE logicalrelid = 'attempt'::regclass")
    again = run_alone("migrate", "--citus", DATABASE_URL=own_url)
    assert (again.returncode, "Distributed now: attempt." in again.stdout) == (0, True), again.stderr
    assert [name for name, _, _ in await list_noted(own_url)].count("attempt") == 2


async def test_without_the_extension_it_is_one_sentence_and_nothing_is_changed(own_url: str) -> None:
    done = run_alone("migrate", "--citus", DATABASE_URL=own_url)
    assert done.returncode == 1
    assert "The database has no extension Citus" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_that_nobody_has_placed_cannot_be_forgotten() -> None:
    assert set(list_calls()) | LOCAL == set(Table.metadata.tables)
    order = list(list_calls())
    for table in Table.metadata.tables.values():
        for other in {key.column.table.name for key in table.foreign_keys} - {table.name}:
            assert order.index(other) < order.index(table.name), (other, table.name)
