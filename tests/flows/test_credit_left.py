"""Credit notes: what is left of an invoice, whose draft it is, and what a held one's reader can do."""

from typing import Any

import pytest

from app.sandbox.unimicro.invoices import issue_invoice
from app.transfer.books import KnownBooks
from tests.world import World


async def test_invoice_with_a_levelled_claim_can_be_credited_whole(world: World) -> None:
    await world.office.put_rules({"rounding": {"account": 7740}})
    # Unimicro's lines make 5974.88.
    for record_id in ("5003", "5008"):
        world.source.record(record_id).update({"totalExVat": "4957.50", "vat": "1017.39", "totalIncVat": "5974.89"})
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await world.hold_of("5003") == ("done", [])
    assert await world.hold_of() == ("done", [])
    (invoice,) = world.ledger.documents(kind=0)
    (credit,) = world.ledger.credits()
    assert [str(one["TaxInclusiveAmount"]) for one in (invoice, credit)] == ["5974.89", "-5974.89"]
    # The line that levels the invoice is credited with the others, once.
    assert [len(world.ledger.lines_of(one)) for one in (invoice, credit)] == [3, 3]


async def test_drafts_that_are_kept_for_a_person_count_as_credited(world: World) -> None:
    await world.office.change_key(booking="draft")
    await world.hear_of("invoice", 5003)
    await world.settle()
    invoice = await world.find_document("5003")
    assert invoice is not None
    issue_invoice(world.ledger.books(), invoice["remote_id"])
    world.source.credit_part("5008", gross="5000.00")
    world.source.credit_part("5098", gross="5000.00")
    await world.hear_of("invoice", 5008)
    await world.settle()
    await world.hear_of("invoice", 5098)
    await world.settle()
    assert await world.hold_of("5008") == ("done", [])
    assert await world.hold_of("5098") == ("held", ["credit_too_large"])
    held = await world.find_document("5098")
    assert held is not None
    assert "invoice 210002 has 974.88 left" in held["reasons"][0]["cause"]
    assert len(world.ledger.credits()) == 1
    # The draft is too much, as the reason says: taken back there, the other one goes.
    world.ledger.books().update("CustomerInvoice", world.ledger.credits()[0]["ID"], {"Deleted": True})
    await world.retry(held)
    await world.settle()
    assert await world.hold_of("5098") == ("done", [])


async def test_credit_of_an_ignored_invoice_goes_on_by_the_doors_that_its_reason_names(world: World) -> None:
    await world.office.put_rules({"review": {"everything": True}})
    await world.hear_of("invoice", 5003)
    await world.settle()
    invoice = await world.find_document("5003")
    assert invoice is not None
    path = f"/v1/transfers/{invoice['id']}"
    assert (await world.call("POST", f"{path}/ignore", {"reason": "not ours"})).status_code == 200
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("held", ["credited_not_sent"])
    held = await world.find_document("5008")
    assert held is not None
    assert held["reasons"][0]["cause"].startswith("It credits invoice 5003")
    assert f"POST {path}/retry" in held["reasons"][0]["fix"]
    await world.office.put_rules({}, after_version=1)
    await world.retry(invoice)
    await world.settle()
    await world.retry(held)
    await world.settle()
    assert await world.hold_of() == ("done", [])


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"AutoDistributeInvoice": True}, "would_send_twice"), ({"AccountingLockedDate": "2026-10-21"}, "period_locked")],
)
async def test_company_settings_hold_a_credit_note_like_an_invoice(
    world: World, settings: dict[str, Any], code: str
) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    await world.settle_company(**settings)
    world.resources.kept(KnownBooks).references.clear()
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("held", [code])
    held = await world.find_document("5008")
    assert held is not None
    # A credit note cannot be credited and written again, as an invoice can.
    assert "a new one" not in held["reasons"][0]["fix"]
    assert world.ledger.credits() == []


async def test_second_credit_note_says_what_to_do_about_the_first_that_is_held(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    world.source.credit_part("5008", gross="125.00")
    world.source.credit_part("5098", gross="250.00")
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.fault("error_before", method="DELETE", path="/api/biz/invoices", status=403)
    await world.hear_of("invoice", 5008)
    await world.settle()
    await world.hear_of("invoice", 5098)
    await world.settle()
    first, second = await world.find_document("5008"), await world.find_document("5098")
    assert first is not None
    assert second is not None
    assert (first["state"], second["state"]) == ("held", "waiting")
    assert f"ignore it (POST /v1/transfers/{first['id']}/ignore)" in second["reasons"][0]["fix"]
    world.ledger.books().update("CustomerInvoice", first["remote_id"], {"Deleted": True})
    assert (await world.ignore(first))[0] == 200
    await world.settle()
    assert await world.hold_of("5098") == ("done", [])


async def test_credit_note_of_a_held_invoice_says_that_something_must_be_done(world: World) -> None:
    world.source.record("5003")["lines"][0]["productNumber"] = "7777"
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    waiting = await world.find_document("5008")
    assert waiting is not None
    assert waiting["state"] == "waiting"
    assert "Product 7777" in waiting["reasons"][0]["cause"]
    assert not waiting["reasons"][0]["fix"].startswith("Nothing to do")


async def test_invoice_and_credit_note_that_were_booked_by_hand_are_both_linked(world: World) -> None:
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    ids = {record_id: row["remote_id"] for (_, record_id), row in (await world.transfers()).items()}
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM attempt")
        await connection.exec_driver_sql("DELETE FROM transfer WHERE scope = 'invoice'")
    for made in world.ledger.books().rows("CustomerInvoice"):
        world.ledger.books().update("CustomerInvoice", made["ID"], {"ExternalReference": None})
    await world.office.put_rules({"review": {"everything": True}})
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    for record_id in ("5003", "5008"):
        row = await world.find_document(record_id)
        assert row is not None
        path = f"/v1/invoices/{row['id']}/done-elsewhere"
        linked = await world.call("POST", path, {"remote_id": ids[record_id]})
        assert linked.status_code == 200, linked.text
    await world.settle()
    assert [await world.hold_of(record_id) for record_id in ("5003", "5008")] == [("done", []), ("done", [])]
    assert len(world.ledger.books().rows("CustomerInvoice")) == 2


async def test_credit_note_of_another_period_is_booked_with_its_own(world: World) -> None:
    for record_id, month in (("5003", "09"), ("5008", "10")):
        lines = world.source.record(record_id)["lines"]
        line = lines["70014"] if isinstance(lines, dict) else lines[0]
        line.update({"periodStart": f"2026-{month}-01", "periodEnd": f"2026-{month}-28"})
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await world.hold_of() == ("done", [])
    (credit,) = world.ledger.credits()
    assert str(world.ledger.lines_of(credit)[0]["InvoicePeriodStartDate"])[:10] == "2026-10-01"
