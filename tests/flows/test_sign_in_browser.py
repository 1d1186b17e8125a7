"""Who signs in, and in which browser: a sign-in begins at our address and is known again when it comes back."""

import math
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.platform.http import httpx
from app.sandbox.unimicro.oauth import FIRST_COMPANY
from app.sandbox.unimicro.options import SandboxOptions
from app.scheduler import LastRevocation, look_at_clock
from tests.world import CLIENT_SECRET, COMPANY, GO_LIVE, OURS, RENUMBERED, UNIMICRO, World, open_world

REDIRECTS = (f"{OURS}/oauth/unimicro/callback",)
PAGE = {"Accept": "text/html"}


async def begin(world: World, **order: Any) -> dict[str, Any]:
    begun: dict[str, Any] = (await world.call("POST", "/v1/keys/connect", order, tenant=world.tenant_id)).json()
    return begun


async def come_back(world: World, begun: dict[str, Any]) -> str:
    """The address at which the browser comes back to us."""
    url = begun["authorize_url"]
    for _ in range(2):
        url = (await world.http.get(url, follow_redirects=False)).headers["location"]
    return str(url)


async def show(world: World, begun: dict[str, Any]) -> dict[str, Any]:
    pending: dict[str, Any] = await world.get(f"/v1/sign-ins/{begun['pending_id']}")
    return pending


