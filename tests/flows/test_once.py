"""A POST that makes something is carried out once for each Idempotency-Key, whatever becomes of its answer."""

import asyncio
import json
import os
from typing import Any

import pytest
from sqlalchemy import text

from app.api.once import HEADER, LOOKS
from app.platform.http import httpx
from app.web import render_openapi
from tests.world import TOKEN, World

# Each with what it makes; `{…}` is filled in.
MAKING: list[tuple[str, Any, str]] = [
    ("/v1/tenants", {"name": "Sydlys"}, "SELECT count(*) FROM tenant WHERE name = 'Sydlys'"),
    ("/v1/departments", {"recman_department_id": "900", "name": "Ours"}, "SELECT count(*) FROM department"),
    ("/v1/jobs", {"everything": True, "name": "Again", "reason": "a test"}, "SELECT count(*) FROM job"),
    ("/v1/invoices/send", {"everything": True}, "SELECT count(*) FROM job"),
    ("/v1/recman/backfill", {"dated_from": "2026-10-01", "dated_to": "2026-10-02"}, "SELECT count(*) FROM sweep"),
]
# What is said of whatever is there: said again after a lost answer it would be said of something else.
SAYING: list[tuple[str, Any, str]] = [
    ("/v1/recman/changes", {"scope": "company"}, "recman.changes"),
    ("/v1/hooks/{hook_id}/confirm", {"release": True}, "hook.confirm"),
]
SECRET: list[tuple[str, Any, str]] = [
    ("/v1/tokens", {"name": "ours", "role": "viewer"}, "SELECT count(*) FROM admin_token"),
    ("/v1/tokens/{token_id}/rotate", {}, "SELECT count(*) FROM admin_token"),
    ("/v1/hooks", {"name": "ours"}, "SELECT count(*) FROM hook"),
    ("/v1/hooks/{hook_id}/rotate", {"what": "address"}, "SELECT count(*) FROM hook_address"),
    ("/v1/keys/connect", {}, "SELECT count(*) FROM sign_in"),
]
KEPT = "FROM kept_answer WHERE idempotency_key = 'k'"
PAIRS = 200 if "EVERYTHING" in os.environ else 30


async def ask(world: World, path: str, body: Any, *, key: str = "k", token: str = TOKEN) -> httpx.Response:
    tenant = None if path == "/v1/tenants" else world.tenant_id
    return await world.call("POST", path, body, token=token, tenant=tenant, Idempotency_Key=key)


async def change(world: World, statement: str) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(statement))


@pytest.mark.parametrize(("path", "body", "count"), MAKING, ids=[path for path, _, _ in MAKING])
async def test_a_repeat_is_answered_as_the_first_one_was(world: World, path: str, body: Any, count: str) -> None:
    first = await ask(world, path, body)
    made = await world.count(count)
    again = await ask(world, path, body)
    assert (first.is_success, first.status_code, first.json()) == (True, again.status_code, again.json())
    assert (again.headers["idempotency-replayed"], "idempotency-replayed" in first.headers) == ("true", False)
    assert await world.count(count) == made


@pytest.mark.parametrize(("path", "body", "action"), SAYING, ids=[action for _, _, action in SAYING])
async def test_a_word_is_said_once(world: World, path: str, body: Any, action: str) -> None:
    (hook,) = await world.get("/v1/hooks")
    path = path.format(hook_id=hook["id"])
    first, again = await ask(world, path, body), await ask(world, path, body)
    assert first.is_success, first.text
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len([row for row in await world.get("/v1/audit", limit=1000) if row["action"] == action]) == 1


