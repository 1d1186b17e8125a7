"""A small world for flow tests: our service between the two stand-ins, every part over its own front door."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, text

from app.admin.tokens import ensure_operator
from app.cli.upkeep import verify_audit
from app.platform.http import httpx
from app.platform.resources import Resources, open_resources
from app.sandbox.recman import app as recman
from app.sandbox.recman.hooks import Delivery, deliver
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.unimicro import app as unimicro
from app.sandbox.unimicro.options import SandboxOptions
from app.settings import Settings
from app.tables import Key
from app.transfer.books import KnownBooks
from app.web import create_app
from app.worker import run_worker
from tests.canary import Canaries

TOKEN = "rmu_canary-operator-token"
RECMAN_KEY = "canary-recman-key"
CLIENT_SECRET = "canary-client-secret"
OURS = "http://ours.test"
RECMAN = "http://recman.test"
UNIMICRO = "http://unimicro.test"
COMPANY = "Nordlys Bemanning AS"
# Before every sample and case: what a test is not about is not old.
GO_LIVE = "2026-01-01"


@dataclass(slots=True, kw_only=True)
class World:
    """Handles on every part; `http` reaches all three apps by their made-up hosts."""

    resources: Resources
    http: httpx.AsyncClient
    recman: FastAPI
    unimicro: FastAPI
    tenant_id: UUID
    key_id: UUID
    hook: str
    unimicro_url: str = UNIMICRO
    recman_url: str = RECMAN

    @property
    def office(self) -> "Office":
        """The administrator's side."""
        return Office(self.http)

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str = TOKEN, tenant: UUID | None = None
    ) -> httpx.Response:
        """The answer to any call at one of our own addresses."""
        url = httpx.URL(f"{OURS}{path}")
        if tenant is not None:
            url = url.copy_merge_params({"tenant": str(tenant)})
        headers = {"Authorization": f"Bearer {token}"}
        return await self.http.request(method, url, json=body, headers=headers)

    async def hear(self, deliveries: Sequence[Delivery]) -> list[int]:
        """Post webhooks to our hook, one after the other."""
        return await deliver(self.http, f"{OURS}{self.hook}", deliveries)

    async def hear_of(self, scope: str, *record_ids: str | int) -> None:
        """Tell of changed records, each in a webhook of its own that looks like no earlier one."""
        for record_id in record_ids:
            note = await self.count("SELECT count(*) FROM event")
            body = f'{{"scope":"{scope}","operation":"insert","{scope}Id":{record_id},"note":{note}}}'
            assert await self.hear([Delivery(body=body)]) == [202]

    async def settle(self, *, seconds: float = 30) -> None:
        """Run a worker until no lane is ready, leased or waiting to be tried again."""
        stop = asyncio.Event()
        worker = asyncio.create_task(run_worker(self.resources, stop))
        try:
            async with asyncio.timeout(seconds):
                while await self.count(
                    "SELECT count(*) FROM lane WHERE state IN ('ready', 'leased') AND waits_for IS NULL"
                ):
                    # Looking costs the worker as much as a step of its own.
                    await asyncio.sleep(0.02)
                    if worker.done():
                        break
        finally:
            stop.set()
            await worker

    async def count(self, query: str) -> int:
        """The single number a query answers."""
        async with self.resources.engine.connect() as connection:
            return int((await connection.execute(text(query))).scalar_one())

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON behind one of our own addresses, as an operator."""
        answer = await self.http.get(f"{OURS}{path}", params=params, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        """The answer to a POST at one of our own addresses, as an operator."""
        return await self.http.post(f"{OURS}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"})

    async def transfers(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every transfer by kind and RecMan id."""
        rows = await self.get("/v1/transfers", limit=1000)
        return {(row["kind"], row["record_id"]): row for row in rows}

    async def books(self, *, without_numbers: bool = True) -> dict[str, Any]:
        """What the sandbox Unimicro has, in its comparable form; series numbers left out unless asked for."""
        params = {"without_numbers": int(without_numbers)}
        answer = await self.http.get(f"{self.unimicro_url}/sandbox/books", params=params)
        companies: dict[str, Any] = answer.json()["companies"]
        return companies

    async def invoices(self) -> list[dict[str, Any]]:
        """The invoices and credit notes of the key's company, with their numbers."""
        books = await self.books(without_numbers=False)
        return next(list(company["invoices"]) for company in books.values() if company["name"] == COMPANY)

    async def reset(self, *, keep_reference: bool = False) -> None:
        """Empty books and an empty log, with the same key and hook; what is kept of Unimicro's lists stays true."""
        await self.http.post(f"{self.unimicro_url}/sandbox/reset")
        if not keep_reference:
            self.resources.kept(KnownBooks).references.clear()
        self.resources.kept(KnownBooks).recipients.clear()
        async with self.resources.engine.begin() as connection:
            await connection.exec_driver_sql("TRUNCATE attempt, transfer, event, lane RESTART IDENTITY CASCADE")

    async def fault(self, fault: str, *, method: str | None = None, path: str, times: int = 1, **more: Any) -> None:
        """Make the sandbox Unimicro fail the next matching calls."""
        match = {"method": method, "path": path} | ({"query": more.pop("query")} if "query" in more else {})
        order = {"match": match, "fault": fault, "times": times, **more}
        answer = await self.http.post(f"{self.unimicro_url}/sandbox/faults", json=order)
        assert answer.is_success, answer.text


