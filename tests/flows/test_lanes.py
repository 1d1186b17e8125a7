"""The engine: one record at a time and in order, whatever happens to the workers."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain.states import EventState
from app.engine.claims import Turn, claim, take_over
from app.engine.ends import release
from app.engine.inbox import Arrival, accept, dedupe_key, load_unseen
from app.engine.lanes import Lease, backoff_seconds, check_fence, postpone, renew, wait_for, wake_waiting
from app.engine.loop import Loop, Pace
from app.errors import StaleLeaseError
from app.transfer.context import Run
from app.worker import prepare, run_worker
from tests.world import World
from tests.world.workers import PATIENCE, wait_until


async def hear(world: World, record_id: str, *notes: str) -> None:
    async with world.resources.sessions.begin() as session:
        for note in notes:
            assert await accept(session, arrival_of(world, record_id, note)) is not None


def arrival_of(world: World, record_id: str, note: str) -> Arrival:
    dedupe = dedupe_key(record_id, note)
    return Arrival(tenant_id=world.tenant_id, scope="invoice", record_id=record_id, operation="update", dedupe=dedupe)


async def claim_all(world: World, *, most: int = 10, lease_seconds: float = 30) -> list[Lease]:
    async with world.resources.sessions.begin() as session:
        dead = await take_over(session, most=most, lease_seconds=lease_seconds)
        claimed = await claim(session, Turn(), most=most - len(dead), lease_seconds=lease_seconds)
        return [*dead, *claimed.leases]


async def lane_state(world: World) -> str:
    async with world.resources.sessions() as session:
        return str((await session.execute(text("SELECT state FROM lane"))).scalar_one())


async def test_claimed_lane_is_not_claimed_again(world: World) -> None:
    await hear(world, "1", "a")
    assert len(await claim_all(world)) == 1
    assert await claim_all(world) == []


async def test_ten_claims_at_once_share_the_lanes_without_overlap(world: World) -> None:
    for record in range(30):
        await hear(world, str(record), "a")
    claimed = await asyncio.gather(*(claim_all(world, most=5) for _ in range(10)))
    lanes = [lease.lane_id for leases in claimed for lease in leases]
    assert len(lanes) == len(set(lanes)) == 30


async def let_pass(world: World, column: str, *, seconds: int) -> None:
    """As if so much time had passed for every lane."""
    async with world.resources.engine.begin() as connection:
        query = f"UPDATE lane SET {column} = {column} - interval '{seconds} seconds'"  # noqa: S608 - names of our own
        await connection.exec_driver_sql(query)


async def test_lane_of_a_dead_worker_is_taken_over_and_the_dead_one_is_fenced_off(world: World) -> None:
    await hear(world, "1", "a")
    (dead,) = await claim_all(world, lease_seconds=30)
    await let_pass(world, "leased_until", seconds=60)
    (alive,) = await claim_all(world)
    assert (alive.lane_id, alive.token != dead.token) == (dead.lane_id, True)
    async with world.resources.sessions() as session:
        with pytest.raises(StaleLeaseError):
            await check_fence(session, dead)
    async with world.resources.sessions.begin() as session:
        await release(session, dead, seen_seq=1)
    assert await lane_state(world) == "leased"


async def test_renewed_lease_is_kept_and_a_lost_one_is_told(world: World) -> None:
    await hear(world, "1", "a")
    (lease,) = await claim_all(world, lease_seconds=30)
    async with world.resources.sessions.begin() as session:
        stranger = UUID(int=7)
        assert await renew(session, [lease, replace(lease, token=stranger)], lease_seconds=600) == {lease.token}
    # The first lease would be over by now.
    await let_pass(world, "leased_until", seconds=60)
    assert await claim_all(world) == []


async def test_event_that_arrives_during_the_work_makes_the_lane_ready_again(world: World) -> None:
    await hear(world, "1", "a")
    (lease,) = await claim_all(world)
    await hear(world, "1", "b")
    async with world.resources.sessions.begin() as session:
        await release(session, lease, seen_seq=1)
    assert await lane_state(world) == "ready"
    (again,) = await claim_all(world)
    async with world.resources.sessions() as session:
        unseen = await load_unseen(session, [again], limit=10)
    assert [event.seq for event in unseen[again.lane_id]] == [2]


async def test_held_lane_rests_until_a_new_hint(world: World) -> None:
    await hear(world, "1", "a")
    (lease,) = await claim_all(world)
    async with world.resources.sessions.begin() as session:
        await release(session, lease, seen_seq=1, blocked=True)
    assert await claim_all(world) == []
    await hear(world, "1", "b")
    assert len(await claim_all(world)) == 1


async def test_postponed_lane_is_due_later_and_counts_its_tries(world: World) -> None:
    await hear(world, "1", "a")
    (lease,) = await claim_all(world)
    async with world.resources.sessions.begin() as session:
        await postpone(session, lease, seconds=600, spends_try=True)
    assert await claim_all(world) == []
    await let_pass(world, "run_at", seconds=600)
    (again,) = await claim_all(world)
    assert (again.tries, again.failing_seconds > 0) == (1, True)


async def test_waiting_lane_is_woken_by_the_record_it_waits_for(world: World) -> None:
    await hear(world, "1", "a")
    (lease,) = await claim_all(world)
    async with world.resources.sessions.begin() as session:
        await wait_for(session, lease, scope="company", record_id="7", seconds=600)
    assert await claim_all(world) == []
    async with world.resources.sessions.begin() as session:
        await wake_waiting(session, tenant_id=world.tenant_id, scope="company", record_id="8")
    assert await claim_all(world) == []
    async with world.resources.sessions.begin() as session:
        await wake_waiting(session, tenant_id=world.tenant_id, scope="company", record_id="7")
    (again,) = await claim_all(world)
    assert again.tries == 0


async def test_four_workers_see_every_event_once_and_in_order(world: World) -> None:
    for n in range(40):
        for record in range(5):
            await hear(world, str(record), f"{n}")
    seen: dict[str, list[int]] = {}
    busy: set[str] = set()

    async def note(run: Run) -> None:
        record = run.lease.record_id
        assert record not in busy
        busy.add(record)
        await asyncio.sleep(0.001)
        seen.setdefault(record, []).extend(event.seq or 0 for event in run.events)
        busy.discard(record)
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.DONE)

    stop = asyncio.Event()
    workers = [asyncio.create_task(run_worker(world.resources, stop, carry_one=note)) for _ in range(4)]
    async with asyncio.timeout(PATIENCE):
        while sum(map(len, seen.values())) < 200:  # noqa: ASYNC110 - the workers have no event for it
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*workers)
    assert seen == {str(record): list(range(1, 41)) for record in range(5)}


async def test_handler_that_breaks_is_tried_again_and_stops_no_neighbour(world: World) -> None:
    await hear(world, "1", "a")
    await hear(world, "2", "a")
    calls: list[str] = []

    async def break_once(run: Run) -> None:
        calls.append(run.lease.record_id)
        if calls.count("1") == 1 and run.lease.record_id == "1":
            raise ZeroDivisionError
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.DONE)

    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=break_once))
    async with asyncio.timeout(PATIENCE):
        while await world.count("SELECT count(*) FROM event WHERE state = 'done'") < 2:  # noqa: ASYNC110 - a table
            await asyncio.sleep(0.02)
    stop.set()
    await worker
    assert sorted(calls) == ["1", "1", "2"]


@pytest.mark.parametrize("tries", [0, 3, 20, 500])
def test_backoff_grows_to_its_cap_and_never_beyond(tries: int) -> None:
    low = backoff_seconds(tries, first=5, cap=3600, random_unit=0)
    high = backoff_seconds(tries, first=5, cap=3600, random_unit=1)
    assert 0 < low < high == min(3600, 5 * 2 ** min(tries, 32))


async def test_fifty_invoices_of_one_new_customer_over_four_workers_make_one_customer(world: World) -> None:
    store = world.recman.state.store
    template = store.records["invoice"]["5011"]
    for n in range(50):
        invoice = str(9000 + n)
        store.records["invoice"][invoice] = {**template, "invoiceId": invoice, "invoiceNumber": invoice, "kid": ""}
    await world.hear_of("invoice", *range(9000, 9050))
    stop = asyncio.Event()
    workers = [asyncio.create_task(run_worker(world.resources, stop)) for _ in range(4)]
    async with asyncio.timeout(PATIENCE):
        while await world.count("SELECT count(*) FROM event WHERE state = 'waiting'"):  # noqa: ASYNC110 - a table
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*workers)
    states = [row["state"] for (kind, _), row in (await world.transfers()).items() if kind == "invoice"]
    assert states == ["done"] * 50
    assert len(await world.invoices()) == 50
    calls = (await world.http.get("http://unimicro.test/sandbox/books")).json()["calls"]
    assert calls["POST /api/biz/customers"] == 1
    assert calls["GET /api/biz/products"] <= 2


@pytest.mark.parametrize("plan", ["", "enable_hashjoin", "enable_mergejoin", "enable_material", "enable_sort"])
async def test_no_more_lanes_are_claimed_than_asked_for_whatever_the_plan(world: World, plan: str) -> None:
    for record in range(20):
        await hear(world, str(record), "a")
    async with world.resources.sessions.begin() as session:
        for name in {"enable_hashagg", "enable_hashjoin", "enable_mergejoin", "enable_material", plan} - {""}:
            await session.execute(text(f"SET LOCAL {name} = off"))
        assert len((await claim(session, Turn(), most=1, lease_seconds=30)).leases) == 1


async def test_worker_with_more_in_hand_than_asked_for_lets_it_go_on(world: World) -> None:
    may_end = asyncio.Event()

    async def carry_one(run: Run) -> None:
        await may_end.wait()
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.DONE)

    for record in range(3):
        await hear(world, str(record), "a")
    # Taken while the worker could do more at once than it may now.
    worker = Loop(world.resources, partial(prepare, world.resources, carry_one))
    await worker.turn()
    few = replace(world.resources, settings=world.resources.settings.model_copy(update={"worker_concurrency": 1}))
    worker._resources = few
    begun = time.monotonic()
    for _ in range(4):
        await worker.turn()
    # A turn that waits for nothing is over at once; nothing else would get a turn of its own.
    assert time.monotonic() - begun > 3 * world.resources.settings.poll_seconds
    may_end.set()
    while await world.count("SELECT count(*) FROM lane WHERE state IN ('ready', 'leased')"):
        await worker.turn()
    await worker.drain()


def test_lanes_are_claimed_by_the_dozen_only_while_most_are_over_at_once() -> None:
    pace = Pace()
    assert pace.lanes_of_a_place == 1
    for _ in range(100):
        pace.note(0.001)
    assert pace.lanes_of_a_place == 8
    pace.note(1.0)
    assert pace.lanes_of_a_place <= 3
    for _ in range(10):
        pace.note(1.0)
    assert pace.lanes_of_a_place == 1


async def test_a_worker_that_stood_in_a_delivery_s_way_begins_again_and_nobody_is_told(world: World) -> None:
    """It holds the lane that it ends and wants the one that waits for it; the delivery does it the other way."""
    await hear(world, "100", "first")
    (lease,) = await claim_all(world)
    async with world.resources.sessions.begin() as session:
        await wait_for(session, lease, scope="invoice", record_id="5", seconds=600)
    await hear(world, "5", "first")
    runs: list[str] = []
    may_end = asyncio.Event()

    async def carry(run: Run) -> None:
        runs.append(run.lease.record_id)
        await may_end.wait()

    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=carry))
    await wait_until(lambda: has_come(runs))
    async with world.resources.sessions.begin() as session:
        # The worker is to be the one that Postgres undoes: it notices first.
        await session.execute(text("SET LOCAL deadlock_timeout = '20s'"))
        await accept(session, arrival_of(world, "100", "second"))
        may_end.set()
        await wait_until(lambda: is_somebody_held_up(world))
        await accept(session, arrival_of(world, "5", "second"))
    await wait_until(lambda: is_quiet(world))
    stop.set()
    await worker
    assert sorted(runs) in (["100", "5", "5"], ["100", "5", "5", "5"])
    assert await world.count("SELECT count(*) FROM lane WHERE state = 'idle' AND tries = 0 AND seq = seen_seq") == 2
    assert await world.get("/v1/transfers") == []


async def has_come(runs: list[str]) -> bool:
    return bool(runs)


async def is_somebody_held_up(world: World) -> bool:
    return await world.count("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0


async def is_quiet(world: World) -> bool:
    return await world.count("SELECT count(*) FROM lane WHERE state <> 'idle'") == 0
