"""A key that makes files: the same plan, holds and rules as a key that sends, and nothing is written to Unimicro."""

from decimal import Decimal
from typing import Any

from app.domain.booking import Booking
from app.domain.file_documents import from_json
from tests.world import World
from tests.world.by_file import choose_files, list_contents

WANTED = (5001, 5002, 5003, 5004, 5008)


async def test_samples_are_collected_balanced_and_nothing_is_written(world: World) -> None:
    await choose_files(world)
    before = len(await world.list_calls())
    await world.deliver_samples(repeat=2, seed=3)
    await world.settle()
    held = {row["number"] for row in (await world.transfers()).values() if row["state"] != "collected"}
    assert held == {"110005"}
    assert {call["method"] for call in (await world.list_calls())[before:]} == {"GET"}
    contents = {number: from_json(one) for number, one in (await list_contents(world)).items()}
    assert len(contents) == 15
    for one in contents.values():
        assert sum(entry.amount for entry in one.entries) == 0
        sign = -1 if one.is_credit_note else 1
        assert sign * one.entries[0].currency_amount == one.gross_amount
        assert sum((vat.net_amount + vat.vat_amount for vat in one.vat_by_code), Decimal(0)) == one.gross_amount
        assert one.entries[0].invoice_number == one.number
        assert one.entries[0].customer_number == one.customer.number
    assert contents["210004"].credited_number == "210002"
    rows = await world.get("/v1/invoices", state="ready for a file", limit=100)
    assert len(rows) == 15


async def test_project_that_is_not_there_holds_and_says_what_to_do(world: World) -> None:
    await choose_files(world, missing_dimensions="hold")
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert [reason["code"] for reason in row["reasons"]] == ["file_part_missing", "file_part_missing"]
    assert "missing_dimensions" in row["reasons"][0]["fix"]
    assert await list_contents(world) == {}


async def test_document_that_changed_is_collected_anew_and_one_that_lacks_something_is_taken_out(world: World) -> None:
    await choose_files(world)
    await world.carry("invoice", 5001)
    world.source.record(5001)["dueDate"] = "2026-12-24"
    await world.carry("invoice", 5001)
    (one,) = (await list_contents(world)).values()
    assert one["due_date"] == "2026-12-24"
    await world.office.put_rules({"review": {"everything": True}})
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["held"]


async def test_credit_note_credits_no_more_than_its_invoice_and_waits_for_it(world: World) -> None:
    await choose_files(world)
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.states(5003, 5008) == ["collected", "collected"]
    world.source.double("5008", 5098, invoiceNumber="219998")
    await world.carry("invoice", 5098)
    assert await world.hold_of(5098) == ("held", ["credit_too_large"])


async def test_orders_are_collected_for_files_of_orders_and_no_credit_note_is(world: World) -> None:
    await choose_files(world, Booking.ORDER)
    await world.carry("invoice", 5003, 5008)
    assert await world.states(5003) == ["collected"]
    assert await world.hold_of(5008) == ("held", ["credit_of_order"])
    (one,) = (await list_contents(world)).values()
    assert (one["entries"], one["payment_id"], one["number"]) == ([], "", "210002")


async def test_dry_run_shows_that_it_goes_into_a_file(world: World) -> None:
    await choose_files(world)
    await world.carry("invoice", 5003)
    row = await world.document(5003)
    answer = await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]})
    told: dict[str, Any] = answer.json()["rows"][0]
    assert told["outcome"] == "send"
    assert [step["step"] for step in told["steps"]][-1] == "Collect"
    assert [step["calls"] for step in told["steps"]] == [[]] * len(told["steps"])
