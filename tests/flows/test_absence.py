"""That something is not there is never believed on one weak sign."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.faults import PROXY_PAGE
from tests.world import World, open_slow_world

_INVOICES = "/api/biz/invoices"
# A proxy's page, an empty answer, and Unimicro's own words for a wrong route or a missing record.
_NOT_FOUND: list[dict[str, Any]] = [
    {"status": 404, "body": PROXY_PAGE.format(status=404), "content_type": "text/html"},
    {"status": 404, "body": "", "content_type": "text/plain"},
    {"status": 404},
]


def invoices(world: World) -> list[dict[str, Any]]:
    return [dict(row) for row in world.ledger.books().rows("CustomerInvoice")]


@pytest.mark.parametrize("answer", _NOT_FOUND, ids=["page", "empty", "json"])
async def test_a_404_on_a_known_id_makes_no_second_invoice(world: World, answer: dict[str, Any]) -> None:
    await world.fault("lose_answer", method="POST", path=_INVOICES, query="action=invoice")
    await world.fault("error_before", method="GET", path=_INVOICES, query="", times=1, **answer)
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = await world.find_document("5001")
    assert row is not None
    assert row["state"] == "done", row["reasons"]
    assert [(one["ExternalReference"], one["StatusCode"]) for one in invoices(world)] == [("RM-5001", 42002)]


@pytest.mark.parametrize("answer", _NOT_FOUND, ids=["page", "empty", "json"])
async def test_a_404_after_issuing_makes_no_second_invoice(world: World, answer: dict[str, Any]) -> None:
    await world.fault("error_before", method="GET", path=_INVOICES, query="", times=1, **answer)
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = await world.find_document("5001")
    assert row is not None
    assert row["state"] == "done", row["reasons"]
    assert len(invoices(world)) == 1


async def test_a_list_that_is_not_there_is_no_empty_list(world: World) -> None:
    await world.fault("lose_answer", method="POST", path=_INVOICES, query="")
    await world.fault("error_before", method="GET", path=_INVOICES, times=4, status=404)
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = await world.find_document("5001")
    assert row is not None
    assert row["state"] == "done", row["reasons"]
    assert len(invoices(world)) == 1


@pytest.mark.parametrize("answer", _NOT_FOUND, ids=["page", "empty", "json"])
async def test_a_delete_that_met_a_404_leaves_no_wrong_draft(world: World, answer: dict[str, Any]) -> None:
    await world.fault("error_before", method="POST", path=_INVOICES, query="action=invoice", status=400)
    await world.fault("error_before", method="DELETE", path=_INVOICES, **answer)
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = await world.find_document("5001")
    assert row is not None
    # It was taken for issued after all, or held without a draft; never two, never a draft that stays.
    assert row["state"] in {"done", "held"}
    assert [one["StatusCode"] for one in invoices(world)] == ([42002] if row["state"] == "done" else [])


@pytest.mark.parametrize("kind", ["invoice", "customer", "project"])
async def test_what_was_made_and_deleted_again_is_made_with_another_guid(
    database_url: str, tmp_path: Path, kind: str
) -> None:
    entity = {"invoice": "CustomerInvoice", "customer": "Customer", "project": "Project"}[kind]
    path = {"invoice": _INVOICES, "customer": "/api/biz/customers", "project": "/api/biz/projects"}[kind]
    async with open_slow_world(database_url, tmp_path) as world:
        await world.fault("lose_answer", method="POST", path=path, query="")
        await world.hear_of("invoice", 5001)
        await world.work_until("5001", "unknown" if kind == "invoice" else "waiting")
        (made,) = [
            one for one in world.ledger.books().rows(entity) if kind != "project" or one["ProjectNumber"] != "P-900"
        ]
        world.ledger.books().update(entity, made["ID"], {"Deleted": True})
        for _ in range(4):
            row = await world.find_document("5001")
            assert row is not None
            if row["state"] == "done":
                break
            await world.retry(row)
            await world.work_off()
        row = await world.find_document("5001")
        assert row is not None
        assert row["state"] == "done", row["reasons"]
        assert len(invoices(world)) == 1


@pytest.mark.parametrize(("fault", "state"), [("throttle", "waiting"), ("error_before", "held")])
async def test_a_refused_call_does_not_clear_what_an_earlier_one_left_open(
    database_url: str, tmp_path: Path, fault: str, state: str
) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.fault("lose_answer", method="POST", path=_INVOICES, query="")
        await world.hear_of("invoice", 5001)
        unknown = await world.work_until("5001", "unknown")
        # What was stored is not shown yet, longer than two looks take; the call that follows them is refused.
        books = world.ledger.books()
        books.hidden_until["CustomerInvoice", invoices(world)[0]["ID"]] = datetime.now(UTC) + timedelta(hours=1)
        await world.fault(fault, method="POST", path=_INVOICES, query="", seconds=0.2, status=400)
        await world.retry(unknown)
        refused = await world.work_until("5001", state)
        books.hidden_until.clear()
        await world.retry(refused)
        await world.work_until("5001", "done")
        assert [one["ExternalReference"] for one in invoices(world)] == ["RM-5001"]


async def test_number_that_comes_a_moment_after_issuing_is_waited_for(world: World) -> None:
    await world.fault("alter", method="GET", path=_INVOICES, query="", times=5, changes={"InvoiceNumber": None})
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = await world.find_document("5001")
    assert row is not None
    (invoice,) = invoices(world)
    assert (row["state"], row["remote_number"]) == ("done", invoice["InvoiceNumber"])


async def test_booked_document_without_number_gets_it_when_it_is_looked_at_again(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE transfer SET remote_number = '' WHERE scope = 'invoice'")
    row = await world.find_document("5001")
    assert row is not None
    await world.retry(row)
    await world.settle()
    row = await world.find_document("5001")
    assert row is not None
    assert row["remote_number"] == invoices(world)[0]["InvoiceNumber"]


async def test_order_is_found_again_by_its_lines_and_is_not_ignored_while_it_stands(
    database_url: str, tmp_path: Path
) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.office.choose_orders()
        await world.fault("lose_answer", method="POST", path="/api/biz/orders", query="")
        await world.hear_of("invoice", 5001)
        unknown = await world.work_until("5001", "unknown")
        await world.fault("error_before", method="POST", path="/api/biz/orders", query="action=register", status=400)
        await world.fault("error_before", method="DELETE", path="/api/biz/orders", status=403)
        await world.retry(unknown)
        held = await world.work_until("5001", "held")
        (order,) = world.ledger.orders()
        status, refusal = await world.ignore(held)
        assert (status, refusal["code"]) == (409, "already_begun")
        assert str(order["ID"]) in refusal["cause"]
        await world.retry(held)
        await world.work_until("5001", "done")
        assert [one["StatusCode"] for one in world.ledger.orders()] == [41002]
