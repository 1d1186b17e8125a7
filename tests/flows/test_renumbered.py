"""A key whose documents get another number in the books: Unimicro asks nobody for their money, and no number meets."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.world import World
from tests.world.numbered import add_series, put_series

STOPS = ("DontSendReminders", "DontUseFactoring")


def turn(world: World, **switches: Any) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned(switches)


async def prove(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET proof = 'proving'"))


# --- reminders and factoring ---


async def test_unimicro_is_to_remind_nobody_of_a_renumbered_invoice(world: World) -> None:
    await world.settle_company(UseFactoring=True)
    await world.carry("invoice", 5001)
    (head,) = world.ledger.documents()
    assert [head[name] for name in STOPS] == [True, True]
    assert not head["CollectorStatusCode"]
    assert await world.hold_of(5001) == ("done", [])


async def test_stop_that_is_lost_at_issue_is_an_alarm_and_stops_a_key_that_is_proven(world: World) -> None:
    turn(world, stop_flags="lost")
    await prove(world)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["issued_otherwise"])
    assert "reminders and factoring" in row["reasons"][0]["cause"]
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "stopped"


async def test_each_invoice_of_an_open_key_whose_stop_is_lost_is_an_alarm_until_it_is_set_right(world: World) -> None:
    turn(world, stop_flags="lost")
    await world.carry("invoice", 5001, 5002)
    assert await world.states(5001, 5002) == ["held", "held"]
    books = world.ledger.books()
    for head in books.rows("CustomerInvoice"):
        books.update("CustomerInvoice", head["ID"], dict.fromkeys(STOPS, True))
    row = await world.document(5001)
    await world.call("POST", f"/v1/transfers/{row['id']}/retry")
    await world.settle()
    assert await world.states(5001, 5002) == ["done", "held"]


@pytest.mark.parametrize("booking", ["draft", "order"])
async def test_what_unimicro_sends_may_be_reminded_of(world: World, booking: str) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET booking = :booking, sender = 'unimicro'"), {"booking": booking})
    await world.carry("invoice", 5001)
    heads = [*world.ledger.documents(), *world.ledger.books().rows("CustomerOrder")]
    assert len(heads) == 1
    assert not any(heads[0].get(name) for name in STOPS)


# --- numbers apart ---


async def check_numbers(world: World) -> tuple[str, str]:
    answer = (await world.call("POST", f"/v1/keys/{world.key_id}/check")).json()
    (found,) = [one for one in answer["findings"] if one["what"] == "numbers apart"]
    return found["level"], found["cause"]


def set_series(world: World, first: int, last: int) -> None:
    books = world.ledger.books()
    (series,) = [row for row in books.rows("NumberSeries") if row["Name"] == "CustomerInvoice"]
    books.update("NumberSeries", series["ID"], {"FromNumber": first, "ToNumber": last, "NextNumber": first})


APART = (3_000_000, 3_999_999)
# How Unimicro's series may lie, what the check of a key says of it, and why the first document is held.
LIES = [
    (200_000, 299_999, "fine", "", None),
    (1, 99_999, "fine", "", None),
    (100_000, 199_999, "alarm", "RecMan's number 110001 lies inside", "series_overlaps"),
    (110_500, 199_999, "alarm", "RecMan's newest number 110001 will soon come into", None),
]


@pytest.mark.parametrize(("first", "last", "level", "told", "held"), LIES)
async def test_series_that_gives_recmans_numbers_is_an_alarm_and_holds_its_documents(
    world: World, first: int, last: int, level: str, told: str, held: str | None
) -> None:
    set_series(world, first, last)
    assert (await check_numbers(world))[0] == "not known"
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == (("held", [held]) if held else ("done", []))
    assert bool(world.ledger.documents()) == (held is None)
    found = await check_numbers(world)
    assert found[0] == level
    assert told in found[1]


async def test_document_that_no_series_meets_is_held_where_another_one_is_met(world: World) -> None:
    set_series(world, 210_000, 219_999)
    await world.carry("invoice", 5003)
    await world.carry("invoice", 5001)
    assert [await world.hold_of(one) for one in (5003, 5001)] == [("held", ["series_overlaps"])] * 2
    assert "RecMan's numbers 210002 lie inside CustomerInvoice" in (await world.document(5001))["reasons"][0]["cause"]
    assert world.ledger.documents() == []


async def test_what_is_held_goes_on_by_itself_once_the_key_is_checked_and_numbers_are_apart(world: World) -> None:
    set_series(world, 100_000, 199_999)
    await world.carry("invoice", 5001)
    assert (await check_numbers(world))[0] == "alarm"
    await world.settle()
    assert await world.hold_of(5001) == ("held", ["series_overlaps"])
    set_series(world, *APART)
    assert (await check_numbers(world))[0] == "fine"
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert [head["InvoiceNumber"] for head in world.ledger.documents()] == ["3000000"]


async def test_series_that_recmans_own_numbers_are_issued_in_is_no_overlap(world: World) -> None:
    series_id = add_series(world, first=110_001, last=119_999)
    answer = await put_series(world, {"series_id": series_id, "next_number": 110_001})
    assert answer.status_code == 200, answer.text
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])


# --- a key that is to renumber ---

ACCEPTED = {"name": "Berit Regnskap", "reason": "our own series", "day": "2026-10-01"}


async def choose_renumbered(world: World, **more: Any) -> tuple[int, str, str]:
    order = {"sender": "recman", "booking": "renumbered", "acceptance": ACCEPTED | more}
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", order)
    told = answer.json()
    return answer.status_code, told.get("code", ""), told.get("cause", "")


async def test_key_is_refused_while_the_series_gives_numbers_that_recman_has(world: World) -> None:
    await world.office.change_key(booking="draft", sender="unimicro")
    await world.carry("invoice", 5001, 5003)
    set_series(world, 100_000, 999_999)
    status, code, cause = await choose_renumbered(world)
    assert (status, code) == (409, "series_overlaps")
    assert "RecMan's numbers 110001 to 210002 lie inside CustomerInvoice (100000-999999" in cause
    assert (await world.get(f"/v1/keys/{world.key_id}"))["booking"] == "draft"
    set_series(world, *APART)
    assert (await choose_renumbered(world))[0] == 200


async def test_new_key_is_refused_while_the_series_gives_numbers_that_recman_has(world: World) -> None:
    await world.office.change_key(departments=[])
    await world.carry("invoice", 5001)
    set_series(world, 100_000, 999_999)
    signed_in, known = await world.office.sign_in(world.tenant_id), (await world.get("/v1/keys"))[0]
    order = {"pending_id": signed_in["pending_id"], "company_key": known["company_key"], "name": "Second"}
    order |= {"go_live": known["go_live"]}
    order |= {"sender": "recman", "booking": "renumbered", "acceptance": ACCEPTED, "departments": []}
    answer = await world.call("POST", "/v1/keys", order)
    assert (answer.status_code, answer.json()["code"]) == (409, "series_overlaps")
    set_series(world, *APART)
    assert (await world.call("POST", "/v1/keys", order)).status_code == 201


@pytest.mark.parametrize("is_vouched", [False, True])
async def test_series_that_unimicro_does_not_tell_are_an_accountants_word_or_a_hold(
    world: World, *, is_vouched: bool
) -> None:
    turn(world, series_told=False)
    if is_vouched:
        assert (await choose_renumbered(world, numbers_apart=True))[0] == 200
    else:
        assert (await choose_renumbered(world))[:2] == (409, "series_untold")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == (("done", []) if is_vouched else ("held", ["series_untold"]))


async def test_word_that_numbers_are_apart_does_not_count_against_what_unimicro_tells(world: World) -> None:
    set_series(world, 100_000, 199_999)
    await world.carry("invoice", 5001)
    assert (await choose_renumbered(world, numbers_apart=True))[:2] == (409, "series_overlaps")


# --- two documents with one number, for what was booked before ---


async def let_numbers_meet(world: World) -> None:
    """An accountant has vouched for it, wrongly, that they never do; Unimicro does not tell its series."""
    turn(world, series_told=False)
    set_series(world, 210_002, 210_099)
    assert (await choose_renumbered(world, numbers_apart=True))[0] == 200


async def test_two_documents_with_one_number_are_named(world: World) -> None:
    await let_numbers_meet(world)
    await world.carry("invoice", 5001)
    await world.carry("invoice", 5003)
    level, cause = await check_numbers(world)
    assert level == "alarm"
    assert "RecMan's 110001 is 210002 in Unimicro" in cause


async def test_number_that_another_document_of_recmans_has_is_an_alarm_whichever_came_first(world: World) -> None:
    await let_numbers_meet(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    await world.carry("invoice", 5003)
    assert await world.hold_of(5003) == ("held", ["issued_otherwise"])
    assert "RecMan's 110001 has its number, 210002, in Unimicro" in (await world.document(5003))["reasons"][0]["cause"]


async def test_number_in_the_books_that_recman_has_given_already_is_an_alarm(world: World) -> None:
    await world.carry("invoice", 5003)
    await let_numbers_meet(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["issued_otherwise"])
    told = "its number in Unimicro, 210002, is another document's in RecMan"
    assert told in (await world.document(5001))["reasons"][0]["cause"]
