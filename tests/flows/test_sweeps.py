"""Sweeps: everything arrives although no webhook ever comes; nothing arrives twice, too old, or in a flood."""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.platform.leases import Lead, claim_lead, record_office
from app.sandbox.recman.hooks import arrange_deliveries, disturb
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.samples import load_samples
from app.scheduler import OFFICE, look_at_clock, run_schedule
from tests.world import RECMAN_KEY, World, open_world

SAMPLES = load_samples()
LONG_AGO = "2020-01-01"


async def sweep(world: World) -> dict[str, Any]:
    begun = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    assert begun.status_code == 202, begun.text
    await world.settle()
    ended: dict[str, Any] = await world.get(f"/v1/recman/sweeps/{begun.json()['id']}")
    return ended


def records(world: World, scope: str) -> dict[str, Any]:
    found: dict[str, Any] = world.recman.state.store.records[scope]
    return found


async def count_told(world: World) -> int:
    return await world.count("SELECT count(*) FROM event WHERE source LIKE 'sweep:%' AND scope <> 'sweep'")


async def count_unimicro_calls(world: World) -> int:
    answer = await world.http.get(f"{world.unimicro_url}/sandbox/calls")
    return sum(answer.json()["counts"].values())


def count_page_calls(world: World) -> int:
    """Calls that name no ids."""
    store = world.recman.state.store
    return sum(
        count
        for (_, params), count in store.calls.items()
        if {name for name, _ in params} <= {"fields", "page", "scope"}
    )


async def go_live(world: World, day: str) -> None:
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"go_live": day})
    assert answer.status_code == 200, answer.text


async def test_without_any_webhook_the_books_end_equal(world: World) -> None:
    heard = await world.learn_books()
    await world.office.change_reading(first_day=LONG_AGO)
    ended = await sweep(world)
    assert ended["state"] == "done", ended
    assert await world.books() == heard
    states = {
        key: row["state"] for key, row in (await world.transfers()).items() if "invoice" in key[0] or "credit" in key[0]
    }
    assert {
        record: states.get(("invoice", record)) or states.get(("credit_note", record)) for record in SAMPLES.expected
    } == {record: one.state for record, one in SAMPLES.expected.items()}


async def test_what_did_not_change_is_not_told_again_and_costs_nothing_in_unimicro(world: World) -> None:
    await world.office.change_reading(first_day=LONG_AGO)
    await sweep(world)
    told, calls = await count_told(world), await count_unimicro_calls(world)
    ended = await sweep(world)
    assert await count_told(world) == told
    assert await count_unimicro_calls(world) == calls
    assert {counts["told"] for counts in ended["counts"].values()} == {0}
    assert ended["counts"]["invoice"]["records"] == len(records(world, "invoice"))


async def test_a_change_that_no_webhook_told_of_arrives(world: World) -> None:
    await world.office.change_reading(first_day=LONG_AGO)
    await sweep(world)
    records(world, "company")["201"]["name"] = "Ærfugl Bemanning og Venner AS"
    ended = await sweep(world)
    assert ended["counts"]["company"]["told"] == 1
    assert "Ærfugl Bemanning og Venner AS" in str(await world.books())


async def test_what_is_older_than_the_first_day_stays_as_it_is(world: World) -> None:
    """The first day is the earliest go-live day of the keys, unless somebody chose an earlier one."""
    await go_live(world, "2026-12-01")
    ended = await sweep(world)
    assert await count_told(world) == 0
    assert ended["counts"]["invoice"]["older"] == len(records(world, "invoice"))
    records(world, "invoice")["5001"]["status"] = "paid"
    copied = copy.deepcopy(records(world, "invoice")["5001"])
    today = "2099-01-01"
    records(world, "invoice")["7001"] = copied | {
        "invoiceId": 7001,
        "invoiceNumber": "7001",
        "kid": "",
        "invoiceDate": today,
        "dueDate": today,
    }
    await sweep(world)
    rows = await world.transfers()
    assert ("invoice", "7001") in rows
    assert ("invoice", "5001") not in rows


