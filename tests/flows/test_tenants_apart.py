"""Two tenants and three roles at every route of the API: nobody sees or touches what is not theirs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.world import OURS, RECMAN_KEY, TOKEN, World, rows_of
from tests.world.moments import begin_at
from tests.world.routes import BODIES, ROUTES

# Routes that name whose row they are about in the query.
_RULES = "?key_id={key_id}"
QUERIES = {"/v1/rules": _RULES, "/v1/rules/versions": _RULES, "/v1/rules/vat-codes": _RULES}
# Routes about no row of anybody's: they make something of the caller's own.
OWN = {"/v1/departments/refresh", "/v1/departments", "/v1/hooks", "/v1/tokens", "/v1/tenants", "/v1/recman"}
OWN |= {f"/v1/recman/{action}" for action in ("probe", "sweep", "backfill", "changes")}


_EXPORT = text("""
    INSERT INTO export (tenant_id, id, key_id, number, layout, layouts, manifest, wanted, documents, made_by)
    VALUES (:tenant_id, :id, :key_id, 1, 'bilag', '{}', '{}', '{}', 0, 'somebody')
""")


@dataclass(frozen=True)
class Stage:
    """One world with two tenants; the ids of everything the other one has."""

    world: World
    other: UUID
    admin: str
    viewer: str
    theirs: dict[str, str]


CHANGING = [route for route in ROUTES if route[0] != "GET"]


def test_every_changing_route_is_walked() -> None:
    assert set(CHANGING) == set(BODIES)
    assert len(ROUTES) > len(CHANGING) > 15


@pytest.fixture
async def stage(world: World) -> Stage:
    return Stage(world, *await begin_at(world, prepare))


async def prepare(world: World) -> tuple[UUID, str, str, dict[str, str]]:
    """Another tenant beside the world's, with one of everything; its id, an administrator's and a viewer's token."""
    office, other = world.office, await world.office.make_tenant("Sydlys", recman_api_key=RECMAN_KEY)
    hook = await office.make_hook(other)
    key_id = await office.make_key(other, name="Sydlys", company="Nordlys Konsulent AS")
    gone = await office.make_key(other, name="Gone", company="Nordlys Konsulent AS", departments=[])
    assert (await world.call("DELETE", f"/v1/keys/{gone}")).status_code == 200
    pending = await office.sign_in(other)
    await world.call("POST", "/v1/departments/refresh", tenant=other)
    await world.call("POST", "/v1/departments", {"recman_department_id": "901", "name": "Theirs"}, tenant=other)
    answer = await world.http.post(hook, content='{"event": "invoice.created", "id": 5001}')
    assert answer.status_code == 202
    await world.settle()
    invoices = rows_of(await world.call("GET", "/v1/invoices", tenant=other))
    job = (await world.call("POST", "/v1/invoices/send", {"everything": True}, tenant=other)).json()
    await world.settle()
    sweep = (await world.call("POST", "/v1/recman/sweep", tenant=other)).json()
    await world.settle()
    hooks = rows_of(await world.call("GET", "/v1/hooks", tenant=other))
    await office.make_token(other, "viewer")
    tokens = rows_of(await world.call("GET", "/v1/tokens", tenant=other))
    export_id = uuid4()
    async with world.resources.engine.begin() as connection:
        await connection.execute(_EXPORT, {"tenant_id": other, "id": export_id, "key_id": UUID(str(key_id))})
    theirs = {
        "export_id": str(export_id),
        "name": "unistd",
        "transfer_id": str(invoices[0]["id"]),
        "job_id": job["id"],
        "sweep_id": str(sweep["id"]),
        "key_id": str(key_id),
        "series_id": "7",
        "kind": "products",
        "pending_id": pending["pending_id"],
        "recman_department_id": "901",
        "recman_company_id": "201",
        "org_number": "974760673",
        "hook_id": hooks[0]["id"],
        "token_id": tokens[0]["id"],
        "tenant_id": str(other),
    }
    admin = await office.make_token(world.tenant_id, "admin")
    viewer = await office.make_token(world.tenant_id, "viewer")
    return other, admin, viewer, theirs


