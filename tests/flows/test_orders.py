"""A key that makes orders: Unimicro invoices and sends; nothing is made twice, and credit notes are for people."""

import pytest

from tests.world import World, rows_of


async def test_invoice_becomes_a_registered_order_with_equal_totals(world: World) -> None:
    await world.office.choose_orders()
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], row["remote_gross_amount"]) == ("done", row["gross_amount"])
    (order,) = world.ledger.orders()
    assert (order["StatusCode"], str(order["OrderNumber"])) == (41002, row["remote_number"])
    lines = world.ledger.books().children("CustomerOrderItem", "CustomerOrderID", order["ID"])
    assert {line["ExternalReference"] for line in lines} == {"RM-5001"}
    assert await world.invoices() == []
    # Told again, it is not made again.
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert len(world.ledger.orders()) == 1


@pytest.mark.parametrize("query", ["", "action=register"])
async def test_lost_answer_makes_no_second_order(world: World, query: str) -> None:
    await world.office.choose_orders()
    await world.fault("lose_answer", method="POST", path="/api/biz/orders", query=query)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    assert [order["StatusCode"] for order in world.ledger.orders()] == [41002]


async def test_credit_note_is_held_for_a_person(world: World) -> None:
    await world.office.choose_orders()
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = (await world.transfers())["credit_note", "5008"]
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "credit_of_order")
    assert await world.invoices() == []


async def test_credit_of_an_order_is_held_also_when_the_key_makes_invoices_by_now(world: World) -> None:
    await world.office.choose_orders()
    await world.hear_of("invoice", 5003)
    await world.settle()
    assert (await world.transfers())["invoice", "5003"]["state"] == "done"
    await world.office.change_key(booking="renumbered")
    await world.hear_of("invoice", 5008)
    await world.settle()
    row = (await world.transfers())["credit_note", "5008"]
    assert (row["state"], row["reasons"][0]["code"]) == ("held", "credit_of_order")


async def test_what_is_half_made_keeps_its_booking_and_what_is_new_takes_the_new_one(world: World) -> None:
    # The issuing is refused, and so is the deletion of the draft: the invoice stays half made.
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.fault("error_before", method="DELETE", path="/api/biz/invoices", status=403)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "held"
    await world.office.change_key(booking="order")
    await world.retry(await world.document(5001))
    await world.carry("invoice", 5002)
    assert await world.states(5001, 5002) == ["done", "done"]
    assert [one["ExternalReference"] for one in await world.invoices()] == ["RM-5001"]
    assert [one["OrderNumber"] for one in world.ledger.orders()] == [int((await world.document(5002))["remote_number"])]
    # Told again, each is looked for where it is.
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_dry_run_shows_the_order(world: World) -> None:
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"departments": []})
    await world.hear_of("invoice", 5001)
    await world.settle()
    await world.office.choose_orders()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE key SET open_to_all = true")
    (row,) = await world.get("/v1/invoices")
    told = rows_of(await world.call("POST", "/v1/invoices/dry-run", {"ids": [row["id"]]}))[0]
    calls = [step["call"]["path"] for step in told["steps"] if step["call"]]
    assert calls[-2:] == ["api/biz/orders", "api/biz/orders/{id}?action=register"]