async def make_key(world: World, begun: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
    order = {"pending_id": begun["pending_id"], "name": "New", "go_live": GO_LIVE, "departments": [], **RENUMBERED}
    answer = await world.call("POST", "/v1/keys", order | more)
    return answer.status_code, answer.json()


async def test_what_comes_back_in_another_browser_waits_for_an_administrator(world: World) -> None:
    begun = await begin(world)
    # Who asks for heads alone uses nothing up.
    assert (await world.http.head(begun["authorize_url"])).status_code == 405
    location = await come_back(world, begun)
    assert (await world.http.head(location)).status_code == 405
    world.http.cookies.clear()
    told = await world.http.get(location)
    assert (told.status_code, told.json()["state"], told.json()["companies"]) == (200, "unconfirmed", [])
    assert (await make_key(world, begun))[1]["code"] == "sign_in_unconfirmed"
    pending = await show(world, begun)
    assert (pending["state"], pending["person"]) == ("unconfirmed", "Sandbox Administrator")
    path = f"/v1/sign-ins/{begun['pending_id']}/confirm"
    assert (await world.call("POST", path)).json()["state"] == "returned"
    again = await world.call("POST", path)
    assert (again.status_code, again.json()["code"]) == (409, "sign_in_confirmed")
    assert (await make_key(world, begun))[0] == 201


async def test_a_sign_in_that_failed_is_told_to_no_other_browser_as_one_that_went_well(world: World) -> None:
    begun = await begin(world)
    location = httpx.URL(await come_back(world, begun))
    refused = location.copy_with(params={"state": location.params["state"], "error": "access_denied"})
    world.http.cookies.clear()
    page = {"Accept": "text/html"}
    assert "did not work" in (await world.http.get(refused, headers=page)).text
    again = await world.http.get(refused, headers=page)
    assert (again.status_code, "is over" in again.text, "Signed in" in again.text) == (200, True, False)


async def test_a_key_is_renewed_from_another_browser_only_with_a_yes(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET state = 'sign_in_again'"))
    begun = await begin(world, key_id=str(world.key_id))
    location = await come_back(world, begun)
    world.http.cookies.clear()
    page = await world.http.get(location, headers=PAGE)
    assert (page.status_code, "another browser" in page.text) == (200, True)
    assert (await world.get("/v1/keys"))[0]["state"] == "sign_in_again"
    await world.call("POST", f"/v1/sign-ins/{begun['pending_id']}/confirm")
    assert (await world.get("/v1/keys"))[0]["state"] == "active"


async def test_only_the_first_browser_that_opens_the_address_is_the_one_to_come_back(world: World) -> None:
    begun = await begin(world)
    await world.http.get(begun["authorize_url"], follow_redirects=False)
    world.http.cookies.clear()
    assert (await world.http.get(await come_back(world, begun))).json()["state"] == "unconfirmed"
    # One browser may have two under way.
    first, second = await begin(world), await begin(world)
    ends = [await come_back(world, one) for one in (first, second)]
    assert [(await world.http.get(end)).json()["state"] for end in ends] == ["returned", "returned"]
    # A state is no ticket, and a ticket no state.
    state = parse_qs(urlsplit(ends[0]).query)["state"][0]
    ticket = (await begin(world))["authorize_url"].rpartition("/")[2]
    for path in (f"begin/{state}", "begin/made-up", f"callback?{urlencode({'state': ticket, 'code': 'x'})}"):
        answer = await world.http.get(f"{OURS}/oauth/unimicro/{path}")
        assert (answer.status_code, answer.json()["code"]) == (422, "state_unknown")


@pytest.mark.parametrize(("scheme", "name"), [("http", "rmu_sign_in"), ("https", "__Host-rmu_sign_in")])
async def test_the_cookie_is_ours_alone_and_no_page_can_be_framed(
    database_url: str, tmp_path: Path, scheme: str, name: str
) -> None:
    async with open_world(database_url, tmp_path, connect=False, public_url=f"{scheme}://ours.test") as world:
        begun = await begin(world)
        answer = await world.http.get(OURS + urlsplit(begun["authorize_url"]).path, follow_redirects=False)
        assert answer.status_code == 303
        first, *rest = answer.headers["set-cookie"].split("; ")
        assert first.startswith(f"{name}=browser_")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"} <= set(rest)
        assert ("Secure" in rest) == (scheme == "https")
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
        page = await world.http.get(f"{OURS}/oauth/unimicro/callback?state=x", headers=PAGE)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_the_company_that_was_chosen_at_unimicro_is_taken_unless_another_is_named(world: World) -> None:
    begun = await begin(world)
    await world.http.get(await come_back(world, begun))
    assert (await show(world, begun))["company_key"] == FIRST_COMPANY
    status, key = await make_key(world, begun)
    assert (status, key["company_name"], key["warning"]) == (201, COMPANY, None)


async def test_another_company_than_the_chosen_one_is_taken_and_told(world: World) -> None:
    begun = await begin(world)
    await world.http.get(await come_back(world, begun))
    other = next(one for one in (await show(world, begun))["companies"] if one["key"] != FIRST_COMPANY)
    status, key = await make_key(world, begun, company_key=other["key"])
    assert (status, key["company_key"]) == (201, other["key"])
    assert f"At Unimicro {COMPANY} was chosen, and this key books in {other['name']}" in key["warning"]


@pytest.mark.parametrize("told", [True, False], ids=["id token tells", "nobody tells"])
async def test_what_the_access_token_does_not_tell_is_read_from_the_id_token(
    database_url: str, tmp_path: Path, *, told: bool
) -> None:
    sandbox = SandboxOptions(
        redirect_uris=REDIRECTS, client_secret=CLIENT_SECRET, access_token_base=False, id_token_company=told
    )
    base = "http://elsewhere.test/" if told else f"{UNIMICRO}/"
    async with open_world(database_url, tmp_path, sandbox=sandbox, connect=False, unimicro_api_base=base) as world:
        begun = await begin(world)
        await world.http.get(await come_back(world, begun))
        assert ((await show(world, begun))["company_key"] is None) == (not told)
        company = {} if told else {"company_key": FIRST_COMPANY}
        _, key = await make_key(world, begun, **company)
        world.unimicro.state.world.identity.expire_access_tokens()
        assert (await world.call("POST", f"/v1/keys/{key['id']}/check")).json()["ok"] is True
        assert (await world.get("/v1/keys"))[0]["api_base"] == f"{UNIMICRO}/"


async def test_a_public_client_signs_in_renews_and_revokes_without_a_secret(database_url: str, tmp_path: Path) -> None:
    sandbox = SandboxOptions(redirect_uris=REDIRECTS, client_secret="")
    none = SecretStr("")
    async with open_world(database_url, tmp_path, sandbox=sandbox, connect=False, unimicro_client_secret=none) as world:
        begun = await begin(world)
        await world.http.get(await come_back(world, begun))
        _, key = await make_key(world, begun)
        identity = world.unimicro.state.world.identity
        identity.expire_access_tokens()
        assert (await world.call("POST", f"/v1/keys/{key['id']}/check")).json()["ok"] is True
        assert identity.refreshes
        assert (await world.call("DELETE", f"/v1/keys/{key['id']}")).json()["revoked"] is True
        assert not identity.refresh_tokens


@pytest.mark.parametrize(
    ("options", "status", "code", "word"),
    [
        ({"id_token_claims": {"azp": "another"}}, 502, "sign_in_mismatch", "authorised party"),
        ({"id_token_claims": {"exp": 1}}, 502, "sign_in_mismatch", "end"),
        ({"id_token_claims": {"exp": None}}, 502, "sign_in_mismatch", "end"),
        ({"authorize_error": "invalid_scope"}, 502, "scope_refused", "rights"),
        ({"authorize_error": "temporarily_unavailable"}, 502, "remote_unavailable", "now"),
        ({"authorize_error": "unauthorized_client"}, 502, "client_refused", "client"),
        ({"authorize_error": "access_denied"}, 422, "sign_in_cancelled", "access_denied"),
        ({"authorize_error": "<b>Call 555</b>"}, 422, "sign_in_cancelled", "no reason"),
    ],
)
async def test_why_nobody_is_signed_in_is_told_by_its_own_code(
    database_url: str, tmp_path: Path, options: dict[str, Any], status: int, code: str, word: str
) -> None:
    sandbox = SandboxOptions(redirect_uris=REDIRECTS, client_secret=CLIENT_SECRET, **options)
    async with open_world(database_url, tmp_path, sandbox=sandbox, connect=False) as world:
        begun = await begin(world)
        answer = await world.http.get(await come_back(world, begun))
        told = answer.json()
        assert (answer.status_code, told["code"], word in told["cause"]) == (status, code, True)
        assert code != "scope_refused" or ("Save" in told["fix"] and "staff" in told["fix"])
        assert (await show(world, begun))["state"] == "failed"
        again = await world.http.get(await come_back(world, await begin(world)), headers=PAGE)
        assert (again.status_code, "did not work" in again.text) == (status, True)


async def test_open_sign_ins_are_limited(world: World) -> None:
    answers = [await world.call("POST", "/v1/keys/connect", {}, tenant=world.tenant_id) for _ in range(22)]
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 201]
    # The world's own was used; it does not count.
    assert refused == ["sign_ins_open"] * 2


async def revoke(world: World) -> None:
    """As the clock does it, once an hour."""
    world.resources.kept(LastRevocation).moment = -math.inf
    assert await look_at_clock(world.resources)


async def test_a_grant_that_nobody_uses_is_revoked_after_a_day_and_not_before(world: World) -> None:
    identity = world.unimicro.state.world.identity
    mine = set(identity.refresh_tokens)
    begun = await begin(world)
    await world.http.get(await come_back(world, begun))
    assert len(identity.refresh_tokens) == len(mine) + 1
    await revoke(world)
    assert len(identity.refresh_tokens) == len(mine) + 1
    async with world.resources.engine.begin() as connection:
        day = "interval '25 hours'"
        times = f"returned_at = now() - {day}, created_at = now() - {day}, expires_at = now() - {day}"
        await connection.execute(text(f"UPDATE sign_in SET {times} WHERE granted IS NOT NULL"))  # noqa: S608
    # Beginning another one clears old ones away, but none that is to be revoked.
    await begin(world)
    await world.fault("error_before", path="/connect/revocation", status=500, times=1)
    await revoke(world)
    assert await world.count("SELECT count(*) FROM sign_in WHERE granted IS NOT NULL") == 1
    await revoke(world)
    assert set(identity.refresh_tokens) == mine
    assert await world.count("SELECT count(*) FROM sign_in WHERE granted IS NOT NULL") == 0
    (change,) = [one for one in await world.get("/v1/audit", limit=9) if one["action"] == "sign_in.revoke"]
    assert (change["action"], change["after"]) == ("sign_in.revoke", {"revoked": True})
