"""Backfills: the documents of some days, none outside, each once, also when nobody knows how far the last one came."""

from typing import Any

import pytest

from app.sandbox.samples import load_samples
from tests.world import World

SAMPLES = load_samples()
OCTOBER = {"dated_from": "2026-10-01", "dated_to": "2026-10-31"}


def dated(first: str, last: str) -> set[str]:
    found = {str(one["invoiceId"]): str(one.get("invoiceDate") or "") for one in SAMPLES.records["invoice"]}
    return {record for record, day in found.items() if first <= day <= last}


async def backfill(world: World, **order: Any) -> dict[str, Any]:
    begun = await world.call("POST", "/v1/recman/backfill", order, tenant=world.tenant_id)
    assert begun.status_code == 202, begun.text
    await world.settle()
    ended: dict[str, Any] = await world.get(f"/v1/recman/sweeps/{begun.json()['id']}")
    assert ended["state"] == "done", ended
    counts: dict[str, Any] = ended["counts"]["invoice"]
    return counts


async def list_preview(world: World) -> tuple[int, dict[str, dict[str, Any]]]:
    """A dry run's id, and its list by RecMan's id."""
    await backfill(world, **OCTOBER, dry_run=True)
    preview_id = (await world.get("/v1/recman/sweeps"))[0]["id"]
    rows = await world.get(f"/v1/recman/sweeps/{preview_id}/documents", limit=1000)
    return preview_id, {row["record_id"]: row for row in rows}


async def sent(world: World) -> set[str]:
    return {record for (kind, record) in await world.transfers() if kind in {"invoice", "credit_note"}}


async def test_only_the_documents_of_these_days_are_fetched(world: World) -> None:
    wanted = dated("2026-10-01", "2026-10-31")
    assert 0 < len(wanted) < len(SAMPLES.expected)
    counts = await backfill(world, **OCTOBER)
    assert (counts["in_time"], counts["to_send"], counts["booked"]) == (len(wanted), len(wanted), 0)
    # A credit note brings the invoice that it credits, however old.
    credited = {str(one["creditedInvoiceId"]) for one in SAMPLES.records["invoice"] if one.get("creditedInvoiceId")}
    assert wanted <= await sent(world) <= wanted | credited


async def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    counts = await backfill(world, **OCTOBER, dry_run=True)
    assert counts["to_send"] == len(dated("2026-10-01", "2026-10-31"))
    assert await sent(world) == set()
    assert await world.invoices() == []


async def test_doing_it_twice_sends_nothing_twice(world: World) -> None:
    await backfill(world, **OCTOBER)
    books = await world.books()
    counts = await backfill(world, **OCTOBER)
    assert counts["booked"] == sum(SAMPLES.expected[one].state == "done" for one in dated("2026-10-01", "2026-10-31"))
    assert await world.books() == books


async def test_a_document_without_a_readable_date_is_counted_and_left(world: World) -> None:
    record = world.recman.state.store.records["invoice"]["5001"]
    record["invoiceDate"] = "soon"
    counts = await backfill(world, **OCTOBER)
    assert counts["undated"] == 1
    assert "5001" not in await sent(world)


async def test_everything_in_the_days_of_all_samples_makes_the_same_books_as_webhooks(world: World) -> None:
    by_webhooks = await world.learn_books()
    await backfill(world, dated_from="2000-01-01", dated_to="2098-12-31")
    invoices = [company["invoices"] for company in by_webhooks.values()]
    assert [company["invoices"] for company in (await world.books()).values()] == invoices


@pytest.mark.parametrize(
    ("days", "word"),
    [
        ({"dated_from": "2026-10-31", "dated_to": "2026-10-01"}, "before"),
        ({"dated_from": "2026-10-01"}, "dated_to"),
        ({"dated_from": "2026-13-01", "dated_to": "2026-10-01"}, "dated_from"),
    ],
)
async def test_days_that_are_none_are_refused(world: World, days: dict[str, str], word: str) -> None:
    answer = await world.call("POST", "/v1/recman/backfill", days, tenant=world.tenant_id)
    assert answer.status_code == 422
    assert word in answer.json()["cause"]
    assert await world.get("/v1/recman/sweeps") == []


async def test_only_one_backfill_runs_at_a_time_beside_a_sweep(world: World) -> None:
    assert (await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)).status_code == 202
    assert (await world.call("POST", "/v1/recman/backfill", OCTOBER, tenant=world.tenant_id)).status_code == 202
    answer = await world.call("POST", "/v1/recman/backfill", OCTOBER, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "sweep_running")
    await world.settle()
    assert {row["state"] for row in await world.get("/v1/recman/sweeps")} == {"done"}


