"""The sandbox Unimicro's identity server: a host of its own, what it asks of a server client, what its tokens tell."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.sandbox.unimicro.oauth import signing_key
from tests.world.unimicro_session import (
    API,
    ISSUER,
    Clock,
    Session,
    authorize,
    guid,
    redeem,
    sandbox,
    sign_in,
    to_callback,
)

SERVER_KEY = RSAKey.generate_key(2048)
PUBLIC = SERVER_KEY.as_pem(private=False).decode()
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def to_claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, signing_key(), algorithms=["RS256"]).claims)


async def ask_as_server(session: Session, clock: Clock, *, without: str = "", **changes: Any) -> Any:
    client = "recman-unimicro-server"
    claims = {"iss": client, "sub": client, "aud": f"{ISSUER}/connect/token", "jti": guid()}
    claims |= {"exp": int(clock().timestamp()) + 60} | changes
    claims.pop(without, None)
    assertion = jwt.encode({"alg": "RS256"}, claims, SERVER_KEY)
    form = {"grant_type": "client_credentials", "scope": "AppFramework", "client_id": client}
    form |= {"client_assertion_type": KIND, "client_assertion": assertion}
    return await session.client.post(f"{ISSUER}/connect/token", data=form)


async def test_the_identity_server_is_a_bare_host_and_the_api_has_none_of_it(books: Session) -> None:
    assert (await books.client.get("/api/endpoints")).json()["Identity"] == ISSUER
    document = (await books.client.get(f"{ISSUER}/.well-known/openid-configuration")).json()
    assert (document["issuer"], document["token_endpoint"]) == (ISSUER, f"{ISSUER}/connect/token")
    assert (await books.client.get("/.well-known/openid-configuration")).status_code == 401
    assert (await books.client.get("/identity/.well-known/openid-configuration")).status_code == 401
    assert (await books.client.get(f"{ISSUER}/api/biz/customers", headers=books.headers)).status_code == 404


async def test_faults_and_calls_of_both_are_kept_in_one_place(books: Session) -> None:
    await books.fault("error_before", path="/connect/token", status=503)
    code = to_callback(await authorize(books.client))["code"]
    assert (await redeem(books.client, code)).status_code == 503
    counts = (await books.client.get("/sandbox/calls")).json()["counts"]
    assert counts["POST /connect/token"] == 2


@pytest.mark.parametrize("told", [True, False])
async def test_the_id_token_tells_api_base_and_company_or_not(*, told: bool) -> None:
    async with sandbox(id_token_company=told) as session:
        identity = to_claims((await sign_in(session.client))["id_token"])
        company = session.app.state.world.company("Nordlys Bemanning AS")
        assert identity.get("AppFramework") == (f"{API}/" if told else None)
        assert identity.get("companyKey") == (company.key if told else None)


async def test_a_sign_in_tells_of_the_company_that_was_chosen(books: Session) -> None:
    other = books.app.state.world.company("Nordlys Konsulent AS").key
    tokens = await sign_in(books.client, sandbox_company=other)
    assert to_claims(tokens["id_token"])["companyKey"] == other


async def test_a_server_client_needs_neither_nbf_nor_iat() -> None:
    clock = Clock()
    async with sandbox(clock=clock, server_public_key=PUBLIC) as session:
        given = (await ask_as_server(session, clock)).json()
        assert to_claims(given["access_token"])["AppFramework"] == f"{API}/"
        session.headers["Authorization"] = f"Bearer {given['access_token']}"
        await session.get("customers")


@pytest.mark.parametrize("without", ["iss", "sub", "aud", "jti", "exp"])
async def test_a_server_client_needs_the_rest(without: str) -> None:
    clock = Clock()
    async with sandbox(clock=clock, server_public_key=PUBLIC) as session:
        assert (await ask_as_server(session, clock, without=without)).json() == {"error": "invalid_client"}


async def test_an_assertion_works_once_and_for_five_minutes_at_most() -> None:
    clock = Clock()
    async with sandbox(clock=clock, server_public_key=PUBLIC) as session:
        assert (await ask_as_server(session, clock, jti="one")).status_code == 200
        assert (await ask_as_server(session, clock, jti="one")).status_code == 400
        late = int(clock().timestamp()) + 400
        assert (await ask_as_server(session, clock, exp=late)).status_code == 400


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("2026-11-02T08:00:00Z", 1),
        ("2026-11-02T07:59:59.9Z", 1),
        ("2026-11-02T09:00:00+01:00", 1),
        ("2026-11-02", 1),
        ("2026-11-02T08:00:01Z", 0),
        ("2026-11-03", 0),
    ],
)
async def test_date_times_compare_as_times(since: str, found: int) -> None:
    async with sandbox(clock=Clock()) as session:
        await session.draft()
        assert len(await session.get("invoices", filter=f"CreatedAt ge '{since}'")) == found
        assert len(await session.get("invoices", filter=f"CreatedAt lt '{since}'")) == 1 - found
        assert len(await session.get("invoices", filter="InvoiceDate eq '2026-10-05'")) == 1
