"""Tables about RecMan itself: calls used, sweeps, what they saw, how it spells, what its webhooks look like."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from app.domain.states import SweepState
from app.tables.base import NOW, Table, TenantOwned, one_of, refers_to


class RecmanQuota(TenantOwned, Table):
    """The calls to RecMan of one tenant and day; `strikes` counts RecMan's own refusals.

    `unshown`: how many of them went to ids that RecMan did not show, and never had.

    Owner: reading.quota.
    """

    __tablename__ = "recman_quota"

    day: Mapped[date] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(server_default="0")
    by_purpose: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    strikes: Mapped[int] = mapped_column(server_default="0")
    unshown: Mapped[int] = mapped_column(server_default="0")
    paused_until: Mapped[datetime | None]
    pause_reason: Mapped[str | None]
    pause_fix: Mapped[str | None]


class Sweep(TenantOwned, Table):
    """One reading of everything RecMan lists, or of invoices of a time.

    `scope` and `page` are where it goes on; `trouble` is why it waits.

    Owner: sweep.
    """

    __tablename__ = "sweep"
    __table_args__ = (
        one_of("kind", "sweep", "backfill"),
        one_of("state", *SweepState),
        Index("ix_sweep_started", "tenant_id", "started_at", "id"),
        Index("uq_sweep_running", "tenant_id", "kind", unique=True, postgresql_where=text("state = 'running'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=SweepState.RUNNING)
    wanted: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    scope: Mapped[str]
    page: Mapped[int] = mapped_column(server_default="1")
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_by: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]


class ListedDocument(TenantOwned, Table):
    """A document that a backfill's dry run listed, as it was then. Append only.

    `key_id` and `before_go_live` are what routing said of it.

    Owner: sweep.listed.
    """

    __tablename__ = "listed_document"
    __table_args__ = (refers_to("sweep", "sweep_id", ondelete="CASCADE"), refers_to("key", "key_id"))

    sweep_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    invoice_date: Mapped[date]
    currency: Mapped[str]
    gross_amount: Mapped[Decimal | None]
    key_id: Mapped[UUID | None]
    before_go_live: Mapped[bool]


class RecmanRecord(TenantOwned, Table):
    """What a sweep last saw of one record, as hashes.

    Shape: `content_hash` is what was passed on last, None when nothing was; `change` is what is still to be told, with
    `next_hash` taking its place then. `misses` counts the sweeps in a row that did not see it.

    Owner: sweep.sightings. Readers: reading.unshown.
    """

    __tablename__ = "recman_record"
    __table_args__ = (
        one_of("change", "new", "changed", "gone"),
        Index("ix_recman_record_change", "tenant_id", "scope", postgresql_where=text("change IS NOT NULL")),
        # Every sweep touches every row: leave room for updates in place.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    scope: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[bytes | None]
    next_hash: Mapped[bytes | None]
    change: Mapped[str | None]
    seen_sweep: Mapped[int] = mapped_column(BigInteger)
    misses: Mapped[int] = mapped_column(server_default="0")


class FieldProfile(TenantOwned, Table):
    """How a tenant's RecMan spells one scope, as a probe found it: names and types, never values.

    Shape: `fields` maps a name to its types and whether every record had it; `drift` lists what differed later.

    Owner: sweep.profiles.
    """

    __tablename__ = "field_profile"
    __table_args__ = (one_of("outcome", "readable", "empty", "refused"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    detail: Mapped[str] = mapped_column(server_default="")
    by_id: Mapped[bool | None]
    records: Mapped[int] = mapped_column(server_default="0")
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    refused: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    drift: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    probed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class HookHeaders(TenantOwned, Table):
    """One set of header names that came to a hook; values are never kept.

    Owner: admin.hook_headers.
    """

    __tablename__ = "hook_headers"
    __table_args__ = (refers_to("hook", "hook_id"),)

    hook_id: Mapped[UUID] = mapped_column(primary_key=True)
    names_hash: Mapped[bytes] = mapped_column(primary_key=True)
    names: Mapped[list[Any]]
    first_at: Mapped[datetime] = mapped_column(server_default=NOW)


class HookShape(TenantOwned, Table):
    """One shape of deliveries that came to a hook, names and types alone; `count` of those that were described.

    Owner: admin.hook_shapes.
    """

    __tablename__ = "hook_shape"
    __table_args__ = (refers_to("hook", "hook_id"),)

    hook_id: Mapped[UUID] = mapped_column(primary_key=True)
    shape_hash: Mapped[bytes] = mapped_column(primary_key=True)
    shape: Mapped[str]
    count: Mapped[int] = mapped_column(BigInteger, server_default="1")


class RecordCopy(TenantOwned, Table):
    """A delivery that is kept longer than others: nothing newer says all of its record, and RecMan cannot be asked.

    `id` is that of the event that it came with.

    Owner: engine.retention.
    """

    __tablename__ = "record_copy"
    __table_args__ = (Index("ix_record_copy_record", "tenant_id", "scope", "record_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope: Mapped[str]
    record_id: Mapped[str]
    operation: Mapped[str | None]
    content_type: Mapped[str | None]
    body: Mapped[bytes]
    received_at: Mapped[datetime]
