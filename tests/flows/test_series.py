"""Documents issued in a series of their own, in RecMan's order."""

from tests.world import World
from tests.world.numbered import FIRST, expect_issued, list_issued, make_invoices, skip_to, start_series

N = FIRST


def name_unknown_product(world: World, record_id: int) -> None:
    record = world.source.record(record_id)
    lines = record["lines"].values() if isinstance(record["lines"], dict) else record["lines"]
    next(iter(lines))["productNumber"] = "nowhere"


async def test_documents_get_their_own_numbers_in_the_order_of_recman(world: World) -> None:
    await start_series(world)
    ids = make_invoices(world, [N, N + 1, N + 2])
    await world.carry("invoice", *reversed(ids))
    assert await world.states(*ids) == ["done", "done", "done"]
    assert list_issued(world) == expect_issued([N, N + 1, N + 2])


async def test_a_later_number_waits_and_says_for_which_one(world: World) -> None:
    await start_series(world)
    first, second, third = make_invoices(world, [N, N + 1, N + 2])
    await world.carry("invoice", second, third)
    state, codes = await world.hold_of(third)
    assert (state, codes) == ("waiting", ["waits"])
    (reason,) = (await world.document(third))["reasons"]
    assert str(N) in reason["cause"]
    assert "RecMan has told nothing" in reason["cause"]
    assert "skip-to" in reason["fix"]
    assert list_issued(world) == []
    assert world.ledger.list_drafts() == []
    await world.carry("invoice", first)
    assert await world.states(first, second, third) == ["done"] * 3
    assert list_issued(world) == expect_issued([N, N + 1, N + 2])


async def test_who_waits_for_a_held_number_says_what_holds_it(world: World) -> None:
    await start_series(world)
    first, second = make_invoices(world, [N, N + 1])
    name_unknown_product(world, first)
    await world.carry("invoice", second)
    await world.carry("invoice", first)
    assert (await world.document(first))["state"] == "held"
    (reason,) = (await world.document(second))["reasons"]
    assert f"{N}" in reason["cause"]
    assert "is held: " in reason["cause"]
    assert list_issued(world) == []


async def test_a_gap_is_passed_by_an_administrator_who_gives_a_reason(world: World) -> None:
    series_id = await start_series(world)
    ids = make_invoices(world, [N, N + 2, N + 3])
    await world.carry("invoice", *ids)
    assert await world.states(*ids) == ["done", "waiting", "waiting"]
    answer = await skip_to(world, series_id, N + 2)
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"was_set": True} == answer.json()
    await world.settle()
    assert await world.states(*ids) == ["done"] * 3
    assert list_issued(world) == expect_issued([N, N + 2, N + 3])
    rows = await world.get("/v1/audit")
    (entry,) = (row for row in rows if row["action"] == "key.skip_to")
    assert entry["after"]["reason"] == "deleted in RecMan"
    sets = [one for one in await world.list_calls() if one["method"] == "PUT" and "number-series" in one["path"]]
    assert len(sets) == 1
