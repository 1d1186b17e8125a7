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
    assert set(await world.hear(list(SAMPLES.webhooks))) == {202}
    await world.settle()
    by_webhooks = await world.books()
    await world.reset()
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
