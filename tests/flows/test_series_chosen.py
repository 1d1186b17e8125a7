"""`series` is chosen only with green checks: when a key is made, and when its booking changes."""

from typing import Any

import pytest

from tests.world import GO_LIVE, World
from tests.world.names import COMPANY
from tests.world.numbered import FIRST, LAST, add_series, expect_issued, list_issued, make_invoices, put_series

N = FIRST
BY_SERIES = {"sender": "recman", "booking": "series"}


def of(series_id: int, **more: Any) -> dict[str, Any]:
    return {"series_id": series_id, "next_number": N, **more}


async def order_key(world: World, **more: Any) -> dict[str, Any]:
    """What an administrator sends who has signed in to the world's company."""
    signed_in = await world.office.sign_in(world.tenant_id)
    company_key = next(one["key"] for one in signed_in["companies"] if one["name"] == COMPANY)
    order = {"pending_id": signed_in["pending_id"], "company_key": company_key, "name": "By series"}
    return {**order, "go_live": GO_LIVE, "departments": [], **BY_SERIES, **more}


def list_wrong(world: World, what: str) -> list[dict[str, Any]] | None:
    """Series that cannot give RecMan's numbers, as an administrator may name them."""
    match what:
        case "series_missing":
            return [of(4711)]
        case "series_not_next":
            return [of(add_series(world, NextNumber=N + 7))]
        case "series_overlaps":
            add_series(world, first=LAST, last=LAST + 10, name="Andre")
            return [of(add_series(world))]
        case "series_shared":
            series_id = add_series(world)
            world.ledger.book_by_hand(InvoiceNumber=str(N + 3), InvoiceNumberSeriesID=series_id)
            return [of(series_id)]
        case _:
            return None


WRONG = ["series_unset", "series_missing", "series_not_next", "series_overlaps", "series_shared"]


@pytest.mark.parametrize("code", WRONG)
async def test_no_key_is_made_with_a_series_that_is_not_green_and_the_sign_in_can_be_used_again(
    world: World, code: str
) -> None:
    if code == "series_shared":
        await world.carry("invoice", 5001)
    series = list_wrong(world, code)
    order = await order_key(world) | ({} if series is None else {"series": series})
    keys = await world.get("/v1/keys")
    refused = await world.call("POST", "/v1/keys", order)
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert refused.json()["cause"]
    assert await world.get("/v1/keys") == keys
    good: dict[str, Any] = {"series_id": add_series(world, first=LAST + 1000, last=LAST + 2000)}
    good |= {"next_number": LAST + 1000, "prefix": "8"}
    made = await world.call("POST", "/v1/keys", {**order, "series": [good]})
    assert made.status_code == 201, made.text
    assert (made.json()["booking"], made.json()["proof"]["state"]) == ("series", "proving")
    shown = (await world.get(f"/v1/keys/{made.json()['id']}/series"))["series"]
    assert [(one["series_id"], one["next_number"]) for one in shown] == [(good["series_id"], LAST + 1000)]


@pytest.mark.parametrize("code", WRONG)
async def test_a_key_keeps_its_booking_where_the_series_is_not_green(world: World, code: str) -> None:
    if code == "series_shared":
        await world.carry("invoice", 5001)
    series = list_wrong(world, code)
    before = await world.get(f"/v1/keys/{world.key_id}")
    wish = BY_SERIES | ({} if series is None else {"series": series})
    refused = await world.call("PATCH", f"/v1/keys/{world.key_id}", wish)
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert await world.get(f"/v1/keys/{world.key_id}") == before
    assert (await world.get(f"/v1/keys/{world.key_id}/series"))["series"] == []


@pytest.mark.parametrize("comes_along", [True, False])
async def test_a_key_issues_by_the_series_that_was_named_before_or_comes_along(
    world: World,
    comes_along: bool,  # noqa: FBT001
) -> None:
    series = of(add_series(world))
    if not comes_along:
        assert (await put_series(world, series)).status_code == 200
    wish = BY_SERIES | ({"series": [series]} if comes_along else {})
    changed = await world.call("PATCH", f"/v1/keys/{world.key_id}", wish)
    assert changed.status_code == 200, changed.text
    # What is as it was is not looked into again.
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"name": "Renamed", **BY_SERIES})).status_code == 200
    (record,) = make_invoices(world, [N])
    await world.carry("invoice", record)
    assert list_issued(world) == expect_issued([N])
    trail = await world.get("/v1/audit")
    assert [one["action"] for one in trail if one["action"] == "key.series"] == ["key.series"]


async def test_a_series_that_was_green_is_looked_into_again_when_it_is_chosen(world: World) -> None:
    series_id = add_series(world)
    assert (await put_series(world, of(series_id))).status_code == 200
    world.ledger.books(COMPANY).update("NumberSeries", series_id, {"NextNumber": N + 1})
    refused = await world.call("PATCH", f"/v1/keys/{world.key_id}", BY_SERIES)
    assert (refused.status_code, refused.json()["code"]) == (409, "series_not_next")
    assert f"gives {N + 1} next; RecMan's next number is {N}" in refused.json()["cause"]


async def test_series_of_a_key_that_books_otherwise_are_refused(world: World) -> None:
    series = {"series": [of(add_series(world))]}
    refused = await world.call("PATCH", f"/v1/keys/{world.key_id}", series)
    assert (refused.status_code, refused.json()["code"]) == (422, "booking_unfit")
    order = await order_key(world, sender="unimicro", booking="order", **series)
    refused = await world.call("POST", "/v1/keys", order)
    assert (refused.status_code, refused.json()["code"]) == (422, "booking_unfit")
    # What is missing in the answer is asked before Unimicro is.
    refused = await world.call(
        "PATCH", f"/v1/keys/{world.key_id}", {**series, "booking": "series", "sender": "unimicro"}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "booking_unfit")
