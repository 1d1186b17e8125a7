"""A voucher whose answer is lost: looked for by number and reference before anything is sent again, never twice."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.booking import Booking
from app.sandbox.unimicro.vouchers import credit_entry
from tests.world import World
from tests.world.bookings import CREDIT_NOTES, choose_booking
from tests.world.vouchers import list_claims, list_entries, turn

POST: dict[str, Any] = {"method": "POST", "path": "/api/biz/journalentries"}
WAYS: list[dict[str, Any]] = [
    {},
    {"voucher_reference": "shown"},
    {"voucher_reference": "dropped"},
    {"voucher_guids": False},
    {"voucher_guids": False, "voucher_reference": "dropped", "duplicate_heads": "made"},
    {"voucher_guids": False, "voucher_reference": "shown", "duplicate_heads": "matched"},
]


@pytest.mark.parametrize("switches", WAYS, ids=str)
async def test_lost_answer_books_no_second_voucher(world: World, switches: dict[str, Any]) -> None:
    turn(world, **switches)
    await choose_booking(world, Booking.VOUCHER)
    await world.fault("lose_answer", **POST)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], row["remote_number"]) == ("done", str(world.source.record(5001)["invoiceNumber"]))
    assert len(list_entries(world)) == len(world.ledger.documents()) == 1


@pytest.mark.parametrize("switches", WAYS, ids=str)
async def test_lost_answer_without_head_is_found_and_held(world: World, switches: dict[str, Any]) -> None:
    turn(world, **switches, voucher_heads="none")
    await choose_booking(world, Booking.VOUCHER)
    await world.fault("lose_answer", **POST)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["voucher_without_head"])
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("held", ["voucher_without_head"])
    assert len(list_entries(world)) == 1


async def test_voucher_without_head_is_not_ignored_before_it_is_credited_and_then_entered_by_hand(world: World) -> None:
    turn(world, voucher_heads="none")
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    said = {"name": "Kari Nordmann", "reason": "looked at it with the accountant"}
    assert (await world.post(f"/v1/keys/{world.key_id}/open", said)).is_success
    status, told = await world.ignore(row)
    assert (status, told["code"]) == (409, "already_begun")
    assert "voucher 1-2026" in told["cause"]
    books = world.ledger.books()
    credit_entry(books, list_entries(world)[0], None)
    assert (await world.ignore(row))[0] == 200
    # Whoever changes his mind gets no second one without a look, and a person's own is linked.
    turn(world, voucher_heads="made")
    by_hand = await enter_by_hand(world, row)
    done = await world.call("POST", f"/v1/invoices/{row['id']}/done-elsewhere", {"remote_id": by_hand})
    assert done.status_code == 200, done.text
    assert (await world.document(5001))["state"] == "done"


async def enter_by_hand(world: World, row: dict[str, Any]) -> int:
    """The id of the invoice that a clerk made of the document."""
    customer = next(iter(world.ledger.books().rows("Customer")))
    sums = {"TaxExclusiveAmount": "net_amount", "VatTotalsAmount": "vat_amount", "TaxInclusiveAmount": "gross_amount"}
    amounts = {f"{name}{end}": Decimal(str(row[field])) for name, field in sums.items() for end in ("", "Currency")}
    head = {"CustomerID": customer["ID"], "InvoiceNumber": row["number"], "InvoiceType": 0, "StatusCode": 42002}
    head |= {
        "CurrencyCodeID": 1,
        "CurrencyExchangeRate": Decimal(1),
        "InvoiceDate": world.source.record(5001)["invoiceDate"],
    }
    return int(world.ledger.books().insert("CustomerInvoice", head | amounts)["ID"])


async def test_call_that_never_arrived_is_made_again(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    await world.fault("error_before", **POST, status=503)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    assert len(list_entries(world)) == 1


@pytest.mark.parametrize("path", ["/api/statistics", "/api/biz/invoices", "/api/biz/journalentries/"])
async def test_voucher_that_cannot_be_read_back_is_looked_for_and_taken_over(world: World, path: str) -> None:
    turn(world, statistics_join=path == "/api/statistics")
    await choose_booking(world, Booking.VOUCHER)
    await world.hear_of("invoice", 5001)
    await world.fault("error_before", method="GET", path=path, status=503, times=9)
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert len(list_entries(world)) == 1


async def test_guid_that_unimicro_has_seen_of_a_voucher_that_is_nowhere_is_for_a_person(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    body = '{"Message": "The _createguid value has already been processed"}'
    await world.fault("error_before", **POST, status=400, body=body)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["voucher_lost"])
    assert list_entries(world) == []


async def test_refused_voucher_is_held_with_unimicros_words_and_sent_again_when_mended(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    await world.fault("error_before", **POST, status=400)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["remote_rejected"])
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert len(list_entries(world)) == 1


async def test_lost_answer_of_a_credit_note_credits_once(world: World) -> None:
    turn(world, voucher_guids=False)
    await choose_booking(world, Booking.VOUCHER, CREDIT_NOTES)
    await world.carry("invoice", 5003)
    await world.fault("lose_answer", **POST)
    await world.carry("invoice", 5008)
    assert await world.states(5003, 5008) == ["done", "done"]
    assert sum(list_claims(world), Decimal(0)) == 0


async def test_part_credits_are_booked_one_after_the_other_and_never_beyond_the_invoice(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER, CREDIT_NOTES)
    await world.carry("invoice", 5003)
    gross = Decimal(str((await world.document(5003))["gross_amount"]))
    world.source.credit_hours("5008", hours=2)
    world.source.credit_hours("5098", hours=4)
    await world.carry("invoice", 5008, 5098)
    assert await world.states(5008, 5098) == ["done", "done"]
    assert sorted(list_claims(world)) == [Decimal("-500.00"), Decimal("-250.00"), gross]
    # What the two have left is less than the whole.
    whole = world.source.record(5003)
    world.source.double("5098", 5099, invoiceNumber="25099", lines=whole["lines"])
    names = ("totalExVat", "vat", "totalIncVat")
    world.source.record(5099).update({name: whole[name] for name in names})
    await world.carry("invoice", 5099)
    assert await world.hold_of(5099) == ("held", ["credit_too_large"])
    assert len(list_entries(world)) == 3
