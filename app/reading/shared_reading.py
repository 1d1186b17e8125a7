"""Reading raw records of RecMan so that many lanes share one call: RecMan counts calls, and a day has few.

Whoever needs a record takes along what others wait for. A record from the shelf is as good as one read now when its
reading began after the newest hint of whoever asks.
"""

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cachetools import TTLCache

from app.engine.lanes import list_waiting, record_peek
from app.errors import RemoteRejectedError
from app.platform.db import Sessions, load_horizon
from app.platform.resources import Resources
from app.reading.quota import Gate
from app.reading.unshown import UnshownShare
from app.recman.api.client import RecmanClient
from app.recman.read.reader import Reader
from app.recman.read.spellings import INVOICE, Raw, read_link

_MOST_ALONG = 1000
# What an invoice will need next, by the name of its field.
_NEXT = {"company": "company_id", "project": "project_id"}
MOST_TENANTS = 10_000
# Records that lanes share for a moment; a page of RecMan has as many at most.
_MOST_RECORDS = 1000
_RECORD_SECONDS = 120
_SHELF_SECONDS = 600


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
class Shelves:
    """The shelf of each tenant.

    Cleared away after a while: whoever still holds an old one makes a call more, and memory stays small.
    """

    by_tenant: MutableMapping[UUID, Shelf] = field(default_factory=lambda: TTLCache(MOST_TENANTS, ttl=_SHELF_SECONDS))


def shelf_of(resources: Resources, tenant_id: UUID) -> Shelf:
    """The records of a tenant that were read lately."""
    absent: MutableMapping[tuple[str, str], CachedRecord] = TTLCache(
        _MOST_RECORDS, ttl=resources.settings.recman_debounce_seconds
    )
    return resources.kept(Shelves).by_tenant.setdefault(tenant_id, Shelf(absent))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedReading:
    """The shared reading of one tenant's records; a record read before `since` is read again.

    `ahead_seconds` is how far into the future a lane may be due whose record is taken along. `about` is the record that
    a hint has named, and that RecMan may never have had.
    """

    sessions: Sessions
    tenant_id: UUID
    client: RecmanClient
    gate: Gate
    shelf: Shelf
    since: datetime
    ahead_seconds: float
    unshown: UnshownShare
    about: tuple[str, str] | None = None

    async def read(self, scope: str, record_id: str) -> Raw | None:
        """The record, or None when RecMan does not show it.

        Raises:
            RemoteError: RecMan could not be read.
        """
        wanted = self.shelf.wanted.setdefault(scope, set())
        wanted.add(record_id)
        # One reading at a time: whoever waited finds what the one before it brought along.
        async with self.shelf.locks.setdefault(scope, asyncio.Lock()):
            wanted.discard(record_id)
            found = self._find(scope, record_id) or await self._fetch(scope, record_id)
            return found.raw

    async def read_departments(self) -> Sequence[Raw]:
        """All departments; one reading serves everybody whose hint came before it.

        Raises:
            RemoteError: RecMan could not be read.
        """
        place = ("department", "")
        async with self.shelf.locks.setdefault("department", asyncio.Lock()):
            found = self._find(*place)
            if found is None:
                async with self.sessions() as session:
                    read_at = await load_horizon(session)
                rows = await self.client.fetch_v1("department")
                found = self.shelf.records[place] = CachedRecord({"rows": rows}, read_at)
            return found.raw["rows"] if found.raw is not None else ()

    def _find(self, scope: str, record_id: str) -> CachedRecord | None:
        place = (scope, record_id)
        found = self.shelf.records.get(place) or self.shelf.absent.get(place)
        return found if found is not None and found.read_at > self.since else None

    async def _fetch(self, scope: str, record_id: str) -> CachedRecord:
        is_hint = (scope, record_id) == self.about and record_id not in self.shelf.likely.get(scope, ())
        if is_hint:
            await self.unshown.require(scope, record_id)
        likely, calls = self.shelf.likely.setdefault(scope, {}), self.client.calls
        async with self.sessions.begin() as session:
            await self.gate.enter_along(session, scope)
            read_at = await load_horizon(session)
            waiting = await list_waiting(
                session, tenant_id=self.tenant_id, scope=scope, ahead_seconds=self.ahead_seconds, most=_MOST_ALONG
            )
            # Those who wait now come first, then what lanes are due for, then what will be needed.
            along = [*self.shelf.wanted[scope], *waiting, *likely]
            # Committed before RecMan is asked: whatever is heard from now on may be newer than what is read.
            along = await record_peek(session, tenant_id=self.tenant_id, scope=scope, record_id=record_id, along=along)
        try:
            rows = await self.client.fetch(scope, [record_id], also=along)
        except RemoteRejectedError:
            if not along:
                raise
            # One record that RecMan cannot digest must not stop the others.
            rows = await self.client.fetch(scope, [record_id])
        for one, raw in rows.items():
            likely.pop(one, None)
            self._keep(scope, one, CachedRecord(raw, read_at))
        if scope == "invoice":
            self._note_next(raw for raw in rows.values() if raw is not None)
        if is_hint and rows.get(record_id) is None:
            # One call was worth its while where it has shown any other record.
            spent = self.client.calls - calls - any(raw is not None for raw in rows.values())
            await self.unshown.note(scope, record_id, spent)
        return CachedRecord(rows.get(record_id), read_at)

    def _keep(self, scope: str, record_id: str, record: CachedRecord) -> None:
        kept, other = self.shelf.records, self.shelf.absent
        if record.raw is None:
            kept, other = other, kept
        kept[scope, record_id] = record
        other.pop((scope, record_id), None)

    def _note_next(self, invoices: Iterable[Raw]) -> None:
        for raw in invoices:
            reader = Reader(raw, INVOICE, where="")
            for scope, link in _NEXT.items():
                likely = self.shelf.likely.setdefault(scope, {})
                found = reader.guess(link, read_link)
                if found is not None and len(likely) < _MOST_ALONG:
                    likely[found] = None
