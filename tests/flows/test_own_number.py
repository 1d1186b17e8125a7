"""A key that sends RecMan's number along: issued under it, or not at all."""

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.answers import Question, Way
from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import answer, choose_booking
from tests.world.source import to_kid
from tests.world.vouchers import turn


def numbers(world: World) -> list[Any]:
    return [head["InvoiceNumber"] for head in world.ledger.documents()]


async def test_invoice_is_issued_under_its_own_number_with_three_calls(world: World) -> None:
    turn(world, number_posted="taken")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    (head,) = world.ledger.documents()
    record = world.source.record(5001)
    assert (head["InvoiceNumber"], head["PaymentID"]) == (str(record["invoiceNumber"]), str(record["kid"]))
    world.source.double("5001", 9901, invoiceNumber="119901")
    before = len(await world.list_calls())
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("done", [])
    assert len(await world.list_calls()) - before <= 3
    assert numbers(world) == [head["InvoiceNumber"], "119901"]


@pytest.mark.parametrize("posted", ["ignored", "refused"])
async def test_number_that_the_draft_does_not_take_issues_nothing_and_leaves_no_draft(
    world: World, posted: str
) -> None:
    turn(world, number_posted=posted)
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5001)
    code = {"ignored": "number_not_kept", "refused": "remote_rejected"}[posted]
    assert await world.hold_of(5001) == ("held", [code])
    assert world.ledger.documents() == []


async def test_number_that_issuing_exchanges_is_an_alarm_that_names_both(world: World) -> None:
    turn(world, number_posted="draft_only")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["issued_otherwise"])
    (number,) = numbers(world)
    assert number in row["reasons"][0]["cause"]
    assert str(world.source.record(5001)["invoiceNumber"]) in row["reasons"][0]["cause"]


async def test_credit_note_has_its_own_number_too(world: World) -> None:
    turn(world, number_posted="taken")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5003, 5008)
    assert await world.states(5003, 5008) == ["done", "done"]
    (note,) = world.ledger.credits()
    assert note["InvoiceNumber"] == str(world.source.record(5008)["invoiceNumber"])


@pytest.mark.parametrize("query", ["", "action=invoice"])
async def test_lost_answer_is_gone_on_with_under_the_same_number(world: World, query: str) -> None:
    turn(world, number_posted="taken")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.fault("lose_answer", method="POST", path="/api/biz/invoices", query=query)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    assert numbers(world) == [str(world.source.record(5001)["invoiceNumber"])]


async def test_number_that_another_invoice_has_is_not_issued_twice(world: World) -> None:
    turn(world, number_posted="taken")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5001)
    (number,) = numbers(world)
    world.source.double("5001", 9901, invoiceNumber=number, kid=None, companyId=202)
    await world.carry("invoice", 9901)
    assert (await world.document(9901))["state"] == "held"
    assert numbers(world) == [number]


@pytest.mark.parametrize("way", [Way.TAKEN, Way.REFUSED, None])
async def test_number_that_a_stranger_has_is_looked_for_before_issuing_where_unimicro_gives_it_twice(
    world: World, way: Way | None
) -> None:
    turn(world, number_posted="taken", number_in_use="refused" if way is Way.REFUSED else "taken")
    await choose_booking(world, Booking.OWN_NUMBER)
    if way is None:
        await forget_answer(world, Question.NUMBER_TWICE)
    else:
        await answer(world, Question.NUMBER_TWICE, way)
    await world.carry("invoice", 5001)
    take_number(world, "119901")
    world.source.double("5001", 9901, invoiceNumber="119901", kid=to_kid("119901"))
    await world.carry("invoice", 9901)
    code = "remote_rejected" if way is Way.REFUSED else "number_in_books"
    assert await world.hold_of(9901) == ("held", [code])
    assert numbers(world).count("119901") == 1
    assert [head for head in world.ledger.documents() if not head["InvoiceNumber"]] == []
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "open"


async def test_invoice_costs_one_more_call_where_unimicro_gives_a_number_twice(world: World) -> None:
    turn(world, number_posted="taken", number_in_use="taken")
    await choose_booking(world, Booking.OWN_NUMBER, {Question.NUMBER_TWICE: Way.TAKEN})
    await world.carry("invoice", 5001)
    world.source.double("5001", 9901, invoiceNumber="119901", kid=to_kid("119901"))
    before = len(await world.list_calls())
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("done", [])
    assert len(await world.list_calls()) - before == 4


def take_number(world: World, number: str) -> None:
    """Somebody else has made an invoice with this number."""
    head = world.ledger.documents()[0]
    values = {name: value for name, value in head.items() if name not in {"ID", "_createguid", "ExternalReference"}}
    world.ledger.books().insert("CustomerInvoice", values | {"InvoiceNumber": number, "PaymentID": ""})


async def forget_answer(world: World, question: Question) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("DELETE FROM company_answer WHERE question = :one"), {"one": question})
