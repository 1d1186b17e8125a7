"""Old documents: what is offered, and texts that can be followed."""

import pytest

from tests.world import World


async def test_one_document_is_never_linked_to_two_of_one_number(world: World) -> None:
    """Two departments of RecMan's have one number, customer and amount; Unimicro has one document of it."""
    ids = await world.book_before(5001)
    world.source.double("5001", 6001, departmentId="2", kid="")
    await world.carry("invoice", 5001, 6001)
    rows = [await world.overview_row(one) for one in (5001, 6001)]
    assert [row["offer"]["id"] for row in rows] == [ids[5001]] * 2
    await world.decide("link", everything=True)
    linked = [(await world.document(one))["remote_id"] for one in (5001, 6001)]
    assert sorted(linked, key=str) == [ids[5001], None]
    assert len(world.ledger.books().rows("CustomerInvoice")) == 1


@pytest.mark.parametrize("changes", [{"InvoiceNumber": "F-110001"}, {"InvoiceType": 1}, {"CustomerID": 4711}])
async def test_what_is_like_it_only_by_half_is_not_offered(world: World, changes: dict[str, object]) -> None:
    ids = await world.book_before(5001)
    world.ledger.books().update("CustomerInvoice", ids[5001], changes)
    await world.carry("invoice", 5001)
    row = await world.overview_row(5001)
    assert (row["state"], row["offer"]) == ("before go-live", None)
    told = await world.decide("link", ids=[row["id"]])
    assert told["left"][0]["reason"]["code"] == "nothing_offered"
    assert len(world.ledger.books().rows("CustomerInvoice")) == 1


async def test_old_invoice_that_is_credited_there_is_linked_by_a_person_alone(world: World) -> None:
    ids = await world.book_before(5003)
    world.ledger.books().update("CustomerInvoice", ids[5003], {"StatusCode": 42006})
    await world.carry("invoice", 5003)
    row = await world.overview_row(5003)
    assert row["offer"] is None
    answer = await world.post(f"/v1/invoices/{row['id']}/done-elsewhere", {"remote_id": ids[5003]})
    assert answer.status_code == 200, answer.text
    assert (await world.document(5003))["remote_id"] == ids[5003]


async def test_ignored_and_retried_is_asked_about_again(world: World) -> None:
    await world.office.move_go_live("2026-12-01")
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    await world.decide("ignore", ids=[row["id"]], reason="booked by hand")
    await world.post(f"/v1/transfers/{row['id']}/retry")
    await world.settle()
    assert (await world.overview_row(5001))["state"] == "before go-live"
    assert await world.invoices() == []
