"""What RecMan may answer instead of records, in words nobody knows beforehand: nothing is believed or lost by it."""

from typing import Any

import pytest

from app.sandbox.samples import Record
from tests.world import World, rows_of


async def say(world: World, body: Record, **to: Any) -> None:
    """Let RecMan's v2 answer this instead of records, to calls about these scopes or with this parameter."""
    order = {"body": body, **to}
    (await world.http.put(f"{world.recman_url}/sandbox/recman/answer", json=order)).raise_for_status()


def refuse(text: str) -> Record:
    return {"success": False, "error": [{"code": 7, "message": text}]}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [], "error": [{"code": 9, "message": "Internal error"}]},
        {"data": []},
        {"success": "", "data": []},
        {"success": True, "data": [], "errors": ["Service closed"]},
    ],
)
async def test_only_a_success_says_that_a_record_is_gone(world: World, answer: Record) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    await say(world, answer, scopes=["company", "invoice"])
    await world.post_hook({"event": "company.deleted", "id": 201})
    await world.post_hook({"event": "invoice.deleted", "id": 5002})
    await world.work_for("SELECT (count(*) = 2)::int FROM lane WHERE tries > 0")
    rows = await world.transfers()
    assert rows["customer", "201"]["warnings"] == []
    assert rows["invoice", "5002"]["state"] == "waiting"


async def test_a_scope_that_is_forbidden_does_not_stop_the_others(world: World) -> None:
    await say(world, {"success": False, "message": "No access to this scope"}, status=403, scopes=["project"])
    world.recman.state.store.records["invoice"]["5001"]["projectId"] = None
    await world.hear_of("project", 301)
    await world.hear_of("invoice", 5001)
    await world.settle()
    rows = await world.transfers()
    assert rows["invoice", "5001"]["state"] == "done"
    held = next(row for (kind, _), row in rows.items() if kind == "project")
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "recman_scope")


@pytest.mark.parametrize("text", ["Access denied", "It is Monday"])
async def test_a_sweep_and_a_probe_go_on_past_a_scope_that_is_refused_in_any_words(world: World, text: str) -> None:
    await say(world, refuse(text), scopes=["company"])
    await world.office.change_reading(first_day="2020-01-01")
    begun = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    # What needs a company goes on waiting.
    await world.work_for("SELECT count(*) FROM sweep WHERE state <> 'running'")
    ended = await world.get(f"/v1/recman/sweeps/{begun.json()['id']}")
    assert ended["state"] == "done"
    assert text in ended["counts"]["company"]["refused"]
    assert ended["counts"]["invoice"]["told"] > 0
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    outcomes = {one["scope"]: one["outcome"] for one in rows_of(answer)}
    assert (outcomes["company"], outcomes["invoice"]) == ("refused", "readable")


async def test_what_a_probe_paid_for_is_kept(world: World) -> None:
    await say(world, {}, status=403, scopes=["company"])
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    assert {one["scope"] for one in rows_of(answer)} == {"invoice", "project"}


async def test_an_id_filter_that_is_refused_in_other_words_makes_us_read_pages(
    world: World,
) -> None:
    await say(world, refuse("Filter invoiceIds is not supported"), parameter="invoiceIds")
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
