"""The sandbox Unimicro around a sale: orders invoiced, documents sent, paid, written off; each switch both ways."""

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest

from app.sandbox.unimicro.switches import Switches
from tests.world.unimicro_session import Clock, Session, guid, sandbox


def turned(**switches: Any) -> AbstractAsyncContextManager[Session]:
    return sandbox(clock=Clock(), switches=Switches().turned(switches))


async def people(session: Session, deed: str, status: int = 200, **order: Any) -> Any:
    path = f"/sandbox/companies/{session.headers['CompanyKey']}/people/{deed}"
    return await session.expect(status, "POST", path, order)


async def set_company(session: Session, **settings: Any) -> None:
    path = f"/sandbox/companies/{session.headers['CompanyKey']}/settings"
    assert (await session.client.post(path, json=settings)).status_code == 200


async def plan_id(session: Session, name: str) -> int:
    return int((await session.one("distributions", "Name", name))["ID"])


async def registered(session: Session, lines: int = 2, **more: Any) -> Any:
    items = [await session.item(SortIndex=n) for n in range(1, lines + 1)]
    body = {"_createguid": guid(), "StatusCode": 10001, "CustomerID": (await session.customer())["ID"], "Items": items}
    order = await session.expect(201, "POST", "orders", body | {"OrderDate": "2026-10-05"} | more)
    await session.expect(204, "POST", f"orders/{order['ID']}", action="register")
    return await session.get(f"orders/{order['ID']}", expand="Items")


async def deliveries(session: Session) -> list[dict[str, Any]]:
    query = {"model": "Sharing", "wrap": "false", "select": "EntityID as invoice,Type as kind,StatusCode as state"}
    return list(await session.get("/api/statistics", **query))


# Orders


async def test_people_turn_an_order_into_an_issued_invoice_with_its_lines_and_texts(books: Session) -> None:
    order = await registered(books, YourReference="Per", InternalNote="RM-5001")
    invoice = await people(books, "invoice-order", OrderNumber=order["OrderNumber"])
    assert (invoice["StatusCode"], invoice["InvoiceNumber"], invoice["PaymentID"][:7]) == (42002, "3000000", "3000000")
    assert (invoice["YourReference"], invoice["InternalNote"], invoice["CustomerID"]) == (
        "Per",
        "RM-5001",
        order["CustomerID"],
    )
    assert invoice["TaxInclusiveAmount"] == order["TaxInclusiveAmount"] == 500
    assert (await books.get(f"orders/{order['ID']}"))["StatusCode"] == 41004
    await people(books, "invoice-order", 400, OrderNumber=order["OrderNumber"])


@pytest.mark.parametrize(
    ("way", "by_items", "by_links"), [("both", 1, 1), ("items", 1, 0), ("tracelinks", 0, 1), ("none", 0, 0)]
)
async def test_an_invoices_lines_tell_of_the_orders_or_do_not(way: str, by_items: int, by_links: int) -> None:
    async with turned(order_link=way) as session:
        order = await registered(session, lines=1)
        invoice = await people(session, "invoice-order", OrderNumber=order["OrderNumber"])
        [line] = order["Items"]
        found = await session.get("invoiceitems", filter=f"OrderItemId eq {line['ID']}")
        assert [row["CustomerInvoiceID"] for row in found] == [invoice["ID"]] * by_items
        links = await session.get(f"orderitems/{line['ID']}/tracelinks")
        assert [row["DestinationEntityName"] for row in links] == ["CustomerInvoiceItem"] * by_links
        ends = {link["DestinationInstanceID"] for link in links}
        own = await session.get("invoiceitems", filter=f"CustomerInvoiceID eq {invoice['ID']}")
        assert ends <= {row["ID"] for row in own}


async def test_an_order_is_invoiced_in_parts_and_people_change_what_they_like(books: Session) -> None:
    order = await registered(books)
    first, second = (item["ID"] for item in order["Items"])
    changes = {"PaymentDueDate": "2026-12-24", "YourReference": "Kari"}
    part = await people(
        books, "invoice-order", ID=order["ID"], Items=[first], InvoiceDate="2026-11-01", changes=changes
    )
    assert (part["InvoiceDate"], part["PaymentDueDate"], part["YourReference"]) == ("2026-11-01", "2026-12-24", "Kari")
    assert (await books.get(f"orders/{order['ID']}"))["StatusCode"] == 41003
    rest = await people(books, "invoice-order", ID=order["ID"], issue=False)
    assert (rest["StatusCode"], rest["InvoiceNumber"], rest["TaxInclusiveAmount"]) == (42001, None, 250)
    assert (await books.get(f"orderitems/{second}"))["StatusCode"] == 41103


