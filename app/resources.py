"""What a process holds for its whole life: settings, engine, HTTP client, vault, caches."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
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
_NOTES_SECONDS = 86_400
# Records that lanes share for a moment; a page of RecMan has as many at most.
_MOST_RECORDS = 1000
_RECORD_SECONDS = 120
_SHELF_SECONDS = 600
_MOST_RECIPIENTS = 10_000
_RENEWED_SECONDS = 30


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
    """A hook as last seen and until when that may be believed, by the event loop's clock.

    `delay` is how long its records wait for others to be read with.
    """

    hook: Hook
    until: float
    delay: timedelta


@dataclass(slots=True)
class RecmanNotes:
    """What was learnt of one RecMan account: names it does not know, and on which page a scope's newest records are."""

    refused: set[str] = field(default_factory=set)
    page_of: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class CachedRecord:
    """A raw record as RecMan had it (None: it had none) when a reading began, by the database's clock."""

    raw: Mapping[str, Any] | None
    read_at: datetime


@dataclass(slots=True)
class Shelf:
    """One tenant's records that were read lately, so that many lanes share one call.

    `absent` are those that RecMan did not show, which may change any moment. `wanted` are ids that somebody waits for,
    `likely` those that will be asked for next; both by scope.
    """

    absent: MutableMapping[tuple[str, str], CachedRecord]
    records: MutableMapping[tuple[str, str], CachedRecord] = field(
        default_factory=lambda: TTLCache(_MOST_RECORDS, ttl=_RECORD_SECONDS)
    )
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    wanted: dict[str, set[str]] = field(default_factory=dict)
    likely: dict[str, dict[str, None]] = field(default_factory=dict)


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
    heard_headers: set[tuple[UUID, tuple[bytes, ...]]] = field(default_factory=set, repr=False)
    tries: Tries = field(default_factory=Tries)
    recman_notes: MutableMapping[UUID, RecmanNotes] = field(
        default_factory=lambda: TTLCache(_MOST_TENANTS, ttl=_NOTES_SECONDS)
    )
    # Keys whose token was refused and renewed a moment ago.
    renewed_keys: MutableMapping[UUID, bool] = field(
        default_factory=lambda: TTLCache(_MOST_TENANTS, ttl=_RENEWED_SECONDS)
    )
    # Cleared away after a while: whoever still holds an old one makes a call more, and memory stays small.
    shelves: MutableMapping[UUID, Shelf] = field(default_factory=lambda: TTLCache(_MOST_TENANTS, ttl=_SHELF_SECONDS))

    def notes_of(self, tenant_id: UUID) -> RecmanNotes:
        """What was learnt of a tenant's RecMan account; forgotten after a day, for rights change."""
        return self.recman_notes.setdefault(tenant_id, RecmanNotes())

    def shelf_of(self, tenant_id: UUID) -> Shelf:
        """The records of a tenant that were read lately."""
        absent: MutableMapping[tuple[str, str], CachedRecord] = TTLCache(
            _MOST_RECORDS, ttl=self.settings.recman_debounce_seconds
        )
        return self.shelves.setdefault(tenant_id, Shelf(absent))

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
