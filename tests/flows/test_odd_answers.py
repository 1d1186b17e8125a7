"""Answers that no working system would give: whoever asked is told whose trouble it is, and nothing breaks."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.platform.http import httpx
from tests.world import TOKEN, World
from tests.world.spoiled import Spoiling
from tests.world.today import choose_for_today

# Each day others: what is spoiled, and how, hangs on the number.
TODAY = choose_for_today(range(6))
HEAD = {"Authorization": f"Bearer {TOKEN}"}


async def check_key(world: World) -> httpx.Response:
    return await world.call("POST", f"/v1/keys/{world.key_id}/check")


async def check_customers(world: World) -> httpx.Response:
    return await world.call("POST", f"/v1/keys/{world.key_id}/customer-check")


async def read_departments(world: World) -> httpx.Response:
    return await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)


async def probe(world: World) -> httpx.Response:
    return await world.call("POST", "/v1/recman/probe", tenant=world.tenant_id)


async def show_series(world: World) -> httpx.Response:
    return await world.call("GET", f"/v1/keys/{world.key_id}/series", tenant=world.tenant_id)


async def name_account(world: World) -> httpx.Response:
    rules = {"accounting": [{"account": 3100}], "rounding": {"account": 7740}}
    return await world.call("PUT", f"/v1/rules?key_id={world.key_id}", rules, If_Match="*")


async def put_series(world: World) -> httpx.Response:
    order = {"series": [{"series_id": 1, "next_number": 110001}]}
    return await world.call("PUT", f"/v1/keys/{world.key_id}/series", order)


async def rehearse(world: World) -> httpx.Response:
    await world.carry("invoice", 5001)
    return await world.call("POST", "/v1/invoices/dry-run", {"ids": [1]}, tenant=world.tenant_id)


async def link_by_hand(world: World) -> httpx.Response:
    await world.carry("invoice", 5005)
    return await world.call("POST", "/v1/invoices/1/done-elsewhere", {"remote_id": 1}, tenant=world.tenant_id)


async def release_customer(world: World) -> httpx.Response:
    await world.carry("invoice", 5001)
    return await world.call("DELETE", f"/v1/keys/{world.key_id}/customer-links/201")


async def make_key(world: World) -> httpx.Response:
    begun = await sign_in(world)
    if not begun.is_success:
        return begun
    order = {"pending_id": begun.json()["pending_id"], "name": "Oslo", "go_live": "2026-10-01", "departments": ["99"]}
    order |= {"sender": "recman", "booking": "series", "series": [{"series_id": 1, "next_number": 110001}]}
    return await world.call("POST", "/v1/keys", order, tenant=world.tenant_id)


async def sign_in(world: World) -> httpx.Response:
    begun = await world.call("POST", "/v1/keys/connect", {}, tenant=world.tenant_id)
    if not begun.is_success:
        return begun
    answer = await world.http.get(begun.json()["authorize_url"], follow_redirects=True)
    shown = (await world.call("GET", f"/v1/sign-ins/{begun.json()['pending_id']}", tenant=world.tenant_id)).json()
    assert answer.is_success or shown["state"] == "failed", (answer.text, shown)
    return answer


LOOKS = (check_key, check_customers, read_departments, probe, show_series, rehearse)
CHANGES = (name_account, sign_in, put_series, link_by_hand, release_customer, make_key)
DOORS = (*LOOKS, *CHANGES)


def list_unexpected(caplog: Any) -> list[str]:
    """What was told to the log as an error that nobody had thought of."""
    return [f"{one.getMessage()}{one.exc_info}" for one in caplog.records if "unexpected" in one.getMessage()]


def spoil(world: World, **how: int) -> Spoiling:
    spoiling = Spoiling(world.resources.http, **how)
    world.resources.http = httpx.AsyncClient(transport=spoiling)
    return spoiling


@pytest.mark.parametrize("door", DOORS)
async def test_no_odd_answer_is_an_error_of_ours(
    world: World, door: Callable[[World], Awaitable[httpx.Response]], caplog: Any
) -> None:
    plain = world.resources.http
    for n in TODAY:
        spoiling = spoil(world, seed=n, nth=n % 7)
        answer = await door(world)
        world.resources.http = plain
        assert answer.status_code != 500, (spoiling.spoiled, answer.text)
        assert answer.is_success or (answer.json()["cause"] and answer.json()["fix"]), answer.text
        assert not list_unexpected(caplog), spoiling.spoiled


async def test_no_odd_answer_stops_a_document(world: World, caplog: Any) -> None:
    plain = world.resources.http
    for n in TODAY:
        spoiling = spoil(world, seed=n, nth=n % 17)
        await world.hear_of("invoice", 5001)
        await world.work_off()
        world.resources.http = plain
        assert not list_unexpected(caplog), spoiling.spoiled
        await world.settle()
        assert (await world.transfers())["invoice", "5001"]["state"] in {"done", "held"}
        await world.reset()
