"""What was begun and not seen through: nothing that happens in between makes us forget it, and a person can end it."""

from pathlib import Path
from typing import Any

from app.sandbox.recman.hooks import Delivery
from tests.world import World, open_slow_world, open_world

_LOSE_CREDIT: dict[str, Any] = {
    "method": "PUT",
    "path": "/api/biz/invoices",
    "query": "action=create-credit-draft-invoice",
}
_LOSE_DRAFT: dict[str, Any] = {"method": "POST", "path": "/api/biz/invoices", "query": ""}


async def test_a_credit_whose_draft_may_be_made_is_looked_for_after_a_hold_too(
    database_url: str, tmp_path: Path
) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.work_until("5003", "done")
        await world.fault("lose_answer", **_LOSE_CREDIT)
        await world.hear_of("invoice", 5008)
        credit = await world.work_until("5008", "unknown")
        record = world.recman.state.store.records["invoice"]["5008"]
        mended = dict(record)
        record["invoiceDate"] = "sometime"
        await world.retry(credit)
        credit = await world.work_until("5008", "held")
        record.update(mended)
        await world.retry(credit)
        credit = await world.work_until("5008", "done")
        made = [one for one in world.ledger.books().rows("CustomerInvoice") if one["InvoiceType"] == 1]
        assert [one["ID"] for one in made] == [credit["remote_id"]]


async def test_what_may_be_in_unimicro_is_ignored_once_nothing_of_it_is_there(
    database_url: str, tmp_path: Path
) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.fault("lose_answer", **_LOSE_DRAFT)
        await world.fault("error_before", method="DELETE", path="/api/biz/invoices", status=403, times=2)
        await world.hear_of("invoice", 5001)
        await world.work_until("5001", "unknown")
        records = world.recman.state.store.records["invoice"]
        gone = records.pop("5001")
        await world.hear([Delivery(body='{"event":"invoice.deleted","id":5001}')])
        held = await world.work_until("5001", "held")
        assert [reason["code"] for reason in held["reasons"]][:2] == ["gone_in_recman", "draft_left"]
        assert "then ignore it here" in held["reasons"][0]["fix"]

        # Sooner, the answer would be that what was done a moment ago may not show yet.
        await world.let_lag_pass()
        status, refusal = await world.ignore(held)
        (draft,) = world.ledger.books().rows("CustomerInvoice")
        assert (status, refusal["code"]) == (409, "already_begun")
        assert str(draft["ID"]) in refusal["cause"]
        world.ledger.books().update("CustomerInvoice", draft["ID"], {"Deleted": True})
        assert (await world.ignore(held))[0] == 200

        # Should it be wanted after all, it is made once more, although Unimicro has seen the first draft's guid.
        records["5001"] = gone
        await world.retry(held)
        done = await world.work_until("5001", "done")
        assert [one["ID"] for one in world.ledger.books().rows("CustomerInvoice")] == [done["remote_id"]]


async def test_draft_of_what_recman_deleted_meanwhile_is_taken_away_again(database_url: str, tmp_path: Path) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.fault("lose_answer", **_LOSE_DRAFT)
        await world.hear_of("invoice", 5001)
        await world.work_until("5001", "unknown")
        del world.recman.state.store.records["invoice"]["5001"]
        await world.hear([Delivery(body='{"event":"invoice.deleted","id":5001}')])
        gone = await world.work_until("5001", "ignored")
        assert [reason["code"] for reason in gone["reasons"]] == ["gone_in_recman"]
        assert world.ledger.books().rows("CustomerInvoice") == []


async def test_unmarked_credit_draft_of_what_recman_deleted_meanwhile_is_taken_away_again(
    database_url: str, tmp_path: Path
) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.work_until("5003", "done")
        await world.fault("lose_answer", **_LOSE_CREDIT)
        await world.hear_of("invoice", 5008)
        await world.work_until("5008", "unknown")
        del world.recman.state.store.records["invoice"]["5008"]
        await world.hear([Delivery(body='{"event":"invoice.deleted","id":5008}')])
        await world.work_until("5008", "ignored")
        assert [one["InvoiceType"] for one in world.ledger.books().rows("CustomerInvoice")] == [0]


async def test_a_document_that_cannot_be_read_is_shown_and_can_be_retried(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, give_up_hours=0.0001) as world:
        await world.http.post(f"{world.recman_url}/sandbox/recman/faults", json={"fault": "unavailable", "times": 999})
        await world.hear_of("invoice", 5001)
        waiting = await world.work_until("5001", "waiting")
        assert "RecMan" in waiting["reasons"][0]["cause"]
        failed = await world.work_until("5001", "failed")
        (shown,) = await world.get("/v1/invoices")
        assert (shown["id"], shown["reasons"][0]["cause"]) == (failed["id"], failed["reasons"][0]["cause"])
        await world.http.post(f"{world.recman_url}/sandbox/recman/faults", json={"fault": "unavailable", "times": 0})
        await world.retry(failed)
        done = await world.work_until("5001", "done")
        assert (done["id"], done["number"]) == (failed["id"], "110001")


async def test_a_found_credit_draft_is_ours_whatever_becomes_of_the_next_call(world: World) -> None:
    await world.fault("lose_answer", **_LOSE_CREDIT)
    await world.fault("throttle", method="PUT", path="/api/biz/invoices", query="", seconds=0.1)
    await world.hear_of("invoice", 5003, 5008)
    credit = await world.work_until("5008", "done")
    made = [one for one in world.ledger.books().rows("CustomerInvoice") if one["InvoiceType"] == 1]
    assert [one["ID"] for one in made] == [credit["remote_id"]]


async def test_a_project_that_was_made_but_not_started_is_started(world: World) -> None:
    await world.fault("throttle", method="POST", path="/api/biz/projects", query="action=", seconds=0.1)
    await world.hear_of("invoice", 5001)
    await world.work_until("5001", "done")
    row = (await world.transfers())["project", "301"]
    project = world.ledger.books().tables["Project"][row["remote_id"]]
    assert project["StatusCode"] == 42203
    assert (row["state"], row["remote_number"]) == ("done", project["ProjectNumber"])
