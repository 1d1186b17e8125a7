"""A 401 ends no sign-in: what is refused is found out and tried again; only the identity server ends a sign-in."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import text

from app.admin.access_tokens import fresh_token
from app.errors import AuthExpiredError
from app.sandbox.unimicro.options import SandboxOptions
from tests.world import CLIENT_SECRET, COMPANY, GO_LIVE, OURS, RENUMBERED, World, open_world

CREATE = {"method": "POST", "path": "/api/biz/invoices", "query": ""}
REDIRECTS = (f"{OURS}/oauth/unimicro/callback",)
TOKEN_CALL = "POST /connect/token"


async def key_of(world: World) -> dict[str, Any]:
    key: dict[str, Any] = (await world.get("/v1/keys"))[0]
    return key


async def invoice(world: World) -> dict[str, Any]:
    return (await world.transfers())["invoice", "5001"]


async def count_token_calls(world: World) -> int:
    counts = (await world.http.get(f"{world.unimicro_url}/sandbox/calls")).json()["counts"]
    return int(counts.get(TOKEN_CALL, 0))


async def lanes_at_once(world: World, lanes: int = 12) -> list[Any]:
    """What as many lanes get that all want a token in the same moment."""
    calls = [fresh_token(world.resources.of_tenant(world.tenant_id), world.key_id, refused=None) for _ in range(lanes)]
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def expire(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET token_expires_at = now()"))


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_some_401_in_a_row_are_tried_again_and_spend_no_refresh(world: World, times: int) -> None:
    before = await count_token_calls(world)
    await world.fault("error_before", **CREATE, status=401, times=times)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await invoice(world))["state"] == "done"
    assert len(await world.invoices()) == 1
    assert (await key_of(world))["state"] == "active"
    assert await count_token_calls(world) == before


async def test_a_401_of_one_route_alone_is_a_missing_right_of_that_record(world: World) -> None:
    await world.fault("error_before", **CREATE, status=401, times=100)
    await world.hear_of("invoice", 5001)
    await world.hear_of("project", 301)
    await world.settle()
    held = await invoice(world)
    assert (held["state"], [reason["code"] for reason in held["reasons"]]) == ("held", ["rights_missing"])
    assert "POST invoices" in held["reasons"][0]["cause"]
    assert "roles" in held["reasons"][0]["fix"]
    key = await key_of(world)
    assert (key["state"], key["paused_until"], world.ledger.identity.refreshes) == ("active", None, 0)
    await world.http.delete(f"{world.unimicro_url}/sandbox/faults")
    assert (await world.post(f"/v1/transfers/{held['id']}/retry")).is_success
    await world.settle()
    assert (await invoice(world))["state"] == "done"


async def test_a_company_that_is_refused_rests_with_its_key_and_nothing_is_held(world: World) -> None:
    await world.fault("error_before", path="/api/biz", status=401, times=1000)
    await world.hear_of("invoice", 5001)
    await world.stall()
    waiting = await invoice(world)
    assert (waiting["state"], waiting["reasons"][0]["code"]) == ("waiting", "company_refused")
    key = await key_of(world)
    assert (key["state"], key["paused_until"] is not None, world.ledger.identity.refreshes) == ("active", True, 0)
    assert await world.count("SELECT max(tries) FROM lane") == 0


@pytest.mark.parametrize("rotates", [True, False])
async def test_tokens_that_nobody_takes_are_renewed_once_and_then_the_key_rests(
    database_url: str, tmp_path: Path, *, rotates: bool
) -> None:
    options = SandboxOptions(redirect_uris=REDIRECTS, client_secret=CLIENT_SECRET, rotate_refresh_tokens=rotates)
    async with open_world(database_url, tmp_path, sandbox=options) as world:
        await world.fault("error_before", path="/api", status=401, times=1000)
        for record in (5001, 5002, 5003, 5004):
            await world.hear_of("invoice", record)
        await world.stall()
        assert world.ledger.identity.refreshes == 1
        assert (await invoice(world))["state"] == "waiting"
        key = await key_of(world)
        assert (key["state"], key["paused_until"] is not None) == ("active", True)
        assert await world.count("SELECT max(tries) FROM lane") == 0
        await world.http.delete(f"{world.unimicro_url}/sandbox/faults")
        # As if the pause were over.
        assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})).status_code == 200
        await world.settle()
        assert (await invoice(world))["state"] == "done"


@pytest.mark.parametrize("rotates", [True, False])
async def test_lanes_that_queued_behind_a_dead_refresh_token_do_not_send_it_again(
    database_url: str, tmp_path: Path, *, rotates: bool
) -> None:
    options = SandboxOptions(redirect_uris=REDIRECTS, client_secret=CLIENT_SECRET, rotate_refresh_tokens=rotates)
    async with open_world(database_url, tmp_path, sandbox=options) as world:
        world.ledger.identity.refresh_tokens.clear()
        await expire(world)
        before = await count_token_calls(world)
        errors = await lanes_at_once(world)
        assert {type(error) for error in errors} == {AuthExpiredError}
        assert await count_token_calls(world) == before + 1
        assert (await key_of(world))["state"] == "sign_in_again"
        await lanes_at_once(world)
        assert await count_token_calls(world) == before + 1
        await world.office.sign_in(world.tenant_id, key_id=str(world.key_id))
        assert (await key_of(world))["state"] == "active"
        assert len(set(await lanes_at_once(world))) == 1


async def test_a_paused_key_sends_a_dead_refresh_token_once_too_and_stays_paused(world: World) -> None:
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})
    world.ledger.identity.refresh_tokens.clear()
    await expire(world)
    before = await count_token_calls(world)
    await lanes_at_once(world)
    assert await count_token_calls(world) == before + 1
    assert (await key_of(world))["state"] == "paused"


async def test_many_waiting_invoices_end_a_sign_in_with_one_call(world: World) -> None:
    world.ledger.identity.refresh_tokens.clear()
    world.ledger.identity.expire_access_tokens()
    before = await count_token_calls(world)
    for record in range(5001, 5011):
        await world.hear_of("invoice", record)
    await world.stall()
    assert await count_token_calls(world) == before + 1
    assert (await key_of(world))["state"] == "sign_in_again"


async def test_a_refused_server_client_is_asked_once(database_url: str, tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    options = SandboxOptions(redirect_uris=REDIRECTS, client_secret=CLIENT_SECRET, server_public_key=public)
    async with open_world(database_url, tmp_path, sandbox=options, connect=False) as world:
        order = {"server": {"client_id": options.server_client_id, "private_key": pem}}
        begun = (await world.call("POST", "/v1/keys/connect", order, tenant=world.tenant_id)).json()
        company = next(one["key"] for one in begun["companies"] if one["name"] == COMPANY)
        made = {"pending_id": begun["pending_id"], "company_key": company, "name": "Server", "go_live": GO_LIVE}
        made |= RENUMBERED
        world.key_id = UUID((await world.call("POST", "/v1/keys", made)).json()["id"])
        await world.fault("error_before", method="POST", path="/connect/token", status=500)
        await expire(world)
        await lanes_at_once(world, 1)
        assert (await key_of(world))["state"] == "active"
        object.__setattr__(options, "server_client_id", "another")
        before = await count_token_calls(world)
        assert {type(error) for error in await lanes_at_once(world)} == {AuthExpiredError}
        assert await count_token_calls(world) == before + 1
