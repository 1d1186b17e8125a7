"""RecMan counts calls: bursts share them, the day's number holds, invoices come first, and a refusal is a pause."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.admin.tenants import load_tenant
from app.engine.lanes import record_peek
from app.errors import RemoteThrottledError
from app.platform.db import load_horizon
from app.reading.quota import load_standing, open_gate
from app.sandbox.recman.hooks import Delivery
from app.sandbox.recman.store import RecmanOptions
from app.worker import run_worker
from tests.world import RECMAN_KEY, World, open_world


def add_copies(world: World, how_many: int, *, first: int = 9_000_001) -> list[str]:
    """Invoices like 5001, each of a customer of its own, which is like 201; the ids of the invoices."""
    records = world.recman.state.store.records
    ids = [str(number) for number in range(first, first + how_many)]
    for one in ids:
        invoice, company = copy.deepcopy(records["invoice"]["5001"]), copy.deepcopy(records["company"]["201"])
        company |= {"companyId": one, "companyNumber": str(100_100 + int(one) - first), "vatNumber": "", "name": one}
        invoice |= {"invoiceId": one, "invoiceNumber": one, "companyId": one, "projectId": None, "kid": ""}
        records["invoice"][one], records["company"][one] = invoice, company
    return ids


async def burst(world: World, ids: list[str]) -> None:
    """A webhook for each; when the last one is in, the time in which others are waited for is over."""
    await deliver(world, ids)
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE lane SET run_at = now() WHERE run_at > now() AND tries = 0"))


async def deliver(world: World, ids: list[str]) -> None:
    bodies = [Delivery(body=json.dumps({"event": "invoice.created", "id": one})) for one in ids]
    assert set(await world.hear(bodies)) == {202}


@pytest.fixture
async def slow_world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world that waits for others before it reads, for longer than any burst takes on a busy machine."""
    async with open_world(database_url, tmp_path, recman_debounce_seconds=600) as opened:
        yield opened


@pytest.mark.timeout(300)
async def test_a_burst_of_500_webhooks_costs_ten_calls_at_most(slow_world: World) -> None:
    # Held for an approval, each is read and looked at, and nothing is written: what is counted is RecMan's calls.
    await slow_world.office.put_rules({"review": {"everything": True}})
    ids = add_copies(slow_world, 500)
    slow_world.recman.state.store.calls.clear()
    await burst(slow_world, ids)
    await slow_world.settle()
    assert await slow_world.count("SELECT count(*) FROM transfer WHERE scope = 'invoice' AND state = 'held'") == 500
    assert len(slow_world.source.list_calls()) <= 10
    assert {call["scope"] for call in slow_world.source.list_calls()} >= {"invoice", "company"}


@pytest.mark.timeout(300)
async def test_a_burst_costs_no_more_where_invoices_are_read_by_pages(database_url: str, tmp_path: Path) -> None:
    options = RecmanOptions(
        daily_quota=100_000, keys=frozenset({RECMAN_KEY}), invoice_ids_filter="refuse", page_size=200
    )
    changes: dict[str, Any] = {"recman_options": options, "recman_debounce_seconds": 600}
    async with open_world(database_url, tmp_path, **changes) as world:
        await world.office.put_rules({"review": {"everything": True}})
        ids = add_copies(world, 120)
        world.recman.state.store.calls.clear()
        await burst(world, ids)
        await world.settle()
        assert await world.count("SELECT count(*) FROM transfer WHERE scope = 'invoice' AND state = 'held'") == 120
        assert len(world.source.list_calls()) <= 10


async def test_a_change_after_the_reading_is_read_again(slow_world: World) -> None:
    ids = add_copies(slow_world, 2)
    records = slow_world.recman.state.store.records["invoice"]
    records[ids[0]]["invoiceNumber"] = ""
    await burst(slow_world, ids)
    await slow_world.settle()
    assert (await slow_world.transfers())["invoice", ids[0]]["state"] == "held"
    records[ids[0]]["invoiceNumber"] = "mended"
    await burst(slow_world, ids[:1])
    await slow_world.settle()
    row = (await slow_world.transfers())["invoice", ids[0]]
    assert (row["state"], row["number"]) == ("done", "mended")