async def test_an_old_invoice_that_we_know_is_looked_at_when_it_changes(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    await sweep(world)
    told = await count_told(world)
    records(world, "invoice")["5001"]["totalIncVat"] = "1.00"
    await sweep(world)
    assert await count_told(world) == told + 1
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "held"
    assert row["reasons"][0]["code"] == "changed_after_transfer"


async def test_an_absence_is_believed_after_two_sweeps_and_never_deleted_in_unimicro(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    await go_live(world, "2026-12-01")
    before = await world.books()
    await sweep(world)
    hidden = records(world, "invoice").pop("5001")
    first = await sweep(world)
    assert first["counts"]["invoice"]["told"] == 0
    assert (await world.transfers())["invoice", "5001"]["warnings"] == []
    await sweep(world)
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], [warning["code"] for warning in row["warnings"]]) == ("done", ["gone_in_recman"])
    assert "stays in Unimicro" in row["warnings"][0]["cause"]
    assert await world.books() == before
    third = await sweep(world)
    assert third["counts"]["invoice"]["told"] == 0
    records(world, "invoice")["5001"] = hidden
    back = await sweep(world)
    assert back["counts"]["invoice"]["told"] == 1
    assert await world.books() == before


async def test_a_deleted_invoice_that_was_never_sent_is_ignored_with_the_reason(world: World) -> None:
    records(world, "invoice")["5001"]["currency"] = "??"
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "held"
    del records(world, "invoice")["5001"]
    answer = await world.http.post(f"http://ours.test{world.hook}", json={"event": "invoice.deleted", "id": 5001})
    assert answer.status_code == 202
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], row["reasons"][0]["code"]) == ("ignored", "gone_in_recman")


async def test_a_deletion_that_recman_does_not_confirm_is_none(world: World) -> None:
    await world.http.post(f"http://ours.test{world.hook}", json={"event": "invoice.deleted", "id": 5001})
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_a_list_that_is_suddenly_empty_is_no_proof_of_anything(world: World) -> None:
    await world.office.change_reading(first_day=LONG_AGO)
    await sweep(world)
    told = await count_told(world)
    records(world, "invoice").clear()
    for _ in range(3):
        assert (await sweep(world))["state"] == "done"
    assert await count_told(world) == told
    assert await world.count("SELECT max(misses) FROM recman_record WHERE scope = 'invoice'") == 0


