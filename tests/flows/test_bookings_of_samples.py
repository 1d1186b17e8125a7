"""The demo's documents by every booking: a new key proves itself, is opened, and they end as the booking promises."""

from typing import Any

import pytest

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from app.sandbox.samples import load_samples
from tests.world import World
from tests.world.bookings import CREDIT_NOTES, CURRENCY, choose_booking
from tests.world.numbered import add_series, prove_again, put_series
from tests.world.vouchers import turn

EXPECTED = load_samples().expected
CREDIT = "5008"
# Behind 110005, which is held for its product, RecMan's numbers of its department wait for it.
BEHIND = {"5010", "5012", "5014", "5015"}
KARI = {"name": "Kari Nordmann", "reason": "compared with the customers' copies"}


async def begin(world: World, booking: Booking) -> None:
    await choose_booking(world, booking, CREDIT_NOTES, CURRENCY)
    if booking is Booking.OWN_NUMBER:
        turn(world, number_posted="taken")
    if booking is Booking.SERIES:
        await world.office.read_departments()
        books = world.ledger.books()
        (default,) = (row for row in books.rows("NumberSeries") if row["Name"] == "CustomerInvoice")
        books.update("NumberSeries", default["ID"], {"FromNumber": 300_000, "NextNumber": 300_000})
        wanted = [
            {"series_id": add_series(world, first=first, last=first + 999, name=name), "next_number": first}
            | {"departments": [department]}
            for first, name, department in ((110_001, "Sør", "1"), (210_001, "Nord", "2"))
        ]
        answer = await put_series(world, *wanted)
        assert answer.status_code == 200, answer.text
    await prove_again(world)


def expect(booking: Booking, record_id: str) -> tuple[str, str]:
    """The state that the booking promises, and the code of what holds the document or lets it wait."""
    if record_id == CREDIT and booking not in IN_BOOKS:
        return "held", "credit_of_order" if booking is Booking.ORDER else "credited_not_issued"
    if record_id in BEHIND and booking is Booking.SERIES:
        return "waiting", "waits"
    state = EXPECTED[record_id].state
    return state, "" if state == "done" else "product_unknown"


@pytest.mark.parametrize("booking", Booking)
async def test_samples_end_as_their_booking_promises_and_an_administrator_opens_the_key(
    world: World, booking: Booking
) -> None:
    await begin(world, booking)
    await world.deliver_samples()
    await world.work_off()
    found: dict[str, Any] = {}
    for record_id in EXPECTED:
        state, codes = await world.hold_of(record_id)
        found[record_id] = state, codes[0] if codes else ""
    assert found == {record_id: expect(booking, record_id) for record_id in EXPECTED}
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/open", KARI)
    assert answer.status_code == 200, answer.text
    proof = answer.json()["proof"]
    done = [record_id for record_id, (state, _) in found.items() if state == "done"]
    assert (proof["state"], proof["equal"]) == ("open", len(done))
    assert proof["credits_proven"] == (CREDIT in done)
    await check_books(world, booking, done)


async def check_books(world: World, booking: Booking, done: list[str]) -> None:
    """Number, KID and due date are the document's where RecMan sends; what is left for people has no number yet."""
    rows = {row["record_id"]: row for row in (await world.transfers()).values() if row["record_id"] in done}
    heads = {row["ID"]: row for row in world.ledger.documents()}
    for record_id in done:
        row, record = rows[record_id], world.source.record(record_id)
        assert row["remote_gross_amount"] == str(EXPECTED[record_id].gross)
        if booking is Booking.ORDER:
            continue
        head = heads[row["remote_id"]]
        assert bool(head["InvoiceNumber"]) is (booking in IN_BOOKS)
        if booking in KEEPS_NUMBER:
            assert head["InvoiceNumber"] == str(record["invoiceNumber"])
            if record.get("kid"):
                assert head["PaymentID"] == str(record["kid"])
            if record["type"] != "creditNote":
                assert head["PaymentDueDate"] == record["dueDate"]
    assert len(world.ledger.orders() if booking is Booking.ORDER else heads) == len(done)
