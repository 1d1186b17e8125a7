"""Tenants take turns: however much one of them has waiting, the others are served."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy import text

from app.accounting.slots import Slots, slots_of
from app.admin.tenants import create_tenant
from app.domain.states import EventState
from app.engine.claims import Turn, claim
from app.engine.inbox import Arrival, accept, dedupe_key
from app.transfer.context import Run
from app.worker import Carry, run_worker
from tests.world import World
from tests.world.source import to_kid
from tests.world.workers import PATIENCE, at_work

_MANY = text("""
    INSERT INTO lane (tenant_id, scope, record_id, seq, run_at)
    SELECT :tenant, 'invoice', n::text, 1, now() - interval '1 hour' FROM generate_series(1, :count) AS n
""")

LEASED = "SELECT count(*) FROM lane WHERE state = 'leased'"
OPEN = "SELECT count(*) FROM lane WHERE state IN ('ready', 'leased')"


async def have_due(world: World, *counts: int) -> list[UUID]:
    """Tenants with so many due lanes each, in the order of their ids."""
    async with world.resources.sessions.begin() as session:
        made = [(await create_tenant(session, name=f"tenant {n}")).id for n in range(len(counts))]
        for tenant, count in zip(sorted(made), counts, strict=True):
            await session.execute(_MANY, {"tenant": tenant, "count": count})
    return sorted(made)


async def claim_for(world: World, turn: Turn, *, most: int, cap: int | None = None) -> tuple[Counter[UUID], bool]:
    """How many lanes each tenant got, and whether somebody may have more that is due."""
    async with world.resources.sessions.begin() as session:
        claimed = await claim(session, turn, most=most, lease_seconds=60, cap=cap)
    return Counter(lease.tenant_id for lease in claimed.leases), claimed.more


async def test_free_places_are_shared_between_tenants_however_long_one_has_waited(world: World) -> None:
    noisy, quiet, other = await have_due(world, 500, 1, 3)
    assert await claim_for(world, Turn(), most=6) == ({noisy: 2, quiet: 1, other: 2}, True)


async def test_what_others_leave_free_goes_to_whoever_has_more(world: World) -> None:
    noisy, quiet = await have_due(world, 500, 1)
    turn, got = Turn(), Counter[UUID]()
    more = True
    while more and got.total() < 8:
        one, more = await claim_for(world, turn, most=8 - got.total())
        got += one
    assert got == {noisy: 7, quiet: 1}


async def test_with_fewer_places_than_tenants_each_has_its_turn(world: World) -> None:
    tenants = await have_due(world, 9, 9, 9, 9, 9)
    turn = Turn()
    rounds = [(await claim_for(world, turn, most=2))[0] for _ in range(5)]
    assert sum(rounds, Counter[UUID]()) == dict.fromkeys(tenants, 2)
    assert list(rounds[2]) in ([tenants[4], tenants[0]], [tenants[0], tenants[4]])


async def test_nobody_has_more_places_of_a_worker_than_its_share(world: World) -> None:
    noisy, quiet = await have_due(world, 500, 1)
    assert await claim_for(world, Turn(busy={noisy: 6}), most=2, cap=6) == ({quiet: 1}, False)
    assert await claim_for(world, Turn(busy={noisy: 4}), most=4, cap=6) == ({noisy: 2}, False)


@pytest.mark.parametrize("state", ["paused", "waits"])
async def test_who_has_nothing_due_is_passed_over(world: World, state: str) -> None:
    first, second = await have_due(world, 3, 3)
    later = "UPDATE lane SET run_at = now() + interval '1 hour' WHERE tenant_id = :tenant"
    paused = "UPDATE tenant SET state = 'paused' WHERE id = :tenant"
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(paused if state == "paused" else later), {"tenant": first})
    assert await claim_for(world, Turn(), most=8) == ({second: 3}, False)


@asynccontextmanager
async def working(world: World, carry_one: Carry, may_end: asyncio.Event) -> AsyncIterator[None]:
    """A worker that carries so; at the end of the block whatever waits for `may_end` goes on, and the worker stops."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=carry_one))
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    finally:
        may_end.set()
        stop.set()
        await worker


async def test_a_hint_is_worked_on_while_another_tenants_lanes_rest_in_every_place_they_may_have(world: World) -> None:
    (noisy,) = await have_due(world, 0)
    may_end, worked_on = asyncio.Event(), asyncio.Event()

    async def carry_one(run: Run) -> None:
        await (may_end.wait() if run.lease.tenant_id == noisy else asyncio.sleep(0))
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.DONE)
        if run.lease.tenant_id != noisy:
            worked_on.set()

    await hear(world, noisy, [str(n) for n in range(30)])
    async with working(world, carry_one, may_end):
        share = world.resources.settings.places_of_a_tenant
        await wait_for(world, LEASED, lambda lanes: lanes >= share)
        await hear(world, world.tenant_id, ["7001"])
        await worked_on.wait()
        assert not may_end.is_set()


