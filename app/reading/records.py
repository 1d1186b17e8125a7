"""Stop 5: the record as it is now, from RecMan's API or, for a tenant without API key, from the stored deliveries."""

from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from cachetools import TTLCache

from app.admin.departments import find_department, record_departments
from app.admin.tenants import open_recman_api_key
from app.domain.dimensions import Department, Project
from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.parties import Customer
from app.domain.reading import Purpose, Reading
from app.engine.retention import list_bodies
from app.errors import RemoteUnavailableError, System
from app.platform.db import Session, Sessions
from app.platform.resources import Resources
from app.reading.quota import open_gate
from app.reading.shared_reading import MOST_TENANTS, SharedReading, shelf_of
from app.reading.unshown import UnshownShare, WaryTenants
from app.recman.api.client import Gate, RecmanClient
from app.recman.api.notes import RecmanNotes
from app.recman.hook.copies import Delivered, list_copies
from app.recman.read.reader import Reader
from app.recman.read.spellings import COMPANY, Raw, read_id
from app.recman.read.translate import read_company, read_department, read_invoice, read_project
from app.tables import Tenant

T = TypeVar("T")

_MOST_PAGES = 500
# Invoices as they were read, by id; None where RecMan does not show one.
ReadInvoices = Mapping[str, Raw | None]
NOTHING: ReadInvoices = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Reads one tenant's records.

    `client` None means that payloads are all there is. Without `shared` every record is read for this reader alone, and
    nothing at all is written: what was read is not kept for others, departments are not stored. `known` are invoices
    that were read for it already, many in one call.
    """

    sessions: Sessions
    tenant_id: UUID
    client: RecmanClient | None
    shared: SharedReading | None
    known: ReadInvoices = field(default_factory=lambda: NOTHING)

    async def read_document(self, record_id: str) -> Document | Gaps | None:
        """The invoice or credit note, or None when RecMan does not have it.

        Raises:
            RemoteError: RecMan could not be read.
        """
        return await self._read("invoice", record_id, read_invoice)

    async def read_company(self, record_id: str) -> Customer | Gaps | None:
        """The company, the gaps that keep it from being mapped, or None when RecMan does not have it."""
        return await self._read("company", record_id, read_company)

    async def read_project(self, record_id: str) -> Project | Gaps | None:
        """The project, the gaps that keep it from being mapped, or None when RecMan does not list it."""
        return await self._read("project", record_id, read_project)

    async def read_department(self, record_id: str) -> Department | None:
        """The department; an unknown one makes us read the list again."""
        async with self.sessions() as session:
            known = await self.find_department(session, record_id)
        if known is not None or self.client is None:
            return known
        shared = self.shared
        raws = await (self.client.fetch_v1("department") if shared is None else shared.read_departments())
        departments = to_departments(raws)
        if shared is not None:
            async with self.sessions.begin() as session:
                await record_departments(session, tenant_id=self.tenant_id, departments=departments)
        return next((one for one in departments if one.recman_department_id == record_id), None)

    async def find_department(self, session: Session, record_id: str | None) -> Department | None:
        """The department, unless RecMan must be asked for it; None is none."""
        if record_id is None:
            return None
        return await find_department(session, tenant_id=self.tenant_id, recman_department_id=record_id)

    async def _read(self, scope: str, record_id: str, read: Callable[[Raw], T]) -> T | None:
        if self.client is None:
            return await self._read_payloads(scope, record_id, read)
        if scope == "invoice" and record_id in self.known:
            raw = self.known[record_id]
        elif self.shared is not None:
            raw = await self.shared.read(scope, record_id)
        else:
            raw = (await self.client.fetch(scope, [record_id]))[record_id]
        return None if raw is None else read(raw)

    async def _read_payloads(self, scope: str, record_id: str, read: Callable[[Raw], T]) -> T | None:
        """The newest copy that is complete; where none is, the newest, with its gaps."""
        async with self.sessions() as session:
            bodies = await list_bodies(session, tenant_id=self.tenant_id, scope=scope, record_id=record_id)
        deliveries = [Delivered(body, kind, operation) for _, body, kind, operation in bodies]
        newest: T | None = None
        for raw in list_copies(deliveries, scope=scope, record_id=record_id):
            found = read(raw)
            if not isinstance(found, Gaps):
                return found
            newest = newest or found
        return newest


_NOTES_SECONDS = 86_400


@dataclass(slots=True)
class KnownAccounts:
    """What was learnt of tenants' RecMan accounts; forgotten after a day, for rights change."""

    notes: MutableMapping[UUID, RecmanNotes] = field(default_factory=lambda: TTLCache(MOST_TENANTS, ttl=_NOTES_SECONDS))

    def of(self, tenant_id: UUID) -> RecmanNotes:
        """What was learnt of one tenant's account."""
        return self.notes.setdefault(tenant_id, RecmanNotes())


