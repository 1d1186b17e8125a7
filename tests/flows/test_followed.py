"""Drafts and orders followed to their end: what people in Unimicro made of them is recorded and compared."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.sandbox.unimicro.invoices import create_invoice, issue_invoice, update_invoice
from app.sandbox.unimicro.sale_switches import OrderLink
from app.scheduler import look_at_clock
from app.transfer.books import KnownBooks
from tests.world import World, open_world

DRAFT = {"booking": "draft"}
MOVED_ORDER = 41004


@pytest.fixture
async def followed(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose clock follows at every look."""
    async with open_world(database_url, tmp_path, follow_minutes=0.000001) as world:
        yield world


async def follow(world: World) -> None:
    """The clock looks once, and workers do what it began."""
    assert await look_at_clock(world.resources)
    await world.settle()


async def leave(world: World, record_id: int, *, booking: str = "draft") -> dict[str, Any]:
    """The transfer of a document that was left for people."""
    await world.office.change_key(booking=booking)
    await world.carry("invoice", record_id)
    row = await world.document(record_id)
    assert row["state"] == "done", row["reasons"]
    return row


def invoice_order(world: World, *, issues: bool = True, names_lines: bool = True, **head: Any) -> int:
    """The id of the invoice that a person makes of the only order."""
    books = world.ledger.books()
    (order,) = world.ledger.orders()
    copied = ("CustomerID", "CustomerName", "CurrencyCodeID", "CurrencyExchangeRate")
    lines = []
    for item in books.children("CustomerOrderItem", "CustomerOrderID", order["ID"]):
        names = ("ProductID", "ItemText", "NumberOfItems", "PriceExVat", "PriceExVatCurrency", "DiscountPercent")
        line = {name: item[name] for name in (*names, "VatTypeID", "AccountID", "SortIndex")}
        lines.append(line | ({"OrderItemId": item["ID"]} if names_lines else {}))
    body = {name: order[name] for name in copied} | {"InvoiceDate": order["OrderDate"], "StatusCode": 10001}
    body |= {"PaymentDueDate": order["OrderDate"], "InvoiceType": 0, "Items": lines, **head}
    invoice_id = create_invoice(books, body)
    books.update("CustomerOrder", order["ID"], {"StatusCode": MOVED_ORDER})
    if issues:
        issue_invoice(books, invoice_id)
    return invoice_id


async def test_draft_that_a_person_issues_gets_number_kid_days_and_voucher(followed: World) -> None:
    world = followed
    row = await leave(world, 5001)
    assert (await world.overview_row(5001))["state"] == "draft, not booked"
    await follow(world)
    assert (await world.overview_row(5001))["state"] == "draft, not booked"
    issue_invoice(world.ledger.books(), row["remote_id"])
    await follow(world)
    shown = await world.overview_row(5001)
    (invoice,) = world.ledger.documents()
    assert (shown["state"], shown["remote_number"]) == ("in Unimicro", invoice["InvoiceNumber"])
    assert shown["issued"]["kid"] == invoice["PaymentID"]
    assert shown["issued"]["invoice_date"] == invoice["InvoiceDate"]
    assert shown["issued"]["voucher_id"] == invoice["JournalEntryID"]
    (listed,) = await world.get("/v1/invoices/cross-list")
    assert (listed["voucher_id"], listed["remote_kid"]) == (invoice["JournalEntryID"], invoice["PaymentID"])


async def test_nothing_in_recman_is_asked_and_unimicro_is_asked_for_fifty_at_a_time(followed: World) -> None:
    world = followed
    await leave(world, 5001)
    await world.carry("invoice", 5003)
    before = world.recman.state.store.used.copy()
    await world.http.post(f"{world.unimicro_url}/sandbox/reset-calls")
    calls = len(await world.list_calls())
    await follow(world)
    told = (await world.list_calls())[calls:]
    assert [(call["method"], call["path"]) for call in told] == [("GET", "/api/biz/invoices")]
    assert world.recman.state.store.used == before


async def test_draft_that_was_issued_with_other_sums_is_an_alarm(followed: World) -> None:
    world = followed
    row = await leave(world, 5001)
    books = world.ledger.books()
    (line, *_) = books.children("CustomerInvoiceItem", "CustomerInvoiceID", row["remote_id"])
    answer = await put_line(world, row["remote_id"], line["ID"], NumberOfItems=line["NumberOfItems"] + 1)
    assert answer
    issue_invoice(books, row["remote_id"])
    await follow(world)
    held = await world.document(5001)
    assert (held["state"], [reason["code"] for reason in held["reasons"]]) == ("held", ["drift_changed"])
    assert "RecMan 30462.96" in held["reasons"][0]["cause"]


