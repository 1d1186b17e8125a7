"""The sandbox Unimicro's identity server, its faults on demand, and its own doors under /sandbox."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet

from app.sandbox.faults import PROXY_PAGE
from app.sandbox.unimicro.app import create_app, stand_at
from tests.world.unimicro_session import (
    CLIENT,
    ISSUER,
    Clock,
    Session,
    authorize,
    guid,
    open_session,
    redeem,
    refresh,
    sandbox,
    sign_in,
    to_callback,
)


@asynccontextmanager
async def served() -> AsyncIterator[Session]:
    """The same application behind a real socket on a free port."""
    app = create_app()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            stand_at(app, api=base, issuer=ISSUER)
            mounts = {ISSUER: httpx.ASGITransport(app=app.state.identity)}
            async with httpx.AsyncClient(base_url=base, mounts=mounts) as client:
                yield await open_session(client, app)
        finally:
            server.should_exit = True
            await running


# Signing in


async def test_discovery_names_every_endpoint_under_the_address_it_was_asked_at(books: Session) -> None:
    document = (await books.client.get(f"{ISSUER}/.well-known/openid-configuration")).json()
    assert document["issuer"] == ISSUER
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["revocation_endpoint"].startswith(document["issuer"])


async def test_a_sign_in_gives_state_issuer_and_signed_tokens(books: Session) -> None:
    callback = to_callback(await authorize(books.client))
    assert (callback["state"], callback["iss"]) == ("state-1", ISSUER)
    tokens = (await redeem(books.client, callback["code"])).json()
    assert (tokens["expires_in"], tokens["token_type"]) == (3600, "Bearer")
    document = (await books.client.get(f"{ISSUER}/.well-known/openid-configuration")).json()
    keys = KeySet.import_key_set((await books.client.get(document["jwks_uri"])).json())
    access = jwt.decode(tokens["access_token"], keys).claims
    assert access["AppFramework"] == "http://127.0.0.1:8100/"
    assert access["aud"] == ["AppFramework", f"{ISSUER}/resources"]
    assert access["client_id"] == CLIENT["client_id"]
    assert access["exp"] - access["iat"] == 3600
    identity = jwt.decode(tokens["id_token"], keys).claims
    assert (identity["nonce"], identity["aud"]) == ("nonce-1", CLIENT["client_id"])
    company = books.app.state.world.company("Nordlys Bemanning AS")
    assert (identity["AppFramework"], identity["companyKey"]) == (access["AppFramework"], company.key)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await books.client.get(f"{ISSUER}/connect/userinfo", headers=headers)
    assert answer.json()["sub"] == identity["sub"]


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": "http://127.0.0.1:8000/oauth/unimicro/"}])
async def test_an_unknown_client_or_address_is_not_redirected(books: Session, change: dict[str, str]) -> None:
    assert (await authorize(books.client, **change)).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"sandbox_error": "access_denied"}, "access_denied"),
        ({"scope": "AppFramework Nothing"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_a_refused_sign_in_comes_back_with_its_error(books: Session, change: dict[str, str], error: str) -> None:
    callback = to_callback(await authorize(books.client, **change))
    assert callback == {"state": "state-1", "iss": ISSUER, "error": error}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"code_verifier": "wrong"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8000/other"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_only_redeemed_by_who_asked_for_it(books: Session, change: dict[str, str], error: str) -> None:
    code = to_callback(await authorize(books.client))["code"]
    answer = await redeem(books.client, code, **change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_a_code_works_once(books: Session) -> None:
    code = to_callback(await authorize(books.client))["code"]
    assert (await redeem(books.client, code)).status_code == 200
    assert (await redeem(books.client, code)).json() == {"error": "invalid_grant"}


async def test_a_refresh_token_works_once(books: Session) -> None:
    first = (await sign_in(books.client))["refresh_token"]
    second = (await refresh(books.client, first)).json()["refresh_token"]
    assert (await refresh(books.client, first)).json() == {"error": "invalid_grant"}
    assert (await refresh(books.client, second)).status_code == 200


async def test_refresh_tokens_can_be_set_to_stay() -> None:
    async with sandbox(rotate_refresh_tokens=False) as books:
        token = (await sign_in(books.client))["refresh_token"]
        assert (await refresh(books.client, token)).json()["refresh_token"] == token
        assert (await refresh(books.client, token)).status_code == 200


async def test_a_revoked_refresh_token_is_dead(books: Session) -> None:
    token = (await sign_in(books.client))["refresh_token"]
    answer = await books.client.post(f"{ISSUER}/connect/revocation", data={"token": token, **CLIENT})
    assert answer.status_code == 200
    assert (await refresh(books.client, token)).json() == {"error": "invalid_grant"}


async def test_without_offline_access_there_is_no_refresh_token(books: Session) -> None:
    assert "refresh_token" not in await sign_in(books.client, scope="AppFramework openid")


async def test_without_the_api_scope_every_call_fails(books: Session) -> None:
    tokens = await sign_in(books.client, scope="openid profile")
    books.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    await books.expect(401, "GET", "customers")


async def test_an_access_token_dies_after_its_hour() -> None:
    clock = Clock()
    async with sandbox(clock=clock) as books:
        clock.pass_seconds(3599)
        await books.get("customers")
        clock.pass_seconds(1)
        await books.expect(401, "GET", "customers")


# Faults


@pytest.mark.parametrize("open_sandbox", [sandbox, served])
async def test_a_lost_answer_leaves_a_stored_invoice_behind(open_sandbox: Any) -> None:
    async with open_sandbox() as books:
        body = await books.invoice_body(ExternalReference="RM-1")
        await books.fault("lose_answer")
        with pytest.raises(httpx.TransportError):
            await books.call("POST", "invoices", body)
        assert (await books.one("invoices", "ExternalReference", "RM-1"))["StatusCode"] == 42001
        assert "_createguid" in (await books.expect(400, "POST", "invoices", body))["Message"]


@pytest.mark.parametrize("open_sandbox", [sandbox, served])
async def test_a_lost_call_leaves_nothing_behind(open_sandbox: Any) -> None:
    async with open_sandbox() as books:
        body = await books.invoice_body()
        await books.fault("lose_answer", stored=False)
        with pytest.raises(httpx.TransportError):
            await books.call("POST", "invoices", body)
        assert await books.get("invoices") == []


@pytest.mark.parametrize("open_sandbox", [sandbox, served])
async def test_a_hang_gives_no_answer(open_sandbox: Any) -> None:
    async with open_sandbox() as books:
        draft = await books.draft()
        await books.fault("hang", query="action=invoice", seconds=0.3)
        books.client.timeout = httpx.Timeout(0.1)
        with pytest.raises(httpx.ReadTimeout):
            await books.issue(draft["ID"])
        assert (await books.get(f"invoices/{draft['ID']}"))["StatusCode"] == 42002


@pytest.mark.parametrize(("kind", "stored"), [("error_before", 0), ("error_after", 1)])
async def test_a_500_comes_before_or_after_storing(books: Session, kind: str, stored: int) -> None:
    body = await books.invoice_body()
    await books.fault(kind, status=503)
    await books.expect(503, "POST", "invoices", body)
    assert len(await books.get("invoices")) == stored


async def test_a_throttled_call_is_told_when_to_come_again(books: Session) -> None:
    await books.fault("throttle", method="GET", path="/api/biz/customers", seconds=7, times=2)
    for _ in range(2):
        answer = await books.call("GET", "customers")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    await books.get("customers")


async def test_a_slow_call_waits_and_is_answered() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with sandbox(sleep=sleep) as books:
        await books.fault("slow", method="GET", path="/api/biz", seconds=20)
        await books.get("customers")
    assert waits == [20]


async def test_all_access_tokens_can_be_made_to_expire(books: Session) -> None:
    await books.fault("expire_token", method="GET", path="/api/biz/customers")
    await books.expect(401, "GET", "customers")
    await books.expect(401, "GET", "products")
    tokens = await sign_in(books.client)
    books.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    await books.get("customers")


async def test_a_new_record_stays_out_of_lists_for_the_read_lag() -> None:
    clock = Clock()
    async with sandbox(clock=clock) as books:
        await books.fault("read_lag", seconds=5, query="")
        draft = await books.draft(ExternalReference="RM-1")
        assert await books.get("invoices", filter="ExternalReference eq 'RM-1'") == []
        await books.get(f"invoices/{draft['ID']}")
        clock.pass_seconds(5)
        await books.one("invoices", "ExternalReference", "RM-1")


async def test_a_fault_hits_only_what_it_matches(books: Session) -> None:
    draft = await books.draft()
    await books.fault("error_before", query="action=invoice", after=1)
    await books.draft()
    await books.issue(draft["ID"])
    assert [row["after"] for row in (await books.client.get("/sandbox/faults")).json()] == [0]
    await books.issue(draft["ID"], 500)
    assert (await books.client.get("/sandbox/faults")).json() == []


async def test_faults_are_withdrawn_and_unknown_ones_refused(books: Session) -> None:
    await books.fault("error_before")
    assert (await books.client.delete("/sandbox/faults")).status_code == 204
    await books.draft()
    for wrong in ({"fault": "explode"}, {"fault": "slow", "nonsense": 1}):
        assert (await books.client.post("/sandbox/faults", json=wrong)).status_code == 422


async def test_a_proxy_may_answer_with_its_own_page(books: Session) -> None:
    page = PROXY_PAGE.format(status=404)
    await books.fault("error_before", "GET", status=404, body=page)
    answer = await books.call("GET", "invoices")
    assert (answer.status_code, answer.text) == (404, page)
    assert answer.headers["content-type"].startswith("text/html")


async def test_an_answer_is_altered_and_keeps_what_was_not_named(books: Session) -> None:
    issued = await books.issued()
    await books.fault("alter", "GET", changes={"InvoiceNumber": None})
    altered = await books.get(f"invoices/{issued['ID']}")
    assert altered == issued | {"InvoiceNumber": None}
    assert await books.get(f"invoices/{issued['ID']}") == issued


# The stand-in's own doors


async def test_the_books_compare_equal_for_equal_work_in_another_order() -> None:
    views = []
    for names in (("A", "B"), ("B", "A")):
        async with sandbox() as books:
            for name in names:
                customer = await books.customer(name, CustomerNumber=100000 + ord(name))
                dimensions = {"_createguid": guid(), "DepartmentID": (await books.get("departments"))[0]["ID"]}
                await books.issued(CustomerID=customer["ID"], ExternalReference=name, DefaultDimensions=dimensions)
            view = (await books.client.get("/sandbox/books", params={"without_numbers": 1})).json()
            views.append(view["companies"])
    assert views[0] == views[1]
    invoice = next(iter(views[0].values()))["invoices"][0]
    assert (invoice["Customer"], invoice["DefaultDimensions"]) == (100065, {"Department": "1"})
    assert invoice["Items"][0]["Product"] == "1001"


async def test_calls_are_counted_by_route_and_action(books: Session) -> None:
    issued = await books.issued()
    calls = (await books.client.get("/sandbox/calls")).json()
    assert calls["counts"]["POST /api/biz/invoices"] == 1
    assert calls["counts"]["POST /api/biz/invoices/{id}?action=invoice"] == 1
    last = calls["calls"][-1]
    assert (last["method"], last["path"], last["status"]) == ("GET", f"/api/biz/invoices/{issued['ID']}", 200)
    assert (await books.client.get("/sandbox/books")).json()["calls"] == calls["counts"]


async def test_a_reset_empties_the_books_and_keeps_the_sign_in(books: Session) -> None:
    await books.issued()
    await books.fault("error_before")
    assert (await books.client.post("/sandbox/reset")).status_code == 204
    assert await books.get("invoices") == []
    assert (await books.issued())["InvoiceNumber"] == "3000000"


async def test_an_unknown_setting_is_refused(books: Session) -> None:
    path = f"/sandbox/companies/{books.headers['CompanyKey']}/settings"
    assert (await books.client.post(path, json={"LockedDate": "2026-10-05"})).status_code == 404
