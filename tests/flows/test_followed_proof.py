"""What people issued of drafts and orders is compared as what we issue: equal ones prove the key, others stop it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.sandbox.unimicro.invoices import issue_invoice, update_invoice
from app.scheduler import look_at_clock
from tests.world import World, open_world

KARI = {"name": "Kari Nordmann", "reason": "the customer has Unimicro's days"}


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose clock follows at every look."""
    async with open_world(database_url, tmp_path, follow_minutes=0.000001) as world:
        yield world


async def leave(world: World, record_id: int, *, booking: str = "draft", proof: str = "proving") -> dict[str, Any]:
    """The transfer of a document that was left for people, by a key that is proven or open."""
    columns = {"booking": booking, "sender": "unimicro", "proof": proof, "credits_proven": proof == "open"}
    told = ", ".join(f"{name} = :{name}" for name in columns)
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(f"UPDATE key SET {told}"), columns)  # noqa: S608 - a test's own names
    await world.carry("invoice", record_id)
    row = await world.document(record_id)
    assert row["state"] == "done", row["reasons"]
    async with world.resources.engine.begin() as connection:
        query = text("SELECT remote_customer_id, booked_as FROM transfer WHERE id = :id")
        kept = (await connection.execute(query, {"id": row["id"]})).mappings().one()
    return {**row, **kept}


async def follow(world: World) -> None:
    assert await look_at_clock(world.resources)
    await world.settle()


async def issue_otherwise(world: World, row: dict[str, Any], **head: Any) -> None:
    """A person changes the head of a draft and issues it; it is followed."""
    books = world.ledger.books()
    books.update("CustomerInvoice", row["remote_id"], head)
    issue_invoice(books, row["remote_id"])
    await follow(world)


async def proof_of(world: World) -> dict[str, Any]:
    shown: dict[str, Any] = (await world.get(f"/v1/keys/{world.key_id}"))["proof"]
    return shown


async def test_draft_that_was_issued_as_it_was_left_counts_once_more(world: World) -> None:
    row = await leave(world, 5001)
    assert (await proof_of(world))["equal"] == 1
    await issue_otherwise(world, row)
    shown = await proof_of(world)
    assert (shown["state"], shown["equal"], shown["under_way"]) == ("proving", 2, None)
    await follow(world)
    assert (await proof_of(world))["equal"] == 2
    assert (await world.overview_row(5001))["state"] == "in Unimicro"


async def test_what_is_followed_takes_nobodys_place(world: World) -> None:
    row = await leave(world, 5001)
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE proving SET place = '5002'"))
    await issue_otherwise(world, row)
    shown = await proof_of(world)
    assert (shown["equal"], shown["under_way"]) == (2, "5002")


async def test_other_days_stop_a_key_that_is_proven_with_both_values_until_a_person_accepts_them(world: World) -> None:
    row = await leave(world, 5001)
    await issue_otherwise(world, row, PaymentDueDate="2027-02-01")
    shown = await proof_of(world)
    due = world.source.record("5001")["dueDate"]
    assert shown["state"] == "stopped"
    assert due in shown["stopped"]["cause"]
    assert "2027-02-01" in shown["stopped"]["cause"]
    assert await world.hold_of(5001) == ("held", ["issued_otherwise"])
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/open", KARI)
    assert answer.status_code == 200, answer.text
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert [one["code"] for one in (await world.document(5001))["warnings"]] == ["issued_otherwise"]


async def test_other_days_are_a_warning_with_an_open_key(world: World) -> None:
    row = await leave(world, 5001, proof="open")
    await issue_otherwise(world, row, PaymentDueDate="2027-02-01")
    assert (await proof_of(world))["state"] == "open"
    assert [one["code"] for one in (await world.document(5001))["warnings"]] == ["issued_on_other_days"]


@pytest.mark.parametrize("proof", ["proving", "open"])
async def test_another_customer_is_an_alarm_and_stops_a_key_that_is_proven(world: World, proof: str) -> None:
    row = await leave(world, 5001, proof=proof)
    books = world.ledger.books()
    (own,) = (one for one in books.rows("Customer") if one["ID"] == row["remote_customer_id"])
    await issue_otherwise(world, row, CustomerID=books.insert("Customer", own)["ID"])
    assert await world.hold_of(5001) == ("held", ["issued_otherwise"])
    assert (await proof_of(world))["state"] == ("stopped" if proof == "proving" else "open")


@pytest.mark.parametrize("proof", ["proving", "open"])
async def test_another_vat_code_of_the_same_sums_is_an_alarm(world: World, proof: str) -> None:
    row = await leave(world, 5001, proof=proof)
    books = world.ledger.books()
    for line in books.children("CustomerInvoiceItem", "CustomerInvoiceID", row["remote_id"]):
        own = next(one for one in books.rows("VatType") if one["ID"] == line["VatTypeID"])
        other = books.insert("VatType", {**own, "VatCode": "31", "Name": "Another code"})
        update = {"ID": row["remote_id"], "Items": [{"ID": line["ID"], "VatTypeID": other["ID"]}]}
        update_invoice(books, row["remote_id"], update)
    await issue_otherwise(world, row)
    held = await world.document(5001)
    assert (held["state"], [one["code"] for one in held["reasons"]]) == ("held", ["drift_changed"])
    assert "by VAT code" in held["reasons"][0]["cause"]
    assert (await proof_of(world))["state"] == ("stopped" if proof == "proving" else "open")


