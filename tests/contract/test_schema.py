"""The migrations make exactly the tables the code knows, and the committed API description is current."""

import json
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from app.platform.db import create_engine, migrate
from app.tables import Table
from app.web import render_openapi


async def test_migrations_and_tables_agree(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Table.metadata))

    async with engine.connect() as connection:
        differences = await connection.run_sync(compare)
        tables = (await connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))).scalar()
    await engine.dispose()
    assert differences == []
    assert tables == len(Table.metadata.tables) + 1


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
