"""What a process holds for its whole life: settings, engine, HTTP client, vault, caches."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cachetools import TTLCache
from sqlalchemy.ext.asyncio import AsyncEngine

from app.crypto import Vault
from app.db import Pool, Sessions, create_engine, create_pool, create_sessions
from app.domain.parties import Recipient
from app.domain.reference import Reference
from app.errors import ServiceError, TooManyTriesError
from app.http import httpx, new_client
from app.settings import Settings
from app.slots import Slots
from app.tables import Hook

_MOST_ADDRESSES = 10_000
_MOST_TENANTS = 10_000
_REFUSED_SECONDS = 86_400
_MOST_RECIPIENTS = 10_000


class EncryptionKeyMissingError(ServiceError):
    """Secrets cannot be stored without a key."""

    code = "encryption_key_missing"


@dataclass(slots=True)
class CachedReference:
    """Reference data of one key and when its reading began, by the database's clock."""

    reference: Reference
    read_at: datetime


class Tries:
    """Wrong tokens per address and minute, counted in this process."""

    def __init__(self, *, most: int = 10, seconds: float = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._noted: dict[str, list[float]] = {}

    def check(self, address: str) -> None:
        """Let the address through, or not.

        Raises:
            TooManyTriesError: it has sent too many wrong tokens within the last minute.
        """
        recent = [moment for moment in self._noted.get(address, ()) if moment > self._clock() - self._seconds]
        if len(recent) >= self._most:
            raise TooManyTriesError(
                "Too many wrong tokens from your address", fix="Wait a minute, then use a valid one."
            )

    def note(self, address: str) -> None:
        """Count a wrong token."""
        now = self._clock()
        if len(self._noted) > _MOST_ADDRESSES:
            self._noted = {key: moments for key, moments in self._noted.items() if moments[-1] > now - self._seconds}
        recent = [moment for moment in self._noted.get(address, ()) if moment > now - self._seconds]
        self._noted[address] = [*recent, now]


@dataclass(slots=True)
class CachedHook:
    """A hook as last seen and until when that may be believed, by the event loop's clock."""

    hook: Hook
    until: float


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
    references: dict[UUID, CachedReference] = field(default_factory=dict)
    recipients: dict[UUID, MutableMapping[int, Recipient]] = field(default_factory=dict)
    cleared_keys: set[UUID] = field(default_factory=set)
    reference_locks: dict[UUID, asyncio.Lock] = field(default_factory=dict)
    hooks: dict[str, CachedHook] = field(default_factory=dict, repr=False)
    tries: Tries = field(default_factory=Tries)
    refused_names: MutableMapping[UUID, set[str]] = field(
        default_factory=lambda: TTLCache(_MOST_TENANTS, ttl=_REFUSED_SECONDS)
    )

    def refused_by_recman(self, tenant_id: UUID) -> set[str]:
        """The names that a tenant's RecMan account does not know; asked again after a day, for rights change."""
        return self.refused_names.setdefault(tenant_id, set())

    def recipients_of(self, key_id: UUID) -> MutableMapping[int, Recipient]:
        """What a key's customers look like on an invoice, believed for as long as the other reference data."""
        seconds = self.settings.unimicro_reference_seconds
        return self.recipients.setdefault(key_id, TTLCache(_MOST_RECIPIENTS, ttl=seconds))


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