def open_reader(
    resources: Resources,
    tenant: Tenant,
    *,
    since: datetime,
    purpose: Purpose | None = None,
    about: tuple[str, str] | None = None,
) -> RecordReader:
    """The reader of a tenant's records as they are after `since`, shared with others.

    `about`: the record that somebody has named to us, and may have invented; others are named by RecMan's own.
    """
    gate = open_gate(resources.sessions, resources.settings, tenant, purpose=purpose)
    client = open_client(resources, tenant, gate=gate)
    shared = None
    if client is not None:
        shared = SharedReading(
            sessions=resources.sessions,
            tenant_id=tenant.id,
            client=client,
            gate=gate,
            shelf=shelf_of(resources, tenant.id),
            since=since,
            ahead_seconds=resources.settings.recman_debounce_seconds,
            unshown=_open_unshown(resources, tenant),
            about=about,
        )
    return RecordReader(resources.sessions, tenant.id, client, shared)


def _open_unshown(resources: Resources, tenant: Tenant) -> UnshownShare:
    reading = Reading.model_validate(tenant.reading)
    return UnshownShare(
        sessions=resources.sessions,
        tenant_id=tenant.id,
        zone=resources.settings.recman_day_zone,
        most=reading.most_unshown(daily_calls=reading.daily_calls or resources.settings.recman_daily_calls),
        wariness=resources.kept(WaryTenants).of(tenant.id),
    )


def open_lone_reader(resources: Resources, tenant: Tenant, *, known: ReadInvoices = NOTHING) -> RecordReader:
    """A reader of a tenant's records as they are now, that writes nothing anywhere."""
    return RecordReader(resources.sessions, tenant.id, open_client(resources, tenant), shared=None, known=known)


async def read_invoices(resources: Resources, tenant: Tenant, record_ids: Sequence[str]) -> ReadInvoices:
    """Invoices as RecMan has them now, in as few calls as it takes, for a reader's `known`.

    Shape: empty for a tenant without API key; None for what RecMan does not show.

    Raises:
        RemoteError: RecMan could not be read.
    """
    client = open_client(resources, tenant)
    return NOTHING if client is None else await client.fetch("invoice", record_ids)


def open_client(
    resources: Resources,
    tenant: Tenant,
    *,
    purpose: Purpose | None = None,
    gate: Gate | None = None,
    notes: RecmanNotes | None = None,
) -> RecmanClient | None:
    """RecMan's API for a tenant, every call of it counted; None when it has no key for it."""
    api_key = open_recman_api_key(resources.vault, tenant)
    if api_key is None:
        return None
    return RecmanClient(
        resources.http,
        base_url=resources.settings.recman_api_base,
        api_key=api_key,
        gate=gate or open_gate(resources.sessions, resources.settings, tenant, purpose=purpose),
        notes=notes or resources.kept(KnownAccounts).of(tenant.id),
    )


def to_departments(raws: Sequence[Raw]) -> list[Department]:
    """The departments that can be read; one without id or name is left out."""
    return [found for found in map(read_department, raws) if isinstance(found, Department)]


async def read_companies(client: RecmanClient) -> AsyncIterator[list[Raw]]:
    """All companies as RecMan gives them, page by page, each once.

    Shape: a page that brings nothing new is the last. RecMan's order may shift between two pages, so a company that
    changes meanwhile may be missed. Source: docs/facts/recman.md §2.7 [C].

    Raises:
        RemoteError: RecMan could not be read to the end.
    """
    seen: set[str] = set()
    for page in range(1, _MOST_PAGES + 1):
        rows = (await client.fetch_page("company", page)).rows
        by_id = {Reader(row, COMPANY, where="").find("id", read_id): row for row in rows}
        fresh = {key: row for key, row in by_id.items() if key is not None and key not in seen}
        if not fresh:
            return
        seen.update(fresh)
        yield list(fresh.values())
    raise RemoteUnavailableError(f"RecMan lists more companies than fit on {_MOST_PAGES} pages", system=System.RECMAN)
