"""A key that books vouchers: number, KID and due date in the books are the document's, or nothing is booked."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from app.domain.answers import Question, Way
from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import CREDIT_NOTES, CURRENCY, answer, choose_booking, forget_kid_acceptance
from tests.world.vouchers import lines_of, list_claims, list_entries, read_vat, turn

LINE = {"position": 1, "productNumber": "1001", "description": "Timer", "quantity": "10", "unitPrice": "100.00"}
SUMS = {"totalExVat": "1000.00", "vat": "250.00", "totalIncVat": "1250.00"}


def price_in(world: World, currency: str) -> None:
    lines = [LINE | {"vatRate": "25", "total": "1000.00"}]
    world.source.record(5001).update({"lines": lines, **SUMS, "currency": currency})


async def test_invoice_becomes_a_voucher_with_a_head_that_has_its_number_kid_and_days(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    row, record = await world.document(5001), world.source.record("5001")
    assert row["state"] == "done", row["reasons"]
    (head,) = world.ledger.documents()
    assert (head["InvoiceNumber"], head["PaymentID"]) == (str(record["invoiceNumber"]), str(record["kid"]))
    assert (head["PaymentDueDate"], head["CreatedFromJournalEntry"]) == (record["dueDate"], True)
    assert (row["remote_number"], row["remote_id"]) == (head["InvoiceNumber"], head["ID"])
    (entry,) = list_entries(world)
    assert entry["ExternalReference"] == "RM-5001"
    assert list_claims(world) == [Decimal(str(row["gross_amount"]))]
    assert sum(line["Amount"] for line in lines_of(world, entry)) == 0
    assert read_vat(world, entry) == Decimal(str(row["remote_vat_amount"])) == Decimal(str(row["vat_amount"]))
    assert {line["FinancialDate"] for line in lines_of(world, entry)} == {record["invoiceDate"]}
    assert {line["VatDate"] for line in lines_of(world, entry)} == {record["invoiceDate"]}
    assert row["warnings"] == []
    # Told again, or asked for by a person, it is not booked again.
    await world.carry("invoice", 5001)
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert len(list_entries(world)) == 1


async def test_steady_state_is_three_calls(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    world.source.double("5001", 9901, invoiceNumber="119901")
    before = len(await world.list_calls())
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("done", [])
    calls = (await world.list_calls())[before:]
    assert [(call["method"], call["path"]) for call in calls] == [
        ("GET", "/api/biz/invoices"),
        ("POST", "/api/biz/journalentries"),
        # The third is the statistics that join lines and head: beside the business entities, so not in this list.
    ]
    counts = world.unimicro.calls.counts  # type: ignore[attr-defined]
    assert sum(count for call, count in counts.items() if "/api/statistics" in call) == 2


@pytest.mark.parametrize(
    "switches",
    [
        {"statistics_join": False},
        {"statistics_join": False, "voucher_lines_shown": True},
        {"voucher_lines_shown": True},
        {"head_sums": "gross"},
        {"voucher_reference": "shown"},
        {"voucher_reference": "dropped"},
        {"voucher_guids": False},
    ],
    ids=str,
)
async def test_voucher_is_known_and_compared_whatever_of_it_is_answered(world: World, switches: dict[str, Any]) -> None:
    turn(world, **switches)
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], row["warnings"]) == ("done", [])
    assert row["remote_vat_amount"] == row["vat_amount"]
    await world.retry(row)
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert len(list_entries(world)) == 1


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        # VAT comes on top of the amounts: out of balance, so refused.
        ({"voucher_amounts": "net"}, "remote_rejected"),
        ({"voucher_heads": "none"}, "voucher_without_head"),
    ],
)
async def test_company_that_books_otherwise_holds_the_document_and_nothing_is_booked_twice(
    world: World, switches: dict[str, Any], code: str
) -> None:
    turn(world, **switches)
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", [code])
    booked = len(list_entries(world))
    if booked:
        # The company does it so with every document: the key stops until an administrator lets it go on.
        assert (await world.get(f"/v1/keys/{world.key_id}"))["proof"]["state"] == "stopped"
        said = {"name": "Kari Nordmann", "reason": "looked at it with the accountant"}
        assert (await world.post(f"/v1/keys/{world.key_id}/open", said)).is_success
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("held", [code])
    assert len(list_entries(world)) == booked == (1 if code == "voucher_without_head" else 0)


async def test_kid_that_unimicro_makes_for_a_document_without_one_is_an_alarm(world: World) -> None:
    turn(world, voucher_kid="always")
    world.source.record(5001)["kid"] = None
    await choose_booking(world, Booking.VOUCHER)
    await forget_kid_acceptance(world)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["issued_otherwise"])
    assert "KID: none in RecMan, 0" in row["reasons"][0]["cause"]
    assert row["remote_number"] == str(world.source.record(5001)["invoiceNumber"])


async def test_number_that_is_in_the_books_already_holds_the_document(world: World) -> None:
    await world.carry("invoice", 5001)
    (head,) = world.ledger.documents()
    world.source.double("5001", 9901, invoiceNumber=head["InvoiceNumber"], kid=None)
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("held", ["number_in_books"])
    assert len(world.ledger.documents()) == 1


async def test_foreign_currency_waits_until_it_is_proven_for_the_company(world: World) -> None:
    price_in(world, "DKK")
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["voucher_unproven"])
    assert list_entries(world) == []
    await answer(world, Question.VOUCHER_CURRENCY, Way.KEPT)
    await world.retry(await world.document(5001))
    await world.settle()
    row = await world.document(5001)
    assert (row["state"], row["remote_gross_amount"]) == ("done", row["gross_amount"])
    (entry,) = list_entries(world)
    assert list_claims(world) == [Decimal("1968.75")]
    assert sum(line["AmountCurrency"] for line in lines_of(world, entry)) == 0


async def test_currency_that_is_booked_as_the_companys_own_is_an_alarm(world: World) -> None:
    turn(world, voucher_currency="ignored")
    price_in(world, "DKK")
    await choose_booking(world, Booking.VOUCHER, CURRENCY)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["issued_otherwise", "drift_changed"])
    assert len(list_entries(world)) == 1


async def test_document_that_rounds_vat_as_a_whole_is_booked_with_its_own_net_and_vat(world: World) -> None:
    prices = ("25.06", "25.61", "25.63")
    lines = [LINE | {"productNumber": "2001", "quantity": "1", "unitPrice": one, "total": one} for one in prices]
    sums = {"totalExVat": "76.30", "vat": "11.45", "totalIncVat": "87.75"}
    world.source.record(5001).update({"lines": [line | {"vatRate": "15"} for line in lines], **sums})
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], row["warnings"]) == ("done", [])
    (entry,) = list_entries(world)
    assert (list_claims(world), read_vat(world, entry)) == ([Decimal("87.75")], Decimal("11.45"))


async def test_claim_of_whole_crowns_is_levelled_on_the_rules_account_or_held(world: World) -> None:
    lines = [LINE | {"vatRate": "25", "quantity": "1", "unitPrice": "100.30", "total": "100.30"}]
    sums = {"totalExVat": "100.30", "vat": "25.08", "totalIncVat": "125.00"}
    world.source.record(5001).update({"lines": lines, **sums})
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["rounding"])
    assert list_entries(world) == []
    await world.office.put_rules({"rounding": {"account": 7740}})
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert list_claims(world) == [Decimal("125.00")]
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])


async def test_file_is_put_on_the_voucher_once(world: World) -> None:
    file = {"name": "Faktura 110001", "extension": "pdf", "base64": base64.b64encode(b"%PDF-1.7").decode()}
    world.source.record(5001)["file"] = file
    await choose_booking(world, Booking.VOUCHER)
    await world.office.put_rules({"attach_files": True})
    await world.fault("lose_answer", method="POST", path="/api/biz/journalentries")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    (entry,) = list_entries(world)
    files = world.unimicro.state.world.files.listed("JournalEntry", entry["ID"])
    assert [one["Name"] for one in files] == ["Faktura 110001.pdf"]


async def test_document_without_a_claim_is_for_a_person(world: World) -> None:
    lines = [
        LINE | {"vatRate": "25", "quantity": q, "total": f"{q}00.00", "position": n} for n, q in ((1, "1"), (2, "-1"))
    ]
    sums = {"totalExVat": "0.00", "vat": "0.00", "totalIncVat": "0.00"}
    world.source.record(5001).update({"lines": lines, **sums})
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["voucher_without_claim"])
    assert list_entries(world) == []


async def test_credit_note_needs_proof_of_its_own(world: World) -> None:
    await choose_booking(world, Booking.VOUCHER)
    await world.carry("invoice", 5003)
    await world.carry("invoice", 5008)
    assert await world.hold_of(5008) == ("held", ["voucher_unproven"])
    await answer(world, *next(iter(CREDIT_NOTES.items())))
    await world.retry(await world.document(5008))
    await world.settle()
    row = await world.document(5008)
    assert (row["state"], row["remote_gross_amount"]) == ("done", row["gross_amount"])
    (note,) = world.ledger.credits()
    assert note["InvoiceNumber"] == str(world.source.record(5008)["invoiceNumber"])


async def test_lock_counts_for_the_invoice_date_alone_also_where_it_was_set_a_moment_ago(world: World) -> None:
    record = world.source.record(5001)
    record["deliveryDate"] = "2026-01-31"
    await choose_booking(world, Booking.VOUCHER)
    await world.settle_company(BookCustomerInvoiceOnDeliveryDate=True, AccountingLockedDate="2026-02-28")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    # Nobody has looked at the settings since, so that it is Unimicro that refuses the next one.
    await world.settle_company(AccountingLockedDate=record["invoiceDate"])
    world.source.double("5001", 9901, invoiceNumber="119901")
    await world.carry("invoice", 9901)
    assert await world.hold_of(9901) == ("held", ["period_locked"])
    assert "The invoice date" in (await world.document(9901))["reasons"][0]["cause"]
    assert len(list_entries(world)) == 1