def find_query(method: str, path: str) -> str:
    """What the route wants behind its address; the version that is known only where something is changed."""
    return QUERIES.get(path, "").replace("&after_version=0", "" if method == "GET" else "&after_version=0")


def fill(template: Any, theirs: dict[str, str]) -> Any:
    if isinstance(template, str):
        return template.format(**theirs)
    if isinstance(template, list):
        filled = [fill(value, theirs) for value in template]
        return [int(one) if isinstance(one, str) and one.isdecimal() else one for one in filled]
    if isinstance(template, dict):
        return {name: fill(value, theirs) for name, value in template.items()}
    return template


async def test_rows_of_another_tenant_are_not_there(stage: Stage) -> None:
    before = await snapshot(stage)
    for method, path in ROUTES:
        if "{" not in path and path not in QUERIES and (method == "GET" or path in OWN):
            continue
        body = fill(BODIES.get((method, path)), stage.theirs)
        address = fill(path + find_query(method, path), stage.theirs)
        answer = await stage.world.call(method, address, body, token=stage.admin)
        wanted = 403 if path.startswith("/v1/tenants") else 404
        assert answer.status_code == wanted, (method, path, answer.text)
        assert set(answer.json()) >= {"code", "cause", "fix"}
    assert await snapshot(stage) == before


async def test_naming_another_tenant_is_refused_at_every_route(stage: Stage) -> None:
    for method, path in ROUTES:
        body = fill(BODIES.get((method, path)), stage.theirs)
        answer = await stage.world.call(method, fill(path, stage.theirs), body, token=stage.admin, tenant=stage.other)
        assert answer.status_code in {403, 404}, (method, path, answer.text)


async def test_listings_hold_own_rows_only(stage: Stage) -> None:
    for method, path in ROUTES:
        if method != "GET" or "{" in path or path in QUERIES or path.startswith("/v1/tenants"):
            continue
        own = rows_of(await stage.world.call("GET", path, token=stage.admin))
        assert all(row["tenant_id"] == str(stage.world.tenant_id) for row in own), path
        theirs = rows_of(await stage.world.call("GET", path, tenant=stage.other))
        assert theirs, path
        assert all(row["tenant_id"] == str(stage.other) for row in theirs), path


async def test_viewer_changes_nothing_anywhere(stage: Stage) -> None:
    before = await snapshot(stage)
    for method, path in CHANGING:
        body = fill(BODIES[method, path], stage.theirs)
        answer = await stage.world.call(method, fill(path, stage.theirs), body, token=stage.viewer)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
    assert await snapshot(stage) == before


async def test_no_route_opens_without_a_token(stage: Stage) -> None:
    for method, path in ROUTES:
        answer = await stage.world.http.request(method, f"{OURS}{fill(path, stage.theirs)}")
        assert answer.status_code == 401, (method, path)


async def test_own_department_does_not_take_a_foreign_key(stage: Stage) -> None:
    world = stage.world
    await world.call("POST", "/v1/departments", {"recman_department_id": "5", "name": "Ours"}, token=stage.admin)
    choice = {"key_id": stage.theirs["key_id"]}
    answer = await world.call("PUT", "/v1/departments/5/key", choice, token=stage.admin)
    assert answer.status_code == 404
    change = {"departments": [stage.theirs["recman_department_id"]]}
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", change, token=stage.admin)
    assert (answer.status_code, answer.json()["code"]) == (404, "department_unknown")


async def test_own_key_takes_nothing_over_from_a_foreign_one(stage: Stage) -> None:
    world = stage.world
    (gone,) = rows_of(await world.call("GET", "/v1/keys/removed", tenant=stage.other))
    for token in (stage.admin, TOKEN):
        order = {"from_key_id": gone["id"]}
        answer = await world.call("POST", f"/v1/keys/{world.key_id}/take-over", order, token=token)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def snapshot(stage: Stage) -> list[Any]:
    """What the other tenant has, as an operator sees it."""
    paths = ("keys", "hooks", "departments", "tokens", "transfers")
    listed = [rows_of(await stage.world.call("GET", f"/v1/{path}", tenant=stage.other)) for path in paths]
    return [*listed, (await stage.world.call("GET", f"/v1/rules?key_id={stage.theirs['key_id']}")).json()]
