"""Answers that are nobody's word: a redirect, a page in another dress, a route that is not there just now."""

from typing import Any

import pytest

from app.sandbox.faults import PROXY_PAGE
from app.transfer.books import KnownBooks
from tests.world import World

_INVOICES = "/api/biz/invoices"
_PAGE = PROXY_PAGE.format(status=400)
_FOREIGN: dict[str, dict[str, Any]] = {
    "redirect": {"status": 302, "body": "", "content_type": "text/plain"},
    "redirect with JSON": {"status": 307, "body": "{}", "content_type": "application/json"},
    "page as text": {"status": 400, "body": _PAGE, "content_type": "text/plain"},
    "page as JSON": {"status": 403, "body": f" {_PAGE}", "content_type": "application/json"},
    "gone": {"status": 410},
    "too early": {"status": 425},
}
_CALLS: dict[str, dict[str, Any]] = {
    "customer": {"method": "POST", "path": "/api/biz/customers"},
    "draft": {"method": "POST", "path": _INVOICES, "query": ""},
    "issue": {"method": "POST", "path": _INVOICES, "query": "action=invoice"},
    "look": {"method": "GET", "path": _INVOICES, "query": ""},
}


async def settled(world: World, record: str) -> dict[str, Any]:
    await world.settle()
    row = await world.find_document(record)
    assert row is not None
    return row


def invoices(world: World, kind: int = 0) -> list[tuple[str, int]]:
    rows = world.ledger.books().rows("CustomerInvoice")
    return [(row["ExternalReference"], row["StatusCode"]) for row in rows if row["InvoiceType"] == kind]


@pytest.mark.parametrize("answer", list(_FOREIGN))
@pytest.mark.parametrize("call", list(_CALLS))
@pytest.mark.parametrize("fault", ["error_before", "error_after"])
async def test_answer_of_somebody_else_holds_nothing(world: World, call: str, answer: str, fault: str) -> None:
    await world.fault(fault, **_CALLS[call], **_FOREIGN[answer])
    await world.hear_of("invoice", 5001)
    row = await settled(world, "5001")
    assert row["state"] == "done", row["reasons"]
    assert invoices(world) == [("RM-5001", 42002)]


@pytest.mark.parametrize("answer", list(_FOREIGN))
async def test_credit_draft_behind_a_foreign_answer_is_found_and_no_second_one_is_made(
    world: World, answer: str
) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    query = "action=create-credit-draft-invoice"
    await world.fault("error_after", method="PUT", path=_INVOICES, query=query, **_FOREIGN[answer])
    await world.hear_of("invoice", 5008)
    row = await settled(world, "5008")
    assert row["state"] == "done", row["reasons"]
    assert [reference for reference, _ in invoices(world, kind=1)] == ["RM-5008"]


@pytest.mark.parametrize("fault", ["error_before", "error_after"])
@pytest.mark.parametrize("route", ["customers", "projects", "departments", "invoices"])
async def test_a_404_where_something_is_made_is_a_route_that_is_not_there_now(
    world: World, route: str, fault: str
) -> None:
    await world.fault(fault, method="POST", path=f"/api/biz/{route}", query="", status=404)
    await world.hear_of("invoice", 5001)
    row = await settled(world, "5001")
    assert row["state"] == "done", row["reasons"]
    assert invoices(world) == [("RM-5001", 42002)]
    assert len(world.ledger.books().rows("Customer")) == 1


async def test_one_404_on_the_customers_id_holds_no_invoice(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    world.resources.kept(KnownBooks).recipients.clear()
    await world.fault("error_before", method="GET", path="/api/biz/customers", query="expand=Info", status=404)
    record = world.recman.state.store.records["invoice"]
    record["6001"] = {**record["5001"], "invoiceId": 6001, "invoiceNumber": "116001", "kid": ""}
    await world.hear_of("invoice", 6001)
    assert (await settled(world, "6001"))["state"] == "done"


async def test_customer_that_stays_missing_is_told_to_a_person(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    world.resources.kept(KnownBooks).recipients.clear()
    (customer,) = world.ledger.books().rows("Customer")
    world.ledger.books().update("Customer", customer["ID"], {"Deleted": True})
    record = world.recman.state.store.records["invoice"]
    record["6001"] = {**record["5001"], "invoiceId": 6001, "invoiceNumber": "116001", "kid": ""}
    await world.hear_of("invoice", 6001)
    row = await settled(world, "6001")
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "customer_deleted")
    await world.hear_of("company", 201)
    await world.settle()
    customers = {one["state"] for (kind, _), one in (await world.transfers()).items() if kind == "customer"}
    assert customers <= {"done", "held"}


async def test_one_404_on_the_credited_invoice_holds_no_credit_note(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    await world.fault("error_before", method="GET", path=_INVOICES, query="", status=404)
    await world.hear_of("invoice", 5008)
    row = await settled(world, "5008")
    assert row["state"] == "done", row["reasons"]


async def test_one_404_raises_no_alarm_about_what_was_linked_by_hand(world: World) -> None:
    row = await world.hold_twin()
    remote_id = world.ledger.book_by_hand(InvoiceNumber="900001")
    answer = await world.post(f"/v1/invoices/{row['id']}/done-elsewhere", {"remote_id": remote_id})
    assert answer.status_code == 200, answer.text
    await world.fault("error_before", method="GET", path=_INVOICES, query="", status=404)
    await world.retry(row)
    row = await settled(world, "5099")
    assert row["state"] == "done", row["reasons"]