async def test_an_equal_webhook_after_its_record_was_read_along_with_others_is_no_repeat(
    database_url: str, tmp_path: Path
) -> None:
    """With ids only, two changes look the same; the second one must not be taken for a repeat of the first."""
    # So long that no lane becomes due by itself, however slow the machine is.
    async with open_world(database_url, tmp_path, recman_debounce_seconds=600) as world:
        first, second = add_copies(world, 2)
        record = world.recman.state.store.records["invoice"][second]
        record["invoiceNumber"] = ""
        await deliver(world, [first, second])
        await make_due(world, first)
        stop = asyncio.Event()
        worker = asyncio.create_task(run_worker(world.resources, stop))
        while not any(second in call.get("invoiceIds", "") for call in world.source.list_calls()):  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.01)
        # It was read along with the first one, before its own lane is due.
        assert (
            await world.count("SELECT count(*) FROM lane WHERE state = 'ready' AND run_at > now() AND tries = 0") == 1
        )
        record["invoiceNumber"] = "mended"
        await deliver(world, [second])
        stop.set()
        await worker
        await make_due(world, second)
        await world.settle()
        row = (await world.transfers())["invoice", second]
        assert (row["state"], row["number"]) == ("done", "mended")


async def make_due(world: World, record_id: str) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE lane SET run_at = now() WHERE record_id = :id"), {"id": record_id})


async def test_an_equal_webhook_while_a_try_rests_is_no_repeat(slow_world: World) -> None:
    world, (one,) = slow_world, add_copies(slow_world, 1)
    record = world.recman.state.store.records["invoice"][one]
    record["yourReference"] = "before"
    await world.fault("error_before", method="POST", path="/api/biz/invoices", times=1, status=503)
    await burst(world, [one])
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop))
    while not await world.count("SELECT count(*) FROM lane WHERE tries > 0"):  # noqa: ASYNC110 - the database has no event
        await asyncio.sleep(0.005)
    stop.set()
    record["yourReference"] = "after"
    await burst(world, [one])
    await worker
    await world.settle()
    assert "after" in str(await world.invoices())


async def test_many_webhooks_of_records_that_are_not_there_share_their_calls(slow_world: World) -> None:
    slow_world.recman.state.store.calls.clear()
    await burst(slow_world, [str(number) for number in range(800_001, 800_101)])
    await slow_world.settle()
    held = await slow_world.count("SELECT count(*) FROM event WHERE state = 'held'")
    assert held == 100
    assert len(slow_world.source.list_calls()) <= 10


async def test_the_days_calls_are_counted_by_what_they_are_for(world: World) -> None:
    await world.hear_of("company", 201)
    await world.hear_of("project", 301)
    await world.hear_of("invoice", 5001)
    await world.settle()
    async with world.resources.sessions() as session:
        standing = await load_standing(session, world.tenant_id, zone="Europe/Oslo")
    counted = len(world.source.list_calls())
    assert standing.used == counted == sum(standing.by_purpose.values())
    assert set(standing.by_purpose) == {"customers", "projects", "invoices"}
    assert standing.paused_until is None


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Pacific/Kiritimati", "America/Los_Angeles"])
async def test_a_day_ends_at_midnight_of_its_zone(world: World, zone: str) -> None:
    async with world.resources.sessions() as session:
        standing = await load_standing(session, world.tenant_id, zone=zone)
        midnight = text("SELECT (:at AT TIME ZONE :zone)::text")
        told = (await session.execute(midnight, {"at": standing.resets_at, "zone": zone})).scalar_one()
    assert told.endswith("00:00:00")
    assert 0 < (standing.resets_at - standing.now).total_seconds() <= 25 * 3600


async def test_over_the_days_number_everything_waits_visibly_and_goes_on_when_it_is_raised(world: World) -> None:
    used = (await world.office.show_reading())["quota"]["used"]
    await world.office.change_reading(daily_calls=used + 1)
    await world.hear_of("invoice", 5001)
    await world.stall()
    shown = await world.office.show_reading()
    assert shown["quota"]["used"] == shown["quota"]["daily_calls"] == used + 1
    assert shown["lanes_waiting"] == 1
    (row,) = await world.get("/v1/invoices")
    assert row["state"] == "waiting"
    assert "calls to RecMan are made today" in row["reasons"][0]["cause"]
    assert await world.count("SELECT count(*) FROM lane WHERE state = 'ready' AND tries > 0") == 0
    await world.office.change_reading(daily_calls=500)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_customers_stop_before_invoices_do(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, recman_daily_calls=10) as world:
        async with world.resources.sessions() as session:
            tenant = await load_tenant(session, world.tenant_id)
        gate = open_gate(world.resources.sessions, world.resources.settings, tenant)
        made: dict[str, int] = {"project": 0, "company": 0, "invoice": 0}
        async with world.resources.sessions() as session:
            before = (await load_standing(session, world.tenant_id, zone="Europe/Oslo")).used

        async def spend(scope: str) -> None:
            while made[scope] < 20:
                await gate.enter(scope)
                made[scope] += 1

        for scope in ("project", "company", "invoice"):
            with pytest.raises(RemoteThrottledError, match="on at"):
                await spend(scope)
        assert (before + made["project"], made["company"], made["invoice"]) == (8, 1, 1)