@pytest.mark.parametrize(("way", "state"), [("draft", 42001), ("issued", 42002)])
async def test_the_transfer_of_an_order_answers_a_draft_or_an_issued_invoice(way: str, state: int) -> None:
    async with turned(order_transfer=way) as session:
        order = await registered(session)
        chosen = order | {"Items": order["Items"][:1]}
        invoice = await session.expect(200, "PUT", f"orders/{order['ID']}", chosen, action="transfer-to-invoice")
        assert (invoice["StatusCode"], invoice["TaxInclusiveAmount"]) == (state, 250)


async def test_the_bare_transition_makes_no_invoice(books: Session) -> None:
    order = await registered(books)
    await books.expect(204, "POST", f"orders/{order['ID']}", action="transferToInvoice")
    assert (await books.get(f"orders/{order['ID']}"))["StatusCode"] == 41004
    assert await books.get("invoices") == []


async def test_people_issue_and_delete_drafts_and_credit_what_is_issued(books: Session) -> None:
    draft, other = await books.draft(), await books.draft()
    issued = await people(books, "issue", ID=draft["ID"])
    assert issued["StatusCode"] == 42002
    assert (await people(books, "delete-draft", ID=other["ID"]))["Deleted"] is True
    credit = await people(books, "credit", InvoiceNumber=issued["InvoiceNumber"])
    assert (credit["InvoiceType"], credit["StatusCode"], credit["InvoiceReferenceID"]) == (1, 42002, issued["ID"])
    after = await books.get(f"invoices/{issued['ID']}")
    assert (after["StatusCode"], after["Credited"]) == (42006, True)


async def test_people_make_invoices_of_their_own_out_of_any_series(books: Session) -> None:
    series = await books.one("number-series", "Name", "CustomerInvoice")
    draft = await books.invoice_body(InvoiceNumberSeriesID=series["ID"])
    assert (await people(books, "make-invoice", invoice=draft))["InvoiceNumber"] == "3000000"
    other = await books.invoice_body()
    assert (await people(books, "make-invoice", invoice=other, issue=False))["StatusCode"] == 42001
    assert (await books.issued())["InvoiceNumber"] == "3000001"


async def test_an_unknown_deed_company_or_record_is_told_of(books: Session) -> None:
    assert "invoice-order" in (await people(books, "fly", 404))["detail"]
    await people(books, "issue", 404, ID=4711)


@pytest.mark.parametrize(("copied", "reference"), [(False, None), (True, "RM-1")])
async def test_a_credit_draft_copies_its_invoices_reference_or_not(*, copied: bool, reference: str | None) -> None:
    async with turned(credit_references=copied) as session:
        invoice = await session.issued(ExternalReference="RM-1")
        path = f"invoices/{invoice['ID']}"
        credit = await session.expect(200, "PUT", path, action="create-credit-draft-invoice")
        assert credit["ExternalReference"] == reference


# What issuing changes


@pytest.mark.parametrize(
    ("way", "invoiced", "due", "gross"),
    [
        ("as_drafted", "2026-10-05", "2026-10-19", 250),
        ("fee", "2026-10-05", "2026-10-19", Decimal("306.25")),
        ("today", "2026-11-02", "2026-10-19", 250),
        ("due_moved", "2026-10-05", "2026-11-04", 250),
    ],
)
async def test_an_issued_invoice_is_as_its_draft_or_otherwise(way: str, invoiced: str, due: str, gross: Any) -> None:
    async with turned(at_issue=way) as session:
        customer = await session.customer(CreditDays=30)
        issued = await session.issued(CustomerID=customer["ID"])
        assert (issued["InvoiceDate"], issued["PaymentDueDate"], issued["TaxInclusiveAmount"]) == (invoiced, due, gross)
        lines = await session.get("journalentrylines", filter=f"JournalEntryID eq {issued['JournalEntryID']}")
        assert (lines[0]["Amount"], sum(line["Amount"] for line in lines)) == (gross, 0)


@pytest.mark.parametrize(("way", "stopped"), [("kept", True), ("lost", False)])
async def test_stops_of_reminders_and_factoring_are_kept_or_lost_at_issue(way: str, *, stopped: bool) -> None:
    async with turned(stop_flags=way) as session:
        await set_company(session, UseFactoring=True)
        issued = await session.issued(DontSendReminders=True, DontUseFactoring=True)
        assert (issued["DontSendReminders"], issued["DontUseFactoring"]) == (stopped, stopped)
        assert issued["CollectorStatusCode"] == (None if stopped else 42503)
        assert len(await people(session, "remind")) == (0 if stopped else 1)


