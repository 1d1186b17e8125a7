"""Signing in to Unimicro as an administrator does: a browser that follows redirects, and everything that goes wrong."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import CertificateBuilder, Name, NameAttribute, random_serial_number
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from app.accounting.unimicro.auth import utc_now
from app.sandbox.unimicro.options import SandboxOptions
from tests.world import CLIENT_SECRET, COMPANY, GO_LIVE, OURS, RENUMBERED, UNIMICRO, World, open_world

CALLBACK = f"{OURS}/oauth/unimicro/callback"


async def begin(world: World, **order: Any) -> dict[str, Any]:
    answer = await world.call("POST", "/v1/keys/connect", order, tenant=world.tenant_id)
    assert answer.status_code == 201, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def visit(world: World, url: str) -> str:
    """Where the identity server sends the browser that began at our address."""
    return await go(world, await go(world, url))


async def go(world: World, url: str) -> str:
    return str((await world.http.get(url, follow_redirects=False)).headers["location"])


def change(url: str, **query: str | None) -> str:
    parts = urlsplit(url)
    values = {name: found[0] for name, found in parse_qs(parts.query).items()} | query
    kept = {name: value for name, value in values.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


async def test_authorise_address_asks_as_unimicro_wants_it(world: World) -> None:
    query = parse_qs(urlsplit(await go(world, (await begin(world))["authorize_url"])).query)
    assert set(query["scope"][0].split()) == {"AppFramework", "openid", "profile", "offline_access"}
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [CALLBACK]
    assert len(query["state"][0]) >= 32
    assert len(query["nonce"][0]) >= 32


async def test_whole_sign_in_lists_companies_and_makes_a_key_that_works(world: World) -> None:
    begun = await begin(world)
    assert begun["state"] == "open"
    told = (await world.http.get(begun["authorize_url"], follow_redirects=True)).json()
    assert told["pending_id"] == begun["pending_id"]
    pending = await world.get(f"/v1/sign-ins/{begun['pending_id']}")
    assert pending["state"] == "returned"
    names = {company["name"]: company["is_test"] for company in pending["companies"]}
    # The deleted company is left out, the test company is marked.
    assert names == {COMPANY: False, "Nordlys Konsulent AS": False, "Nordlys Test AS": True}
    order = {
        "pending_id": begun["pending_id"],
        "company_key": pending["companies"][1]["key"],
        "name": "Konsulent",
        "go_live": "2026-12-01",
        "departments": [],
        "sender": "unimicro",
        "booking": "draft",
    }
    made = await world.call("POST", "/v1/keys", order)
    assert made.status_code == 201, made.text
    key = made.json()
    assert (key["name"], key["departments"], key["booking"], key["state"]) == ("Konsulent", [], "draft", "active")
    assert key["files_base"] == f"{UNIMICRO}/"
    checked = await world.call("POST", f"/v1/keys/{key['id']}/check")
    assert checked.json()["ok"] is True
    again = await world.call("POST", "/v1/keys", order)
    assert (again.status_code, again.json()["code"]) == (409, "sign_in_used")


async def test_browser_is_shown_a_page_that_gives_nothing_away(world: World) -> None:
    begun = await begin(world)
    location = await visit(world, begun["authorize_url"])
    page = await world.http.get(location, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert begun["pending_id"] in page.text
    assert COMPANY in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "For the RecMan account “Nordlys”" in page.text
    assert "Sandbox Administrator" in page.text
    # Loaded again, it says the same; to another browser it says nothing of anybody.
    again = await world.http.get(location, headers={"Accept": "text/html"})
    assert (again.status_code, again.text) == (200, page.text)
    world.http.cookies.clear()
    strange = await world.http.get(location, headers={"Accept": "text/html"})
    assert (strange.status_code, COMPANY in strange.text, "Nordlys" in strange.text) == (200, False, False)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"state": "never-given"}, 422, "state_unknown"),
        ({"state": None}, 422, "state_unknown"),
        ({"code": None, "error": "access_denied"}, 422, "sign_in_cancelled"),
        ({"iss": "https://evil.test"}, 502, "wrong_issuer"),
        ({"iss": None}, 502, "wrong_issuer"),
        ({"code": "made-up"}, 502, "sign_in_refused"),
    ],
)
async def test_bad_callback_has_its_own_code_cause_and_fix(
    world: World, query: dict[str, str | None], status: int, code: str
) -> None:
    begun = await begin(world)
    answer = await world.http.get(change(await visit(world, begun["authorize_url"]), **query))
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert told["cause"]
    assert told["fix"]
    if "state" not in query:
        pending = await world.get(f"/v1/sign-ins/{begun['pending_id']}")
        assert pending["state"] == "failed"
        order = {"pending_id": begun["pending_id"], "company_key": "x", "name": "x", "go_live": GO_LIVE, **RENUMBERED}
        assert (await world.call("POST", "/v1/keys", order)).json()["code"] == "sign_in_failed"


async def test_used_and_expired_states_are_refused(world: World) -> None:
    location = await visit(world, (await begin(world))["authorize_url"])
    assert (await world.http.get(location)).status_code == 200
    assert (await world.http.get(location)).json()["code"] == "state_used"
    location = await visit(world, (await begin(world))["authorize_url"])
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE sign_in SET expires_at = now() - interval '1 second'"))
    assert (await world.http.get(location)).json()["code"] == "state_expired"


async def test_refused_choices_leave_the_sign_in_usable(world: World) -> None:
    pending = await world.office.sign_in(world.tenant_id)
    company_key = pending["companies"][1]["key"]
    order = {"pending_id": pending["pending_id"], "company_key": company_key, "name": "Second", "departments": []}
    order |= {"go_live": GO_LIVE, **RENUMBERED}

    async def code_of(**changed: Any) -> tuple[int, str]:
        answer = await world.call("POST", "/v1/keys", order | changed)
        return answer.status_code, answer.json()["code"]

    assert await code_of(company_key=str(uuid4())) == (422, "company_unknown")
    assert await code_of(name="Nordlys") == (409, "name_taken")
    assert await code_of(departments="all") == (409, "open_to_all_taken")
    assert await code_of(departments=["12345"]) == (404, "department_unknown")
    assert await code_of(pending_id=str(uuid4())) == (404, "sign_in_unknown")
    assert await code_of(mode="fax") == (422, "bad_request")
    assert await code_of(go_live=None) == (422, "bad_request")
    assert (await world.call("POST", "/v1/keys", order)).status_code == 201


async def test_key_that_lost_its_sign_in_goes_on_after_a_new_one(world: World) -> None:
    world.unimicro.state.world.identity.refresh_tokens.clear()
    world.unimicro.state.world.identity.expire_access_tokens()
    await world.hear_of("invoice", 5001)
    await world.stall()
    (key,) = await world.get("/v1/keys")
    assert key["state"] == "sign_in_again"
    (waiting,) = await world.get("/v1/transfers", kind="invoice")
    assert waiting["state"] == "waiting"
    assert "sign in" in waiting["reasons"][0]["fix"]
    assert await world.count("SELECT max(tries) FROM lane") == 0
    resumed = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})
    assert (resumed.status_code, resumed.json()["code"]) == (409, "sign_in_again")
    told = await world.office.sign_in(world.tenant_id, key_id=str(world.key_id))
    assert told["key_id"] == str(world.key_id)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    (key,) = await world.get("/v1/keys")
    assert key["state"] == "active"


async def test_sign_in_that_does_not_reach_the_keys_company_is_refused(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET company_key = 'elsewhere', state = 'sign_in_again'"))
    begun = await begin(world, key_id=str(world.key_id))
    answer = await world.http.get(begun["authorize_url"], follow_redirects=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "company_not_reached")
    assert (await world.get("/v1/keys"))[0]["state"] == "sign_in_again"


def make_certificate() -> tuple[rsa.RSAPrivateKey, str]:
    """A private key, and the PKCS#12 file that the portal would give for it, base64."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = Name([NameAttribute(NameOID.COMMON_NAME, "recman-unimicro-server")])
    now = utc_now()
    certificate = (
        CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(private, hashes.SHA256())
    )
    file = serialize_key_and_certificates(b"rmu", private, certificate, None, BestAvailableEncryption(b"canary-pass"))
    return private, base64.b64encode(file).decode()


