"""What is changed after a document was booked: in RecMan field by field, in Unimicro looked for once a day."""

from copy import deepcopy
from typing import Any

import pytest

from tests.world import World

CHANGED = "changed_after_transfer"


async def age(world: World) -> None:
    """As if everything so far had happened two days earlier."""
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE transfer SET booked_at = booked_at - interval '2 days', "
            "drift_looked_at = drift_looked_at - interval '2 days'"
        )


async def count_calls(world: World, record_id: int) -> int:
    """How often Unimicro is asked because of one more hint."""
    before = len(await world.list_calls())
    await world.carry("invoice", record_id)
    return len(await world.list_calls()) - before


async def retry(world: World, record_id: int) -> dict[str, Any]:
    await world.retry(await world.document(record_id))
    await world.settle()
    return await world.document(record_id)


async def test_changed_amount_is_an_alarm_with_every_field_old_and_new_and_ends_when_it_is_as_it_was(
    world: World,
) -> None:
    await world.carry("invoice", 5001)
    record = world.source.record(5001)
    before = deepcopy(record)
    record["lines"][0] |= {"unitPrice": "999.00", "total": "74925.00", "quantity": "75"}
    record["dueDate"] = "2026-12-24"
    for total in ("totalExVat", "vat", "totalIncVat"):
        record.pop(total, None)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    (reason,) = row["reasons"]
    assert (row["state"], reason["code"]) == ("held", CHANGED)
    assert f"was booked in Unimicro as {row['remote_number']}: " in reason["cause"]
    for told in ("gross amount ", "line 1: quantity ", "→ 75", "line 1: price ", "→ 999", "due date ", "→ 2026-12-24"):
        assert told in reason["cause"]
    # As its fix says: RecMan shows it as it was booked, and it is retried.
    world.source.records()["5001"] = before
    row = await retry(world, 5001)
    assert (row["state"], row["reasons"], row["warnings"]) == ("done", [], [])
    assert len(await world.invoices()) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dueDate": "2026-12-24"}, "→ 2026-12-24"),
        ({"kid": "1100023"}, "KID 1100015 → 1100023"),
        ({"projectId": None}, "project id 301 → none"),
        ({"deliveryDate": "2026-10-30"}, "→ 2026-10-30"),
        ({"yourReference": "Somebody Else"}, "your reference (other words)"),
        ({"notes": "Other words"}, "note (other words)"),
    ],
)
async def test_what_leaves_the_claim_alone_is_a_note_with_old_and_new_until_it_is_taken_back(
    world: World, change: dict[str, Any], told: str
) -> None:
    await world.carry("invoice", 5001)
    before = {name: world.source.record(5001).get(name) for name in change}
    world.source.record(5001).update(change)
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], row["reasons"], [one["code"] for one in row["warnings"]]) == ("done", [], [CHANGED])
    assert told in row["warnings"][0]["cause"]
    assert (await world.overview_row(5001))["state"] == "in Unimicro with warnings"
    world.source.record(5001).update(before)
    await world.carry("invoice", 5001)
    assert (await world.document(5001))["warnings"] == []


async def change_line(world: World, **changes: Any) -> dict[str, Any]:
    world.source.record(5001)["lines"][0] |= changes
    await world.carry("invoice", 5001)
    return await world.document(5001)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"vatCode": "5"}, "line 1: VAT code none → 5"),
        ({"creditAccount": "3100"}, "line 1: account none → 3100"),
        ({"departmentNumber": "77"}, "line 1: department none → 77"),
    ],
)
async def test_how_recman_would_book_a_line_is_a_note_until_it_is_as_it_was(
    world: World, changes: dict[str, Any], told: str
) -> None:
    await world.carry("invoice", 5001)
    row = await change_line(world, **changes)
    assert (row["state"], [one["code"] for one in row["warnings"]]) == ("done", [CHANGED])
    assert told in row["warnings"][0]["cause"]
    assert (await change_line(world, **dict.fromkeys(changes, "")))["warnings"] == []


async def test_credit_note_of_another_invoice_than_before_is_an_alarm(world: World) -> None:
    await world.carry("invoice", 5001, 5003, 5008)
    world.source.record(5008)["creditedInvoiceId"] = "5001"
    await world.carry("invoice", 5008)
    row = await world.document(5008)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", [CHANGED])
    assert "credited invoice 5003 → 5001" in row["reasons"][0]["cause"]
    world.source.record(5008)["creditedInvoiceId"] = "5003"
    assert (await retry(world, 5008))["state"] == "done"


