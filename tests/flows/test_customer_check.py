"""The customer check through its front doors: the gate before the first transfer, the report, the acceptance."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.admin.customer_checks import begin_check, record_result
from app.admin.keys import load_key
from app.errors import ConflictError
from app.sandbox.samples import load_samples
from tests.world import World, open_world, rows_of
from tests.world.wire import list_differences, watch_writes

EVIL = '=HYPERLINK("http://evil.example")<script>alert(1)</script>'


@pytest.fixture
async def unchecked(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path, checked=False) as world:
        yield world


def path_of(world: World, end: str = "") -> str:
    return f"/v1/keys/{world.key_id}/customer-check{end}"


async def check(world: World) -> list[dict[str, Any]]:
    """Every line that a run tells."""
    answer = await world.call("POST", path_of(world))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def put_company(world: World, record_id: str, **changes: Any) -> None:
    store = world.recman.state.store
    store.put_record("company", record_id, store.records["company"]["201"] | {"companyId": record_id} | changes)


async def hear_and_wait(world: World) -> dict[str, Any]:
    """The transfer of an invoice that must not go out."""
    await world.hear_of("invoice", 5001)
    await world.stall()
    assert await world.invoices() == []
    row: dict[str, Any] = (await world.transfers())["invoice", "5001"]
    return row


async def test_nothing_is_sent_before_a_check_and_everything_after_a_green_one(unchecked: World) -> None:
    world = unchecked
    waiting = await hear_and_wait(world)
    assert waiting["state"] == "waiting"
    assert waiting["reasons"][0]["code"] == "customer_check_missing"
    assert "customer-check" in waiting["reasons"][0]["fix"]
    lines = await check(world)
    assert [line["step"] for line in lines] == ["recman", "unimicro", "compared", "done"]
    assert lines[-1]["state"] == "green"
    assert lines[-1]["counts"]["only_in_recman"] == 5
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    again = (await check(world))[-1]
    assert (again["counts"]["agree"], again["counts"]["only_in_recman"]) == (1, 4)


async def test_dry_run_shows_the_plan_before_any_check(unchecked: World) -> None:
    row = await hear_and_wait(unchecked)
    (told,) = rows_of(await unchecked.call("POST", "/v1/invoices/dry-run", {"ids": [row["id"]]}))
    assert told["outcome"] == "send", told
    # It says what everything waits for, and shows what goes then.
    assert [reason["code"] for reason in told["reasons"]] == ["customer_check_missing"]
    with watch_writes(unchecked) as sent:
        await unchecked.office.check_customers(unchecked.key_id)
        await unchecked.settle()
    assert list_differences(told, sent) == []


async def test_findings_hold_everything_back_until_somebody_accepts_them_by_name(unchecked: World) -> None:
    world = unchecked
    world.ledger.put_customer(100003, "Noen andre AS", "311877208")
    world.ledger.put_customer(100900, "Bodø Helsehus AS", "313611418")
    put_company(world, "208", companyNumber="7", name="Utenfor Serien AS", vatNumber="310456102")
    end = (await check(world))[-1]
    assert end["state"] == "findings"
    found = {kind: count for kind, count in end["counts"].items() if count}
    # Tromsø's organisation number is on Noen andre's number, and so are two customers in each other's way.
    assert found == {
        "number_clash": 1,
        "other_number": 2,
        "only_in_recman": 2,
        "outside_series": 1,
        "invalid_org_number": 1,
    }
    await hear_and_wait(world)
    shown = await world.get(path_of(world))
    assert [row["needs_person"] for row in shown["findings"]] == [True] * 5 + [False] * 2
    stale = await world.call("POST", path_of(world, "/accept"), {"reason": "known", "check_id": end["id"] - 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "check_is_newer")
    word = {"reason": "Never invoiced", "name": "Kari Nordmann", "check_id": end["id"]}
    accepted = (await world.call("POST", path_of(world, "/accept"), word)).json()
    assert (accepted["state"], accepted["accepted_by"]) == ("accepted", "Kari Nordmann")
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    audit = await world.get("/v1/audit", subject=f"key:{world.key_id}")
    entry = next(row for row in audit if row["action"] == "customer_check.accept")
    assert (entry["after"]["name"], entry["after"]["reason"]) == ("Kari Nordmann", "Never invoiced")


async def test_check_stays_accepted_when_a_later_one_finds_more(unchecked: World) -> None:
    world = unchecked
    await check(world)
    put_company(world, "208", companyNumber="7", name="Utenfor Serien AS")
    assert (await check(world))[-1]["state"] == "findings"
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_report_is_safe_in_spreadsheet_and_browser(unchecked: World) -> None:
    world = unchecked
    put_company(world, "208", companyNumber="100008", name=EVIL)
    world.ledger.put_customer(100800, "+47 Bare her AS")
    await check(world)
    sheet = await world.call("GET", f"{path_of(world, '/report')}?format=csv")
    assert "attachment" in sheet.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    names = [row["RecMan name"] for row in rows] + [row["Unimicro name"] for row in rows]
    assert f"'{EVIL}" in names
    assert "'+47 Bare her AS" in names
    assert not [name for row in rows for name in row.values() if name[:1] in set("=+-@")]
    page = await world.call("GET", f"{path_of(world, '/report')}?format=html")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    data = (await world.call("GET", path_of(world, "/report"))).json()
    assert EVIL in [row["recman_name"] for row in data["findings"]]
    assert len(data["findings"]) == len(rows) == 7
    assert (await world.call("GET", f"{path_of(world, '/report')}?format=xlsx")).status_code == 422


async def test_suppliers_and_prospects_are_left_out_and_an_unreadable_customer_is_shown(unchecked: World) -> None:
    world = unchecked
    put_company(world, "208", type="prospect", companyNumber="")
    put_company(world, "209", companyNumber="", name="Uten Nummer AS")
    end = (await check(world))[-1]
    assert (end["counts"]["only_in_recman"], end["counts"]["incomplete"]) == (5, 1)
    first = (await world.get(path_of(world)))["findings"][0]
    assert (first["kind"], first["recman_name"]) == ("incomplete", "Uten Nummer AS")
    assert "number is missing" in first["cause"]


async def test_all_pages_of_both_systems_are_read(unchecked: World) -> None:
    world = unchecked
    for n in range(2300):
        put_company(world, str(1000 + n), companyNumber=str(120_000 + n), name=f"Kunde {n}", vatNumber="")
        if n < 1200:
            world.ledger.put_customer(120_000 + n, f"Kunde {n}")
    lines = await check(world)
    assert [(line["step"], line["done"]) for line in lines[:-1]][-2:] == [("unimicro", 1200), ("compared", 3505)]
    assert lines[-1]["counts"]["agree"] == 1200
    assert lines[-1]["counts"]["only_in_recman"] == 1100 + 5


async def test_tenant_without_recman_api_key_must_accept_that_nothing_was_compared(unchecked: World) -> None:
    world = unchecked
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    end = (await check(world))[-1]
    assert (end["state"], end["counts"]["not_compared"]) == ("findings", 1)
    answer = await world.call("POST", path_of(world, "/accept"), {"reason": "We send whole records"})
    assert answer.json()["accepted_by"]


@pytest.mark.parametrize("system", ["recman", "unimicro"])
async def test_failed_check_says_why_and_can_be_started_again(unchecked: World, system: str) -> None:
    world = unchecked
    if system == "recman":
        order = {"fault": "unavailable", "times": 10}
        await world.http.post("http://recman.test/sandbox/recman/faults", json=order)
    else:
        await world.fault("error_before", method="GET", path="/api/biz/customers", times=10)
    end = (await check(world))[-1]
    assert end["state"] == "failed"
    assert end["failure"]["cause"]
    assert end["failure"]["fix"]
    answer = await world.call("POST", path_of(world, "/accept"), {"reason": "never mind"})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_accept")
    if system == "recman":
        await world.http.post("http://recman.test/sandbox/recman/faults", json={"fault": "unavailable", "times": 0})
    else:
        await world.http.delete(f"{world.unimicro_url}/sandbox/faults")
    assert (await check(world))[-1]["state"] == "green"


async def test_one_check_at_a_time_and_a_dead_one_gives_way(unchecked: World) -> None:
    world = unchecked
    async with world.resources.of_tenant(world.tenant_id).sessions.begin() as session:
        dead = await begin_check(session, await load_key(session, world.key_id), actor="test")
    answer = await world.call("POST", path_of(world))
    assert (answer.status_code, answer.json()["code"]) == (409, "check_running")
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE customer_check SET beat_at = now() - interval '10 minutes'")
    shown = await world.get(path_of(world))
    assert (shown["state"], "ended" in shown["failure"]["cause"]) == ("failed", True)
    assert (await check(world))[-1]["state"] == "green"
    with pytest.raises(ConflictError):
        async with world.resources.of_tenant(world.tenant_id).sessions.begin() as session:
            await record_result(session, dead.id, green=True, counts={}, findings=[])


async def test_rows_of_older_checks_are_forgotten_their_counts_stay(unchecked: World) -> None:
    world = unchecked
    first, second = (await check(world))[-1], (await check(world))[-1]
    assert first["counts"] == second["counts"]
    assert first["id"] < second["id"]
    kept = "SELECT jsonb_array_length(findings) FROM customer_check ORDER BY id"
    assert [await world.count(f"{kept} LIMIT 1"), await world.count(f"{kept} DESC LIMIT 1")] == [0, 5]


async def test_another_tenant_sees_no_check_and_a_viewer_starts_none(unchecked: World) -> None:
    world = unchecked
    await check(world)
    stranger = await world.office.make_tenant("Fremmed", recman_api_key="canary-other-key")
    theirs = await world.office.make_token(stranger, "admin")
    viewer = await world.office.make_token(world.tenant_id, "viewer")
    for method, end in (("POST", ""), ("GET", ""), ("GET", "/report"), ("POST", "/accept")):
        body = {"reason": "theirs"} if end == "/accept" else None
        answer = await world.call(method, path_of(world, end), body, token=theirs)
        assert answer.status_code == 404, (method, end)
        own = await world.call(method, path_of(world, end), body, token=viewer)
        assert own.status_code == (200 if method == "GET" else 403), (method, end)


async def test_key_that_was_never_checked_says_so(unchecked: World) -> None:
    answer = await unchecked.call("GET", path_of(unchecked))
    assert (answer.status_code, answer.json()["code"]) == (404, "check_missing")


async def test_gate_can_be_left_open(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, checked=False, require_customer_check=False) as world:
        await world.hear(load_samples().webhooks)
        await world.settle()
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_check_writes_to_neither_system(unchecked: World) -> None:
    before = await unchecked.books()
    await check(unchecked)
    assert await unchecked.books() == before
    calls = (await unchecked.http.get(f"{unchecked.unimicro_url}/sandbox/books")).json()["calls"]
    assert [call for call in calls if call.startswith("GET /api/biz/customers")]
    assert not [call for call in calls if "/api/biz/" in call and not call.startswith("GET ")]


async def test_number_in_another_dress_is_found_by_check_and_transfer_alike(unchecked: World) -> None:
    world = unchecked
    world.ledger.put_customer(100777, "Noe helt annet AS", org_number="NO 310 456 101 MVA")
    world.recman.state.store.records["company"]["201"]["vatNumber"] = "Org.nr. 310456101"
    result = (await check(world))[-1]
    assert result["counts"]["other_number"] == 1
    await world.post(path_of(world, "/accept"), {"reason": "as it is"})
    await world.settle()
    await world.hear_of("invoice", 5001)
    await world.settle()
    (reason,) = (await world.transfers())["invoice", "5001"]["reasons"]
    assert reason["code"] == "customer_under_other_number"


async def test_persons_number_stands_in_no_row_no_reason_and_no_attempt(unchecked: World) -> None:
    world, person = unchecked, "15108695088"
    world.ledger.put_customer(100001, "En Annen", org_number=person)
    put_company(world, "201", vatNumber=person)
    await check(world)
    report = await world.call("GET", path_of(world))
    assert report.status_code == 200
    assert person not in report.text
    await world.post(path_of(world, "/accept"), {"reason": "as it is"})
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "held"
    shown = await world.call("GET", f"/v1/transfers/{row['id']}")
    assert person not in shown.text


async def test_new_customers_with_one_organisation_number_are_asked_about_before_the_first_transfer(
    unchecked: World,
) -> None:
    world = unchecked
    world.source.make_twins()
    end = (await check(world))[-1]
    assert (end["state"], end["counts"]["shared_org_number"]) == ("findings", 2)
    rows = [row for row in (await world.get(path_of(world)))["findings"] if row["kind"] == "shared_org_number"]
    assert {row["action"] for row in rows} == {"decide"}
    assert all("974760673" in row["cause"] and "shared-org-numbers" in row["fix"] for row in rows)
    order = {"org_number": "974760673", "reason": "Two branches"}
    assert (await world.call("POST", f"/v1/keys/{world.key_id}/shared-org-numbers", order)).status_code == 201
    end = (await check(world))[-1]
    assert (end["state"], end["counts"]["shared_org_number"], end["counts"]["only_in_recman"]) == ("green", 0, 7)
    # What the check promised, the transfer does.
    await world.carry("invoice", 9941, 9942)
    assert await world.states(9941, 9942) == ["done", "done"]


async def test_link_that_a_transfer_would_refuse_is_no_agreement(unchecked: World) -> None:
    world = unchecked
    await check(world)
    await world.carry("invoice", 5001, 5002, 5003)
    books = world.ledger.books()
    first, second, third = sorted(books.rows("Customer"), key=lambda row: row["CustomerNumber"])
    books.update("Customer", first["ID"], {"CustomerNumber": 100900})
    books.update("Customer", second["ID"], {"StatusCode": 50001})
    books.update("Customer", third["ID"], {"Deleted": True})
    end = (await check(world))[-1]
    assert (end["state"], end["counts"]["link_broken"], end["counts"]["inactive"]) == ("findings", 2, 1)
    fixes = [row["fix"] for row in (await world.get(path_of(world)))["findings"] if row["kind"] == "link_broken"]
    assert len(fixes) == 2
    assert all("customer-links/20" in fix for fix in fixes)
