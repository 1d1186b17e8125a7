"""Credit notes: whole, partial, of invoices that we never sent, and of those nobody told us of."""

from typing import Any

import pytest

from tests.world import World


async def credit_of(world: World) -> dict[str, Any]:
    rows = await world.transfers()
    return next(row for (_, record), row in rows.items() if record == "5008")


async def test_part_of_an_invoice_is_credited_with_recmans_lines(world: World) -> None:
    world.source.credit_without_sums()
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = await credit_of(world)
    assert (row["state"], row["remote_gross_amount"]) == ("done", "250.00")
    books = world.ledger.books()
    credit = next(one for one in books.rows("CustomerInvoice") if one["InvoiceType"] == 1)
    lines = books.children("CustomerInvoiceItem", "CustomerInvoiceID", credit["ID"])
    assert [(line["ItemText"], line["NumberOfItems"]) for line in lines] == [("For mye fakturert", -2)]
    invoice = books.tables["CustomerInvoice"][credit["InvoiceReferenceID"]]
    assert invoice["StatusCode"] == 42007


async def test_partial_credit_with_an_unknown_product_is_held_before_anything_is_made(world: World) -> None:
    world.source.credit_without_sums(product="7777")
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = await credit_of(world)
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "product_unknown")
    assert [one["InvoiceType"] for one in world.ledger.books().rows("CustomerInvoice")] == [0]


async def test_more_than_the_invoice_is_not_credited(world: World) -> None:
    world.source.credit_without_sums(price="99999999.00")
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = await credit_of(world)
    assert row["state"] == "held"
    assert [reason["code"] for reason in row["reasons"]] == ["credit_too_large"]
    assert "invoice 210002 has 5974.88 left" in row["reasons"][0]["cause"]


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("lose_answer", {"method": "PUT", "path": "/api/biz/invoices", "query": "action=create-credit-draft-invoice"}),
        ("lose_answer", {"method": "PUT", "path": "/api/biz/invoices", "query": ""}),
        ("lose_answer", {"method": "POST", "path": "/api/biz/invoices", "query": "action=invoice", "after": 1}),
    ],
)
async def test_partial_credit_survives_a_lost_answer(world: World, fault: str, match: dict[str, Any]) -> None:
    world.source.credit_without_sums()
    await world.fault(fault, **match)
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = await credit_of(world)
    assert (row["state"], row["remote_gross_amount"]) == ("done", "250.00"), row["reasons"]
    made = [one for one in world.ledger.books().rows("CustomerInvoice") if one["InvoiceType"] == 1]
    assert len(made) == 1
    lines = world.ledger.books().children("CustomerInvoiceItem", "CustomerInvoiceID", made[0]["ID"])
    assert len(lines) == 1


async def test_credited_invoice_that_nobody_told_of_is_sent_first(world: World) -> None:
    await world.hear_of("invoice", 5008)
    await world.settle()
    rows = await world.transfers()
    assert (rows["invoice", "5003"]["state"], (await credit_of(world))["state"]) == ("done", "done")


async def test_credit_of_an_invoice_from_before_our_time_is_held_with_choices(world: World) -> None:
    # Somebody booked the invoice in Unimicro before this service came; the cut-off keeps it from being sent again.
    await world.hear_of("invoice", 5003)
    await world.settle()
    invoice = (await world.transfers())["invoice", "5003"]
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM attempt")
        await connection.exec_driver_sql("DELETE FROM transfer WHERE scope = 'invoice'")
    world.ledger.books().update("CustomerInvoice", invoice["remote_id"], {"ExternalReference": None})
    records = world.recman.state.store.records["invoice"]
    records["5003"]["invoiceDate"] = "2026-01-15"
    records["5003"]["dueDate"] = "2026-01-29"
    await world.office.put_rules({"not_before": "2026-02-01"})
    await world.hear_of("invoice", 5008)
    await world.settle()
    row = await credit_of(world)
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "credited_not_sent")
    old = (await world.transfers())["invoice", "5003"]
    assert old["state"] == "ignored"
    path = f"/v1/invoices/{old['id']}/done-elsewhere"
    linked = await world.call("POST", path, {"remote_id": invoice["remote_id"]})
    assert linked.status_code == 200, linked.text
    await world.settle()
    assert (await credit_of(world))["state"] == "done"


async def test_invoice_from_before_our_time_that_carries_our_reference_is_taken_over(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM attempt")
        await connection.exec_driver_sql("DELETE FROM transfer WHERE scope = 'invoice'")
    await world.office.put_rules({"not_before": "2999-01-01"})
    await world.hear_of("invoice", 5003)
    await world.settle()
    assert (await world.transfers())["invoice", "5003"]["state"] == "done"
    assert len(await world.invoices()) == 1
