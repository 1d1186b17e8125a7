"""The day a document is booked on, locks that are compared with it, and settings that changed after they were read."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.unimicro.switches import LockDay, LockRefusal
from app.transfer.books import KnownBooks
from tests.world import COMPANY, World, open_world, rows_of

LOCK = "2026-10-31"


def settle_silently(world: World, **settings: Any) -> None:
    """Other settings in Unimicro, of which nothing here has heard."""
    world.ledger.books(COMPANY).update("CompanySettings", 1, settings)


def turn(world: World, **switches: Any) -> None:
    books = world.ledger.books(COMPANY)
    books.switches = books.switches.turned(switches)


def put_invoice(world: World, record_id: int, **changes: Any) -> int:
    days = {"invoiceDate": "2026-11-02", "dueDate": "2026-11-16", "deliveryDate": None}
    return world.source.double("5001", record_id, invoiceNumber=f"11{record_id}", **days | changes)


async def dry_run(world: World, record_id: int) -> dict[str, Any]:
    row = await world.document(record_id)
    (told,) = rows_of(await world.call("POST", "/v1/invoices/dry-run", {"ids": [row["id"]]}))
    found: dict[str, Any] = told
    return found


async def retry(world: World, record_id: int) -> None:
    await world.retry(await world.document(record_id))
    await world.settle()


@pytest.mark.parametrize("lock", ["AccountingLockedDate", "VatLockedDate"])
@pytest.mark.parametrize("by_delivery", [True, False])
async def test_lock_is_compared_with_the_day_of_booking_by_plan_and_dry_run(
    world: World, lock: str, *, by_delivery: bool
) -> None:
    settle_silently(world, **{lock: LOCK, "BookCustomerInvoiceOnDeliveryDate": by_delivery})
    world.resources.kept(KnownBooks).references.clear()
    put_invoice(world, 5090, deliveryDate="2026-09-30")
    late = {"invoiceDate": "2026-10-20", "dueDate": "2026-11-16", "deliveryDate": "2026-11-05"}
    world.source.double("5001", 5091, invoiceNumber="115091", **late)
    put_invoice(world, 5092)
    await world.carry("invoice", 5090, 5091, 5092)
    locked, booked = (5090, 5091) if by_delivery else (5091, 5090)
    assert await world.hold_of(locked) == ("held", ["period_locked"])
    assert await world.states(booked, 5092) == ["done", "done"]
    (reason,) = (await world.document(locked))["reasons"]
    assert LOCK in reason["cause"]
    assert ("2026-09-30, on which the company books" if by_delivery else "2026-10-20") in reason["cause"]
    told = await dry_run(world, locked)
    assert (told["outcome"], told["reasons"]) == ("hold", [reason])
    settle_silently(world, **{lock: "2026-08-31"})
    await retry(world, locked)
    assert (await world.document(locked))["state"] == "done"


@pytest.mark.parametrize("refusal", list(LockRefusal))
@pytest.mark.parametrize("at_draft", [True, False])
@pytest.mark.parametrize("by_delivery", [True, False])
async def test_lock_that_only_unimicro_knows_is_told_in_the_words_of_the_plan(
    world: World, refusal: LockRefusal, *, at_draft: bool, by_delivery: bool
) -> None:
    turn(world, lock_refusal=refusal, lock_at_draft=at_draft)
    await world.carry("invoice", 5002)
    # What is remembered of the settings is a moment old and says that nothing is locked.
    settle_silently(world, AccountingLockedDate="2026-11-10", BookCustomerInvoiceOnDeliveryDate=by_delivery)
    changes = {"deliveryDate": "2026-11-05"} if by_delivery else {}
    put_invoice(world, 5090, **changes)
    put_invoice(world, 5091, **changes)
    await world.carry("invoice", 5090)
    (reason,) = (await world.document(5090))["reasons"]
    assert (reason["code"], world.ledger.list_drafts()) == ("period_locked", [])
    # Found by the plan the next time, and said in the same words.
    await world.carry("invoice", 5091)
    assert (await world.document(5091))["reasons"] == [reason]
    settle_silently(world, AccountingLockedDate="2026-08-31")
    await retry(world, 5090)
    await retry(world, 5091)
    assert await world.states(5090, 5091) == ["done", "done"]


@pytest.mark.parametrize("refusal", list(LockRefusal))
@pytest.mark.parametrize("at_draft", [True, False])
async def test_lock_that_the_settings_do_not_explain_is_known_by_unimicros_words(
    world: World, refusal: LockRefusal, *, at_draft: bool
) -> None:
    turn(world, lock_refusal=refusal, lock_at_draft=at_draft, lock_day=LockDay.EITHER)
    settle_silently(world, AccountingLockedDate=LOCK)
    world.resources.kept(KnownBooks).references.clear()
    put_invoice(world, 5090, deliveryDate="2026-09-30")
    await world.carry("invoice", 5090)
    (reason,) = (await world.document(5090))["reasons"]
    assert reason["code"] == "period_locked"
    assert "2026-11-02" in reason["cause"]
    assert "2026-09-30" in reason["cause"]
    assert reason["fix"].startswith("Open the period in Unimicro, then retry")
    assert world.ledger.list_drafts() == []
    settle_silently(world, AccountingLockedDate="2026-08-31")
    await retry(world, 5090)
    assert (await world.document(5090))["state"] == "done"


async def test_refusal_about_something_else_keeps_its_own_words(world: World) -> None:
    await world.carry("invoice", 5002)
    for account in world.ledger.books(COMPANY).rows("Account"):
        world.ledger.books(COMPANY).update("Account", account["ID"], {"Locked": True})
    await world.carry("invoice", 5001)
    state, codes = await world.hold_of(5001)
    assert state == "held"
    assert "period_locked" not in codes


async def test_credit_note_is_compared_by_the_delivery_date_that_unimicro_gives_it(world: World) -> None:
    world.source.record("5003")["deliveryDate"] = "2026-09-30"
    await world.carry("invoice", 5003)
    settle_silently(world, AccountingLockedDate="2026-09-30", BookCustomerInvoiceOnDeliveryDate=True)
    world.source.credit_part()
    await world.carry("invoice", 5008)
    assert await world.hold_of(5008) == ("held", ["period_locked"])
    (reason,) = (await world.document(5008))["reasons"]
    assert "2026-09-30" in reason["cause"]
    assert "credit the invoice in Unimicro by hand" in reason["fix"]
    settle_silently(world, AccountingLockedDate="2026-08-31")
    await retry(world, 5008)
    assert (await world.document(5008))["state"] == "done"


async def test_go_is_confirmed_where_the_settings_are_older_than_the_newest_hint(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, unimicro_confirm_seconds=0) as world:
        await world.carry("invoice", 5002)
        settle_silently(world, AutoDistributeInvoice=True)
        await world.carry("invoice", 5001)
        assert await world.hold_of(5001) == ("held", ["would_send_twice"])
        settle_silently(world, AutoDistributeInvoice=False)
        await retry(world, 5001)
        assert (await world.document(5001))["state"] == "done"
        # One look at the settings and one at the VAT types, and no more, for those that stand.
        before = len(await world.list_calls())
        put_invoice(world, 5090)
        await world.carry("invoice", 5090)
        calls = [(call["method"], call["path"]) for call in (await world.list_calls())[before:]]
        assert calls[:2] == [("GET", "/api/biz/companysettings/1"), ("GET", "/api/biz/vattypes")]
        assert [method for method, _ in calls[2:]] == ["POST", "POST", "GET"]


async def test_invoices_that_waited_together_share_one_look_at_the_settings(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, unimicro_confirm_seconds=0) as world:
        await world.carry("invoice", 5001)
        for record in range(6000, 6020):
            put_invoice(world, record)
        await world.hear_of("invoice", *range(6000, 6020))
        before = len(await world.list_calls())
        await world.settle()
        calls = [(call["method"], call["path"]) for call in (await world.list_calls())[before:]]
        assert calls.count(("GET", "/api/biz/companysettings/1")) == calls.count(("GET", "/api/biz/vattypes")) == 1
        assert len(calls) == 20 * 3 + 2
        assert {(await world.document(record))["state"] for record in range(6000, 6020)} == {"done"}


async def test_what_a_person_asks_for_and_what_was_held_is_confirmed_at_once(world: World) -> None:
    await world.office.put_rules({"review": {"everything": True}})
    await world.carry("invoice", 5001, 5002)
    await world.office.put_rules({}, after_version=1)
    await world.settle()
    put_invoice(world, 5090)
    await world.office.put_rules({"held_customers": ["100001"]}, after_version=2)
    await world.carry("invoice", 5090)
    assert (await world.document(5090))["state"] == "held"
    settle_silently(world, AutoDistributeInvoice=True)
    told = await dry_run(world, 5090)
    assert told["outcome"] == "hold"
    await world.office.put_rules({}, after_version=3)
    await world.settle()
    assert await world.hold_of(5090) == ("held", ["would_send_twice"])


async def test_dry_run_reads_the_settings_as_they_are_now(world: World) -> None:
    await world.carry("invoice", 5002)
    put_invoice(world, 5090)
    await world.office.change_key(state="paused")
    await world.hear_of("invoice", 5090)
    await world.work_off()
    await world.office.change_key(state="active")
    settle_silently(world, AccountingLockedDate="2026-11-10")
    told = await dry_run(world, 5090)
    assert (told["outcome"], [one["code"] for one in told["reasons"]]) == ("hold", ["period_locked"])
