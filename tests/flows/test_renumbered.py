"""A key whose documents get another number in the books: Unimicro asks nobody for their money, and no number meets."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.world import World

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


@pytest.mark.parametrize(
    ("first", "last", "level", "told"),
    [
        (200_000, 299_999, "fine", ""),
        (1, 99_999, "fine", ""),
        (100_000, 199_999, "alarm", "RecMan's numbers 110001 to 110001 lie inside"),
        (110_500, 199_999, "alarm", "RecMan's newest number 110001 will soon come into"),
    ],
)
async def test_series_that_gives_recmans_numbers_is_an_alarm(
    world: World, first: int, last: int, level: str, told: str
) -> None:
    set_series(world, first, last)
    assert (await check_numbers(world))[0] == "not known"
    await world.carry("invoice", 5001)
    found = await check_numbers(world)
    assert found[0] == level
    assert told in found[1]


async def test_two_documents_with_one_number_are_named(world: World) -> None:
    set_series(world, 210_002, 210_099)
    await world.carry("invoice", 5001)
    await world.carry("invoice", 5003)
    level, cause = await check_numbers(world)
    assert level == "alarm"
    assert "RecMan's 110001 is 210002 in Unimicro" in cause


async def test_number_that_another_document_of_recmans_has_is_an_alarm_whichever_came_first(world: World) -> None:
    set_series(world, 210_002, 210_099)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    await world.carry("invoice", 5003)
    assert await world.hold_of(5003) == ("held", ["issued_otherwise"])
    assert "RecMan's 110001 has its number, 210002, in Unimicro" in (await world.document(5003))["reasons"][0]["cause"]


async def test_number_in_the_books_that_recman_has_given_already_is_an_alarm(world: World) -> None:
    await world.carry("invoice", 5003)
    set_series(world, 210_002, 210_099)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["issued_otherwise"])
    told = "its number in Unimicro, 210002, is another document's in RecMan"
    assert told in (await world.document(5001))["reasons"][0]["cause"]
