"""The audit trail proves itself: it fits whatever happens in normal use, and shows what was done to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.admin.audit import ChainCheck, Change, check_chains, record_change
from app.platform.db import Session, limit_to_tenant
from app.platform.http import httpx
from tests.world import RECMAN_KEY, World

ODD = {
    "small": 1e-7,
    "whole": 1.0,
    "nought": -0.0,
    "large": 10**40,
    "exponent": Decimal("1E+2"),
    "cents": Decimal("0.10"),
    "text": 'æøå 😀 \u2028 "\\ \x01',
    "deep": [{"b": 1e22, "aa": [], "a": None}, True],
}


async def check(world: World) -> list[ChainCheck]:
    async with world.resources.sessions() as session:
        return await check_chains(session)


async def record(world: World, *, tenant_id: UUID | None, subject: str = "test:1", after: Any = None) -> None:
    async with world.resources.sessions.begin() as session:
        if tenant_id is not None:
            limit_to_tenant(session, tenant_id)
        change = Change(actor="test", action="test", subject=subject, tenant_id=tenant_id, after=after)
        await record_change(session, change)


async def test_each_tenant_has_a_chain_and_the_installation_one(world: World) -> None:
    other = await world.office.make_tenant("Sydlys", recman_api_key=RECMAN_KEY)
    assert (await world.call("GET", "/v1/keys", token="rmu_wrong")).status_code == 401
    chains = {chain.tenant_id: chain for chain in await check(world)}
    assert set(chains) == {None, world.tenant_id, other}
    assert all(chain.fits for chain in chains.values())
    assert (chains[None].rows, chains[other].rows) == (1, 1)


async def test_changes_of_two_tenants_and_operators_at_once_leave_chains_that_fit(world: World) -> None:
    other = await world.office.make_tenant("Sydlys", recman_api_key=RECMAN_KEY)
    tokens = [await world.office.make_token(tenant_id, "admin") for tenant_id in (world.tenant_id, other)]
    calls = []
    for n in range(8):
        calls += [world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active", "settings": {}})]
        calls += [world.call("POST", "/v1/hooks", {"name": f"hook {n}"}, token=token) for token in tokens]
        calls += [world.call("PATCH", "/v1/recman", {"lift_pause": True}, token=tokens[0])]
        calls += [world.call("PATCH", f"/v1/tenants/{other}", {"state": "active"})]
        calls += [world.call("POST", "/v1/tokens", {"name": f"Ola {n}", "role": "operator"})]
        calls += [world.call("GET", "/v1/keys", token="rmu_wrong")]
    # More at once than there are connections, on a busy machine, would be answered 503.
    places = asyncio.Semaphore(12)

    async def call_in_turn(call: Awaitable[httpx.Response]) -> httpx.Response:
        async with places:
            return await call

    answers = await asyncio.gather(*(call_in_turn(call) for call in calls))
    assert sorted({answer.status_code for answer in answers}) == [200, 201, 401]
    assert [chain for chain in await check(world) if not chain.fits] == []


@pytest.mark.parametrize("of_tenant", [True, False])
async def test_odd_values_are_hashed_as_they_are_stored(world: World, *, of_tenant: bool) -> None:
    await record(world, tenant_id=world.tenant_id if of_tenant else None, after=ODD)
    await record(world, tenant_id=world.tenant_id if of_tenant else None)
    assert [chain for chain in await check(world) if not chain.fits] == []


@asynccontextmanager
async def forger(world: World, *statements: str) -> AsyncIterator[Session]:
    """A session in which somebody has had his way with the trail; what he did is undone at the end."""
    async with world.resources.sessions() as session:
        await session.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
        for statement in statements:
            await session.execute(text(statement))
        yield session
        await session.rollback()


ASIDE = "UPDATE audit SET id = -id WHERE actor = 'test'"
FORGERIES = {
    "changed": "UPDATE audit SET actor = 'nobody' WHERE id = :2",
    "changed number": "UPDATE audit SET after = '{\"n\": 2.0}' WHERE id = :2",
    "changed and hashed": "UPDATE audit SET actor = 'nobody', hash = sha256('x') WHERE id = :4",
    "deleted": "DELETE FROM audit WHERE id = :2",
    "swapped": "UPDATE audit SET id = CASE id WHEN -:2 THEN :3 WHEN -:3 THEN :2 ELSE -id END WHERE actor = 'test'",
    "inserted": "INSERT INTO audit (id, tenant_id, at, actor, action, subject, previous_hash, hash) "
    "SELECT 1000, tenant_id, at, actor, action, subject, previous_hash, sha256(hash) FROM audit WHERE id = :3",
    "appended": "INSERT INTO audit (tenant_id, at, actor, action, subject, previous_hash, hash) "
    "SELECT tenant_id, at, actor, action, subject, hash, sha256(hash) FROM audit WHERE id = :4",
    "moved": "UPDATE audit SET tenant_id = :other WHERE id = :2",
}


@pytest.mark.parametrize("of_tenant", [True, False])
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_row_is_found_in_its_chain(world: World, forgery: str, *, of_tenant: bool) -> None:
    tenant_id = world.tenant_id if of_tenant else None
    other = await world.office.make_tenant("Sydlys", recman_api_key=RECMAN_KEY)
    for n in range(5):
        await record(world, tenant_id=tenant_id, subject=f"test:{n}", after={"n": n})
    rows = [row["id"] for row in await world.get("/v1/audit", limit=5)][::-1]
    statement = FORGERIES[forgery].replace(":other", f"'{other}'")
    for n, row in enumerate(rows):
        statement = statement.replace(f":{n}", str(row))
    async with forger(world, ASIDE if forgery == "swapped" else "SELECT 1", statement) as session:
        wrong = [chain for chain in await check_chains(session) if not chain.fits]
    assert tenant_id in {chain.tenant_id for chain in wrong}
    assert {chain.tenant_id for chain in wrong} <= ({tenant_id, other} if forgery == "moved" else {tenant_id})


async def test_cutting_off_the_newest_rows_is_found(world: World) -> None:
    for n in range(3):
        await record(world, tenant_id=world.tenant_id, subject=f"test:{n}")
    newest = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE actor = 'test' ORDER BY id DESC LIMIT 2)"
    async with forger(world, newest) as session:
        (wrong,) = [chain for chain in await check_chains(session) if not chain.fits]
    assert (wrong.tenant_id, wrong.broken, wrong.missing) == (world.tenant_id, None, 2)