async def test_what_was_not_kept_of_lines_by_a_release_before_is_no_change(world: World) -> None:
    await world.carry("invoice", 5001)
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE transfer SET booked_as = jsonb_set(booked_as - 'credits', '{lines}', (SELECT jsonb_agg("
            "line - 'vat_code' - 'account' - 'department') FROM jsonb_array_elements(booked_as->'lines') line))"
            " WHERE booked_as IS NOT NULL"
        )
    row = await change_line(world, vatCode="5")
    assert (row["state"], row["warnings"]) == ("done", [])


async def test_lines_that_came_and_went_are_named(world: World) -> None:
    await world.carry("invoice", 5001)
    record = world.source.record(5001)
    line = {"productNumber": "2001", "quantity": "1", "unitPrice": "100.00", "total": "100.00", "vatRate": "15"}
    record["lines"].insert(0, {**record["lines"][0], **line})
    for total in ("totalExVat", "vat", "totalIncVat"):
        record.pop(total, None)
    await world.carry("invoice", 5001)
    cause = (await world.document(5001))["reasons"][0]["cause"]
    assert "line 1 is new: product 2001, quantity 1" in cause
    assert "line 2" not in cause


async def test_booked_document_that_can_no_longer_be_read_whole_is_an_alarm_about_a_booked_one(world: World) -> None:
    await world.carry("invoice", 5001)
    world.source.record(5001)["invoiceDate"] = "2026-02-30"
    await world.carry("invoice", 5001)
    (reason,) = (await world.document(5001))["reasons"]
    assert (reason["code"], "booked in Unimicro as" in reason["cause"]) == (CHANGED, True)
    assert "2026-02-30" in reason["cause"]


async def test_what_a_release_before_booked_tells_what_it_kept_and_learns_the_rest(world: World) -> None:
    await world.carry("invoice", 5001, 5002)
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE transfer SET booked_as = NULL, kid = NULL, recman_company_id = NULL")
    # Seen unchanged, it is known from then on; so a later change is told by its values.
    await world.carry("invoice", 5001)
    for record_id in (5001, 5002):
        world.source.record(record_id)["dueDate"] = "2026-12-24"
    await world.carry("invoice", 5001, 5002)
    assert "→ 2026-12-24" in (await world.document(5001))["warnings"][0]["cause"]
    held = await world.document(5002)
    assert (held["state"], held["reasons"][0]["code"]) == ("held", CHANGED)
    assert "kept no values" in held["reasons"][0]["cause"]


@pytest.mark.parametrize(
    ("booking", "state", "told"),
    [("draft", "draft, not booked", "as a draft (id "), ("order", "order, not invoiced", "became order ")],
)
async def test_draft_or_order_is_never_said_to_be_booked(world: World, booking: str, state: str, told: str) -> None:
    await world.office.change_key(booking=booking)
    await world.carry("invoice", 5001, 5002)
    assert {(await world.overview_row(one))["state"] for one in (5001, 5002)} == {state}
    assert await world.get("/v1/invoices", state="in Unimicro") == []
    assert len(await world.get("/v1/invoices", state=state)) == 2
    record = world.source.record(5001)
    record["lines"][0] |= {"quantity": "1", "total": str(record["lines"][0]["unitPrice"])}
    for total in ("totalExVat", "vat", "totalIncVat"):
        record.pop(total, None)
    await world.carry("invoice", 5001)
    (reason,) = (await world.document(5001))["reasons"]
    assert (reason["code"], told in reason["cause"]) == (CHANGED, True)
    assert booking in reason["fix"]
    assert "booked in Unimicro" not in reason["cause"] + reason["fix"]


async def test_draft_that_a_person_issued_is_in_unimicro_once_it_is_looked_at(world: World) -> None:
    await world.office.change_key(booking="draft")
    await world.carry("invoice", 5001)
    (draft,) = world.ledger.documents()
    world.ledger.books().update("CustomerInvoice", draft["ID"], {"StatusCode": 42002, "InvoiceNumber": "100000"})
    assert (await world.overview_row(5001))["state"] == "draft, not booked"
    await retry(world, 5001)
    row = await world.overview_row(5001)
    assert (row["state"], row["remote_number"]) == ("in Unimicro", "100000")


async def test_hint_on_a_booked_document_looks_for_drift_once_a_day(world: World) -> None:
    await world.carry("invoice", 5001)
    # It was read when it was booked.
    assert await count_calls(world, 5001) == 0
    await age(world)
    assert [await count_calls(world, 5001) for _ in range(3)] == [1, 0, 0]
    (invoice,) = world.ledger.documents()
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"StatusCode": 42006})
    assert await count_calls(world, 5001) == 0
    assert (await world.document(5001))["state"] == "done"
    await age(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["drift_credited"])


async def test_wish_of_a_person_is_heard_whatever_recman_tells_of_after_it(world: World) -> None:
    await world.carry("invoice", 5001)
    await world.retry(await world.document(5001))
    assert await count_calls(world, 5001) == 1


async def test_alarm_is_looked_at_at_every_hint_and_ends_when_it_is_as_it_was(world: World) -> None:
    await world.carry("invoice", 5001)
    (invoice,) = world.ledger.documents()
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"StatusCode": 42006})
    await age(world)
    await world.carry("invoice", 5001)
    assert await count_calls(world, 5001) == 1
    assert await world.hold_of(5001) == ("held", ["drift_credited"])
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"StatusCode": 42002})
    assert await count_calls(world, 5001) == 1
    assert await world.hold_of(5001) == ("done", [])


async def test_change_in_recman_hides_no_alarm_of_unimicros(world: World) -> None:
    await world.carry("invoice", 5001)
    (invoice,) = world.ledger.documents()
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"StatusCode": 42006})
    await age(world)
    await world.carry("invoice", 5001)
    before = world.source.record(5001)["currency"]
    world.source.record(5001)["currency"] = "EUR"
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", [CHANGED, "drift_credited"])
    world.source.record(5001)["currency"] = before
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["drift_credited"])
