"""What RecMan may answer instead of records, in words nobody knows beforehand: nothing is believed or lost by it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.responses import JSONResponse

from app.sandbox.recman import answers as recman_answers
from app.sandbox.recman import app as recman
from app.sandbox.samples import Record
from tests.world import World

Said = Callable[[str, Mapping[str, str]], Any]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[Said], None]:
    """Let RecMan's v2 answer what a function says of scope and parameters, and as ever where that is None."""
    said: list[Said] = []
    answer_as_ever, respond_as_ever = recman_answers.answer_v2, recman._to_response

    def answer(store: Any, params: Mapping[str, str]) -> Any:
        found = said[-1](params.get("scope", ""), params) if said else None
        return answer_as_ever(store, params) if found is None else found

    def respond(found: Any) -> Any:
        return found if isinstance(found, JSONResponse) else respond_as_ever(found)

    monkeypatch.setattr(recman, "answer_v2", answer)
    monkeypatch.setattr(recman, "_to_response", respond)
    return said.append


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
async def test_only_a_success_says_that_a_record_is_gone(
    world: World, say: Callable[[Said], None], answer: Record
) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    say(lambda scope, _: answer if scope in {"company", "invoice"} else None)
    await world.post_hook({"event": "company.deleted", "id": 201})
    await world.post_hook({"event": "invoice.deleted", "id": 5002})
    await world.work_for("SELECT (count(*) = 2)::int FROM lane WHERE tries > 0")
    rows = await world.transfers()
    assert rows["customer", "201"]["warnings"] == []
    assert rows["invoice", "5002"]["state"] == "waiting"


async def test_a_scope_that_is_forbidden_does_not_stop_the_others(world: World, say: Callable[[Said], None]) -> None:
    forbidden = JSONResponse({"success": False, "message": "No access to this scope"}, 403)
    say(lambda scope, _: forbidden if scope == "project" else None)
    world.recman.state.store.records["invoice"]["5001"]["projectId"] = None
    await world.hear_of("project", 301)
    await world.hear_of("invoice", 5001)
    await world.settle()
    rows = await world.transfers()
    assert rows["invoice", "5001"]["state"] == "done"
    held = next(row for (kind, _), row in rows.items() if kind == "project")
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "recman_scope")


@pytest.mark.parametrize("text", ["Access denied", "It is Monday"])
async def test_a_sweep_and_a_probe_go_on_past_a_scope_that_is_refused_in_any_words(
    world: World, say: Callable[[Said], None], text: str
) -> None:
    say(lambda scope, _: refuse(text) if scope == "company" else None)
    await world.office.change_reading(first_day="2020-01-01")
    begun = await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)
    # What needs a company goes on waiting.
    await world.work_for("SELECT count(*) FROM sweep WHERE state <> 'running'")
    ended = await world.get(f"/v1/recman/sweeps/{begun.json()['id']}")
    assert ended["state"] == "done"
    assert text in ended["counts"]["company"]["refused"]
    assert ended["counts"]["invoice"]["told"] > 0
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    outcomes = {one["scope"]: one["outcome"] for one in answer.json()}
    assert (outcomes["company"], outcomes["invoice"]) == ("refused", "readable")


async def test_what_a_probe_paid_for_is_kept(world: World, say: Callable[[Said], None]) -> None:
    say(lambda scope, _: JSONResponse({}, 403) if scope == "company" else None)
    answer = await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)
    assert {one["scope"] for one in answer.json()} == {"invoice", "project"}


async def test_an_id_filter_that_is_refused_in_other_words_makes_us_read_pages(
    world: World, say: Callable[[Said], None]
) -> None:
    say(lambda _, params: refuse("Filter invoiceIds is not supported") if "invoiceIds" in params else None)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