async def put_line(world: World, invoice_id: int, line_id: int, **changes: Any) -> bool:
    """A person changes a line of a draft, in Unimicro."""

    books = world.ledger.books()
    update_invoice(books, invoice_id, {"ID": invoice_id, "Items": [{"ID": line_id, **changes}]})
    return True


async def test_draft_that_was_issued_on_another_day_is_told(followed: World) -> None:
    world = followed
    row = await leave(world, 5001)
    world.ledger.books().update("CustomerInvoice", row["remote_id"], {"InvoiceDate": "2026-11-20"})
    issue_invoice(world.ledger.books(), row["remote_id"])
    await follow(world)
    shown = await world.overview_row(5001)
    assert shown["state"] == "in Unimicro with warnings"
    assert [one["code"] for one in shown["warnings"]] == ["issued_on_other_days"]


async def test_draft_that_a_person_deletes_is_held_with_what_can_be_done(followed: World) -> None:
    world = followed
    row = await leave(world, 5001)
    world.ledger.books().update("CustomerInvoice", row["remote_id"], {"Deleted": True})
    await follow(world)
    held = await world.document(5001)
    assert (held["state"], [reason["code"] for reason in held["reasons"]]) == ("held", ["drift_deleted"])
    assert "never a claim" in held["reasons"][0]["fix"]


async def let_people(world: World, deed: str, **order: Any) -> dict[str, Any]:
    """What Unimicro's people did, over the stand-in's own door for it."""
    key = (await world.get("/v1/keys"))[0]["company_key"]
    answer = await world.http.post(f"{world.unimicro_url}/sandbox/companies/{key}/people/{deed}", json=order)
    assert answer.is_success, answer.text
    done: dict[str, Any] = answer.json()
    return done


@pytest.mark.parametrize("link", OrderLink)
async def test_order_that_people_invoice_is_followed_however_its_lines_are_linked(
    followed: World, link: OrderLink
) -> None:
    world = followed
    books = world.ledger.books()
    books.switches = replace(books.switches, order_link=link)
    row = await leave(world, 5001, booking="order")
    # What is on the order of 5001 alone: another customer's invoice is none of it.
    await world.carry("invoice", 5002)
    made = await let_people(world, "invoice-order", OrderNumber=int(row["remote_number"]))
    await let_people(world, "send", InvoiceNumber=made["InvoiceNumber"])
    await follow(world)
    shown = await world.overview_row(5001)
    assert (shown["remote_number"], shown["issued"]["sent"]) == (made["InvoiceNumber"], True)
    assert shown["link"].endswith(f"/{made['ID']}")
    other = await world.overview_row(5002)
    assert (other["state"], other["link"]) == ("order, not invoiced", None)


@pytest.mark.parametrize("names_lines", [True, False])
async def test_order_is_followed_to_its_invoice(followed: World, names_lines: bool) -> None:  # noqa: FBT001
    world = followed
    row = await leave(world, 5001, booking="order")
    await follow(world)
    assert (await world.overview_row(5001))["state"] == "order, not invoiced"
    invoice_id = invoice_order(world, names_lines=names_lines)
    await follow(world)
    shown, after = await world.overview_row(5001), await world.document(5001)
    (invoice,) = world.ledger.documents()
    assert shown["state"].startswith("in Unimicro")
    assert (shown["remote_number"], shown["order_number"]) == (invoice["InvoiceNumber"], row["remote_number"])
    assert (after["remote_id"], shown["issued"]["kid"]) == (invoice_id, invoice["PaymentID"])
    assert after["remote_gross_amount"] == after["gross_amount"]


async def test_invoice_of_an_order_that_is_still_a_draft_is_waited_for(followed: World) -> None:
    world = followed
    await leave(world, 5001, booking="order")
    invoice_id = invoice_order(world, issues=False)
    await follow(world)
    assert (await world.overview_row(5001))["state"] == "order, not invoiced"
    issue_invoice(world.ledger.books(), invoice_id)
    await follow(world)
    assert (await world.overview_row(5001))["state"].startswith("in Unimicro")


async def test_order_that_becomes_two_invoices_is_told_and_none_is_taken(followed: World) -> None:
    world = followed
    row = await leave(world, 5001, booking="order")
    invoice_order(world)
    invoice_order(world)
    await follow(world)
    shown = await world.overview_row(5001)
    assert (shown["state"], shown["issued"]) == ("order, not invoiced", None)
    assert [one["code"] for one in shown["warnings"]] == ["order_invoices"]
    assert (await world.document(5001))["remote_id"] == row["remote_id"]