async def test_factoring_awaits_what_is_not_kept_from_it(books: Session) -> None:
    assert (await books.issued())["CollectorStatusCode"] is None
    await set_company(books, UseFactoring=True)
    assert (await books.issued())["CollectorStatusCode"] == 42503
    customer = await books.customer(DontUseFactoring=True)
    kept = await books.issued(CustomerID=customer["ID"])
    assert kept["CollectorStatusCode"] is None
    assert (await people(books, "sell", InvoiceNumber=kept["InvoiceNumber"]))["StatusCode"] == 42005


# Sending


@pytest.mark.parametrize(("way", "sent"), [("plan", []), ("always", ["Email"])])
async def test_without_a_plan_an_automatic_company_sends_nothing_or_an_e_mail(way: str, sent: list[str]) -> None:
    async with turned(auto_sending=way) as session:
        await session.issued(EmailAddress="a@b.no")
        assert await deliveries(session) == []
        await set_company(session, AutoDistributeInvoice=True)
        await session.issued(EmailAddress="a@b.no")
        assert [row["kind"] for row in await deliveries(session)] == sent


@pytest.mark.parametrize("way", ["plan", "always"])
async def test_the_plan_is_the_invoices_else_the_customers_else_the_companys_and_an_empty_one_sends_nothing(
    way: str,
) -> None:
    async with turned(auto_sending=way) as session:
        plans = {name: await plan_id(session, name) for name in ("E-post", "EHF", "Ingen utsendelse")}
        await set_company(session, AutoDistributeInvoice=True, DefaultDistributionsID=plans["E-post"])
        customer = await session.customer(DefaultDistributionsID=plans["EHF"])
        shown = await session.get(f"customers/{customer['ID']}", expand="Distributions")
        assert shown["Distributions"]["CustomerInvoiceDistributionPlanID"] == plans["EHF"]
        await session.issued(EmailAddress="a@b.no")
        await session.issued(CustomerID=customer["ID"])
        await session.issued(CustomerID=customer["ID"], DistributionPlanID=plans["Ingen utsendelse"])
        assert [(row["kind"], row["state"]) for row in await deliveries(session)] == [("Email", 70003), ("EHF", 70003)]


@pytest.mark.parametrize(
    ("way", "address", "state"),
    [("completed", "a@b.no", 70003), ("pending", "a@b.no", 70000), ("failed", "a@b.no", 70002), ("pending", "", 70002)],
)
async def test_a_delivery_is_done_waits_or_fails(way: str, address: str, state: int) -> None:
    async with turned(sharing_ends=way) as session:
        invoice = await session.issued(EmailAddress=address)
        query = {"action": "distribute", "id": invoice["ID"], "entityType": "Models.Sales.CustomerInvoice"}
        await session.expect(200, "PUT", "distributions", **query)
        assert [row["state"] for row in await deliveries(session)] == [state]
        [delivery] = await session.get("sharings", filter=f"EntityID eq {invoice['ID']}")
        assert (delivery["EntityType"], delivery["To"] or "") == ("CustomerInvoice", address)


async def test_plans_are_listed_for_invoices(books: Session) -> None:
    query = {"action": "get-entitytype-distributionplans", "entityType": "Models.Sales.CustomerInvoice"}
    assert [row["Name"] for row in await books.get("distributions", **query)] == ["E-post", "EHF", "Ingen utsendelse"]
    [email, *_] = await books.get("distributions", expand="Elements,Elements.ElementType")
    assert [element["ElementType"]["Name"] for element in email["Elements"]] == ["Email"]


async def test_people_send_what_was_issued(books: Session) -> None:
    invoice = await books.issued(EmailAddress="a@b.no")
    await people(books, "send", InvoiceNumber=invoice["InvoiceNumber"], Type="EHF")
    assert (await books.get(f"invoices/{invoice['ID']}"))["PrintStatus"] == 300


# Reminders, payments, write-offs


async def test_overdue_invoices_are_reminded_of_until_a_stop_is_set(books: Session) -> None:
    invoice = await books.issued()
    assert await people(books, "remind", day="2026-10-19") == []
    [first], [second] = await people(books, "remind", day="2026-12-01"), await people(books, "remind", day="2026-12-20")
    assert (first["CustomerInvoiceID"], first["ReminderNumber"], second["ReminderNumber"]) == (invoice["ID"], 1, 2)
    assert [row["RestAmount"] for row in await books.get("invoicereminders")] == [250, 250]
    await books.expect(200, "PUT", f"invoices/{invoice['ID']}", action="toggle-reminder-stop")
    assert await people(books, "remind", day="2027-01-10") == []
    quiet = await books.customer(DontSendReminders=True)
    await books.issued(CustomerID=quiet["ID"])
    assert await people(books, "remind", day="2027-01-10") == []