def make_settings(database_url: str, folder: Path, **changes: Any) -> Settings:
    """Settings for a world: short pauses, made-up hosts."""
    options = SandboxOptions()
    values: dict[str, Any] = {
        "DATABASE_URL": database_url,
        "data_dir": folder,
        "public_url": OURS,
        "bootstrap_token": SecretStr(TOKEN),
        "encryption_keys": SecretStr(Fernet.generate_key().decode()),
        "unimicro_client_id": options.client_id,
        "unimicro_client_secret": SecretStr(CLIENT_SECRET),
        "unimicro_read_lag_seconds": 0.05,
        "lease_seconds": 5,
        "poll_seconds": 0.05,
        "backoff_first_seconds": 0.02,
        "backoff_cap_seconds": 0.2,
        "recman_debounce_seconds": 0,
        "recman_daily_calls": 100_000,
        "recman_sweep_hours": 0,
    }
    return Settings(**values | changes)


@asynccontextmanager
async def open_world(
    database_url: str,
    folder: Path,
    *,
    sandbox: SandboxOptions | None = None,
    recman_options: RecmanOptions | None = None,
    apps: tuple[FastAPI, FastAPI] | None = None,
    unimicro_url: str = UNIMICRO,
    recman_url: str = RECMAN,
    connect: bool = True,
    checked: bool = True,
    **changes: Any,
) -> AsyncIterator[World]:
    """The world, with tenant, hook and (unless told otherwise) a key open to all departments."""
    hosts = {
        "unimicro_issuer": f"{unimicro_url}/identity",
        "unimicro_api_base": f"{unimicro_url}/",
        "unimicro_allowed_hosts": unimicro_url.removeprefix("http://"),
        "recman_api_base": recman_url,
    }
    settings = make_settings(database_url, folder, **hosts | changes)
    unimicro_app, recman_app = apps or (
        unimicro.create_app(
            sandbox or SandboxOptions(redirect_uris=(settings.redirect_uri,), client_secret=CLIENT_SECRET)
        ),
        recman.create_app(recman_options or RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}))),
    )
    async with AsyncExitStack() as stack:
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        if apps is None:
            mounts[UNIMICRO] = httpx.ASGITransport(app=unimicro_app)
            mounts[RECMAN] = httpx.ASGITransport(app=recman_app)
        http = await stack.enter_async_context(httpx.AsyncClient(mounts=mounts, timeout=10))
        resources = await stack.enter_async_context(open_resources(settings, database_url=database_url, http=http))
        ours = await stack.enter_async_context(_serve(resources))
        mounts[OURS] = httpx.ASGITransport(app=ours, raise_app_exceptions=False)
        canaries = Canaries(resources.engine)
        canaries.start()
        hooks: dict[str, list[Callable[..., Any]]] = {"response": [canaries.hear]}
        everywhere = await stack.enter_async_context(httpx.AsyncClient(mounts=mounts, timeout=10, event_hooks=hooks))
        async with resources.sessions.begin() as session:
            await ensure_operator(session, TOKEN)
        office = Office(everywhere)
        tenant_id = await office.make_tenant("Nordlys", recman_api_key=RECMAN_KEY)
        address = await office.make_hook(tenant_id)
        key_id = UUID(int=0)
        if connect:
            key_id = await office.make_key(tenant_id, name="Nordlys", company=COMPANY, checked=checked)
        yield World(
            resources=resources,
            http=everywhere,
            recman=recman_app,
            unimicro=unimicro_app,
            tenant_id=tenant_id,
            key_id=key_id,
            hook=address.removeprefix(OURS),
            unimicro_url=unimicro_url,
            recman_url=recman_url,
        )
        assert await canaries.find(*await _open_secrets(resources)) == []
        assert [chain for chain in await verify_audit(database_url) if not chain.fits] == []