@pytest.mark.parametrize("link", OrderLink)
async def test_order_that_is_invoiced_in_part_is_told_and_no_part_is_taken_for_the_document(
    followed: World, link: OrderLink
) -> None:
    world = followed
    world.ledger.books().switches = replace(world.ledger.books().switches, order_link=link)
    row = await leave(world, 5002, booking="order")
    (order,) = world.ledger.orders()
    items = world.ledger.books().children("CustomerOrderItem", "CustomerOrderID", order["ID"])
    first = next(item for item in items if item["PriceExVat"])
    await invoice_by_people(world, row, Items=[first["ID"]])
    shown = await world.overview_row(5002)
    assert (shown["state"], shown["issued"]) == ("order, not invoiced", None)
    assert [one["code"] for one in shown["warnings"]] == ["order_invoices"]
    assert "in part" in shown["warnings"][0]["cause"]
    # By its second part it is no single invoice's document either.
    await invoice_by_people(world, row)
    shown = await world.overview_row(5002)
    assert (shown["state"], shown["issued"]) == ("order, not invoiced", None)
    assert "in part" not in shown["warnings"][0]["cause"]
    assert (await world.document(5002))["remote_id"] == row["remote_id"]


@pytest.mark.parametrize("link", [OrderLink.ITEMS, OrderLink.TRACELINKS, OrderLink.NONE])
async def test_invoice_that_people_have_credited_since_is_still_the_one_that_the_order_became(
    followed: World, link: OrderLink
) -> None:
    world = followed
    world.ledger.books().switches = replace(world.ledger.books().switches, order_link=link)
    row = await leave(world, 5002, booking="order")
    invoice = await let_people(world, "invoice-order", ID=row["remote_id"], InvoiceDate="2026-10-08")
    await let_people(world, "credit", InvoiceNumber=invoice["InvoiceNumber"])
    await follow(world)
    shown = await world.overview_row(5002)
    assert (shown["remote_number"], shown["state"]) == (invoice["InvoiceNumber"], "in Unimicro with warnings")
    assert [one["code"] for one in shown["warnings"]] == ["issued_on_other_days"]


async def invoice_by_people(world: World, row: dict[str, Any], **chosen: Any) -> None:
    """Some lines of the order invoiced as Unimicro's own pages do it, and followed however long it is left alone."""
    await let_people(world, "invoice-order", ID=row["remote_id"], InvoiceDate="2026-10-08", **chosen)
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE transfer SET follow_seconds = NULL, followed_at = NULL"))
    await follow(world)


async def test_closed_order_without_invoice_is_told_once(followed: World) -> None:
    world = followed
    row = await leave(world, 5001, booking="order")
    world.ledger.books().update("CustomerOrder", row["remote_id"], {"StatusCode": 41005})
    await follow(world)
    await follow(world)
    shown = await world.overview_row(5001)
    assert [one["code"] for one in shown["warnings"]] == ["order_invoices"]


async def pause_of(world: World, **values: Any) -> float:
    """For how many seconds 5001 is left alone; `values` are set before."""
    async with world.resources.engine.begin() as connection:
        for name, value in values.items():
            query = f"UPDATE transfer SET {name} = :value WHERE record_id = '5001'"  # noqa: S608 - a test's own names
            await connection.execute(text(query), {"value": value})
        found = await connection.scalar(text("SELECT follow_seconds FROM transfer WHERE record_id = '5001'"))
    return float(found or 0)


async def count_looks(world: World) -> int:
    return await world.count("SELECT count(*) FROM event WHERE source = 'moved' AND state = 'done'")


async def test_order_whose_invoice_cannot_be_told_is_looked_at_ever_more_seldom(followed: World) -> None:
    world = followed
    row = await leave(world, 5001, booking="order")
    world.ledger.books().update("CustomerOrder", row["remote_id"], {"StatusCode": 41005})
    pauses = []
    for _ in range(3):
        await follow(world)
        pauses.append(await pause_of(world))
    first = 2 * 60 * world.resources.settings.follow_minutes
    assert pauses == pytest.approx([first, 2 * first, 4 * first])
    # An hour is not over yet: neither the clock nor the key's look at others asks for it.
    await pause_of(world, follow_seconds=3600.0)
    looks = await count_looks(world)
    await world.carry("invoice", 5002)
    await follow(world)
    assert (await count_looks(world), looks) == (3, 3)
    await pause_of(world, follow_seconds=80_000.0, followed_at=datetime(2026, 1, 1, tzinfo=UTC))
    await follow(world)
    assert (await count_looks(world), await pause_of(world)) == (4, 86_400.0)