async def test_who_began_it_is_in_the_audit_trail(world: World) -> None:
    await backfill(world, **OCTOBER, dry_run=True)
    (row,) = [row for row in await world.get("/v1/audit") if row["action"] == "recman.backfill"]
    assert row["after"]["dated_from"] == "2026-10-01"


async def test_backfill_without_a_confirmed_list_holds_what_lies_before_the_first_day(world: World) -> None:
    await world.office.move_go_live("2026-10-08")
    await backfill(world, **OCTOBER)
    assert await world.states("5001", "5002", "5003") == ["held", "held", "done"]


async def test_backfill_sends_what_its_preview_listed_and_a_person_confirmed(world: World) -> None:
    await world.office.move_go_live("2026-10-08")
    preview_id, listed = await list_preview(world)
    assert set(listed) == dated("2026-10-01", "2026-10-31")
    old = {record for record, row in listed.items() if row["before_go_live"]}
    assert old == dated("2026-10-01", "2026-10-07")
    assert (listed["5001"]["number"], listed["5001"]["gross_amount"]) == ("110001", "38078.70")
    counts = (await world.get(f"/v1/recman/sweeps/{preview_id}"))["counts"]["invoice"]
    assert counts["before_go_live"] == len(old)
    await backfill(world, **OCTOBER, confirm=preview_id)
    assert await world.states(*sorted(old)) == ["done"] * len(old)
    rows = {row["number"]: row for row in await world.get("/v1/invoices", limit=1000)}
    assert (rows["110001"]["decision"], rows["110001"]["decided_by"][:6]) == ("send", "token:")
    books = await world.books()
    await backfill(world, **OCTOBER, confirm=preview_id)
    assert await world.books() == books


async def test_what_appears_or_changes_after_the_preview_is_held(world: World) -> None:
    await world.office.move_go_live("2026-12-01")
    preview_id, listed = await list_preview(world)
    records = world.recman.state.store.records["invoice"]
    records["5098"] = {**records["5001"], "invoiceId": 5098, "invoiceNumber": "110098", "kid": ""}
    records["5002"]["invoiceNumber"] = "210099"
    await backfill(world, **OCTOBER, confirm=preview_id)
    assert "5098" not in listed
    assert await world.states("5001", "5002", "5098") == ["done", "held", "held"]


async def test_first_day_that_moved_after_the_preview_is_a_new_question(world: World) -> None:
    preview_id, listed = await list_preview(world)
    assert not any(row["before_go_live"] for row in listed.values())
    await world.office.move_go_live("2026-12-01")
    await backfill(world, **OCTOBER, confirm=preview_id)
    assert await world.states("5001", "5002") == ["held", "held"]


async def test_confirmed_document_that_somebody_booked_in_unimicro_is_offered_not_doubled(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("TRUNCATE attempt, transfer, event, event_key, lane RESTART IDENTITY CASCADE")
    await world.office.move_go_live("2026-12-01")
    preview_id, _ = await list_preview(world)
    await backfill(world, **OCTOBER, confirm=preview_id)
    assert await world.states("5001", "5002") == ["held", "done"]
    offered = [row["number"] for row in await world.get("/v1/invoices", limit=1000) if row["offer"] is not None]
    assert offered == ["110001"]


async def test_what_a_person_ignored_is_not_sent_by_a_confirmed_list(world: World) -> None:
    await world.office.move_go_live("2026-12-01")
    await world.hear_of("invoice", 5001)
    await world.settle()
    preview_id, _ = await list_preview(world)
    row = (await world.transfers())["invoice", "5001"]
    await world.call("POST", f"/v1/transfers/{row['id']}/ignore", {"reason": "booked by hand"})
    await backfill(world, **OCTOBER, confirm=preview_id)
    assert await world.states("5001") == ["ignored"]


@pytest.mark.parametrize("days", [{"dated_from": "2026-10-02"}, {"dry_run": True}, {"confirm": 999}])
async def test_only_a_finished_dry_run_of_the_same_days_can_be_confirmed(world: World, days: dict[str, Any]) -> None:
    preview_id, _ = await list_preview(world)
    order = {**OCTOBER, "confirm": preview_id} | days
    answer = await world.call("POST", "/v1/recman/backfill", order, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "preview_unknown")
