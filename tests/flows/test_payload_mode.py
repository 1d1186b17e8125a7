"""A tenant without RecMan API key: its records are what webhooks said of them, in whatever order and portions."""

from typing import Any

import pytest

from app.admin.tenants import load_tenant
from app.domain.money import dump_json
from app.retention.erase import erase_record
from tests.world import OURS, World
from tests.world.told import record_of, send, send_invoice


@pytest.fixture
async def keyless(world: World) -> World:
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    world.recman.state.store.calls.clear()
    return world


async def invoice_of(world: World) -> dict[str, Any]:
    return (await world.transfers())["invoice", "5001"]


async def test_whole_records_in_webhooks_are_enough(keyless: World) -> None:
    await send_invoice(keyless)
    await keyless.settle()
    assert (await invoice_of(keyless))["state"] == "done"
    assert keyless.recman.state.store.calls.total() == 0


async def test_a_webhook_that_says_less_does_not_make_the_record_incomplete(keyless: World) -> None:
    await send_invoice(keyless)
    await send(keyless, "invoice.sent", 5001, data={"invoiceId": 5001, "invoiceNumber": "110001", "status": "sent"})
    await keyless.settle()
    assert (await invoice_of(keyless))["state"] == "done"
    await send(keyless, "invoice.paid", 5001, data={"invoiceId": 5001, "invoiceNumber": "110001", "status": "paid"})
    await keyless.settle()
    assert (await invoice_of(keyless))["state"] == "done"


async def test_what_is_incomplete_is_held_until_the_rest_comes(keyless: World) -> None:
    await send(keyless, "invoice.created", 5001, data={"invoiceId": 5001, "invoiceNumber": "110001"})
    await keyless.settle()
    held = await invoice_of(keyless)
    assert held["state"] == "held"
    assert len(held["reasons"]) > 1, "every gap at once"
    await send_invoice(keyless)
    await keyless.settle()
    assert (await invoice_of(keyless))["state"] == "done"


async def test_an_older_copy_that_comes_late_changes_nothing(keyless: World) -> None:
    company = record_of("company", "201")
    newer, older = company | {"name": "Nytt Navn AS"}, company | {"name": "Gammelt Navn AS"}
    await send(keyless, "company.updated", 201, data=newer, occurred_at="2026-11-02T09:00:00+01:00")
    await send(keyless, "company.updated", 201, data=older, occurred_at="2026-11-02T07:59:00Z")
    await keyless.settle()
    (customer,) = [row for row in (await keyless.transfers()).values() if row["record_id"] == "201"]
    assert customer["customer_name"] == "Nytt Navn AS"


@pytest.mark.parametrize(
    ("order", "ends"),
    [(("created", "deleted"), ("ignored", "is gone")), (("deleted", "created"), ("held", "it was deleted"))],
)
async def test_a_deleted_record_is_not_sent_from_an_older_copy(
    keyless: World, order: tuple[str, ...], ends: tuple[str, str]
) -> None:
    for word in order:
        if word == "created":
            await send_invoice(keyless, occurred_at="2026-11-02T09:00:00Z")
        else:
            await send(keyless, "invoice.deleted", 5001, occurred_at="2026-11-02T09:05:00Z")
    await keyless.settle()
    assert await keyless.invoices() == []
    newest = next(one for one in await keyless.get("/v1/events") if one["scope"] == "invoice")
    assert newest["state"] == ends[0]
    assert ends[1] in newest["note"]


async def test_several_records_in_one_delivery_are_deleted_and_ordered_like_single_ones(keyless: World) -> None:
    await send_invoice(keyless, occurred_at="2026-11-02T09:00:00Z")
    company = record_of("company", "201")
    many = [company | {"name": "Gammelt Navn AS"}, record_of("company", "202")]
    told = {"event": "company.updated", "occurred_at": "2026-11-01T09:00:00Z", "data": many}
    newer = {"event": "company.updated", "occurred_at": "2026-11-02T10:00:00Z", "data": [company, many[1]]}
    gone = {"event": "invoice.deleted", "occurred_at": "2026-11-02T09:05:00Z", "ids": [5001, 5002]}
    for body in (gone, newer, told):
        answer = await keyless.http.post(f"{OURS}{keyless.hook}", content=dump_json(body))
        assert answer.status_code == 202
    await keyless.settle()
    assert await keyless.invoices() == []
    names = {row["record_id"]: row["customer_name"] for row in (await keyless.transfers()).values()}
    assert names["201"] == company["name"] != "Gammelt Navn AS"


async def test_of_a_change_that_is_taken_back_before_anybody_reads_the_last_one_counts(keyless: World) -> None:
    """Equal to the first one, it is no repeat of it: what comes is the record itself."""
    company = record_of("company", "201")
    await send_invoice(keyless)
    for name in ("Alfa AS", "Beta AS", "Alfa AS", "Alfa AS"):
        await send(keyless, "company.updated", 201, data=company | {"name": name})
    # The last one is: nothing came between.
    assert await keyless.count("SELECT count(*) FROM event WHERE scope = 'company'") == 1 + 3
    await keyless.settle()
    assert (await keyless.transfers())["customer", "201"]["customer_name"] == "Alfa AS"


async def test_what_is_recorded_first_is_let_go_in_the_order_in_which_it_came(keyless: World) -> None:
    (hook,) = (await keyless.call("GET", "/v1/hooks")).json()["rows"]
    await keyless.call("PATCH", f"/v1/hooks/{hook['id']}", {"record_first": True})
    await send_invoice(keyless)
    for name in ("Alfa AS", "Beta AS", "Alfa AS"):
        await send(keyless, "company.updated", 201, data=record_of("company", "201") | {"name": name})
    await keyless.call("POST", f"/v1/hooks/{hook['id']}/confirm", {"release": True})
    await keyless.settle()
    assert (await keyless.transfers())["customer", "201"]["customer_name"] == "Alfa AS"


async def test_what_was_erased_unread_is_taken_again(keyless: World) -> None:
    await keyless.call("PATCH", f"/v1/tenants/{keyless.tenant_id}", {"state": "paused"})
    company = record_of("company", "201")
    await send(keyless, "company.updated", 201, data=company)
    async with keyless.resources.of_tenant(keyless.tenant_id).sessions.begin() as session:
        tenant = await load_tenant(session, keyless.tenant_id)
        await erase_record(session, tenant, scope="company", record_id="201", actor="a test")
    assert await keyless.count("SELECT count(*) FROM event WHERE body IS NOT NULL") == 0
    await send(keyless, "company.updated", 201, data=company)
    assert await keyless.count("SELECT count(*) FROM event WHERE body IS NOT NULL") == 1
