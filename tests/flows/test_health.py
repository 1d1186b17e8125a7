"""Health as monitoring asks for it: ready only with what is needed, whole only for whoever may know."""

from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.cli.beating import beat, beating
from app.engine.pool import pool_of
from app.platform.crypto import Vault
from app.scheduler import look_at_clock
from tests.world import COMPANY, OURS, World
from tests.world.house.source import ROOT
from tests.world.names import RECMAN_KEY


async def ask(world: World, token: str | None = None) -> tuple[int, dict[str, Any]]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = await world.http.get(f"{OURS}/health", headers=headers)
    found: dict[str, Any] = answer.json()
    return answer.status_code, found


async def test_a_service_without_a_worker_is_down_and_one_with_a_worker_is_ok(world: World) -> None:
    monitor = await world.office.make_token(world.tenant_id, "monitor")
    status, found = await ask(world, monitor)
    assert (status, found["status"], found["parts"]["workers"]) == (503, "down", "down")
    assert [reason["code"] for reason in found["reasons"]] == ["worker_missing"]
    async with beating(world.resources, "worker", works=True):
        await beat(world.resources)
        await look_at_clock(world.resources)
        await world.settle()
        status, found = await ask(world, monitor)
        assert (status, found["status"], found["reasons"]) == (200, "ok", [])
    # It ends in good order, and is missed at once.
    assert (await ask(world, monitor))[1]["status"] == "down"


async def test_details_are_shown_as_far_as_a_token_sees(world: World) -> None:
    other = await world.office.make_tenant("Another", recman_api_key="another")
    await world.carry("invoice", 5001)
    await beat(world.resources)
    made = await world.call("POST", "/v1/tokens", {"name": "Prometheus", "role": "monitor"})
    _, found = await ask(world, made.json()["token"])
    assert {one["id"] for one in found["tenants"]} == {str(world.tenant_id), str(other)}
    assert found["processes"][0]["alive"] is True
    for role in ("monitor", "viewer", "admin"):
        _, own = await ask(world, await world.office.make_token(world.tenant_id, role))
        assert own["processes"] is None
        (shown,) = own["tenants"]
        assert shown["id"] == str(world.tenant_id)
        assert [(one["name"], one["signed_in"], one["proof"]) for one in shown["keys"]] == [("Nordlys", True, "open")]
        assert shown["hooks"][0]["last_delivery_at"] is not None
        assert shown["recman"]["used"] == len(world.source.list_calls())
        assert shown["last_sweep"] is None
        # No secret, and nothing that would let anybody in.
        assert not any(secret in str(own) for secret in (RECMAN_KEY, world.hook, COMPANY))


async def test_nobody_in_particular_is_told_how_it_stands_and_nothing_else(world: World) -> None:
    status, found = await ask(world)
    assert (status, found["status"]) == (503, "down")
    assert {name for name, value in found.items() if value is not None} == {"status", "parts"}
    assert (await ask(world, "rmu_wrong"))[0] == 401


async def test_what_is_asked_a_hundred_times_is_looked_at_once(world: World) -> None:
    await ask(world)
    async with AsyncExitStack() as stack:
        # Nobody has a connection left, and anybody is told all the same.
        for _ in range(world.resources.settings.session_connections):
            await stack.enter_async_context(world.resources.engine.connect())
        assert {(await ask(world))[0] for _ in range(100)} == {503}


async def break_secrets(world: World) -> None:
    world.resources.vault = Vault(Fernet.generate_key().decode())


async def break_schema(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))


# Migrations are numbered.
_NEWEST = max(path.name for path in (ROOT / "migrations" / "versions").glob("0*.py"))[:4]
_CURRENT = text(f"UPDATE alembic_version SET version_num = '{_NEWEST}'")  # noqa: S608 - a file's name


async def reconnect(world: World) -> None:
    """Have every connection made anew, also those that a pooler keeps."""
    await world.resources.engine.dispose()
    every = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    # The last one ends itself.
    with suppress(DBAPIError):
        async with world.resources.engine.connect() as connection:
            await connection.execute(text(every))
    await world.resources.engine.dispose()


async def break_writing(world: World) -> None:
    name = world.resources.engine.url.database
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    await reconnect(world)


@pytest.mark.parametrize(
    ("break_it", "cause"),
    [(break_secrets, "secret"), (break_schema, "schema"), (break_writing, "only be read")],
    ids=["secrets", "schema", "read only"],
)
async def test_ready_is_only_who_has_what_is_needed(break_it: Any, cause: str, world: World) -> None:
    assert (await world.http.get(f"{OURS}/health/ready")).status_code == 200
    world.resources._kept.clear()
    name, vault = world.resources.engine.url.database, world.resources.vault
    try:
        await break_it(world)
        answer = await world.http.get(f"{OURS}/health/ready")
    finally:
        world.resources.vault = vault
        async with world.resources.engine.begin() as connection:
            await connection.execute(text("SET TRANSACTION READ WRITE"))
            await connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
            await connection.execute(_CURRENT)
        await world.resources.engine.dispose()
    assert answer.status_code == 503
    assert cause in answer.json()["cause"]
    assert answer.json()["fix"]
    assert (await world.http.get(f"{OURS}/health/live")).status_code == 200


async def test_ready_is_not_who_has_no_connection_for_webhooks(world: World) -> None:
    pool = await pool_of(world.resources)
    await pool.close()
    answer = await world.http.get(f"{OURS}/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "webhook" in answer.json()["cause"]


@pytest.mark.parametrize("table", ["admin_token", "hook"])
async def test_a_schema_of_another_version_is_told_wherever_it_is_met(table: str, world: World, caplog: Any) -> None:
    """A migration has run, and this process is still the old one: nothing it asks for is where it was."""
    token = await world.office.make_token(world.tenant_id, "monitor")
    world.resources._kept.clear()
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        await connection.execute(text(f"ALTER TABLE {table} RENAME COLUMN created_at TO made_at"))
    try:
        (status, found), (whole_status, whole) = await ask(world), await ask(world, token)
        doors = [await world.call("GET", "/v1/hooks"), await world.call("GET", "/metrics")]
        delivered = await world.http.post(f"{OURS}{world.hook}", json={"event": "ping"})
    finally:
        async with world.resources.engine.begin() as connection:
            await connection.execute(_CURRENT)
            await connection.execute(text(f"ALTER TABLE {table} RENAME COLUMN made_at TO created_at"))
    assert (status, found["parts"]["database"]) == (whole_status, whole["parts"]["database"]) == (503, "down")
    refused = [one for one in (*doors, delivered) if one.status_code >= 400]
    assert refused
    for one in refused:
        assert (one.status_code, one.json()["code"]) == (503, "database_away"), one.text
        assert "schema" in one.json()["cause"]
        assert "migrate" in one.json()["fix"]
    assert "Traceback" not in caplog.text
