"""Two people, or two replicas, do the same thing in the same moment: the second one finds what the first one left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from app.api.webhooks.known import KnownHooks
from app.platform.http import httpx
from tests.world import GO_LIVE, OURS, RENUMBERED, World
from tests.world.workers import PATIENCE

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@asynccontextmanager
async def held(world: World, statement: str, **values: Any) -> AsyncIterator[None]:
    """While open, the rows are locked by somebody else: whoever wants them has read them and waits."""
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(statement), values)
        yield


async def at_once(world: World, lock: str, *calls: Any) -> list[httpx.Response]:
    """The answers to calls that all stood in front of the same locked rows when these came free."""
    async with held(world, lock):
        tasks = [asyncio.create_task(call) for call in calls]
        async with asyncio.timeout(PATIENCE):
            while await world.count(WAITING) < len(calls):  # noqa: ASYNC110 - Postgres has no event for it
                await asyncio.sleep(0.01)
    return list(await asyncio.gather(*tasks))


async def test_one_sign_in_used_by_two_at_once_makes_one_key(world: World) -> None:
    signed_in = await world.office.sign_in(world.tenant_id)
    order = {
        "pending_id": signed_in["pending_id"],
        "company_key": signed_in["companies"][1]["key"],
        "departments": [],
        "go_live": GO_LIVE,
        **RENUMBERED,
    }
    calls = [world.call("POST", "/v1/keys", {**order, "name": name}, tenant=world.tenant_id) for name in ("A", "B")]
    answers = await at_once(world, "SELECT id FROM sign_in FOR NO KEY UPDATE", *calls)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert [answer.json()["code"] for answer in answers if answer.status_code == 409] == ["sign_in_used"]
    assert len(await world.get("/v1/keys")) == 2


async def test_a_callback_that_comes_twice_at_once_is_taken_once(world: World) -> None:
    begun = (await world.call("POST", "/v1/keys/connect", {}, tenant=world.tenant_id)).json()
    away = (await world.http.get(begun["authorize_url"], follow_redirects=False)).headers["location"]
    back = (await world.http.get(away, follow_redirects=False)).headers["location"]
    answers = await at_once(
        world, "SELECT id FROM sign_in FOR NO KEY UPDATE", world.http.get(back), world.http.get(back)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_a_hook_rotated_twice_at_once_leaves_both_new_addresses_good(world: World) -> None:
    (hook,) = await world.get("/v1/hooks")
    path = f"/v1/hooks/{hook['id']}/rotate"
    calls = [world.call("POST", path, {"what": "address", "overlap_hours": 1}) for _ in range(2)]
    answers = await at_once(world, "SELECT id FROM hook FOR NO KEY UPDATE", *calls)
    addresses = [answer.json()["address"] for answer in answers]
    world.resources.kept(KnownHooks).by_address.clear()
    assert len({*addresses, f"{OURS}{world.hook}"}) == 3
    sent = [await world.http.post(address, content='{"scope": "invoice", "id": 5001}') for address in addresses]
    assert [answer.status_code for answer in sent] == [202, 202]


async def test_a_token_rotated_twice_at_once_leaves_one_that_lasts(world: World) -> None:
    secret = await world.office.make_token(world.tenant_id, "admin")
    (token,) = [row for row in await world.get("/v1/tokens") if row["role"] == "admin"]
    # With the very token that is rotated: the request has read its row before it locks it.
    path = f"/v1/tokens/{token['id']}/rotate"
    calls = [world.call("POST", path, {"overlap_hours": 1}, token=secret) for _ in range(2)]
    answers = await at_once(world, "SELECT id FROM admin_token WHERE role = 'admin' FOR NO KEY UPDATE", *calls)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    codes = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert (codes, len([row for row in await world.get("/v1/tokens") if row["expires_at"] is None])) == (
        ["token_rotated"],
        # The new one, and the operator's.
        2,
    )


async def test_of_two_changes_of_the_same_state_one_is_refused(world: World) -> None:
    """Two people look, both change: the second one would take the first one's change back without having seen it."""
    (hook,) = await world.get("/v1/hooks")
    rules = f"/v1/rules?key_id={world.key_id}"
    doors: list[tuple[str, str, list[Any]]] = [
        ("PATCH", f"/v1/keys/{world.key_id}", [{"name": "A"}, {"go_live": "2026-11-02"}]),
        ("PATCH", f"/v1/hooks/{hook['id']}", [{"name": "A"}, {"enabled": False}]),
        ("PATCH", f"/v1/tenants/{world.tenant_id}", [{"name": "A"}, {"state": "paused"}]),
        ("PATCH", f"/v1/recman?tenant={world.tenant_id}", [{"most_changes": 7}, {"sweep_hours": 5}]),
        ("PUT", rules, [{"not_before": "2026-01-01"}, {"held_customers": ["1"]}]),
        ("PUT", rules, [{"not_before": "2026-01-01"}, {"held_customers": ["1"]}]),
    ]
    for method, path, bodies in doors:
        seen = (await world.call("GET", path)).headers["etag"]
        answers = await asyncio.gather(*(world.call(method, path, body, If_Match=seen) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [200, 412], path
        assert {one.json()["code"] for one in answers if one.status_code == 412} == {"changed_meanwhile"}
        (done,) = [one for one in answers if one.status_code == 200]
        assert done.headers["etag"] == (await world.call("GET", path)).headers["etag"] != seen
        later = await world.call(method, path, bodies[0], If_Match=f'W/{done.headers["etag"]}, "x"')
        assert later.status_code == 412
        assert (await world.call(method, path, bodies[0], If_Match=f'"x", {done.headers["etag"]}')).status_code == 200
    assert (await world.call("DELETE", f"/v1/keys/{world.key_id}", If_Match='"x"')).status_code == 412


async def test_changes_of_one_key_at_once_follow_each_other(world: World) -> None:
    names = ["A", "B", "C"]
    calls = [world.call("PATCH", f"/v1/keys/{world.key_id}", {"name": name}) for name in names]
    answers = await at_once(world, "SELECT id FROM key FOR NO KEY UPDATE", *calls)
    assert [answer.status_code for answer in answers] == [200] * 3
    changes = await world.get("/v1/audit", subject=f"key:{world.key_id}", limit=3)
    newest_first = [(change["before"]["name"], change["after"]["name"]) for change in changes]
    assert newest_first[-1][0] == "Nordlys"
    assert [before for before, _ in newest_first[:-1]] == [after for _, after in newest_first[1:]]