@pytest.fixture
async def hopping_world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Records are in another order at every call, three to a page."""
    options = RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}), page_size=3, unstable_pages=True)
    async with open_world(database_url, tmp_path, recman_options=options, connect=False) as world:
        yield world


async def test_records_that_hop_between_pages_are_not_taken_for_gone(hopping_world: World) -> None:
    world = hopping_world
    await world.office.change_reading(first_day=LONG_AGO)
    for _ in range(8):
        await sweep(world)
    seen = await world.count("SELECT count(*) FROM recman_record WHERE scope = 'invoice'")
    assert seen == len(records(world, "invoice"))
    gone = await world.count("SELECT count(*) FROM event WHERE operation = 'delete' AND note LIKE '%confirms%'")
    assert gone == 0


async def test_pages_that_begin_again_behind_the_last_one_come_to_an_end(database_url: str, tmp_path: Path) -> None:
    options = RecmanOptions(keys=frozenset({RECMAN_KEY}), page_size=4, after_last_page="first")
    async with open_world(database_url, tmp_path, recman_options=options, connect=False) as world:
        await world.office.change_reading(first_day=LONG_AGO)
        ended = await sweep(world)
        assert ended["state"] == "done"
        many = {scope: len(records(world, scope)) for scope in ended["counts"]}
        assert {scope: counts["pages"] for scope, counts in ended["counts"].items()} == {
            scope: -(-count // 4) + 1 for scope, count in many.items()
        }
        assert await world.count("SELECT count(*) FROM recman_record") == sum(many.values())


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"])
async def test_letters_that_no_database_stores_stop_neither_the_sweep_nor_the_record(world: World, bad: str) -> None:
    await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    invoice, company = records(world, "invoice")["5001"], records(world, "company")["201"]
    company |= {"name": company["name"] + bad, f"field{bad}": bad}
    invoice |= {"projectId": None, f"field{bad}": {bad: bad}}
    invoice["lines"][0]["description"] += bad
    await world.office.change_reading(first_day=LONG_AGO)
    assert (await sweep(world))["state"] == "done"
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], row["customer_name"]) == ("done", company["name"].replace(bad, "ab"))


async def test_a_mass_change_waits_for_a_word(world: World) -> None:
    await world.office.change_reading(first_day=LONG_AGO)
    await sweep(world)
    told = await count_told(world)
    await world.office.change_reading(most_changes=2)
    for company in records(world, "company").values():
        company["name"] += " X"
    many = len(records(world, "company"))
    ended = await sweep(world)
    assert (ended["counts"]["company"]["held"], ended["counts"]["company"]["told"]) == (many, 0)
    assert (await world.office.show_reading())["held_changes"] == {"company": many}
    assert await count_told(world) == told
    assert " X" not in str(await world.books())
    # Another sweep changes nothing about it.
    assert (await sweep(world))["counts"]["company"]["held"] == many
    answer = await world.call("POST", "/v1/recman/changes", {"scope": "company"}, tenant=world.tenant_id)
    assert answer.json() == {"told": many, "discarded": 0}
    await world.settle()
    assert (await world.office.show_reading())["held_changes"] == {}
    assert "Ærfugl Bemanning AS X" in str(await world.books())


async def test_a_mass_change_that_nobody_wants_is_discarded(world: World) -> None:
    await world.office.change_reading(first_day=LONG_AGO, most_changes=0)
    ended = await sweep(world)
    assert ended["counts"]["invoice"]["held"] == len(records(world, "invoice"))
    for scope in ("company", "project", "invoice"):
        answer = await world.call("POST", "/v1/recman/changes", {"scope": scope, "tell": False}, tenant=world.tenant_id)
        assert answer.json() == {"told": 0, "discarded": len(records(world, scope))}
    await sweep(world)
    assert await count_told(world) == 0
    assert await world.transfers() == {}


async def test_one_scope_without_rights_does_not_stop_the_others(database_url: str, tmp_path: Path) -> None:
    options = RecmanOptions(
        daily_quota=100_000, keys=frozenset({RECMAN_KEY}), refused_scopes=frozenset({"project"}), page_size=5
    )
    async with open_world(database_url, tmp_path, recman_options=options) as world:
        await world.office.change_reading(first_day=LONG_AGO)
        ended = await sweep(world)
        assert ended["state"] == "done"
        assert "Invalid scope" in ended["counts"]["project"]["refused"]
        assert ended["counts"]["invoice"]["told"] == len(records(world, "invoice"))
        assert ended["counts"]["invoice"]["pages"] == -(-len(records(world, "invoice")) // 5) + 1


async def test_a_sweep_without_calls_left_waits_and_goes_on_at_its_page(database_url: str, tmp_path: Path) -> None:
    options = RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}), page_size=3)
    async with open_world(database_url, tmp_path, recman_options=options) as world:
        used = (await world.office.show_reading())["quota"]["used"]
        await world.office.change_reading(first_day=LONG_AGO, daily_calls=2 * (used + 4), shares={"sweeps": 50})
        calls = count_page_calls(world)
        begun = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
        await world.stall()
        half = await world.get(f"/v1/recman/sweeps/{begun.json()['id']}")
        assert half["state"] == "running"
        assert half["trouble"]["code"] == "recman_quota"
        assert half["counts"]["company"]["pages"] == 4
        await world.office.change_reading(daily_calls=10_000)
        await world.settle()
        ended = await world.get(f"/v1/recman/sweeps/{begun.json()['id']}")
        assert (ended["state"], ended["trouble"]) == ("done", None)
        by_purpose = (await world.office.show_reading())["quota"]["by_purpose"]
        assert by_purpose["sweeps"] == count_page_calls(world) - calls


async def test_a_sweep_can_be_cancelled_and_only_one_runs(world: World) -> None:
    first = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    second = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    assert (second.status_code, second.json()["code"]) == (409, "sweep_running")
    path = f"/v1/recman/sweeps/{first.json()['id']}"
    assert (await world.post(f"{path}/cancel")).json()["state"] == "cancelled"
    assert (await world.post(f"{path}/cancel")).json()["code"] == "sweep_over"
    await world.settle()
    assert await world.count("SELECT count(*) FROM recman_record") == 0


async def test_a_tenant_without_recman_key_cannot_sweep(world: World) -> None:
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    answer = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_recman_api_key")


@pytest.mark.parametrize(("every", "seed"), [(10, 1), (10, 2), (3, 3), (2, 4)])
async def test_with_webhooks_lost_doubled_or_late_the_books_end_equal(world: World, every: int, seed: int) -> None:
    heard = await world.learn_books()
    await world.office.change_reading(first_day=LONG_AGO)
    disturbed = disturb(arrange_deliveries(SAMPLES.webhooks, seed=seed), every=every)
    bodies = sorted(one.body for one in (*disturbed.in_time, *disturbed.late))
    assert bodies != sorted(one.body for one in SAMPLES.webhooks)
    assert set(await world.hear(disturbed.in_time)) == {202}
    await world.settle()
    assert (await sweep(world))["state"] == "done"
    await world.hear(disturbed.late)
    await world.settle()
    assert await world.books() == heard


# ---- by the clock


async def test_of_many_replicas_one_begins_what_is_due(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, recman_sweep_hours=24) as world:
        looked = await asyncio.gather(*(look_at_clock(world.resources) for _ in range(8)))
        assert True in looked
        assert await world.count("SELECT count(*) FROM sweep") == 1
        await world.settle()
        await look_at_clock(world.resources)
        assert await world.count("SELECT count(*) FROM sweep") == 1
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE sweep SET started_at = now() - interval '25 hours'")
        await look_at_clock(world.resources)
        assert await world.count("SELECT count(*) FROM sweep") == 2


async def claim_for(world: World, other: Lead, *, seconds: float) -> bool:
    """Let another process lead."""
    async with world.resources.sessions.begin() as session:
        await record_office(session, OFFICE)
    async with world.resources.sessions.begin() as session:
        return await claim_lead(session, other, OFFICE, seconds=seconds)


async def test_whoever_does_not_lead_decides_nothing_until_the_leader_is_dead(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, recman_sweep_hours=24) as world:
        other = Lead()
        assert await claim_for(world, other, seconds=60)
        assert await look_at_clock(world.resources) is False
        assert await world.count("SELECT count(*) FROM sweep") == 0
        # It has renewed nothing for long.
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE leasehold SET leased_until = now()")
        assert await look_at_clock(world.resources) is True
        assert await claim_for(world, other, seconds=60) is False


async def test_whoever_leads_cannot_be_followed_before_what_it_does_is_committed(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, recman_sweep_hours=24) as world:
        assert await claim_for(world, Lead(), seconds=0)
        async with world.resources.sessions.begin() as session:
            assert await claim_lead(session, Lead(), OFFICE, seconds=0)
            assert await look_at_clock(world.resources) is False
        assert await look_at_clock(world.resources) is True


async def test_a_process_that_ends_in_good_order_leaves_the_lead_to_others(world: World) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await look_at_clock(world.resources) is True
    assert await claim_for(world, Lead(), seconds=60) is False
    await run_schedule(world.resources, stop)
    assert await claim_for(world, Lead(), seconds=60) is True


async def test_a_webhook_that_names_no_record_brings_the_sweep_forward(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, recman_sweep_hours=24) as world:
        await look_at_clock(world.resources)
        await world.settle()
        await world.http.post(f"http://ours.test{world.hook}", json={"event": "invoice.updated"})
        await look_at_clock(world.resources)
        assert await world.count("SELECT count(*) FROM sweep") == 1
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE sweep SET started_at = now() - interval '61 minutes'")
        await look_at_clock(world.resources)
        assert await world.count("SELECT count(*) FROM sweep") == 2
        await world.settle()
        async with world.resources.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE event SET received_at = received_at - interval '2 hours'")
            await connection.exec_driver_sql("UPDATE sweep SET started_at = now() - interval '61 minutes'")
        await look_at_clock(world.resources)
        assert await world.count("SELECT count(*) FROM sweep") == 2


async def test_a_tenants_own_hours_count(world: World) -> None:
    await look_at_clock(world.resources)
    assert await world.count("SELECT count(*) FROM sweep") == 0
    await world.office.change_reading(sweep_hours=1)
    await look_at_clock(world.resources)
    assert await world.count("SELECT count(*) FROM sweep") == 1


async def test_a_paused_tenant_is_not_swept(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, recman_sweep_hours=24) as world:
        await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"state": "paused"})
        await look_at_clock(world.resources)
        assert await world.count("SELECT count(*) FROM sweep") == 0
