"""A series is named only when it stands at RecMan's next number and is nobody else's."""

from typing import Any

from app.platform.http import httpx
from tests.world import World
from tests.world.names import COMPANY
from tests.world.numbered import (
    FIRST,
    LAST,
    add_series,
    choose_series_booking,
    expect_issued,
    list_issued,
    make_invoices,
    put_series,
    skip_to,
    start_series,
)

N = FIRST


def of(series_id: int, **more: Any) -> dict[str, Any]:
    return {"series_id": series_id, "next_number": N, **more}


def told(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert answer.status_code == 200 or (body["cause"] and body["fix"])
    return answer.status_code, body.get("code", "")


async def test_a_series_that_is_not_there_is_named(world: World) -> None:
    answer = await put_series(world, of(4711))
    assert told(answer) == (409, "series_missing")
    assert "4711" in answer.json()["cause"]


async def test_a_series_that_stands_elsewhere_is_refused_with_both_numbers(world: World) -> None:
    series_id = add_series(world, NextNumber=N + 7)
    answer = await put_series(world, of(series_id))
    assert told(answer) == (409, "series_not_next")
    assert f"gives {N + 7} next; RecMan's next number is {N}" in answer.json()["cause"]


async def test_a_series_with_numbers_and_drafts_of_others_is_refused_with_their_names(world: World) -> None:
    await world.carry("invoice", 5001)
    series_id = add_series(world)
    world.ledger.book_by_hand(InvoiceNumber=str(N + 3), InvoiceNumberSeriesID=series_id)
    answer = await put_series(world, of(series_id))
    assert told(answer) == (409, "series_shared")
    assert str(N + 3) in answer.json()["cause"]


async def test_the_default_series_and_one_that_overlaps_another_are_refused(world: World) -> None:
    default = next(row for row in world.ledger.books(COMPANY).rows("NumberSeries") if row["Name"] == "CustomerInvoice")
    answer = await put_series(world, {"series_id": default["ID"], "next_number": default["NextNumber"]})
    assert told(answer) == (409, "series_shared")
    add_series(world, first=LAST, last=LAST + 10, name="Andre")
    answer = await put_series(world, of(add_series(world)))
    assert told(answer) == (409, "series_overlaps")
    assert "Andre" in answer.json()["cause"]


async def test_a_next_number_that_recmans_documents_contradict_is_refused(world: World) -> None:
    await choose_series_booking(world)
    low, _ = make_invoices(world, [N - 1, N])
    await world.carry("invoice", low)
    assert (await world.hold_of(low))[1] == ["series_unset"]
    answer = await put_series(world, of(add_series(world)))
    assert told(answer) == (409, "series_not_next")
    assert str(N - 1) in answer.json()["cause"]


async def test_two_series_for_the_same_documents_are_refused(world: World) -> None:
    one, other = add_series(world), add_series(world, first=LAST + 1, last=LAST + 100, name="Andre")
    answer = await put_series(world, of(one), {"series_id": other, "next_number": LAST + 1})
    assert told(answer) == (409, "series_overlaps")


async def test_departments_and_credit_notes_have_series_of_their_own(world: World) -> None:
    await choose_series_booking(world)
    plain = add_series(world)
    north = add_series(world, first=LAST + 1, last=LAST + 100, name="Nord")
    of_credits = add_series(world, first=LAST + 101, last=LAST + 200, name="Kreditnotaer")
    answer = await put_series(
        world,
        of(plain, prefix="7"),
        {"series_id": north, "next_number": LAST + 1, "departments": ["2"]},
        {"series_id": of_credits, "next_number": LAST + 101, "kind": "credit_note"},
    )
    assert answer.status_code == 200, answer.text
    (first,) = make_invoices(world, [N], like="5003")
    world.source.record(first)["departmentId"] = 1
    (other,) = make_invoices(world, [LAST + 1], like="5003")
    world.source.record(other)["departmentId"] = 2
    world.source.record("5008").update(
        {"invoiceNumber": str(LAST + 101), "creditedInvoiceId": first, "departmentId": 1}
    )
    await world.carry("invoice", 5008, other, first)
    assert await world.states(first, other, 5008) == ["done"] * 3
    assert sorted(number for number, _ in list_issued(world)) == [str(N), str(LAST + 1), str(LAST + 101)]
    shown = (await world.get(f"/v1/keys/{world.key_id}/series"))["series"]
    assert [one["next_number"] for one in shown] == [N + 1, LAST + 2, LAST + 102]


async def test_numbers_that_recman_has_made_are_not_passed(world: World) -> None:
    series_id = await start_series(world)
    _, second, third = make_invoices(world, [N, N + 1, N + 2])
    await world.carry("invoice", second, third)
    answer = await skip_to(world, series_id, N + 2)
    assert told(answer) == (409, "skip_refused")
    assert f"{N + 1} (waiting)" in answer.json()["cause"]
    shown = (await world.get(f"/v1/keys/{world.key_id}/series"))["series"][0]
    assert (shown["next_number"], shown["waiting"], shown["skipping_to"]) == (N, 2, None)
    assert str(N) in shown["standing"]
    assert (await skip_to(world, series_id, N + 1)).status_code == 200
    await world.settle()
    assert list_issued(world) == expect_issued([N + 1, N + 2])


async def test_a_series_that_unimicro_does_not_set_is_left_as_it_was(world: World) -> None:
    series_id = await start_series(world)
    (first,) = make_invoices(world, [N])
    await world.carry("invoice", first)
    await world.fault("error_before", method="PUT", path=f"/api/biz/number-series/{series_id}")
    answer = await skip_to(world, series_id, N + 5)
    assert answer.status_code == 502
    # What got no answer may have been done: to ask once more ends it.
    if (await world.get(f"/v1/keys/{world.key_id}/series"))["series"][0]["skipping_to"] is not None:
        assert (await skip_to(world, series_id, N + 5)).status_code == 200
    (behind,) = make_invoices(world, [N + 5])
    await world.carry("invoice", behind)
    assert list_issued(world) == expect_issued([N, N + 5])


async def test_number_that_unimicro_does_not_take_is_refused_with_what_can_be_done(world: World) -> None:
    series_id = await start_series(world)
    answer = await skip_to(world, series_id, LAST + 500)
    assert told(answer) == (409, "skip_refused")
    assert "outside the number series" in answer.json()["cause"]
    assert "/v1/keys/{key_id}/series" in answer.json()["fix"]
    (shown,) = (await world.get(f"/v1/keys/{world.key_id}/series"))["series"]
    assert (shown["next_number"], shown["skipping_to"]) == (N, None)


async def test_who_waits_in_a_series_that_is_let_go_looks_where_it_is_numbered_now(world: World) -> None:
    await start_series(world)
    (behind,) = make_invoices(world, [N + 3])
    await world.carry("invoice", behind)
    assert (await world.document(behind))["state"] == "waiting"
    north = add_series(world, first=LAST + 1, last=LAST + 9, name="Nord")
    answer = await put_series(world, {"series_id": north, "next_number": LAST + 1, "departments": ["2"]})
    assert answer.status_code == 200, answer.text
    await world.settle()
    assert (await world.hold_of(behind))[1] == ["series_unset"]
