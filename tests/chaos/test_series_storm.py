"""Whatever happens to calls and workers: RecMan's numbers in RecMan's order, no gap, none twice."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from tests.world import RECMAN_KEY, World
from tests.world.names import COMPANY
from tests.world.numbered import (
    FIRST,
    choose_series_booking,
    expect_issued,
    list_issued,
    make_invoices,
    put_series,
    start_series,
)
from tests.world.processes import is_through, real_world, start_worker
from tests.world.workers import PATIENCE

N = FIRST
NUMBERS = list(range(N, N + 4))
INVOICES = "/api/biz/invoices"


@pytest.mark.parametrize("fault", ["lose_answer", "error_after", "error_before"])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param({"method": "POST", "path": INVOICES, "query": ""}, id="draft"),
        pytest.param({"method": "GET", "path": "/api/biz/number-series"}, id="next number"),
        pytest.param({"method": "POST", "path": INVOICES, "query": "action=invoice"}, id="issue"),
        pytest.param({"method": "GET", "path": INVOICES}, id="read"),
    ],
)
async def test_a_call_without_an_answer_leaves_no_gap(world: World, fault: str, call: dict[str, Any]) -> None:
    await start_series(world)
    ids = make_invoices(world, NUMBERS)
    await world.fault(fault, **call, times=2)
    await world.carry("invoice", *reversed(ids))
    assert await world.states(*ids) == ["done"] * len(ids)
    assert list_issued(world) == expect_issued(NUMBERS)
    assert world.ledger.list_drafts() == []


async def test_several_workers_and_two_keys_of_one_company_keep_the_order(world: World) -> None:
    await world.office.read_departments()
    await world.office.open_key("Two", company=COMPANY, departments=["2"])
    await start_series(world)
    numbers = list(range(N, N + 9))
    ids = make_invoices(world, numbers)
    for index, record_id in enumerate(ids):
        world.source.record(record_id)["departmentId"] = 1 + index % 2
    mixed = random.Random(5).sample(ids, len(ids))
    await world.hear_of("invoice", *mixed)
    await world.settle_with(3)
    assert await world.states(*ids) == ["done"] * len(ids)
    assert list_issued(world) == expect_issued(numbers)
    keys = {(await world.document(record_id))["key_id"] for record_id in ids}
    assert len(keys) == 2


async def test_two_recman_accounts_do_not_share_a_series(world: World) -> None:
    series_id = await start_series(world)
    other = await world.office.make_tenant("Sydlys", recman_api_key=RECMAN_KEY)
    key_id = await world.office.make_key(other, name="Sydlys", company=COMPANY)
    await choose_series_booking(world)
    body = {"series": [{"series_id": series_id, "next_number": N}]}
    answer = await world.call("PUT", f"/v1/keys/{key_id}/series", body, tenant=other)
    assert (answer.status_code, answer.json()["code"]) == (409, "series_shared")
    assert "Another RecMan account" in answer.json()["cause"]
    # Once it is let go, the other may have it.
    again = await put_series(world, {"series_id": series_id, "next_number": N})
    assert again.status_code == 200


@pytest.mark.parametrize("seed", [3])
async def test_killing_workers_again_and_again_leaves_no_gap(database_url: str, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with real_world(database_url, tmp_path) as world:
        await start_series(world)
        numbers = list(range(N, N + 12))
        ids = make_invoices(world, numbers)
        await world.hear_of("invoice", *chance.sample(ids, len(ids)))
        kills = 0
        workers = [start_worker(world.resources.settings, tmp_path) for _ in range(2)]
        try:
            async with asyncio.timeout(PATIENCE):
                while not await is_through(world):
                    await asyncio.sleep(chance.uniform(0.2, 1))
                    if kills < 4:
                        victim = chance.randrange(2)
                        workers[victim].kill()
                        workers[victim].wait()
                        kills += 1
                        workers[victim] = start_worker(world.resources.settings, tmp_path)
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait(20)
        assert kills >= 2
        assert await world.states(*ids) == ["done"] * len(ids)
        assert list_issued(world) == expect_issued(numbers)
        assert world.ledger.list_drafts() == []
