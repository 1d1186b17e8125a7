"""Trouble of one system never becomes the other's: RecMan's pauses no Unimicro key, Unimicro's pauses no RecMan."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.reading.quota import record_pause_lifted
from app.worker import run_worker
from tests.world import World
from tests.world.workers import PATIENCE

_LEASED = "SELECT count(*) FROM lane WHERE state = 'leased'"
_RECMAN_RESTS = "SELECT count(*) FROM recman_quota WHERE paused_until > now()"
_KEY_RESTS = "SELECT count(*) FROM key WHERE state <> 'active' OR paused_until IS NOT NULL OR pause_reason IS NOT NULL"

QUOTA = JSONResponse({"success": False, "error": [{"code": 7, "message": "Daily limit exceeded"}]})
THROTTLED = JSONResponse({"success": False}, 429)
REFUSED = JSONResponse({"success": False, "error": [{"code": 2, "message": "Invalid key"}]}, 401)

Touch = Callable[[World], Awaitable[object]]


@dataclass(slots=True)
class Refusing:
    """Stands before RecMan and gives one answer to every call for a scope that names the id."""

    app: ASGIApp
    answer: Response
    scope: str = ""
    record_id: str = ""
    refused: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = Request(scope).query_params
        is_meant = query.get("scope") == self.scope and any(self.record_id in value for value in query.values())
        if is_meant:
            self.refused.append(self.scope)
        await (self.answer if is_meant else self.app)(scope, receive, send)


def hear(scope: str, record_id: str) -> Touch:
    return lambda world: world.hear_of(scope, record_id)


async def sweep(world: World) -> None:
    assert (await world.call("POST", "/v1/recman/sweep", tenant=world.tenant_id)).status_code == 202


async def probe(world: World) -> None:
    assert (await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)).status_code == 502


async def check_customers(world: World) -> None:
    answer = await world.post(f"/v1/keys/{world.key_id}/customer-check")
    assert '"failed"' in answer.text


async def refresh_departments(world: World) -> None:
    answer = await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    assert answer.status_code == 502


async def dry_run(world: World) -> None:
    first = (await world.get("/v1/invoices"))[0]["id"]
    assert (await world.post("/v1/invoices/dry-run", {"ids": [first]})).status_code == 502


# Where RecMan is read: the scope (and id) that is refused, and what makes us read it.
PLACES: dict[str, tuple[str, str, Touch]] = {
    "document": ("invoice", "", hear("invoice", "5004")),
    "company of a document": ("company", "", hear("invoice", "5002")),
    "project of a document": ("project", "", hear("invoice", "5005")),
    "department of a document": ("department", "", hear("invoice", "5001")),
    "credited invoice": ("invoice", "5003", hear("invoice", "5008")),
    "company": ("company", "", hear("company", "206")),
    "project": ("project", "", hear("project", "302")),
    "sweep": ("invoice", "", sweep),
    "customer check": ("company", "", check_customers),
    "departments": ("department", "", refresh_departments),
    "dry run": ("invoice", "", dry_run),
    "probe": ("invoice", "", probe),
}


async def work_until(world: World, query: str) -> None:
    """Run a worker until the query counts something and no lane is in hand."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(world.resources, stop))
    async with asyncio.timeout(PATIENCE):
        while not await world.count(query) or await world.count(_LEASED):  # noqa: ASYNC110 - the database tells
            await asyncio.sleep(0.02)
    stop.set()
    await worker


@pytest.mark.parametrize("answer", [QUOTA, THROTTLED, REFUSED], ids=["quota", "429", "401"])
async def test_trouble_of_recmans_rests_the_tenants_recman_and_touches_no_key(world: World, answer: Response) -> None:
    # Built at the first call only.
    front = Refusing(world.recman.middleware_stack or world.recman.build_middleware_stack(), answer)
    world.recman.middleware_stack = front
    for place, (front.scope, front.record_id, touch) in PLACES.items():
        front.refused.clear()
        await touch(world)
        await work_until(world, _RECMAN_RESTS)
        assert front.refused, f"{place}: RecMan was not asked"
        assert not await world.count(_KEY_RESTS), f"{place}: RecMan's trouble stopped a Unimicro key"
        # What waits for RecMan waits for minutes: the next place is met alone.
        async with world.resources.sessions.begin() as session:
            await record_pause_lifted(session, world.tenant_id)


async def throttle(world: World) -> None:
    await world.fault("error_before", path="/api/biz", status=429, times=1000)


async def refuse_company(world: World) -> None:
    await world.fault("error_before", path="/api/biz", status=401, times=1000)


async def end_sign_in(world: World) -> None:
    identity = world.unimicro.state.world.identity
    identity.refresh_tokens.clear()
    identity.expire_access_tokens()


@pytest.mark.parametrize("trouble", [throttle, refuse_company, end_sign_in])
async def test_trouble_of_unimicros_rests_the_key_and_touches_no_recman(world: World, trouble: Touch) -> None:
    await trouble(world)
    await world.hear_of("invoice", 5001)
    await work_until(world, _KEY_RESTS)
    assert not await world.count(_RECMAN_RESTS)
    answer = await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    assert answer.status_code == 200


JSON = "application/json"
SAYS = "Kari Fjell, kari@fjell.no, +47 912 34 567, Storgata 1, 0155 Oslo is no customer"


@pytest.mark.parametrize("route", ["customers", "invoices"])
async def test_whom_unimicro_names_in_a_refusal_is_named_nowhere(world: World, route: str) -> None:
    body = json.dumps({"Messages": [{"Message": SAYS, "PropertyName": "Customer", "Level": 30}]})
    await world.fault("error_before", method="POST", path=f"/api/biz/{route}", status=400, body=body, content_type=JSON)
    await world.carry("invoice", 5001)
    shown = [str(await world.get("/v1/invoices"))]
    ids = [transfer["id"] for transfer in await world.get("/v1/transfers")]
    shown += [(await world.call("GET", f"/v1/transfers/{one}")).text for one in ids]
    told = " ".join([*shown, str(await world.get("/v1/events"))])
    assert "Unimicro refused: Customer: •••" in told
    assert "is no customer" in told
    assert [part for part in ("Kari", "fjell.no", "912 34", "Storgata", "0155 Oslo", "Oslo is") if part in told] == []


async def test_whom_recman_names_in_a_refusal_is_named_nowhere(world: World) -> None:
    answers = [
        JSONResponse({"success": False, "error": [{"code": 9, "message": f"{words}: {SAYS}"}]}, status)
        for words, status in (("Invalid field", 400), ("Daily limit exceeded", 429), ("No access", 403))
    ]
    await world.carry("invoice", 5004)
    (known,) = await world.get("/v1/invoices")
    front = Refusing(world.recman.middleware_stack or world.recman.build_middleware_stack(), answers[0], "invoice")
    world.recman.middleware_stack = front
    told = ""
    for front.answer in answers:
        front.refused.clear()
        for path, order in (("/v1/recman/probe", {}), ("/v1/invoices/dry-run", {"ids": [known["id"]]})):
            told += (await world.call("POST", path, order or None, tenant=world.tenant_id)).text
        assert front.refused
        for path in ("/v1/recman", "/v1/transfers", "/v1/invoices", "/v1/events", "/v1/audit", "/health"):
            told += (await world.call("GET", path, tenant=world.tenant_id)).text
        async with world.resources.sessions.begin() as session:
            await record_pause_lifted(session, world.tenant_id)
    assert "is no customer" in told
    assert [part for part in ("Kari", "fjell.no", "912 34", "Storgata", "0155 Oslo", "Oslo is") if part in told] == []
