"""How a world comes to be: parts start, tenant, hook and key are made; at its end it is searched for secrets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select

from app.admin.audit import check_chains
from app.admin.tokens import ensure_operator
from app.platform.http import httpx
from app.platform.resources import Resources, open_resources
from app.sandbox.faults import SandboxApp
from app.sandbox.recman.store import RecmanOptions
from app.sandbox.unimicro.app import stand_at
from app.sandbox.unimicro.options import SandboxOptions
from app.settings import Settings
from app.tables import Key
from app.web import create_app
from tests.world.canary import Canaries
from tests.world.databases import borrow_engine
from tests.world.furniture import FURNITURE, PACE, put_furniture, take_furniture
from tests.world.names import CLIENT_SECRET, COMPANY, IDENTITY, OURS, RECMAN, RECMAN_KEY, TOKEN, UNIMICRO
from tests.world.pooler import to_service
from tests.world.stand_ins import borrow_recman, borrow_unimicro, trust
from tests.world.workers import PATIENCE
from tests.world.world import World

Hear = Callable[[httpx.Response], Awaitable[None]]


@cache
def _encryption_key() -> str:
    return Fernet.generate_key().decode()


def make_settings(database_url: str, folder: Path, **changes: Any) -> Settings:
    """Settings for a world: short pauses, made-up hosts."""
    options = SandboxOptions()
    values: dict[str, Any] = {
        **to_service(database_url),
        "data_dir": folder,
        "connection_wait_seconds": PATIENCE,
        "public_url": OURS,
        "bootstrap_token": SecretStr(TOKEN),
        "encryption_keys": SecretStr(_encryption_key()),
        "unimicro_client_id": options.client_id,
        "unimicro_client_secret": SecretStr(CLIENT_SECRET),
        "unimicro_read_lag_seconds": 0.05,
        # Steady state stays so on a slow machine.
        "unimicro_confirm_seconds": 60,
        # No lease is lost to a slow machine; who kills a worker chooses a short one.
        "lease_seconds": 60,
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
    apps: tuple[SandboxApp, FastAPI] | None = None,
    unimicro_url: str = UNIMICRO,
    identity_url: str = IDENTITY,
    recman_url: str = RECMAN,
    connect: bool = True,
    checked: bool = True,
    **changes: Any,
) -> AsyncIterator[World]:
    """The world, with tenant, hook and (unless told otherwise) a key open to all departments."""
    settings = make_settings(database_url, folder, **_name_hosts(unimicro_url, identity_url, recman_url) | changes)
    is_plain = sandbox is None and recman_options is None and apps is None and changes.keys() <= PACE
    furniture = FURNITURE.get((connect, checked)) if is_plain else None
    async with AsyncExitStack() as stack:
        unimicro_app, recman_app = apps or _borrow_stand_ins(stack, settings, sandbox, recman_options)
        stand_at(unimicro_app, api=unimicro_url, issuer=identity_url)
        mounts = {} if apps else _mount_stand_ins(unimicro_app, recman_app)
        http = await stack.enter_async_context(_open_http(mounts))
        url = str(settings.database_url)
        lent = borrow_engine(url, pooled=settings.database_pooled)
        stack.push_async_callback(lent.give_back)
        opened = open_resources(settings, database_url=url, http=http, engine=lent.engine)
        resources = await stack.enter_async_context(opened)
        mounts[OURS] = await stack.enter_async_context(_serve(resources))
        canaries = Canaries(resources.engine)
        canaries.start(furniture.told if furniture else ((), ()))
        everywhere = await stack.enter_async_context(_open_http(mounts, hear=canaries.hear))
        world = World(
            resources=resources,
            http=everywhere,
            recman=recman_app,
            unimicro=unimicro_app,
            unimicro_url=unimicro_url,
            recman_url=recman_url,
        )
        if furniture is None:
            await _furnish(world, connect=connect, checked=checked)
            if is_plain:
                FURNITURE[connect, checked] = await take_furniture(world, told=canaries.told)
        else:
            await put_furniture(world, furniture)
        yield world
        await _look_around(resources, canaries)


def _name_hosts(unimicro_url: str, identity_url: str, recman_url: str) -> dict[str, Any]:
    """The settings that say where the two systems are."""
    return {
        "unimicro_issuer": identity_url,
        "unimicro_api_base": f"{unimicro_url}/",
        "unimicro_allowed_hosts": unimicro_url.removeprefix("http://"),
        "recman_api_base": recman_url,
    }


def _mount_stand_ins(unimicro_app: SandboxApp, recman_app: FastAPI) -> dict[str, httpx.AsyncBaseTransport | None]:
    """The stand-ins at their made-up hosts; whoever brings their own is reached over sockets."""
    hosts = {UNIMICRO: unimicro_app, IDENTITY: unimicro_app.state.identity, RECMAN: recman_app}
    return {host: httpx.ASGITransport(app=app) for host, app in hosts.items()}


def _borrow_stand_ins(
    stack: AsyncExitStack, settings: Settings, sandbox: SandboxOptions | None, recman_options: RecmanOptions | None
) -> tuple[SandboxApp, FastAPI]:
    """Unimicro's and RecMan's, of whom this world's client and key are known."""
    plain = SandboxOptions(redirect_uris=(settings.redirect_uri,), client_secret=CLIENT_SECRET)
    ours = RecmanOptions(daily_quota=100_000, keys=frozenset({RECMAN_KEY}))
    return (
        stack.enter_context(borrow_unimicro(sandbox or plain)),
        stack.enter_context(borrow_recman(recman_options or ours)),
    )


