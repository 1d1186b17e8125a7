"""A RecMan API key is tried when it is entered: a wrong one is refused while the person still has it in hand."""

from typing import Any

import pytest

from app.platform.http import httpx, new_client
from tests.world import RECMAN_KEY, World

USED = "SELECT coalesce(sum(used), 0) FROM recman_quota"


async def enter(world: World, way: str, **order: Any) -> tuple[int, dict[str, Any]]:
    """What is answered to a key that is entered with a new tenant, or for the one that is there."""
    path = "/v1/tenants" if way == "POST" else f"/v1/tenants/{world.tenant_id}"
    answer = await world.call(way, path, {"name": "Sydlys", **order})
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


@pytest.mark.parametrize("way", ["POST", "PATCH"])
async def test_a_key_that_recman_does_not_take_is_refused_and_nothing_is_kept(way: str, world: World) -> None:
    before = await world.get("/v1/tenants")
    status, told = await enter(world, way, recman_api_key="canary-other-key")
    assert (status, told["code"]) == (422, "recman_key_refused")
    assert "System Settings, API" in told["fix"]
    assert "canary" not in str(told)
    assert await world.get("/v1/tenants") == before
    assert (await enter(world, way, recman_api_key="canary-other-key", untried=True))[0] in {200, 201}


@pytest.mark.parametrize("way", ["POST", "PATCH"])
async def test_a_good_key_costs_one_call_which_is_counted(way: str, world: World) -> None:
    used, calls = await world.count(USED), len(world.source.list_calls())
    status, _ = await enter(world, way, recman_api_key=RECMAN_KEY)
    assert status in {200, 201}
    assert await world.count(USED) == used + 1
    assert len(world.source.list_calls()) == calls + 1


@pytest.mark.parametrize(
    ("body", "status", "answers"),
    [
        # It knows who asks, and refuses something else.
        ({"success": False, "error": "No access to scope department"}, 200, 201),
        ({"success": False, "error": "Quota exceeded"}, 200, 201),
        ({"success": False, "error": "Internal error"}, 500, 502),
        ({"success": False, "error": "Invalid key"}, 200, 422),
    ],
    ids=["no right", "used up", "away", "refused"],
)
async def test_only_a_refusal_of_the_key_itself_is_one(
    body: dict[str, Any], status: int, answers: int, world: World
) -> None:
    there = world.resources.http
    world.resources.http = new_client(transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body)))
    try:
        got, told = await enter(world, "POST", recman_api_key=RECMAN_KEY)
    finally:
        await world.resources.http.aclose()
        world.resources.http = there
    assert got == answers, told
    assert answers == 201 or told["fix"]
    assert answers != 502 or "untried" in told["fix"]
