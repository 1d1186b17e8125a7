"""The migrations make exactly the tables the code knows, and the committed API description is current."""

import json
import re
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from app.platform.db import create_engine, migrate
from app.platform.months import list_tables_by_month
from app.tables import Table
from app.web import render_errors, render_openapi

BY_MONTH = list_tables_by_month()
_TABLES = """
    SELECT count(*) FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
"""


def is_no_part(name: str | None, kind: str, _parents: object) -> bool:
    """Whether it is a table of its own, and not one of a table's months."""
    return kind != "table" or not any(re.fullmatch(rf"{one}_(\d+_\d+|default)", name or "") for one in BY_MONTH)


async def test_migrations_and_tables_agree(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_no_part})
        return list(compare_metadata(context, Table.metadata))

    async with engine.connect() as connection:
        differences = await connection.run_sync(compare)
        tables = (await connection.execute(text(_TABLES))).scalar_one()
    await engine.dispose()
    assert differences == []
    assert tables == len(Table.metadata.tables) + 1


# Keys that do not begin with the tenant, and why.
_OTHER_KEYS = {
    "alembic_version": "alembic's own",
    "heartbeat": "processes, which serve all tenants",
    "hook_address": "look-up: which hook an address leads to, before the tenant is known",
    "leasehold": "slots of companies, which tenants may share, and who leads for all",
    "series_claim": "number series of companies, which tenants may share: whose each is",
    "sign_in_hash": "look-up: which sign-in comes back, before the tenant is known",
    "tenant": "the tenants themselves, by id and by name",
    "token_hash": "look-up: whose token this is, before the tenant is known",
}
_UNIQUE = """
    SELECT t.relname, i.relname, (SELECT attname FROM pg_attribute WHERE attrelid = t.oid AND attnum = x.indkey[0])
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relnamespace = 'public'::regnamespace AND x.indisunique AND NOT t.relispartition
"""
# Of a foreign key both sides: where it points to, the tenant comes first too.
_FOREIGN = """
    SELECT t.relname, c.conname, array[
      (SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1]),
      (SELECT attname FROM pg_attribute WHERE attrelid = c.confrelid AND attnum = c.confkey[1])]
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT t.relispartition
"""


async def test_the_tenant_comes_first_in_every_key(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    async with engine.connect() as connection:
        unique = (await connection.execute(text(_UNIQUE))).all()
        foreign = (await connection.execute(text(_FOREIGN))).all()
    await engine.dispose()
    assert len(unique) > 35
    assert len(foreign) > 40
    assert [row[1] for row in unique if row[0] not in _OTHER_KEYS and row[2] != "tenant_id"] == []
    assert [row[1] for row in foreign if tuple(row[2]) not in {("tenant_id", "tenant_id"), ("tenant_id", "id")}] == []
    # No list grows old: each of these has a key that needs its reason.
    assert {row[0] for row in unique if row[2] != "tenant_id"} == set(_OTHER_KEYS)


async def test_random_values_are_made_outside_the_database(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    defaults = "SELECT column_name FROM information_schema.columns WHERE column_default ~ 'random|uuid'"
    async with engine.connect() as connection:
        assert (await connection.execute(text(defaults))).scalars().all() == []
    await engine.dispose()


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    await migrate(engine)
    async with engine.connect() as connection:
        version = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all()
    await engine.dispose()
    assert len(version) == 1


def test_committed_api_description_is_current() -> None:
    committed = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
    assert committed.read_text(encoding="utf-8") == render_openapi()


def test_committed_list_of_codes_is_current() -> None:
    committed = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
    assert committed.read_text(encoding="utf-8") == render_errors()


def test_every_request_body_has_an_example_or_a_choice() -> None:
    description = json.loads(render_openapi())
    schemas = description["components"]["schemas"]
    bodies = {
        body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path in description["paths"].values()
        for route in path.values()
        if (body := route.get("requestBody")) and "$ref" in str(body)
    }
    assert len(bodies) >= 12
    bare = [name for name in bodies if not any(word in str(schemas[name]) for word in ("examples", "enum"))]
    assert bare == []