async def test_two_clocks_follow_a_document_once(followed: World) -> None:
    world = followed
    row = await leave(world, 5001)
    issue_invoice(world.ledger.books(), row["remote_id"])
    assert await look_at_clock(world.resources)
    assert await look_at_clock(world.resources)
    await world.settle_with(2)
    assert (await world.overview_row(5001))["state"] == "in Unimicro"
    assert await world.count("SELECT count(*) FROM event WHERE source = 'moved' AND state = 'done'") == 1


async def test_credit_note_of_an_order_is_made_for_the_invoice_that_it_became(followed: World) -> None:
    world = followed
    await leave(world, 5003, booking="order")
    await world.carry("invoice", 5008)
    assert await world.hold_of(5008) == ("held", ["credit_of_order"])
    assert "by itself" in (await world.document(5008))["reasons"][0]["fix"]
    invoice_id = invoice_order(world)
    await follow(world)
    (credit,) = world.ledger.credits()
    assert (credit["InvoiceReferenceID"], credit["ExternalReference"]) == (invoice_id, "RM-5008")
    assert (await world.overview_row(5008))["state"] == "draft, not booked"
    issue_invoice(world.ledger.books(), credit["ID"])
    await follow(world)
    shown = await world.overview_row(5008)
    assert (shown["state"], shown["remote_number"]) == ("in Unimicro", world.ledger.credits()[0]["InvoiceNumber"])


async def test_credit_note_of_a_draft_goes_on_by_itself_once_people_have_issued_it(followed: World) -> None:
    world = followed
    row = await leave(world, 5003)
    await world.carry("invoice", 5008)
    assert await world.hold_of(5008) == ("held", ["credited_not_issued"])
    assert "by itself" in (await world.document(5008))["reasons"][0]["fix"]
    issue_invoice(world.ledger.books(), row["remote_id"])
    await follow(world)
    (credit,) = world.ledger.credits()
    assert (credit["InvoiceReferenceID"], credit["ExternalReference"]) == (row["remote_id"], "RM-5008")
    assert (await world.overview_row(5008))["state"] == "draft, not booked"


@pytest.mark.parametrize(
    ("customer", "email", "code"),
    [
        ({"PeppolAddress": None}, "", "order_unreachable"),
        ({"PeppolAddress": "0192:914778271"}, "", "order_without_reference"),
        ({"PeppolAddress": "0192:914778271"}, "a@b.example", "order_without_reference"),
    ],
)
async def test_order_that_unimicro_could_not_send_is_held_until_that_is_mended(
    followed: World, customer: dict[str, Any], email: str, code: str
) -> None:
    world = followed
    await world.carry("invoice", 5003)
    world.source.double("5003", 5090, invoiceNumber="119090")
    books = world.ledger.books()
    (row,) = books.rows("Customer")
    books.update("Customer", row["ID"], customer)
    for address in books.rows("Email"):
        books.update("Email", address["ID"], {"EmailAddress": email})
    world.resources.kept(KnownBooks).recipients.clear()
    await world.office.change_key(booking="order")
    await world.carry("invoice", 5090)
    assert await world.hold_of(5090) == ("held", [code])
    assert world.ledger.orders() == []
    mended = {"PeppolAddress": "0192:914778271", "EInvoiceAgreementReference": "PO-1"}
    books.update("Customer", row["ID"], mended)
    await world.retry(await world.document(5090))
    await world.settle()
    assert await world.hold_of(5090) == ("done", [])


@pytest.mark.parametrize("lost", [False, True])
async def test_credit_draft_that_copies_its_invoice_s_reference_is_taken_for_no_other(
    followed: World,
    lost: bool,  # noqa: FBT001
) -> None:
    world = followed
    books = world.ledger.books()
    books.switches = replace(books.switches, credit_references=True)
    await world.carry("invoice", 5003)
    if lost:
        query = "action=create-credit-draft-invoice"
        await world.fault("lose_answer", method="PUT", path="/api/biz/invoices", query=query)
    await world.carry("invoice", 5008)
    assert await world.hold_of(5008) == ("done", [])
    assert [one["ExternalReference"] for one in world.ledger.credits()] == ["RM-5008"]
    await world.retry(await world.document(5003))
    await world.settle()
    assert await world.hold_of(5003) == ("done", [])
