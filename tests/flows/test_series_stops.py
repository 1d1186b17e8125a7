"""A series that would give another number, or has: nothing more goes with the key."""

import pytest

from app.sandbox.unimicro.ledger_switches import Kid, SeriesNamed
from tests.world import World
from tests.world.numbered import FIRST, expect_issued, list_issued, make_invoices, skip_to, start_series, turn

N = FIRST


async def test_nothing_is_issued_where_the_series_stands_elsewhere(world: World) -> None:
    series_id = await start_series(world)
    first, second = make_invoices(world, [N, N + 1])
    # Somebody in Unimicro has taken a number by hand.
    world.ledger.books().update("NumberSeries", series_id, {"NextNumber": N + 1})
    await world.hear_of("invoice", first, second)
    await world.work_off()
    state, codes = await world.hold_of(first)
    assert (state, codes) == ("held", ["series_out_of_step"])
    (reason,) = (await world.document(first))["reasons"]
    assert f"would give number {N + 1}; RecMan's is {N}" in reason["cause"]
    assert list_issued(world) == []
    assert world.ledger.list_drafts() == []
    assert await is_stopped(world)
    # The number is gone: the document is booked by hand, and its number passed.
    assert (await world.ignore(await world.document(first)))[0] == 200
    answer = await skip_to(world, series_id, N + 1, "booked by hand")
    assert answer.json()["was_set"] is False
    await go_on(world)
    await world.settle()
    assert (await world.document(second))["state"] == "done"
    assert list_issued(world) == expect_issued([N + 1])


async def test_a_document_that_got_another_number_stops_the_key_with_both(world: World) -> None:
    await start_series(world)
    turn(world, series_named=SeriesNamed.IGNORED)
    first, second = make_invoices(world, [N, N + 1])
    await world.hear_of("invoice", first, second)
    await world.work_off()
    state, codes = await world.hold_of(first)
    assert (state, codes) == ("held", ["issued_otherwise"])
    cause = (await world.document(first))["reasons"][0]["cause"]
    ((given, _),) = list_issued(world)
    assert f"number: {N} in RecMan, {given} in Unimicro" in cause
    assert await is_stopped(world)
    assert (await world.document(second))["state"] == "waiting"


async def test_a_kid_of_unimicros_own_stops_the_key_with_both(world: World) -> None:
    await start_series(world)
    turn(world, kid=Kid.MADE)
    first, second = make_invoices(world, [N, N + 1])
    await world.hear_of("invoice", first, second)
    await world.work_off()
    state, codes = await world.hold_of(first)
    assert (state, codes) == ("held", ["issued_otherwise"])
    assert world.source.record(first)["kid"] in (await world.document(first))["reasons"][0]["cause"]
    assert await is_stopped(world)
    assert list_issued(world) == expect_issued([N])


async def test_a_number_that_was_passed_is_held_and_never_issued_twice(world: World) -> None:
    series_id = await start_series(world)
    late, second = make_invoices(world, [N, N + 1])
    assert (await skip_to(world, series_id, N + 1)).status_code == 200
    await world.carry("invoice", late, second)
    assert (await world.hold_of(late))[1] == ["series_passed"]
    assert list_issued(world) == expect_issued([N + 1])


@pytest.mark.parametrize("number", ["F-70001", "070001"])
async def test_a_number_that_no_series_gives_is_held(world: World, number: str) -> None:
    await start_series(world)
    world.source.double("5001", 9901, invoiceNumber=number, kid="")
    await world.carry("invoice", 9901)
    assert (await world.hold_of(9901))[1] == ["series_number_unfit"]
    assert list_issued(world) == []


async def is_stopped(world: World) -> bool:
    return bool((await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "stopped")


async def go_on(world: World) -> None:
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/open", {"name": "Kari", "reason": "it is mended"})
    assert answer.status_code == 200, answer.text