async def test_order_counts_once_more_when_it_is_invoiced_as_it_was_registered(world: World) -> None:
    row = await leave(world, 5001, booking="order")
    assert (await proof_of(world))["equal"] == 1
    key = (await world.get("/v1/keys"))[0]["company_key"]
    path = f"{world.unimicro_url}/sandbox/companies/{key}/people/invoice-order"
    days = {"InvoiceDate": row["booked_as"]["invoice_date"], "PaymentDueDate": row["booked_as"]["due_date"]}
    answer = await world.http.post(path, json={"OrderNumber": int(row["remote_number"])})
    assert answer.is_success, answer.text
    world.ledger.books().update("CustomerInvoice", answer.json()["ID"], days)
    await follow(world)
    shown = await proof_of(world)
    assert (shown["state"], shown["equal"]) == ("proving", 2), shown


async def change_amounts(world: World, row: dict[str, Any], **head: Any) -> None:
    """Unimicro's own issuing has changed the head, as a rate of another day does."""
    books = world.ledger.books()
    issue_invoice(books, row["remote_id"])
    books.update("CustomerInvoice", row["remote_id"], head)
    await follow(world)


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({}, None, ""),
        ({"TaxExclusiveAmount": Decimal(1)}, "drift_changed", "In NOK the totals differ"),
        ({"CurrencyExchangeRate": Decimal(2)}, "issued_otherwise", "rate: it was made at"),
    ],
)
async def test_base_sums_and_rate_of_what_people_issued_are_compared(
    world: World, changes: dict[str, Any], code: str | None, told: str
) -> None:
    new_id = world.source.double("5001", 9901, invoiceNumber="119901", currency="EUR", kid=None)
    row = await leave(world, new_id, proof="open")
    await change_amounts(world, row, **changes)
    state, codes = await world.hold_of(new_id)
    assert (state, codes) == (("held", [code]) if code else ("done", []))
    if code:
        assert told in (await world.document(new_id))["reasons"][0]["cause"]


async def test_vat_code_that_people_changed_on_an_order_s_invoice_is_an_alarm(world: World) -> None:
    row = await leave(world, 5001, booking="order", proof="open")
    key, books = (await world.get("/v1/keys"))[0]["company_key"], world.ledger.books()
    path = f"{world.unimicro_url}/sandbox/companies/{key}/people/invoice-order"
    made = (await world.http.post(path, json={"OrderNumber": int(row["remote_number"])})).json()
    for line in books.children("CustomerInvoiceItem", "CustomerInvoiceID", made["ID"]):
        own = next(one for one in books.rows("VatType") if one["ID"] == line["VatTypeID"])
        other = books.insert("VatType", {**own, "VatCode": "31", "Name": "Another code"})
        books.update("CustomerInvoiceItem", line["ID"], {"VatTypeID": other["ID"]})
    await follow(world)
    assert await world.hold_of(5001) == ("held", ["drift_changed"])
    assert "by VAT code" in (await world.document(5001))["reasons"][0]["cause"]


async def test_order_whose_invoice_nothing_tells_is_taken_over_when_a_person_names_it(world: World) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned({"order_link": "none"})
    row = await leave(world, 5001, booking="order", proof="open")
    await world.carry("invoice", world.source.double("5001", 9901, invoiceNumber="119901", yourReference="other"))
    key = (await world.get("/v1/keys"))[0]["company_key"]
    path = f"{world.unimicro_url}/sandbox/companies/{key}/people/invoice-order"
    numbers = [row["remote_number"], (await world.document(9901))["remote_number"]]
    made = [(await world.http.post(path, json={"OrderNumber": int(one)})).json() for one in numbers]
    await follow(world)
    shown = await world.overview_row(5001)
    assert (shown["state"], [one["code"] for one in shown["warnings"]]) == ("order, not invoiced", ["order_invoices"])
    assert made[0]["InvoiceNumber"] in shown["warnings"][0]["cause"]
    for transfer_id, invoice in ((row["id"], made[0]), ((await world.document(9901))["id"], made[1])):
        answer = await world.call("POST", f"/v1/invoices/{transfer_id}/done-elsewhere", {"remote_id": invoice["ID"]})
        assert answer.status_code == 200, answer.text
    await follow(world)
    shown = await world.overview_row(5001)
    assert (shown["remote_number"], shown["order_number"]) == (made[0]["InvoiceNumber"], row["remote_number"])
    assert shown["state"].startswith("in Unimicro")


@pytest.mark.parametrize("booking", ["order", "draft"])
async def test_invoice_of_a_person_s_that_is_linked_where_documents_are_left_to_people_is_in_the_books(
    world: World, booking: str
) -> None:
    ids = await world.book_before(5001)
    await world.office.change_key(booking=booking)
    await world.carry("invoice", 5001)
    row = await world.overview_row(5001)
    assert row["state"] == "before go-live"
    await world.post(f"/v1/invoices/{row['id']}/done-elsewhere", {"remote_id": ids[5001]})
    await follow(world)
    shown = await world.overview_row(5001)
    assert (shown["state"], await world.hold_of(5001)) == ("in Unimicro", ("done", []))
    assert shown["link"].endswith(f"/{ids[5001]}")