async def test_a_refusal_of_recmans_own_is_one_pause_for_the_whole_tenant(database_url: str, tmp_path: Path) -> None:
    options = RecmanOptions(daily_quota=0, keys=frozenset({RECMAN_KEY}))
    async with open_world(database_url, tmp_path, recman_options=options, checked=False) as world:
        for number in (5001, 5002, 5003, 5004):
            await world.hear_of("invoice", number)
        await world.stall()
        assert len(world.source.list_calls()) == 1
        await world.hear_of("company", 201)
        await world.stall()
        assert len(world.source.list_calls()) == 1
        shown = await world.office.show_reading()
        assert shown["quota"]["paused_until"] is not None
        assert "quota" in shown["quota"]["pause_reason"]
        assert shown["lanes_waiting"] == 4 + 1
        assert (await world.office.change_reading(lift_pause=True))["quota"]["paused_until"] is None
        await world.stall()
        assert len(world.source.list_calls()) == 2


async def test_a_record_is_as_old_as_the_oldest_transaction_under_way(world: World) -> None:
    """What such a one writes later carries its time, and must not be taken for read."""
    async with world.resources.engine.connect() as other:
        began = (await other.exec_driver_sql("SELECT now()")).scalar_one()
        await asyncio.sleep(0.2)
        async with world.resources.sessions() as session:
            assert await load_horizon(session) <= began
    async with world.resources.sessions() as session:
        assert await load_horizon(session) > began


async def test_what_somebody_writes_about_is_not_read_along(world: World) -> None:
    await world.hear_of("invoice", 5001, 5002, 5003)
    place: dict[str, Any] = {"tenant_id": world.tenant_id, "scope": "invoice"}
    async with world.resources.engine.connect() as other, world.resources.sessions.begin() as session:
        await other.exec_driver_sql("SELECT id FROM lane WHERE record_id = '5002' FOR UPDATE")
        along = await record_peek(session, **place, record_id="5001", along=["5002", "5003", "5099"])
        assert along == ["5003", "5099"]
    assert await world.count("SELECT count(*) FROM lane WHERE peeks = 1 AND record_id IN ('5001', '5003')") == 2
    assert await world.count("SELECT peeks FROM lane WHERE record_id = '5002'") == 0


async def test_a_refused_api_key_costs_one_call_and_another_key_goes_on_at_once(world: World) -> None:
    path = f"/v1/tenants/{world.tenant_id}"
    await world.call("PATCH", path, {"recman_api_key": "revoked", "untried": True})
    world.recman.state.store.calls.clear()
    for number in (5001, 5002, 5003):
        await world.hear_of("invoice", number)
    await world.stall()
    await world.hear_of("company", 201)
    await world.stall()
    assert len(world.source.list_calls()) == 1
    quota = (await world.office.show_reading())["quota"]
    assert "does not accept the API key" in quota["pause_reason"]
    assert "Make a new API key in RecMan" in quota["pause_fix"]
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (502, "recman_paused")
    assert "Make a new API key in RecMan" in answer.json()["fix"]

    await world.call("PATCH", path, {"recman_api_key": RECMAN_KEY, "untried": True})
    assert (await world.office.show_reading())["quota"]["paused_until"] is None
    await world.settle()
    done = await world.count("SELECT count(*) FROM transfer WHERE kind = 'invoice' AND state = 'done'")
    assert done == 3


_SEEN = "INSERT INTO recman_record (tenant_id, scope, record_id, seen_sweep) VALUES (:tenant_id, 'invoice', '5001', 1)"


async def test_invented_ids_use_up_their_share_of_the_day_and_what_is_there_is_read(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, recman_daily_calls=100) as world:
        for n in range(4):
            await deliver(world, [str(77_000_000 + n * 10 + k) for k in range(3)])
            await world.work_off()
        await deliver(world, ["5001"])
        await world.work_off()
        quota = (await world.office.show_reading())["quota"]
        assert (quota["unshown_stops_at"], quota["used"] <= 16) == (10, True)
        assert 10 <= quota["unshown"] <= 13
        held = (await world.transfers())["invoice", "5001"]
        assert [reason["code"] for reason in held["reasons"]] == ["recman_unshown"]
        # As a sweep would, that has seen it on a page.
        async with world.resources.engine.begin() as connection:
            await connection.execute(text(_SEEN), {"tenant_id": world.tenant_id})
        assert (await world.call("POST", f"/v1/transfers/{held['id']}/retry", tenant=world.tenant_id)).is_success
        await world.work_off()
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"