@dataclass(frozen=True, slots=True)
class Office:
    """What an administrator does before the first invoice, over REST alone."""

    http: httpx.AsyncClient

    async def make_tenant(self, name: str, *, recman_api_key: str) -> UUID:
        """The id of a new tenant."""
        made = await self._post("/v1/tenants", {"name": name, "recman_api_key": recman_api_key})
        return UUID(made["id"])

    async def make_hook(self, tenant_id: UUID) -> str:
        """The whole address of a new hook."""
        made = await self._post(f"/v1/hooks?tenant={tenant_id}", {"name": "test"})
        return str(made["address"])

    async def make_token(self, tenant_id: UUID, role: str) -> str:
        """A new token's secret."""
        made = await self._post(f"/v1/tokens?tenant={tenant_id}", {"name": f"a {role}", "role": role})
        return str(made["token"])

    async def sign_in(self, tenant_id: UUID, **order: Any) -> dict[str, Any]:
        """What the callback tells, after a browser has followed every redirect."""
        begun = await self._post(f"/v1/keys/connect?tenant={tenant_id}", order)
        answer = await self.http.get(begun["authorize_url"], follow_redirects=True)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def make_key(self, tenant_id: UUID, *, name: str, company: str, checked: bool = True, **more: Any) -> UUID:
        """The id of a new key to the named company that may send, open to all departments unless told otherwise."""
        signed_in = await self.sign_in(tenant_id)
        company_key = next(one["key"] for one in signed_in["companies"] if one["name"] == company)
        order = {"pending_id": signed_in["pending_id"], "company_key": company_key, "name": name}
        order |= {"go_live": GO_LIVE, **more}
        made = await self._post(f"/v1/keys?tenant={tenant_id}", order)
        if checked:
            await self.check_customers(UUID(made["id"]))
        return UUID(made["id"])

    async def check_customers(self, key_id: UUID) -> dict[str, Any]:
        """The end of a customer check, which must be green."""
        path = f"{OURS}/v1/keys/{key_id}/customer-check"
        answer = await self.http.post(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.text
        check: dict[str, Any] = json.loads(answer.text.splitlines()[-1])
        assert check["state"] == "green", check
        return check

    async def _post(self, path: str, body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"{OURS}{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


async def _open_secrets(resources: Resources) -> list[str]:
    """The encryption key and every Unimicro token, in the clear, for the search at the end."""
    keys = resources.settings.encryption_keys
    secrets = [keys.get_secret_value()] if keys is not None else []
    async with resources.sessions() as session:
        for key in await session.scalars(select(Key)):
            for column, sealed in (("access_token", key.access_token), ("refresh_token", key.refresh_token)):
                if sealed is not None:
                    secrets.append(resources.vault.open(sealed, owner=f"key:{key.id}:{column}"))
    return secrets


@asynccontextmanager
async def _serve(resources: Resources) -> AsyncIterator[FastAPI]:
    @asynccontextmanager
    async def share() -> AsyncIterator[Resources]:
        yield resources

    app = create_app(share)
    async with app.router.lifespan_context(app):
        yield app
