"""First contact: what a hook's deliveries look like, without a value of theirs; and nothing happens before a word."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text

from app.api.webhooks.known import KnownHooks
from app.domain.money import dump_json
from app.engine.recorded import release_recorded
from app.recman.read.dialect import describe_shape
from app.sandbox.recman.hooks import Delivery
from app.sandbox.samples import load_samples
from app.scheduler import look_at_clock
from tests.world import World
from tests.world.workers import PATIENCE

SAMPLES = load_samples()


async def hook_id(world: World) -> str:
    (hook,) = await world.get("/v1/hooks", tenant=world.tenant_id)
    return str(hook["id"])


async def look(world: World) -> dict[str, Any]:
    found: dict[str, Any] = await world.get(f"/v1/hooks/{await hook_id(world)}/contact")
    return found


async def record_first(world: World) -> None:
    answer = await world.call("PATCH", f"/v1/hooks/{await hook_id(world)}", {"record_first": True})
    assert answer.json()["record_first"] is True


async def confirm(world: World, **word: Any) -> dict[str, Any]:
    answer = await world.call("POST", f"/v1/hooks/{await hook_id(world)}/confirm", word)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


# ---- the report


async def test_report_tells_names_types_sizes_and_events(world: World) -> None:
    headers = {
        "content-type": "application/json",
        "x-recman-event": "invoice.updated-by-Kari",
        "user-agent": "RecMan/9",
    }
    longest = {"event": "invoice.updated", "data": {"987600001": {"invoiceId": 987600001, "note": "Kari"}}}
    await world.post_hook(longest, **headers)
    await world.post_hook({"event": "company.updated", "id": "987600201"}, **headers)
    await world.post_hook({"event": "company.updated", "id": "987600202"}, **headers)
    await world.post_hook({"companyIds": [987600203, 987600204, 987600205]}, **headers)
    await world.post_hook("scope=invoice&invoiceId=987600002", **{"content-type": "application/x-www-form-urlencoded"})
    await world.post_hook({"event": "weather.changed", "name": "Kari Nordmann"}, **headers)
    await world.post_hook("", **headers)
    found = await look(world)
    assert (found["deliveries"], found["recorded"], found["record_first"]) == (7, 0, False)
    assert {row["what"]: row["count"] for row in found["content_types"]} == {
        "application/json": 6,
        "application/x-www-form-urlencoded": 1,
    }
    assert {row["what"]: row["count"] for row in found["shapes"]} == {
        "{data: {<id>: {invoiceId: number, note: text}}, event: text}": 1,
        "{event: text, id: text}": 2,
        "{companyIds: [number]}": 1,
        "{invoiceId: text, scope: text}": 1,
        "{event: text, name: text}": 1,
        "(empty body)": 1,
    }
    assert {row["what"]: row["count"] for row in found["events"]} == {
        "invoice update": 1,
        "company update": 2,
        "company unknown": 3,
        "invoice unknown": 1,
    }
    assert {row["what"] for row in found["without_effect"]} == {"unknown scope or event “…”", "empty body"}
    names = [set(row["names"]) for row in found["header_names"]]
    assert len(names) == 2
    assert {"x-recman-event", "user-agent", "content-type"} <= names[0]
    assert (found["least_size"], found["largest_size"]) == (0, len(dump_json(longest)))
    told = dump_json(found)
    for value in ("Kari", "9876000", "RecMan/9", "weather"):
        assert value not in told


async def test_report_of_a_silent_hook_is_empty(world: World) -> None:
    found = await look(world)
    assert (found["deliveries"], found["shapes"], found["header_names"], found["first_at"]) == (0, [], [], None)


async def test_invented_header_names_do_not_fill_the_database(world: World) -> None:
    for number in range(60):
        await world.post_hook({"event": "ping"}, **{f"x-{number}": "1"})
    assert await world.count("SELECT count(*) FROM hook_headers") == 50
    assert len((await look(world))["header_names"]) == 50


async def test_refused_deliveries_leave_no_names(world: World) -> None:
    made = await world.call(
        "POST",
        "/v1/hooks",
        {"name": "signed", "verification": {"kind": "header", "header": "X-Secret"}},
        tenant=world.tenant_id,
    )
    answer = await world.http.post(made.json()["address"], content="{}", headers={"X-Secret": "wrong"})
    assert answer.status_code == 401
    assert await world.count("SELECT count(*) FROM hook_headers") == 0


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        (None, "null"),
        ("Kari", "text"),
        ([], "empty"),
        ([1, "a", 2, None], "[null | number | text]"),
        ([1, "a", None, True, [7]], "[[number] | null | number | …]"),
        ({"7": {"a": 1}, "8": {"a": "x"}}, "{<id>: {a: number} | {a: text}}"),
        ({"b": {"12345": 1, "a": False}}, "{b: {<id>: number, a: yes/no}}"),
        ({"x" * 100: 1}, "{<other>: number}"),
    ],
)
def test_shape_of_a_document(document: Any, shape: str) -> None:
    assert describe_shape(document) == shape


def test_shape_of_a_deep_document_ends() -> None:
    document: Any = 1
    for _ in range(30):
        document = [document]
    assert describe_shape(document).count("[") < 12


# ---- record first


async def test_what_is_recorded_has_no_effect_before_the_word_and_all_of_it_after(world: World) -> None:
    heard = await world.learn_books()
    await record_first(world)
    assert set(await world.hear(list(SAMPLES.webhooks))) == {202}
    await world.settle()
    assert await world.count("SELECT count(*) FROM lane") == 0
    assert await world.invoices() == []
    found = await look(world)
    assert found["recorded"] == await world.count("SELECT count(*) FROM event WHERE state = 'recorded'") > 15
    assert {row["what"] for row in found["events"]} >= {"invoice insert", "company update", "project update"}
    told = await confirm(world)
    assert told["released"] == found["recorded"]
    await world.settle()
    assert await world.books() == heard
    assert await confirm(world) == {**told, "released": 0}


async def test_recorded_deliveries_can_be_discarded(world: World) -> None:
    await record_first(world)
    await world.hear_of("invoice", 5001, 5002)
    assert (await confirm(world, release=False))["discarded"] == 2
    await look_at_clock(world.resources)
    await world.settle()
    assert await world.transfers() == {}
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    (row,) = [row for row in await world.get("/v1/audit") if row["action"] == "hook.confirm"]
    assert row["after"] == {"release": False, "discarded": 2}


async def test_an_equal_delivery_is_kept_once_while_it_waits_and_again_after_it_went(world: World) -> None:
    body = Delivery(body='{"event":"invoice.updated","id":5001}')
    await record_first(world)
    await world.hear([body, body])
    assert (await look(world))["recorded"] == 1
    assert (await confirm(world))["released"] == 1
    await record_first(world)
    await world.hear([body])
    assert (await look(world))["recorded"] == 1


async def test_what_another_process_recorded_after_the_word_is_let_go_by_the_clock(world: World) -> None:
    await record_first(world)
    await world.hear_of("invoice", 5001)
    stale = dict(world.resources.kept(KnownHooks).by_address)
    await confirm(world)
    world.resources.kept(KnownHooks).by_address.update(stale)
    await world.hear_of("invoice", 5002)
    await world.settle()
    assert ("invoice", "5002") not in await world.transfers()
    await look_at_clock(world.resources)
    await world.settle()
    assert (await world.transfers())["invoice", "5002"]["state"] == "done"


async def test_several_that_let_go_at_once_let_nothing_go_twice(world: World) -> None:
    await record_first(world)
    await world.hear([Delivery(body='{"productIds":[' + ",".join(map(str, range(1, 500))) + "]}")])
    hook = (await world.get("/v1/hooks", tenant=world.tenant_id))[0]["id"]
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE hook SET record_first = false")
    sessions = world.resources.of_tenant(world.tenant_id).sessions
    counts = await asyncio.gather(*(release_recorded(sessions, [hook]) for _ in range(4)))
    assert sum(counts) == 499
    assert await world.count("SELECT count(*) FROM event WHERE lane_id IS NOT NULL") == 499


@pytest.mark.parametrize("discarded", [False, True])
async def test_a_tenant_without_api_key_does_not_read_from_what_is_only_recorded(
    world: World, *, discarded: bool
) -> None:
    await world.call("PATCH", f"/v1/tenants/{world.tenant_id}", {"recman_api_key": None})
    await record_first(world)
    record = SAMPLES.records["invoice"][0] | {"projectId": None}
    await world.post_hook({"event": "invoice.updated", "id": 5001, "data": record})
    if discarded:
        assert (await confirm(world, release=False))["discarded"] == 1
    second = await world.call("POST", "/v1/hooks", {"name": "second"}, tenant=world.tenant_id)
    answer = await world.http.post(second.json()["address"], json={"event": "invoice.updated", "id": 5001})
    assert answer.status_code == 202
    await world.settle()
    (event,) = [row for row in await world.get("/v1/events") if row["state"] == "held"]
    assert "Record incomplete" in event["note"]


async def test_a_viewer_looks_but_gives_no_word(world: World) -> None:
    viewer = await world.office.make_token(world.tenant_id, "viewer")
    one = await hook_id(world)
    assert (await world.call("GET", f"/v1/hooks/{one}/contact", token=viewer)).status_code == 200
    assert (await world.call("POST", f"/v1/hooks/{one}/confirm", {}, token=viewer)).status_code == 403


async def test_as_many_records_as_a_delivery_may_name_are_recorded(world: World) -> None:
    await record_first(world)
    await world.post_hook({"productIds": list(range(1, 4_900))})
    assert (await look(world))["recorded"] == 4_899


async def test_recording_again_stops_what_is_being_let_go(world: World) -> None:
    await record_first(world)
    await world.post_hook({"productIds": list(range(1, 3_001))})
    release = asyncio.create_task(confirm(world))
    async with asyncio.timeout(PATIENCE):
        released = 0
        while not released:
            await asyncio.sleep(0.01)
            released = await world.count("SELECT count(*) FROM lane")
    await record_first(world)
    await world.post_hook({"event": "invoice.updated", "id": 5001})
    await release
    assert await world.count("SELECT count(*) FROM lane WHERE scope = 'invoice'") == 0
    assert await world.count("SELECT count(*) FROM event WHERE state = 'recorded'") > 1


async def test_what_was_let_go_is_counted_once(world: World) -> None:
    await record_first(world)
    await world.hear_of("invoice", 5001, 5002)
    before = await look(world)
    await confirm(world)
    assert {**await look(world), "recorded": 2, "record_first": True} == before


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ("Kari Nordmann 01019012345 skylder = 500", "Kari"),
        ('{"data":{"kari@nordmann.no":{"a":1}}}', "kari"),
        ('{"data":{"01019012345x":1}}', "01019012345"),
    ],
)
async def test_values_in_the_place_of_names_are_not_told(world: World, body: str, secret: str) -> None:
    await world.post_hook(body)
    assert secret not in json.dumps(await look(world))


async def test_shapes_are_known_from_the_arrival_and_no_body_is_read_for_them(world: World) -> None:
    await world.post_hook({"event": "company.updated", "id": "987600201"})
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE event SET body = NULL"))
    found = await look(world)
    assert found["shapes"] == [{"what": "{event: text, id: text}", "count": 1}]


async def test_invented_shapes_do_not_fill_the_database_nor_the_day(world: World) -> None:
    for number in range(60):
        await world.post_hook({f"name{'x' * number}": "1"})
    assert await world.count("SELECT count(*) FROM hook_shape") <= 50
    await world.post_hook("[" + '"x",' * 20_000 + '"x"]')
    assert await world.count("SELECT count(*) FROM hook_shape") <= 50
