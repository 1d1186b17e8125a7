"""A plain client of the sandbox Unimicro for these tests: signs in as a browser would, and keeps Decimals."""

import base64
import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import simplejson

from app.sandbox.faults import SandboxApp
from app.sandbox.unimicro.app import stand_at
from app.sandbox.unimicro.options import DEFAULT_REDIRECT_URI, SandboxOptions
from tests.world.stand_ins import borrow_unimicro, trust

API, ISSUER = "http://127.0.0.1:8100", "http://127.0.0.1:8101"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-of-pkce"
CLIENT = {"client_id": "recman-unimicro", "client_secret": "sandbox-secret"}
SCOPE = "AppFramework profile openid offline_access"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(slots=True)
class Session:
    """One signed-in client of one company."""

    client: httpx.AsyncClient
    app: SandboxApp
    headers: dict[str, str]

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        content = None if body is None else simplejson.dumps(body, use_decimal=True)
        target = path if path.startswith("/") else f"/api/biz/{path}"
        return await self.client.request(method, target, content=content, headers=self.headers, params=query or None)

    async def get(self, path: str, **query: Any) -> Any:
        return await self.expect(200, "GET", path, **query)

    async def expect(self, status: int, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self.call(method, path, body, **query)
        assert answer.status_code == status, answer.text
        return simplejson.loads(answer.content, use_decimal=True) if answer.content else None

    async def one(self, route: str, field: str, value: str) -> Any:
        rows = await self.get(route, filter=f"{field} eq '{value}'")
        assert [str(row[field]) for row in rows] == [value]
        return rows[0]

    async def fault(self, kind: str, method: str = "POST", path: str = "/api/biz/invoices", **more: Any) -> None:
        query = {"query": more.pop("query")} if "query" in more else {}
        body = {"match": {"method": method, "path": path, **query}, "fault": kind, **more}
        answer = await self.client.post("/sandbox/faults", json=body)
        assert answer.status_code == 201, answer.text

    async def customer(self, name: str = "Fjellheim Bygg AS", **more: Any) -> Any:
        return await self.expect(201, "POST", "customers", {"_createguid": guid(), "Info": {"Name": name}, **more})

    async def invoice_body(self, **more: Any) -> dict[str, Any]:
        customer_id = more.pop("CustomerID", None) or (await self.customer())["ID"]
        head = {"_createguid": guid(), "StatusCode": 10001, "CustomerID": customer_id, "InvoiceDate": "2026-10-05"}
        return head | {"PaymentDueDate": "2026-10-19", "Items": [await self.item()]} | more

    async def item(self, number: str = "1001", **more: Any) -> dict[str, Any]:
        product = await self.one("products", "PartName", number)
        line = {"_createguid": guid(), "ProductID": product["ID"], "NumberOfItems": 2, "PriceExVat": 100}
        return line | {"ItemText": product["Name"], "DiscountPercent": 0, "SortIndex": 1} | more

    async def draft(self, **more: Any) -> Any:
        return await self.expect(201, "POST", "invoices", await self.invoice_body(**more))

    async def issued(self, **more: Any) -> Any:
        draft = await self.draft(**more)
        await self.issue(draft["ID"])
        return await self.get(f"invoices/{draft['ID']}")

    async def issue(self, invoice_id: int, status: int = 204) -> Any:
        return await self.expect(status, "POST", f"invoices/{invoice_id}", action="invoice")


def guid() -> str:
    return str(uuid.uuid4())


def to_challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def authorize(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    query = {
        "client_id": CLIENT["client_id"],
        "redirect_uri": DEFAULT_REDIRECT_URI,
        "response_type": "code",
        "scope": SCOPE,
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": to_challenge(VERIFIER),
        "code_challenge_method": "S256",
        "prompt": "login",
    }
    return await client.get(f"{ISSUER}/connect/authorize", params=query | changes)


def to_callback(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def redeem(client: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": DEFAULT_REDIRECT_URI}
    form |= {"code_verifier": VERIFIER} | CLIENT | changes
    return await client.post(f"{ISSUER}/connect/token", data=form)


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token} | CLIENT
    return await client.post(f"{ISSUER}/connect/token", data=form)


async def sign_in(client: httpx.AsyncClient, **changes: str) -> Any:
    code = to_callback(await authorize(client, **changes))["code"]
    answer = await redeem(client, code)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def open_session(client: httpx.AsyncClient, app: SandboxApp, company: str = "Nordlys Bemanning AS") -> Session:
    tokens = await sign_in(client)
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "CompanyKey": app.state.world.company(company).key}
    return Session(client, app, headers)


def open_client(app: SandboxApp) -> httpx.AsyncClient:
    stand_at(app, api=API, issuer=ISSUER)
    mounts = {API: httpx.ASGITransport(app=app), ISSUER: httpx.ASGITransport(app=app.state.identity)}
    return httpx.AsyncClient(mounts=mounts, base_url=API, verify=trust())


@asynccontextmanager
async def sandbox(**options: Any) -> AsyncIterator[Session]:
    with borrow_unimicro(SandboxOptions(**options)) as app:
        async with open_client(app) as client:
            yield await open_session(client, app)
