"""Lanes that end with nothing else to write end together, and none of them differently than alone."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from app.domain.states import EventState
from app.engine.claims import Turn, claim
from app.engine.ends import End, Ender, release
from app.engine.inbox import Arrival, accept, dedupe_key, load_unseen
from app.engine.lanes import Lease, check_fence, wait_for
from app.errors import StaleLeaseError
from app.transfer.context import Run
from app.worker import run_worker
from tests.world import World
from tests.world.workers import wait_until


async def hear(world: World, *record_ids: str, note: str = "a") -> None:
    async with world.resources.sessions.begin() as session:
        for record_id in record_ids:
            await accept(
                session,
                Arrival(
                    tenant_id=world.tenant_id,
                    scope="product",
                    record_id=record_id,
                    operation="update",
                    dedupe=dedupe_key(record_id, note),
                ),
            )


async def is_all_idle(world: World) -> bool:
    return set((await lanes_of(world)).values()) == {"idle"}


async def claim_ends(world: World, *, note: str | None = None) -> list[End]:
    """Everything that is due, in hand and read."""
    async with world.resources.sessions.begin() as session:
        leases = (await claim(session, Turn(), most=50, lease_seconds=60)).leases
        unseen = await load_unseen(session, leases, limit=10)
    state = EventState.IGNORED
    ends = [End(lease=one, events=unseen[one.lane_id], state=state, note=note) for one in leases]
    return sorted(ends, key=lambda end: int(end.lease.record_id))


async def end_all(world: World, ends: Sequence[End]) -> list[BaseException | None]:
    ender = Ender(world.resources.sessions)
    return await asyncio.gather(*(ender.end(one) for one in ends), return_exceptions=True)


async def rows_of(world: World, query: str) -> list[dict[str, Any]]:
    async with world.resources.engine.connect() as connection:
        return [dict(row) for row in (await connection.exec_driver_sql(query)).mappings()]


async def lanes_of(world: World) -> dict[str, str]:
    rows = await rows_of(world, "SELECT record_id, state FROM lane")
    return {row["record_id"]: row["state"] for row in rows}


async def test_lanes_that_end_at_once_share_a_transaction(world: World) -> None:
    await hear(world, *map(str, range(20)))
    ends = await claim_ends(world, note="nothing to transfer")
    begun: list[object] = []
    engine, note = world.resources.engine.sync_engine, begun.append
    event.listen(engine, "begin", note)
    try:
        assert await end_all(world, ends) == [None] * 20
    finally:
        event.remove(engine, "begin", note)
    assert len(begun) == 1
    assert await is_all_idle(world)
    rows = await rows_of(world, "SELECT state, note, ended_at IS NOT NULL AS ended FROM event")
    assert [(row["state"], row["note"], row["ended"]) for row in rows] == [
        ("ignored", "nothing to transfer", True)
    ] * 20
    assert await world.count("SELECT count(*) FROM lane WHERE known <> '{}'") == 0


async def test_older_hints_of_a_lane_are_superseded_and_keep_their_notes(world: World) -> None:
    for note in ("a", "b"):
        await hear(world, "1", "2", note=note)
    assert await end_all(world, await claim_ends(world, note="over")) == [None, None]
    rows = await rows_of(world, "SELECT state, note FROM event ORDER BY record_id, seq")
    assert [(row["state"], row["note"]) for row in rows] == [("superseded", None), ("ignored", "over")] * 2


async def test_lane_of_another_worker_is_left_alone_and_its_neighbours_end(world: World) -> None:
    await hear(world, "1", "2", "3")
    ends = await claim_ends(world)
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE lane SET token = gen_random_uuid() WHERE record_id = '2'")
    first, stale, last = await end_all(world, ends)
    assert (first, last, type(stale)) == (None, None, StaleLeaseError)
    assert await lanes_of(world) == {"1": "idle", "2": "leased", "3": "idle"}
    assert await world.count("SELECT count(*) FROM event WHERE state = 'waiting'") == 1


async def test_lane_that_somebody_writes_to_keeps_nobody_waiting_and_ends_a_moment_later(world: World) -> None:
    await hear(world, "1", "2", "3")
    ends = await claim_ends(world)
    ender = Ender(world.resources.sessions)
    async with world.resources.sessions.begin() as session:
        await check_fence(session, ends[1].lease)
        first, held, last = [asyncio.create_task(ender.end(one)) for one in ends]
        await asyncio.wait_for(asyncio.gather(first, last), timeout=30)
        assert not held.done()
    await held
    assert await is_all_idle(world)


async def test_what_comes_while_lanes_end_makes_theirs_ready_again(world: World) -> None:
    await hear(world, "1", "2")
    ends = await claim_ends(world)
    await hear(world, "2", note="b")
    await end_all(world, ends)
    assert await lanes_of(world) == {"1": "idle", "2": "ready"}


async def test_whoever_waits_for_one_of_them_is_due_at_once(world: World) -> None:
    await hear(world, "1", "2", "3")
    *ends, waiting = await claim_ends(world)
    async with world.resources.sessions.begin() as session:
        await wait_for(session, waiting.lease, scope="product", record_id="2", seconds=3600)
    await end_all(world, ends)
    assert [one.lease.record_id for one in await claim_ends(world)] == ["3"]


async def test_blocked_lane_rests_until_its_next_hint(world: World) -> None:
    await hear(world, "1", "2")
    ends = [
        End(lease=one.lease, events=one.events, state=EventState.HELD, blocked=True) for one in await claim_ends(world)
    ]
    await end_all(world, ends)
    assert await claim_ends(world) == []
    await hear(world, "2", note="b")
    assert [one.lease.record_id for one in await claim_ends(world)] == ["2"]


async def test_trouble_with_a_lot_is_each_ones_own(world: World) -> None:
    await hear(world, "1", "2", "3")
    good, bad, other = await claim_ends(world)
    unstorable = End(lease=bad.lease, events=bad.events, state=bad.state, note="NUL \0 is no text")
    first, refused, last = await end_all(world, [good, unstorable, other])
    assert (first, last) == (None, None)
    assert refused is not None
    assert await lanes_of(world) == {"1": "idle", "2": "leased", "3": "idle"}


async def test_carrier_that_does_nothing_ends_its_lane(world: World) -> None:
    await hear(world, *map(str, range(12)))
    seen: list[str] = []

    async def look_on(run: Run) -> None:
        seen.append(run.lease.record_id)

    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=look_on))
    await wait_until(partial(is_all_idle, world))
    stop.set()
    await worker
    assert sorted(seen, key=int) == [str(n) for n in range(12)]
    assert await is_all_idle(world)


@pytest.mark.parametrize("count", [1, 2])
async def test_lane_that_was_released_meanwhile_is_not_ended_twice(world: World, count: int) -> None:
    await hear(world, "1", "2")
    ends = (await claim_ends(world))[:count]
    lease: Lease = ends[0].lease
    async with world.resources.sessions.begin() as session:
        await release(session, lease, seen_seq=0)
    assert isinstance((await end_all(world, ends))[0], StaleLeaseError)
