"""What a process holds for its whole life: settings, sessions, HTTP client, vault; rooms keep what is theirs in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import EncryptionKeyMissingError
from app.platform.crypto import Vault
from app.platform.db import APPLICATION, Sessions, create_engine, create_sessions, engine_of, of_tenant
from app.platform.http import httpx, new_client
from app.settings import Settings

T = TypeVar("T")


@runtime_checkable
class Closable(Protocol):
    """What holds something open and must be told when its process ends."""

    async def close(self) -> None:
        """Give everything back."""


@dataclass(slots=True)
class Resources:
    """Shared by API and worker of one process; closed by `open_resources`.

    What only one room needs is no field here: the room keeps it with `kept`.
    """

    settings: Settings
    sessions: Sessions
    http: httpx.AsyncClient
    vault: Vault
    _kept: dict[type[Any], Any] = field(default_factory=dict, repr=False)

    @property
    def engine(self) -> AsyncEngine:
        """The engine under the sessions, for what needs a connection of its own."""
        return engine_of(self.sessions)

    def of_tenant(self, tenant_id: UUID) -> "Resources":
        """The same, with sessions that are limited to this tenant; what rooms keep is shared."""
        return replace(self, sessions=of_tenant(self.sessions, tenant_id))

    def kept(self, kind: type[T], make: Callable[[], T] | None = None) -> T:
        """What a room remembers, or holds open, while this process lives: a `kind` of its own, made at the first look.

        One that can be closed is closed at the end.
        """
        found: T | None = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = (make or kind)()
        return found

    async def close_kept(self) -> None:
        """Close what rooms hold open; what they remember is forgotten with it."""
        for one in self._kept.values():
            if isinstance(one, Closable):
                await one.close()
        self._kept.clear()


@asynccontextmanager
async def open_resources(
    settings: Settings,
    *,
    database_url: str,
    http: httpx.AsyncClient | None = None,
    engine: AsyncEngine | None = None,
    label: str = APPLICATION,
) -> AsyncIterator[Resources]:
    """Everything a process needs, closed again at the end but what was handed in: tests have their `http` and `engine`.

    Raises:
        EncryptionKeyMissingError: RMU_ENCRYPTION_KEYS is not set.
    """
    if settings.encryption_keys is None:
        raise EncryptionKeyMissingError(
            "RMU_ENCRYPTION_KEYS is not set, so no secret could be stored safely",
            fix="Make a key with `recman-unimicro doctor --new-key` and set RMU_ENCRYPTION_KEYS to it.",
        )
    vault = Vault(settings.encryption_keys.get_secret_value())
    size, pooled = settings.session_connections, settings.database_pooled
    wait = settings.connection_wait_seconds
    connects = engine or create_engine(database_url, pool_size=size, wait_seconds=wait, pooled=pooled, label=label)
    client = http or new_client()
    resources = Resources(settings=settings, sessions=create_sessions(connects), http=client, vault=vault)
    try:
        yield resources
    finally:
        await resources.close_kept()
        if http is None:
            await client.aclose()
        if engine is None:
            await connects.dispose()
