"""What was begun and not seen through: nothing that happens in between makes us forget it, and a person can end it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.sandbox.recman.hooks import Delivery
from app.worker import run_worker
from tests.flows.test_invoices import books_of
from tests.world import World, open_world

_LOSE_CREDIT: dict[str, Any] = {
    "method": "PUT",
    "path": "/api/biz/invoices",
    "query": "action=create-credit-draft-invoice",
}
_LOSE_DRAFT: dict[str, Any] = {"method": "POST", "path": "/api/biz/invoices", "query": ""}


@asynccontextmanager
async def slow_to_retry(database_url: str, folder: Path) -> AsyncIterator[World]:
    """A world that leaves time between two tries."""
    async with open_world(database_url, folder, backoff_first_seconds=20, backoff_cap_seconds=20) as world:
        yield world


async def work_until(world: World, record_id: str, state: str, *, seconds: float = 20) -> dict[str, Any]:
    """The document's transfer, once it is in this state; a worker runs until then."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop))
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = await document_of(world, record_id)
                if found is not None and found["state"] == state:
                    return found
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await worker


async def document_of(world: World, record_id: str) -> dict[str, Any] | None:
    rows = await world.get("/v1/transfers", limit=1000)
    documents = (row for row in rows if row["kind"] in {"invoice", "credit_note"})
    return next((row for row in documents if row["record_id"] == record_id), None)


async def retry(world: World, transfer: dict[str, Any]) -> None:
    answer = await world.call("POST", f"/v1/transfers/{transfer['id']}/retry")
    assert answer.status_code == 202, answer.text


async def ignore(world: World, transfer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = await world.call("POST", f"/v1/transfers/{transfer['id']}/ignore", {"reason": "removed by hand"})
    return answer.status_code, answer.json()


async def test_a_credit_whose_draft_may_be_made_is_looked_for_after_a_hold_too(
    database_url: str, tmp_path: Path
) -> None:
    async with slow_to_retry(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await work_until(world, "5003", "done")
        await world.fault("lose_answer", **_LOSE_CREDIT)
        await world.hear_of("invoice", 5008)
        credit = await work_until(world, "5008", "unknown")
        record = world.recman.state.store.records["invoice"]["5008"]
        mended = dict(record)
        record["invoiceDate"] = "sometime"
        await retry(world, credit)
        credit = await work_until(world, "5008", "held")
        record.update(mended)
        await retry(world, credit)
        credit = await work_until(world, "5008", "done")
        made = [one for one in books_of(world).rows("CustomerInvoice") if one["InvoiceType"] == 1]
        assert [one["ID"] for one in made] == [credit["remote_id"]]


async def test_what_may_be_in_unimicro_is_ignored_once_nothing_of_it_is_there(
    database_url: str, tmp_path: Path
) -> None:
    async with slow_to_retry(database_url, tmp_path) as world:
        await world.fault("lose_answer", **_LOSE_DRAFT)
        await world.fault("error_before", method="DELETE", path="/api/biz/invoices", status=403, times=2)
        await world.hear_of("invoice", 5001)
        await work_until(world, "5001", "unknown")
        records = world.recman.state.store.records["invoice"]
        gone = records.pop("5001")
        await world.hear([Delivery(body='{"event":"invoice.deleted","id":5001}')])
        held = await work_until(world, "5001", "held")
        assert [reason["code"] for reason in held["reasons"]][:2] == ["gone_in_recman", "draft_left"]
        assert "then ignore it here" in held["reasons"][0]["fix"]

        status, refusal = await ignore(world, held)
        (draft,) = books_of(world).rows("CustomerInvoice")
        assert (status, refusal["code"]) == (409, "already_begun")
        assert str(draft["ID"]) in refusal["cause"]
        books_of(world).update("CustomerInvoice", draft["ID"], {"Deleted": True})
        assert (await ignore(world, held))[0] == 200

        # Should it be wanted after all, it is made anew, although Unimicro has seen the first draft's guid.
        records["5001"] = gone
        await retry(world, held)
        done = await work_until(world, "5001", "done")
        assert [one["ID"] for one in books_of(world).rows("CustomerInvoice")] == [done["remote_id"]]


async def test_draft_of_what_recman_deleted_meanwhile_is_taken_away_again(database_url: str, tmp_path: Path) -> None:
    async with slow_to_retry(database_url, tmp_path) as world:
        await world.fault("lose_answer", **_LOSE_DRAFT)
        await world.hear_of("invoice", 5001)
        await work_until(world, "5001", "unknown")
        del world.recman.state.store.records["invoice"]["5001"]
        await world.hear([Delivery(body='{"event":"invoice.deleted","id":5001}')])
        gone = await work_until(world, "5001", "ignored")
        assert [reason["code"] for reason in gone["reasons"]] == ["gone_in_recman"]
        assert books_of(world).rows("CustomerInvoice") == []


async def test_unmarked_credit_draft_of_what_recman_deleted_meanwhile_is_taken_away_again(
    database_url: str, tmp_path: Path
) -> None:
    async with slow_to_retry(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await work_until(world, "5003", "done")
        await world.fault("lose_answer", **_LOSE_CREDIT)
        await world.hear_of("invoice", 5008)
        await work_until(world, "5008", "unknown")
        del world.recman.state.store.records["invoice"]["5008"]
        await world.hear([Delivery(body='{"event":"invoice.deleted","id":5008}')])
        await work_until(world, "5008", "ignored")
        assert [one["InvoiceType"] for one in books_of(world).rows("CustomerInvoice")] == [0]


async def test_a_document_that_cannot_be_read_is_shown_and_can_be_retried(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, give_up_hours=0.0001) as world:
        await world.http.post(f"{world.recman_url}/sandbox/recman/faults", json={"fault": "unavailable", "times": 999})
        await world.hear_of("invoice", 5001)
        waiting = await work_until(world, "5001", "waiting")
        assert "RecMan" in waiting["reasons"][0]["cause"]
        failed = await work_until(world, "5001", "failed")
        (shown,) = await world.get("/v1/invoices")
        assert (shown["id"], shown["reasons"][0]["cause"]) == (failed["id"], failed["reasons"][0]["cause"])
        await world.http.post(f"{world.recman_url}/sandbox/recman/faults", json={"fault": "unavailable", "times": 0})
        await retry(world, failed)
        done = await work_until(world, "5001", "done")
        assert (done["id"], done["number"]) == (failed["id"], "110001")


async def test_a_found_credit_draft_is_ours_whatever_becomes_of_the_next_call(world: World) -> None:
    await world.fault("lose_answer", **_LOSE_CREDIT)
    await world.fault("throttle", method="PUT", path="/api/biz/invoices", query="", seconds=0.1)
    await world.hear_of("invoice", 5003, 5008)
    credit = await work_until(world, "5008", "done")
    made = [one for one in books_of(world).rows("CustomerInvoice") if one["InvoiceType"] == 1]
    assert [one["ID"] for one in made] == [credit["remote_id"]]


async def test_a_project_that_was_made_but_not_started_is_started(world: World) -> None:
    await world.fault("throttle", method="POST", path="/api/biz/projects", query="action=", seconds=0.1)
    await world.hear_of("invoice", 5001)
    await work_until(world, "5001", "done")
    row = (await world.transfers())["project", "301"]
    project = books_of(world).tables["Project"][row["remote_id"]]
    assert project["StatusCode"] == 42203
    assert (row["state"], row["remote_number"]) == ("done", project["ProjectNumber"])