async def test_who_only_looks_sees_what_is_there_now(world: World) -> None:
    answers = [await ask(world, "/v1/recman/probe", None) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any("idempotency-replayed" in answer.headers for answer in answers)
    assert await world.count("SELECT count(*) FROM kept_answer") == 0


def test_every_post_takes_a_key_or_only_looks() -> None:
    paths = json.loads(render_openapi())["paths"]
    posts = {path: methods["post"] for path, methods in paths.items() if "post" in methods and path.startswith("/v1")}
    without = {
        path for path, post in posts.items() if HEADER not in {one.get("name") for one in post.get("parameters", ())}
    }
    assert without == LOOKS
    assert all("409" in post["responses"] for path, post in posts.items() if path not in LOOKS)


async def test_answers_with_secrets_are_not_kept_and_the_repeat_names_what_was_made(world: World) -> None:
    await world.office.make_token(world.tenant_id, "admin")
    (token,) = [row for row in await world.get("/v1/tokens") if row["role"] == "admin"]
    (hook,) = await world.get("/v1/hooks")
    for number, (path, body, count) in enumerate(SECRET):
        path = path.format(token_id=token["id"], hook_id=hook["id"])  # noqa: PLW2901
        first = (await ask(world, path, body, key=str(number))).json()
        made = await world.count(count)
        again = await ask(world, path, body, key=str(number))
        name = first.get("id") or first["pending_id"]
        assert (again.status_code, again.json()["code"], name in again.json()["cause"]) == (409, "made_already", True)
        assert await world.count(count) == made
    assert await world.count("SELECT count(*) FROM kept_answer WHERE answer IS NOT NULL") == 0


async def test_another_request_under_the_same_key_is_refused(world: World) -> None:
    await ask(world, "/v1/tenants", {"name": "A"})
    for path, body in (("/v1/tenants", {"name": "B"}), ("/v1/departments", {"name": "A"})):
        answer = await ask(world, path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    for key in ("with space", "x" * 256, "\x07"):
        assert (await ask(world, "/v1/tenants", {"name": "C"}, key=key)).status_code == 422
    assert await world.count("SELECT count(*) FROM tenant WHERE name IN ('B', 'C')") == 0


async def test_what_was_refused_can_be_asked_again(world: World) -> None:
    assert (await ask(world, "/v1/tenants", {"name": " "})).status_code == 422
    assert (await ask(world, "/v1/tenants", {"name": "Sydlys"})).status_code == 201
    # After a day the key is as good as new.
    await change(world, "UPDATE kept_answer SET begun_at = now() - interval '25 hours'")
    assert (await ask(world, "/v1/tenants", {"name": "Sydlys"})).json()["code"] == "name_taken"


async def test_a_key_is_its_holder_s_own_also_after_the_token_was_rotated(world: World) -> None:
    made = (await world.call("POST", "/v1/tokens", {"name": "a", "role": "admin"}, tenant=world.tenant_id)).json()
    body = {"recman_department_id": "900", "name": "Ours"}
    first = await ask(world, "/v1/departments", body, token=made["token"])
    rotated = (await world.call("POST", f"/v1/tokens/{made['id']}/rotate", {})).json()
    again = await ask(world, "/v1/departments", body, token=rotated["token"])
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    assert "idempotency-replayed" not in (await ask(world, "/v1/departments", body)).headers


async def test_two_that_come_at_once_are_carried_out_once(world: World) -> None:
    answers: list[httpx.Response] = []
    for first in range(0, PAIRS, 10):
        keys = [str(number) for number in range(first, first + 10)] * 2
        bodies = [{"name": f"twin {key}", "role": "viewer"} for key in keys]
        answers += await asyncio.gather(
            *(ask(world, "/v1/tokens", body, key=key) for key, body in zip(keys, bodies, strict=True))
        )
    assert sorted(answer.status_code for answer in answers) == [201] * PAIRS + [409] * PAIRS
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    # Between its commit and the keeping of its answer the first one looks like one that died.
    assert codes <= {"request_running", "request_unfinished", "made_already"}
    twins = "SELECT count(*) FROM admin_token WHERE name LIKE 'twin %'"
    assert await world.count(twins) == PAIRS


async def test_of_two_that_rotate_or_change_the_same_thing_at_once_one_does(world: World) -> None:
    (hook,) = (await world.call("GET", "/v1/hooks")).json()["rows"]
    path, made = f"/v1/hooks/{hook['id']}", (await ask(world, "/v1/tokens", {"name": "first", "role": "viewer"})).json()
    for number in range(PAIRS if "EVERYTHING" in os.environ else 5):
        rotate = f"/v1/tokens/{made['id']}/rotate"
        rotated = await asyncio.gather(*(world.call("POST", rotate, {"overlap_hours": n}) for n in (1, 2)))
        assert sorted(answer.status_code for answer in rotated) == [201, 409]
        (made,) = [answer.json() for answer in rotated if answer.status_code == 201]
        seen = (await world.call("GET", path)).headers["etag"]
        names = [f"{number} {name}" for name in "AB"]
        changed = await asyncio.gather(*(world.call("PATCH", path, {"name": one}, If_Match=seen) for one in names))
        assert sorted(answer.status_code for answer in changed) == [200, 412]
    assert await world.count("SELECT count(*) FROM admin_token WHERE name = 'first' AND expires_at IS NULL") == 1


async def test_a_request_that_broke_off_is_carried_out_once_all_the_same(world: World) -> None:
    """As a process leaves it that dies: after its commit, before it, and while it lives."""
    body = {"name": "Sydlys"}
    await ask(world, "/v1/tenants", body)
    await change(world, "UPDATE kept_answer SET answer = NULL")
    assert (await ask(world, "/v1/tenants", body)).json()["code"] == "request_unfinished"
    await change(world, "UPDATE tenant SET name = 'undone' WHERE name = 'Sydlys'")
    await change(world, "UPDATE kept_answer SET carried_out = false")
    assert (await ask(world, "/v1/tenants", body)).json()["code"] == "request_running"
    await change(world, "UPDATE kept_answer SET begun_at = now() - interval '2 minutes'")
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(f"SELECT 1 {KEPT} FOR UPDATE"))
        assert (await ask(world, "/v1/tenants", body)).json()["code"] == "request_running"
    assert (await ask(world, "/v1/tenants", body)).status_code == 201


async def test_a_request_that_stood_in_another_one_s_way_is_done_again(world: World) -> None:
    """Each holds what the other one wants: Postgres undoes one of them."""
    path = f"/v1/tenants/{world.tenant_id}"
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("SET LOCAL deadlock_timeout = '20s'"))
        await connection.execute(text("SELECT 1 FROM audit_chain FOR UPDATE"))
        renamed = asyncio.create_task(world.call("PATCH", path, {"name": "Nordlys to"}))
        while not await world.count("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await connection.execute(text("SELECT 1 FROM tenant FOR UPDATE"))
    assert ((await renamed).status_code, (await renamed).json()["name"]) == (200, "Nordlys to")


def test_every_operation_that_makes_something_takes_the_header() -> None:
    paths = json.loads(render_openapi())["paths"]
    making = {
        path: [one.get("name") for one in methods["post"].get("parameters", ())]
        for path, methods in paths.items()
        if path.startswith("/v1") and methods.get("post", {}).get("responses", {}).keys() & {"201", "202"}
    }
    assert len(making) > 15
    assert [path for path, names in making.items() if names.count(HEADER) != 1] == []


def test_what_looks_like_a_secret_is_marked_as_shown_once() -> None:
    schemas = json.loads(render_openapi())["components"]["schemas"]
    unmarked = [
        (name, field)
        for name, schema in schemas.items()
        for field, said in schema.get("properties", {}).items()
        if field in {"token", "secret", "authorize_url"} and "x-shown-once" not in said and "Order" not in name
    ]
    assert [one for one in unmarked if not one[0].startswith(("New", "HookRotation"))] == []