async def test_server_application_makes_a_key_and_renews_without_a_person(database_url: str, tmp_path: Path) -> None:
    private, pkcs12 = make_certificate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    options = SandboxOptions(redirect_uris=(CALLBACK,), client_secret=CLIENT_SECRET, server_public_key=public)
    async with open_world(database_url, tmp_path, sandbox=options, connect=False) as world:
        server = {"client_id": options.server_client_id, "pkcs12": pkcs12, "password": "canary-pass"}
        begun = await begin(world, server=server)
        assert (begun["state"], begun["authorize_url"]) == ("returned", None)
        company = next(one for one in begun["companies"] if one["name"] == COMPANY)
        order = {"pending_id": begun["pending_id"], "company_key": company["key"], "name": "Server", "go_live": GO_LIVE}
        order |= RENUMBERED
        key = (await world.call("POST", "/v1/keys", order)).json()
        assert key["client"] == "server"
        await world.office.check_customers(UUID(key["id"]))
        world.unimicro.state.world.identity.expire_access_tokens()
        await world.hear_of("invoice", 5001)
        await world.settle()
        assert (await world.transfers())["invoice", "5001"]["state"] == "done"
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        again = await begin(world, server={"client_id": options.server_client_id, "private_key": pem})
        assert again["state"] == "returned"


@pytest.mark.parametrize(
    ("server", "status", "code"),
    [
        ({"client_id": "x", "pkcs12": "bm90IGEgZmlsZQ==", "password": "p"}, 422, "certificate_unusable"),
        ({"client_id": "x", "private_key": "-----BEGIN nothing"}, 422, "certificate_unusable"),
        ({"client_id": "x"}, 422, "certificate_unusable"),
    ],
)
async def test_unusable_certificate_says_so(world: World, server: dict[str, str], status: int, code: str) -> None:
    answer = await world.call("POST", "/v1/keys/connect", {"server": server}, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_certificate_that_unimicro_does_not_know_is_told(world: World) -> None:
    private, _ = make_certificate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    server = {"client_id": "recman-unimicro-server", "private_key": pem}
    answer = await world.call("POST", "/v1/keys/connect", {"server": server}, tenant=world.tenant_id)
    assert (answer.status_code, answer.json()["code"]) == (502, "client_refused")


async def test_identity_server_away_is_told_and_nothing_is_kept(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, connect=False, unimicro_issuer="http://127.0.0.1:9") as world:
        answer = await world.call("POST", "/v1/keys/connect", {}, tenant=world.tenant_id)
        assert (answer.status_code, answer.json()["code"]) == (502, "remote_unavailable")
        assert await world.count("SELECT count(*) FROM sign_in") == 0