async def test_ready_for_reminding_leaves_out_stopped_ones_unless_asked(books: Session) -> None:
    await books.issued(DontSendReminders=True, PaymentDueDate="2026-10-06")
    query = {"action": "get-customer-invoices-ready-for-reminding"}
    assert await books.get("invoicereminders", **query) == []
    assert len(await books.get("invoicereminders", includeInvoiceWithReminderStop="true", **query)) == 1


async def test_a_payment_finds_its_invoice_by_kid(books: Session) -> None:
    invoice = await books.issued()
    await people(books, "pay", PaymentID=invoice["PaymentID"], Amount=100, PaymentDate="2026-11-10")
    part = await books.get(f"invoices/{invoice['ID']}")
    assert (part["StatusCode"], part["RestAmount"], part["LastPaymentDate"]) == (42003, 150, "2026-11-10")
    await people(books, "pay", InvoiceNumber=invoice["InvoiceNumber"], Amount=150)
    paid = await books.get(f"invoices/{invoice['ID']}")
    assert (paid["StatusCode"], paid["RestAmount"]) == (42004, 0)
    payments = await books.get(f"invoices/{invoice['ID']}", action="get-payments")
    assert [row["Amount"] for row in payments] == [-100, -150]
    [claim] = await books.get("journalentrylines", filter="Amount eq 250 and SubAccountID gt 0")
    assert (claim["StatusCode"], claim["RestAmount"]) == (31003, 0)


async def test_a_payment_that_matches_nothing_stays_open_beside_the_invoices(books: Session) -> None:
    invoice = await books.issued()
    customer = await books.get(f"customers/{invoice['CustomerID']}")
    await people(books, "pay", PaymentID="9999", Amount=70)
    [interim] = await books.get("accounts", filter="AccountNumber eq 2996")
    assert [row["Amount"] for row in await books.get("journalentrylines", filter=f"AccountID eq {interim['ID']}")] == [
        -70
    ]
    await people(books, "pay", CustomerNumber=customer["CustomerNumber"], Amount=80)
    assert (await books.get(f"invoices/{invoice['ID']}"))["RestAmount"] == 250
    query = {"model": "JournalEntryLine", "expand": "SubAccount", "wrap": "false"}
    query |= {"select": "SubAccount.CustomerID as CustomerID,sum(RestAmount) as Credits"}
    query |= {"filter": "SubAccount.CustomerID gt 0 and StatusCode ne 31003 and RestAmount lt 0"}
    assert await books.get("/api/statistics", **query) == [{"CustomerID": customer["ID"], "Credits": -80}]


async def test_what_is_paid_too_much_stays_open_on_the_payment(books: Session) -> None:
    invoice = await books.issued()
    await books.expect(200, "PUT", f"invoices/{invoice['ID']}", {"Amount": 300}, action="payInvoice")
    after = await books.get(f"invoices/{invoice['ID']}")
    assert (after["StatusCode"], after["RestAmount"]) == (42004, 0)
    [payment] = await books.get(f"invoices/{invoice['ID']}", action="get-payments")
    assert (payment["RestAmount"], payment["StatusCode"]) == (-50, 31002)


async def test_a_paid_invoice_that_is_credited_leaves_the_money_with_the_customer(books: Session) -> None:
    invoice = await books.issued()
    await people(books, "pay", InvoiceNumber=invoice["InvoiceNumber"], Amount=100)
    await people(books, "credit", InvoiceNumber=invoice["InvoiceNumber"])
    after = await books.get(f"invoices/{invoice['ID']}")
    assert (after["StatusCode"], after["RestAmount"]) == (42006, 0)
    rests = [row["RestAmount"] for row in await books.get("journalentrylines", filter="SubAccountID gt 0")]
    assert sum(rests) == -100


@pytest.mark.parametrize(("way", "state"), [("paid", 42004), ("kept", 42002)])
async def test_an_invoice_written_off_has_no_rest_but_no_payment_either(way: str, state: int) -> None:
    async with turned(written_off=way) as session:
        invoice = await session.issued()
        after = await people(session, "write-off", InvoiceNumber=invoice["InvoiceNumber"])
        assert (after["StatusCode"], after["RestAmount"], after["LastPaymentDate"]) == (state, 0, None)
        assert (await session.get(f"journalentries/{after['WriteoffJournalEntryID']}"))[
            "JournalEntryNumber"
        ] == "2-2026"
