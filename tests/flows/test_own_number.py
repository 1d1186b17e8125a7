"""A key that sends RecMan's number along: issued under it, or not at all."""

from typing import Any

import pytest

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


async def test_number_that_a_stranger_has_is_refused_and_leaves_no_draft(world: World) -> None:
    turn(world, number_posted="taken", number_in_use="refused")
    await choose_booking(world, Booking.OWN_NUMBER)
    await world.carry("invoice", 5001)
    take_number(world, "119901")
    world.source.double("5001", 9901, invoiceNumber="119901", kid=to_kid("119901"))
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("held", ["remote_rejected"])
    assert numbers(world).count("119901") == 1
    assert [head for head in world.ledger.documents() if not head["InvoiceNumber"]] == []
    assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "open"


@pytest.mark.parametrize(
    ("booking", "question", "way"),
    [
        (Booking.OWN_NUMBER, Question.NUMBER_TWICE, Way.TAKEN),
        (Booking.OWN_NUMBER, Question.NUMBER_POSTED, Way.IGNORED),
        (Booking.VOUCHER, Question.VOUCHER_KID, Way.MADE),
    ],
)
async def test_what_golive_finds_otherwise_later_holds_what_is_not_booked_yet(
    world: World, booking: Booking, question: Question, way: Way
) -> None:
    turn(world, number_posted="taken")
    await choose_booking(world, booking)
    await world.carry("invoice", 5001)
    await answer(world, question, way)
    world.source.double("5001", 9901, invoiceNumber="119901", kid=to_kid("119901"))
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("held", ["booking_disproven"])
    assert await world.hold_of(5001) == ("done", [])
    assert numbers(world) == [str(world.source.record(5001)["invoiceNumber"])]


def take_number(world: World, number: str) -> None:
    """Somebody else has made an invoice with this number."""
    head = world.ledger.documents()[0]
    values = {name: value for name, value in head.items() if name not in {"ID", "_createguid", "ExternalReference"}}
    world.ledger.books().insert("CustomerInvoice", values | {"InvoiceNumber": number, "PaymentID": ""})