async def _furnish(world: World, *, connect: bool, checked: bool) -> None:
    """Tenant, hook and key, each by its own door."""
    async with world.resources.sessions.begin() as session:
        await ensure_operator(session, TOKEN)
    world.tenant_id = await world.office.make_tenant("Nordlys", recman_api_key=RECMAN_KEY)
    world.hook = (await world.office.make_hook(world.tenant_id)).removeprefix(OURS)
    if connect:
        made = world.office.make_key(world.tenant_id, name="Nordlys", company=COMPANY, checked=checked)
        world.key_id = await made


async def _look_around(resources: Resources, canaries: Canaries) -> None:
    """Whatever a test was about: no secret got out, and the audit trail fits."""
    assert await canaries.find(*await _open_secrets(resources)) == []
    async with resources.sessions() as session:
        assert [chain for chain in await check_chains(session) if not chain.fits] == []


@asynccontextmanager
async def open_slow_world(database_url: str, folder: Path) -> AsyncIterator[World]:
    """A world that leaves time between two tries."""
    async with open_world(database_url, folder, backoff_first_seconds=20, backoff_cap_seconds=20) as world:
        yield world


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


def _open_http(mounts: dict[str, httpx.AsyncBaseTransport | None], hear: Hear | None = None) -> httpx.AsyncClient:
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [hear]} if hear else {}
    return httpx.AsyncClient(mounts=mounts, timeout=10, event_hooks=hooks, verify=trust())


@asynccontextmanager
async def _serve(resources: Resources) -> AsyncIterator[httpx.ASGITransport]:
    """Our API over these resources; the application is made once, for its routes take long to build."""
    door = _DOORS.pop() if _DOORS else Door()
    door.resources = resources
    async with door.app.router.lifespan_context(door.app):
        yield httpx.ASGITransport(app=door.app, raise_app_exceptions=False)
    _DOORS.append(door)


class Door:
    """Our API as an application, which may serve one world after the other."""

    resources: Resources

    def __init__(self) -> None:
        self.app = create_app(self._share)

    @asynccontextmanager
    async def _share(self) -> AsyncIterator[Resources]:
        yield self.resources


_DOORS: list[Door] = []