async def test_a_hint_is_worked_on_while_lanes_that_were_short_suddenly_take_long(world: World) -> None:
    (noisy,) = await have_due(world, 0)
    is_long, may_end, worked_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def carry_one(run: Run) -> None:
        if run.lease.tenant_id == noisy and is_long.is_set():
            await may_end.wait()
        await run.leave(state=EventState.DONE)
        if run.lease.tenant_id != noisy:
            worked_on.set()

    async with working(world, carry_one, may_end):
        await hear(world, noisy, [str(n) for n in range(300)])
        await wait_for(world, OPEN, lambda lanes: lanes == 0)
        is_long.set()
        await hear(world, noisy, [str(n) for n in range(1000, 1100)])
        share = world.resources.settings.places_of_a_tenant
        # More of them than it has places, for the last ones were over at once.
        await wait_for(world, LEASED, lambda lanes: lanes > share)
        await hear(world, world.tenant_id, ["7001"])
        await worked_on.wait()
        assert not may_end.is_set()


async def test_of_a_tenant_whose_key_keeps_all_others_waiting_the_latest_come_first(world: World) -> None:
    (tenant,) = await have_due(world, 500)
    async with world.resources.engine.begin() as connection:
        newest = "UPDATE lane SET run_at = now() WHERE tenant_id = :tenant AND record_id = '400'"
        await connection.execute(text(newest), {"tenant": tenant})
    async with world.resources.sessions.begin() as session:
        claimed = await claim(session, Turn(late={tenant}), most=1, lease_seconds=60)
    assert [lease.record_id for lease in claimed.leases] == ["400"]


@pytest.mark.parametrize("whose", ["its own", "another tenant's"])
async def test_a_hint_is_worked_on_while_every_place_waits_for_one_companys_slots(world: World, whose: str) -> None:
    noisy, quiet = await have_due(world, 0, 0)
    worked_on = asyncio.Event()
    # Another process has them all.
    most = world.resources.settings.unimicro_parallel_calls
    elsewhere = Slots(str(world.resources.settings.database_url), most=most)

    async def carry_one(run: Run) -> None:
        if run.lease.record_id != "7001":
            async with slots_of(world.resources).hold("company"):
                await asyncio.sleep(0)
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.DONE)
        if run.lease.record_id == "7001":
            worked_on.set()

    async with AsyncExitStack() as stack:
        for _ in range(most):
            await stack.enter_async_context(elsewhere.hold("company"))
        share = world.resources.settings.places_of_a_tenant
        await hear(world, noisy, [str(n) for n in range(share)])
        stop = asyncio.Event()
        worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=carry_one))
        async with asyncio.timeout(PATIENCE):
            while await world.count("SELECT count(*) FROM lane WHERE state = 'leased'") < share:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await hear(world, noisy if whose == "its own" else quiet, ["7001"])
            await worked_on.wait()
        assert await world.count("SELECT count(*) FROM event WHERE state = 'done'") == 1
    async with asyncio.timeout(PATIENCE):
        while await world.count("SELECT count(*) FROM event WHERE state = 'waiting'"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await worker
    await elsewhere.close()


async def test_a_key_whose_company_does_not_answer_has_no_more_of_a_workers_places_than_it_may(world: World) -> None:
    settings = world.resources.settings
    most, share = settings.unimicro_parallel_calls, settings.places_of_a_tenant
    elsewhere = Slots(str(settings.database_url), most=most)
    ids = [str(9000 + n) for n in range(3 * share)]
    for one in ids:
        number = f"4{one}"
        world.source.double("5002", int(one), invoiceNumber=number, kid=to_kid(number))
    company_key = (await world.get(f"/v1/keys/{world.key_id}"))["company_key"]
    async with at_work(world.resources), AsyncExitStack() as stack:
        for _ in range(most):
            await stack.enter_async_context(elsewhere.hold(company_key))
        await world.hear_of("invoice", *ids)
        async with asyncio.timeout(PATIENCE):
            turned_away = "SELECT count(*) FROM lane WHERE state = 'ready' AND run_at > now() AND tries = 0"
            while await world.count(turned_away) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            leased = await world.count("SELECT count(*) FROM lane WHERE state = 'leased'")
            assert leased <= share + settings.worker_concurrency
    await elsewhere.close()
    await world.settle()
    assert await world.states(*ids) == ["done"] * len(ids)


async def wait_for(world: World, count: str, is_enough: Callable[[int], bool]) -> None:
    """Return once there are so many lanes."""
    while not is_enough(await world.count(count)):  # noqa: ASYNC110 - what happens in the database wakes nobody
        await asyncio.sleep(0.02)


async def hear(world: World, tenant: UUID, records: Sequence[str]) -> None:
    """Hints about records of a tenant."""
    async with world.resources.sessions.begin() as session:
        for record in records:
            arrival = Arrival(
                tenant_id=tenant,
                scope="invoice",
                record_id=record,
                operation="update",
                dedupe=dedupe_key(tenant, record),
            )
            assert await accept(session, arrival) is not None
