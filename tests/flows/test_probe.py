"""The probe: at most ten calls, names and types but no values, and a word when the spelling changes later."""

from pathlib import Path
from typing import Any

import pytest

from app.domain.money import dump_json
from app.platform.http import httpx
from app.recman.api.client import RecmanClient
from app.recman.api.notes import RecmanNotes
from app.recman.read.dialect import list_fields
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.samples import load_samples
from app.sweep.probe import _probe
from tests.world import RECMAN_KEY, World, open_world, rows_of

SAMPLES = load_samples()


async def probe(world: World) -> dict[str, dict[str, Any]]:
    world.recman.state.store.calls.clear()
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    assert answer.status_code == 200, answer.text
    return {row["scope"]: row for row in rows_of(answer)}


async def test_a_probe_tells_scopes_names_and_filters_in_ten_calls(world: World) -> None:
    found = await probe(world)
    # Users come last, and nothing of theirs is needed.
    assert len(world.source.list_calls()) == 10
    assert {scope: row["outcome"] for scope, row in found.items()} == {
        "invoice": "readable",
        "project": "readable",
        "company": "readable",
        "department": "readable",
        "product": "refused",
    }
    assert found["company"]["by_id"] is found["project"]["by_id"] is found["invoice"]["by_id"] is True
    assert found["invoice"]["records"] == len(SAMPLES.records["invoice"])
    fields = found["invoice"]["fields"]
    assert fields["invoiceId"] == {"types": ["number", "text"], "always": True}
    assert fields["lines"]["types"] == ["list", "map"]
    assert "text" in fields["lines[].unitPrice"]["types"]
    assert "company.peppolAddress" in found["company"]["refused"]
    assert "Invalid scope" in found["product"]["detail"]


async def test_no_value_is_kept(world: World) -> None:
    found = dump_json(await probe(world))
    rows = await world.count("SELECT count(*) FROM field_profile")
    assert rows == 5
    async with world.resources.engine.connect() as connection:
        stored = str((await connection.exec_driver_sql("SELECT * FROM field_profile")).fetchall())
    for scope in ("company", "invoice", "project", "user"):
        for record in SAMPLES.records[scope]:
            for value in (record.get("name"), record.get("email"), record.get("notes"), record.get("kid")):
                if value and len(str(value)) > 3:
                    assert str(value) not in found
                    assert str(value) not in stored


@pytest.mark.parametrize("how", ["ignore", "refuse"])
async def test_an_account_without_invoices_by_id_is_told(database_url: str, tmp_path: Path, how: Any) -> None:
    options = RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}), invoice_ids_filter=how)
    async with open_world(database_url, tmp_path, recman_options=options) as world:
        found = await probe(world)
        assert found["invoice"]["by_id"] is False
        assert "invoice?invoiceIds" in found["invoice"]["refused"]
        # What was learnt is used: no call is wasted on the filter.
        world.recman.state.store.calls.clear()
        await world.hear_of("invoice", 5001)
        await world.settle()
        assert not any("invoiceIds" in call for call in world.source.list_calls())
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_a_spelling_that_changes_is_told_by_the_next_sweep(world: World) -> None:
    await probe(world)
    for company in world.recman.state.store.records["company"].values():
        company["vatNumber"] = 310456101
    for invoice in world.recman.state.store.records["invoice"].values():
        invoice["invoiceNo"] = invoice.pop("invoiceNumber")
    await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    await world.settle()
    (shown,) = await world.get("/v1/recman", tenant=world.tenant_id)
    said = {row["scope"]: [one["what"] for one in row["drift"]] for row in shown["profile"]}
    assert said["company"] == ["vatNumber is number, not text"]
    assert said["invoice"] == ["invoiceNo is new", "invoiceNumber is gone"]
    assert said["project"] == []
    # Told once, and forgotten with a new probe.
    await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    await world.settle()
    (shown,) = await world.get("/v1/recman", tenant=world.tenant_id)
    assert [len(row["drift"]) for row in shown["profile"] if row["scope"] == "invoice"] == [2]
    assert all(row["drift"] == [] for row in (await probe(world)).values())


async def test_an_account_whose_ids_are_written_in_no_known_way_is_told() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert "companyIds" not in request.url.params
        return httpx.Response(200, json={"success": True, "data": [{"foretaksId": 7, "navn": "Kari"}]})

    notes = RecmanNotes()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = RecmanClient(http, base_url="https://recman.test", api_key="canary", notes=notes)
        found = {one.scope: one for one in await _probe(client, notes)}
    assert "no id" in found["company"].detail
    assert (found["company"].by_id, set(found["company"].fields)) == (None, {"foretaksId", "navn"})


async def test_a_probe_needs_a_key_and_a_good_one(world: World) -> None:
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": "wrong", "untried": True})
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (502, "sign_in_again")
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_recman_api_key")


def test_names_and_types_of_records() -> None:
    rows: list[dict[str, Any]] = [
        {"_key": "7", "a": 1, "b": None, "c": [], "lines": {"5": {"x": "1"}, "6": {"x": 2, "y": True}}},
        {"a": "1", "b": "", "address": {"city": "Oslo"}, "lines": [{"x": None}]},
    ]
    assert list_fields(rows) == {
        "a": {"types": ["number", "text"], "always": True},
        "address": {"types": ["map"], "always": False},
        "address[].city": {"types": ["text"], "always": True},
        "b": {"types": ["empty", "null"], "always": True},
        "c": {"types": ["empty"], "always": False},
        "lines": {"types": ["list", "map"], "always": True},
        "lines[].x": {"types": ["null", "number", "text"], "always": True},
        "lines[].y": {"types": ["yes/no"], "always": False},
    }
