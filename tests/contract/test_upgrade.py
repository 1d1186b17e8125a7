"""An installation of the release before is brought up to date with everything in it, and can go back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.admin.audit import check_chains
from app.platform.db import create_engine, create_sessions, migration_config
from app.transfer.credit_log import usual_minus_of

RELEASED = "0008"
HEAD = "head"

# Two keys of one company; documents in every state, and what the release before could make of two credit notes at once.
ROWS = """
INSERT INTO tenant (id, name) VALUES ('00000000-0000-0000-0000-0000000000aa', 'Nordlys');
INSERT INTO key (id, tenant_id, name, company_key, company_name, method, api_base, created_at, open_to_all, state)
SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, tenant.id, 'key ' || n, 'company', 'Nordlys Bemanning AS',
       method, 'https://unimicro.test/', '2026-03-01T12:00:00Z', n = 1, k.state
FROM tenant,
     (VALUES (1, 'invoice', 'active'), (2, 'invoice', 'removed'), (3, 'order', 'active')) AS k (n, method, state);
INSERT INTO department (tenant_id, recman_department_id, name, key_id)
SELECT id, '7', 'Oslo', '00000000-0000-0000-0000-000000000001' FROM tenant;
INSERT INTO transfer (id, tenant_id, key_id, scope, kind, record_id, state, number, unimicro_id, credits_unimicro_id,
                      booked_at, unclear, updated_at)
SELECT t.id, tenant.id, ('00000000-0000-0000-0000-00000000000' || k)::uuid, scope, kind, 'r' || t.id, t.state,
       'n' || t.id,
       remote, credited, CASE WHEN booked THEN timestamptz '2026-03-02T12:00:00Z' + t.id * interval '1 minute' END,
       unclear, '2026-03-03T12:00:00Z'
FROM tenant, (VALUES
    (1, 1, 'invoice', 'invoice', 'done', 11, NULL, true, false),
    (2, 1, 'invoice', 'credit_note', 'done', 12, 11, true, false),
    (3, 1, 'invoice', 'credit_note', 'done', 12, 11, true, false),
    (4, 2, 'invoice', 'invoice', 'done', 11, NULL, true, false),
    (5, 3, 'invoice', 'invoice', 'done', 11, NULL, true, false),
    (6, 1, 'invoice', 'credit_note', 'unknown', NULL, 11, false, true),
    (7, 1, 'invoice', 'credit_note', 'held', 13, 11, false, false),
    (8, 1, 'invoice', 'credit_note', 'held', NULL, 11, false, true),
    (9, 1, 'invoice', 'invoice', 'unknown', NULL, NULL, false, true),
    (10, NULL, 'invoice', 'invoice', 'held', NULL, NULL, false, false),
    (11, 1, 'invoice', 'invoice', 'waiting', NULL, NULL, false, false),
    (12, 1, 'company', 'customer', 'done', 11, NULL, true, false),
    (13, 1, 'project', 'project', 'done', 11, NULL, true, false)
) AS t (id, k, scope, kind, state, remote, credited, booked, unclear);
INSERT INTO attempt (transfer_id, n, step, outcome) SELECT id, 1, 'create', 'ok' FROM transfer;
INSERT INTO audit (tenant_id, at, actor, action, subject, before, after, previous_hash, hash)
SELECT CASE WHEN n % 2 = 0 THEN tenant.id END, now(), 'token:1:Kari æøå', 'key.change', 'key:1', NULL,
       '{"small": 1e-7, "whole": 1.0}', '', int4send(n) FROM tenant, generate_series(1, 7) AS n;
"""


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database that the release before has filled."""
    made = create_engine(database_url, pool_size=1)
    async with made.begin() as connection:
        await connection.run_sync(_migrate, RELEASED)
        for statement in ROWS.strip().rstrip(";").split(";\n"):
            await connection.exec_driver_sql(statement)
    yield made
    await made.dispose()


def _migrate(connection: Connection, revision: str) -> None:
    config = migration_config()
    config.attributes["connection"] = connection
    (command.downgrade if revision == RELEASED else command.upgrade)(config, revision)


async def migrate_to(engine: AsyncEngine, revision: str) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(_migrate, revision)


async def read(engine: AsyncEngine, query: str) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


COLUMNS = "SELECT id, key_id, kind, record_id, number, remote_id, booked_at, unclear, updated_at"
OLD_COLUMNS = COLUMNS.replace("remote_id", "unimicro_id")


async def test_nothing_of_an_older_installation_is_lost_and_its_trail_fits(engine: AsyncEngine) -> None:
    before = await read(engine, f"{OLD_COLUMNS} FROM transfer ORDER BY id")
    await migrate_to(engine, HEAD)
    assert await read(engine, f"{COLUMNS} FROM transfer ORDER BY id") == before
    assert await read(engine, "SELECT count(*) FROM attempt") == [(13,)]
    async with create_sessions(engine)() as session:
        chains = await check_chains(session)
    assert [(chain.rows, chain.fits) for chain in chains] == [(4 + 1, True), (3, True)]
    assert {str(day) for (day,) in await read(engine, "SELECT go_live FROM key")} == {"2026-03-01"}


async def test_two_documents_that_an_older_installation_took_for_one_are_shown_to_a_person(engine: AsyncEngine) -> None:
    await migrate_to(engine, HEAD)
    held = await read(
        engine, "SELECT id, reasons -> 0 ->> 'code' FROM transfer WHERE id < 6 AND state <> 'done' ORDER BY id"
    )
    assert held == [(3, "document_taken"), (4, "document_taken")]
    causes = await read(engine, "SELECT reasons -> 0 ->> 'cause', reasons -> 0 ->> 'fix' FROM transfer WHERE id = 3")
    assert "n2" in causes[0][0]
    assert causes[0][1]


async def test_of_two_open_credit_notes_of_one_invoice_the_first_goes_on_alone(engine: AsyncEngine) -> None:
    await migrate_to(engine, HEAD)
    open_ones = "SELECT id, credits_remote_id FROM transfer WHERE id IN (6, 7, 8) ORDER BY id"
    # The one whose draft is known first: what the others made is found by its marks, or a person is asked.
    assert await read(engine, open_ones) == [(6, None), (7, 11), (8, None)]


async def test_credit_notes_booked_before_signs_were_kept_tell_no_sign(engine: AsyncEngine) -> None:
    await migrate_to(engine, HEAD)
    ((tenant_id,),) = await read(engine, "SELECT id FROM tenant")
    async with create_sessions(engine)() as session:
        assert await session.scalar(select(usual_minus_of(tenant_id))) is None


async def test_an_installation_can_go_back_and_come_again(engine: AsyncEngine) -> None:
    before = await read(engine, f"{OLD_COLUMNS} FROM transfer ORDER BY id")
    for revision in (HEAD, RELEASED, HEAD):
        await migrate_to(engine, revision)
    assert await read(engine, f"{COLUMNS} FROM transfer ORDER BY id") == before
    async with create_sessions(engine)() as session:
        assert [chain for chain in await check_chains(session) if not chain.fits] == []
