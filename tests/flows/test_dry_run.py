"""What a dry run shows is what then leaves, call by call and body by body, whatever the document waits for."""

import base64
from typing import Any

import pytest

from app.sandbox.samples import load_samples
from tests.world import World, rows_of
from tests.world.wire import list_differences, watch_writes

SAMPLES = load_samples()
EVERYTHING = {"review": {"everything": True}}


async def dry_run(world: World, record_id: str | int) -> dict[str, Any]:
    row = await world.document(record_id)
    answer = await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = rows_of(answer)[0]
    return told


async def approve(world: World, record_id: str | int) -> None:
    row = await world.document(record_id)
    assert (await world.post(f"/v1/invoices/{row['id']}/approve")).status_code == 202


@pytest.mark.parametrize("booking", ["renumbered", "draft", "order"])
async def test_an_approver_sees_of_every_sample_what_is_then_sent(world: World, booking: str) -> None:
    await world.office.change_key(booking=booking)
    await world.office.put_rules(EVERYTHING)
    # Of documents alone: their customers, projects and departments are all new.
    await world.carry("invoice", *SAMPLES.expected)
    steps: set[str] = set()
    differences: dict[str, list[str]] = {}
    for record_id in sorted(SAMPLES.expected):
        told = await dry_run(world, record_id)
        with watch_writes(world) as sent:
            await approve(world, record_id)
            await world.settle()
        state = (await world.document(record_id))["state"]
        assert bool(told["steps"]) == (state == "done"), (record_id, told, state)
        if found := list_differences(told, sent):
            differences[record_id] = found
        steps |= {step["step"] for step in told["steps"]}
    assert differences == {}
    wanted = {"CreateCustomer", "CreateProject", "CreateDepartment", "CreateDraft"}
    assert wanted <= steps, steps
    assert ("CreateCreditDraft" in steps) is (booking == "renumbered")


async def test_credit_note_that_stays_a_draft_is_shown_as_it_is_sent(world: World) -> None:
    await world.carry("invoice", 5003)
    await world.office.change_key(booking="draft")
    await world.office.put_rules(EVERYTHING)
    world.source.credit_part()
    await world.carry("invoice", 5008)
    told = await dry_run(world, 5008)
    assert [step["step"] for step in told["steps"]] == ["CreateCreditDraft", "KeepDraft"]
    with watch_writes(world) as sent:
        await approve(world, 5008)
        await world.settle()
    assert list_differences(told, sent) == []
    # RecMan's own line takes the place of the whole invoice's.
    assert any(line.get("Deleted") for line in told["steps"][0]["calls"][-1]["payload"]["Items"])


async def test_file_and_a_customer_that_unimicro_numbers_are_shown_as_they_are_sent(world: World) -> None:
    file = {"name": "Faktura", "extension": "pdf", "base64": base64.b64encode(b"%PDF-1.7").decode()}
    world.source.record(5001)["file"] = file
    await world.office.put_rules({"customer_number": "linked", "attach_files": True, **EVERYTHING})
    await world.carry("invoice", 5001)
    told = await dry_run(world, 5001)
    paths = [call["path"] for call in told["steps"][-1]["calls"]]
    assert paths[1:] == [
        "api/file",
        "api/biz/files/{file}?action=link&entitytype=CustomerInvoice&entityid={id}",
    ]
    with watch_writes(world) as sent:
        await approve(world, 5001)
        await world.settle()
    assert list_differences(told, sent) == []


async def test_paused_key_hides_nothing(world: World) -> None:
    await world.office.change_key(state="paused")
    await world.hear_of("invoice", 5001)
    await world.stall()
    with watch_writes(world) as sent:
        told = await dry_run(world, 5001)
    assert sent == []
    assert (told["outcome"], [one["code"] for one in told["reasons"]]) == ("paused", ["key_paused"])
    with watch_writes(world) as sent:
        await world.office.change_key(state="active")
        await world.settle()
    assert list_differences(told, sent) == []


async def test_old_and_ignored_documents_show_what_a_persons_word_lets_go(world: World) -> None:
    await world.office.move_go_live("2026-12-01")
    await world.carry("invoice", 5001)
    told = await dry_run(world, 5001)
    assert (told["outcome"], told["reasons"][0]["code"]) == ("hold", "before_go_live")
    row = await world.document(5001)
    assert (await world.ignore(row))[0] == 200
    ignored = await dry_run(world, 5001)
    assert (ignored["outcome"], ignored["steps"]) == ("skip", told["steps"])
    await world.retry(row)
    await world.settle()
    with watch_writes(world) as sent:
        await world.decide("send", ids=[row["id"]])
    assert list_differences(told, sent) == []


async def test_offer_is_shown_as_the_link_that_it_is(world: World) -> None:
    await world.book_before(5001)
    await world.carry("invoice", 5001)
    told = await dry_run(world, 5001)
    assert (told["outcome"], [step["step"] for step in told["steps"]]) == ("hold", ["LinkDocument"])
    assert told["steps"][0]["calls"] == []


async def test_double_shows_what_an_approval_lets_go(world: World) -> None:
    await world.carry("invoice", 5001)
    world.source.double("5001", 5099)
    await world.carry("invoice", 5099)
    told = await dry_run(world, 5099)
    assert (told["outcome"], told["reasons"][0]["code"]) == ("hold", "same_as_other")
    with watch_writes(world) as sent:
        await approve(world, 5099)
        await world.settle()
    assert list_differences(told, sent) == []


async def test_new_product_and_project_that_was_cut_short_are_shown_as_they_are_sent(world: World) -> None:
    record = world.source.record(5001)
    lines = record["lines"].values() if isinstance(record["lines"], dict) else record["lines"]
    next(line for line in lines if line.get("productNumber"))["productNumber"] = "N-1"
    await world.office.put_rules({"product_policy": "create", **EVERYTHING})
    await world.carry("invoice", 5001)
    told = await dry_run(world, 5001)
    assert "CreateProduct" in [step["step"] for step in told["steps"]]
    with watch_writes(world) as sent:
        await approve(world, 5001)
        await world.settle()
    assert list_differences(told, sent) == []


async def test_booked_document_that_was_changed_there_is_told_as_a_retry_would(world: World) -> None:
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (await dry_run(world, 5001))["outcome"] == "skip"
    world.ledger.books().update("CustomerInvoice", row["remote_id"], {"TaxInclusiveAmountCurrency": 1})
    told = await dry_run(world, 5001)
    assert (told["outcome"], told["reasons"][0]["code"]) == ("hold", "drift_changed")
    await world.retry(row)
    await world.settle()
    assert (await world.document(5001))["reasons"][0]["code"] == "drift_changed"
