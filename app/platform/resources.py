"""What a process holds for its whole life: settings, sessions, HTTP client, vault; rooms keep their caches in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.reasons.codes import Code
from app.errors import ServiceError
from app.platform.crypto import Vault
from app.platform.db import Pool, Sessions, create_engine, create_pool, create_sessions
from app.platform.http import httpx, new_client
from app.platform.slots import Slots
from app.settings import Settings

T = TypeVar("T")


class EncryptionKeyMissingError(ServiceError):
    """Secrets cannot be stored without a key."""

    code = Code.ENCRYPTION_KEY_MISSING


@dataclass(slots=True)
class Resources:
    """Shared by API and worker of one process; closed by `open_resources`.

    `pool` holds bare driver connections for the acknowledging of webhooks; everything else uses `sessions`.
    """

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    pool: Pool
    http: httpx.AsyncClient
    vault: Vault
    slots: Slots
    work_accepted: asyncio.Event = field(default_factory=asyncio.Event)
    work_arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _kept: dict[type[Any], Any] = field(default_factory=dict, init=False, repr=False)

    def kept(self, kind: type[T]) -> T:
        """What a room remembers while this process lives: a `kind` of its own, empty at the first look."""
        found: T | None = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = kind()
        return found


@asynccontextmanager
async def open_resources(
    settings: Settings, *, database_url: str, http: httpx.AsyncClient | None = None
) -> AsyncIterator[Resources]:
    """Everything a process needs, closed again at the end; tests hand in their own `http`.

    Raises:
        EncryptionKeyMissingError: RMU_ENCRYPTION_KEYS is not set.
    """
    if settings.encryption_keys is None:
        raise EncryptionKeyMissingError(
            "RMU_ENCRYPTION_KEYS is not set, so no secret could be stored safely",
            fix="Make a key with `recman-unimicro doctor --new-key` and set RMU_ENCRYPTION_KEYS to it.",
        )
    vault = Vault(settings.encryption_keys.get_secret_value())
    engine = create_engine(database_url)
    pool = await create_pool(database_url)
    client = http or new_client()
    slots = Slots(database_url, most=settings.unimicro_parallel_calls)
    try:
        yield Resources(
            settings=settings,
            engine=engine,
            sessions=create_sessions(engine),
            pool=pool,
            http=client,
            vault=vault,
            slots=slots,
        )
    finally:
        await slots.close()
        if http is None:
            await client.aclose()
        await pool.close()
        await engine.dispose()
