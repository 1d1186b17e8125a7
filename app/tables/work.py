"""Tables about the work: lanes, events, transfers with their attempts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from app.domain.policies import MatchedBy
from app.domain.states import EventState, LaneState, TransferState
from app.tables.base import NOW, Table, TenantOwned, one_of, refers_to
from app.tables.pages import list_transfer_pages


class Lane(TenantOwned, Table):
    """The queue of one record: in order, one at a time.

    `peeks` counts how often its record was read, also by others, before the lane itself had its turn. `known` holds
    the keys of what it has heard and not read, the newest last (engine.inbox).

    Owner: engine. Readers: transfer.
    """

    __tablename__ = "lane"
    __table_args__ = (
        UniqueConstraint("tenant_id", "scope", "record_id"),
        one_of("state", *LaneState),
        Index("ix_lane_ready", "tenant_id", "run_at", postgresql_where=text("state = 'ready'")),
        Index("ix_lane_leased", "leased_until", postgresql_where=text("state = 'leased'")),
        Index("ix_lane_waits", "tenant_id", "waits_for", postgresql_where=text("waits_for IS NOT NULL")),
        # Hot rows: leave room for updates in place.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    scope: Mapped[str]
    record_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=LaneState.READY)
    seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    seen_seq: Mapped[int] = mapped_column(BigInteger, server_default="0")
    peeks: Mapped[int] = mapped_column(BigInteger, server_default="0")
    known: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))
    run_at: Mapped[datetime] = mapped_column(server_default=NOW)
    leased_until: Mapped[datetime | None]
    token: Mapped[UUID | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    failing_since: Mapped[datetime | None]
    waits_for: Mapped[str | None]


class Event(TenantOwned, Table):
    """One received or swept hint that a record may have changed.

    A delivery that means nothing has no lane and is `ignored` with the reason in `note`; one of a hook that records
    first has no lane either and is `recorded` until it is released.

    Its lane is no foreign key: lanes are never deleted, the one statement that stores a hint takes the id from the row
    that it has just written, and every delivery would pay for looking at that row once more.

    Owner: engine. Readers: clerk.job_documents.
    """

    __tablename__ = "event"
    __table_args__ = (
        one_of("state", *EventState),
        refers_to("hook", "hook_id"),
        Index("ix_event_lane", "tenant_id", "lane_id", "seq"),
        Index("ix_event_received", "tenant_id", "received_at", "id"),
        # Operators look through all of them.
        Index("ix_event_all", "received_at", "id"),
        Index("ix_event_state", "tenant_id", "state", "received_at", "id", postgresql_where=text("state <> 'done'")),
        Index("ix_event_job", "tenant_id", "source", postgresql_where=text("source LIKE 'job:%'")),
        Index(
            "ix_event_unnamed",
            "tenant_id",
            "received_at",
            postgresql_where=text("record_id IS NULL AND scope IS NOT NULL"),
        ),
        Index("ix_event_recorded", "tenant_id", "hook_id", "id", postgresql_where=text("state = 'recorded'")),
        # Old months are dropped, not deleted (platform.months).
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    hook_id: Mapped[UUID | None]
    source: Mapped[str] = mapped_column(server_default="webhook")
    scope: Mapped[str | None]
    record_id: Mapped[str | None]
    operation: Mapped[str | None]
    lane_id: Mapped[int | None] = mapped_column(BigInteger)
    seq: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(server_default=EventState.WAITING)
    note: Mapped[str | None]
    content_type: Mapped[str | None]
    body: Mapped[bytes | None]
    received_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=NOW)
    ended_at: Mapped[datetime | None]


class EventKey(TenantOwned, Table):
    """By what an equal delivery without a lane is known: until `until`, or until its hook lets go of what it recorded.

    Not written to the log that survives a crash: a delivery that comes again after one is kept once more.

    Owner: engine.
    """

    __tablename__ = "event_key"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy's own name for it

    # Without a foreign key: a table that survives no crash needs none.
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)
    dedupe: Mapped[bytes] = mapped_column(primary_key=True)
    hook_id: Mapped[UUID | None]
    until: Mapped[datetime | None]


class Transfer(TenantOwned, Table):
    """The life of one record towards one key.

    Units: amounts in the document's currency, positive also on a credit note. `unclear`: a write was begun and its
    outcome never recorded, whatever became of the record since; it is looked for before anything is sent again.
    `fingerprint`: number, department and content, equal for doubles; `claimed`: the fingerprint that this document
    alone may be sent with. `not_same`: a person said that it is no double.
    `country` is a customer's, by RecMan, as VAT sees it (domain.buyers).
    `offer` is what was found in Unimicro of a document dated before the key's go-live day, and which key's books were
    searched; `decision` is a person's about such a document, `decided_on` the id of the offer that was seen then.
    `kid` is an invoice's, without blanks; `kid_allowed`: a person said that this customer's invoices may share it.
    `booked_as` is what the document said when it was booked (`transfer.plan.changes`); `drift_looked_at` is when
    somebody last looked whether it still stands so in the accounting system.

    A draft or an order is followed until people in Unimicro have issued or invoiced it: `followed_at` is when it was
    looked at last, `issued` what its issuing made of it (transfer.followed); the order that an invoice was made of is
    kept as `order_id` and `order_number`, `remote_id` is the invoice's then. `follow_seconds`: not looked at again for
    so long, because its invoice cannot be told.

    `remote_kid`, `voucher_id` and `voucher_number` are Unimicro's, as it told them when the document got into the
    books: the journal entry's number is told of vouchers alone.

    `filed_at`: when it went into a file; it is in no other one, and never sent, unless a person says so.

    `attempts` counts those that were made, and some of them may be gone. `matched_by`: how a customer was known to be
    RecMan's; None before it was kept.

    Owner: transfer. Readers: admin.keys, admin.numbers_check, admin.proving, admin.series, clerk, engine.lanes, files, reading.unshown, sweep.sightings.
    """  # noqa: E501 - the readers stand in one line

    __tablename__ = "transfer"
    __table_args__ = (
        one_of("state", *TransferState),
        one_of("kind", "customer", "project", "department", "invoice", "credit_note"),
        one_of("decision", "send", "link"),
        one_of("matched_by", *MatchedBy),
        Index(
            "uq_transfer_record",
            "tenant_id",
            "key_id",
            "scope",
            "record_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        # An invoice belongs to one company's books, whatever happens to departments and keys later.
        Index("uq_transfer_invoice", "tenant_id", "record_id", unique=True, postgresql_where=text("scope = 'invoice'")),
        Index(
            "uq_transfer_reference",
            "tenant_id",
            "key_id",
            "external_reference",
            unique=True,
            postgresql_where=text("external_reference IS NOT NULL"),
        ),
        # A document there belongs to one document here, by whichever key it was reached.
        Index(
            "uq_transfer_remote",
            "tenant_id",
            "company_key",
            "remote_type",
            "remote_id",
            unique=True,
            postgresql_where=text("scope = 'invoice' AND remote_id IS NOT NULL"),
        ),
        # One credit note of an invoice at a time: two drafts without reference could be taken for each other.
        Index(
            "uq_transfer_open_credit",
            "tenant_id",
            "key_id",
            "credits_remote_id",
            unique=True,
            postgresql_where=text("booked_at IS NULL AND (unclear OR remote_id IS NOT NULL)"),
        ),
        Index(
            "uq_transfer_claimed",
            "tenant_id",
            "claimed",
            unique=True,
            postgresql_where=text("claimed IS NOT NULL"),
        ),
        Index(
            "ix_transfer_followed",
            "tenant_id",
            "key_id",
            postgresql_where=text("scope = 'invoice' AND booking IN ('order', 'draft') AND issued IS NULL"),
        ),
        Index("ix_transfer_number", "tenant_id", "number", postgresql_where=text("scope = 'invoice'")),
        Index("ix_transfer_remote_number", "tenant_id", "remote_number", postgresql_where=text("scope = 'invoice'")),
        Index("ix_transfer_kid", "tenant_id", "kid", postgresql_where=text("kid IS NOT NULL")),
        Index("ix_transfer_lane", "tenant_id", "lane_id"),
        Index("ix_transfer_key_state", "tenant_id", "key_id", "state"),
        Index("ix_transfer_created", "tenant_id", "created_at", "id"),
        *list_transfer_pages(),
        # Operators look through all of them.
        Index("ix_transfer_all", "created_at", "id"),
        refers_to("key", "key_id"),
        refers_to("lane", "lane_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    key_id: Mapped[UUID | None]
    lane_id: Mapped[int | None] = mapped_column(BigInteger)
    scope: Mapped[str]
    kind: Mapped[str]
    record_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=TransferState.WAITING)
    step: Mapped[str | None]
    lane_token: Mapped[UUID | None]
    look_again_at: Mapped[datetime | None]
    external_reference: Mapped[str | None]
    guid_version: Mapped[int] = mapped_column(server_default="1")
    number: Mapped[str] = mapped_column(server_default="")
    invoice_date: Mapped[date | None]
    recman_department_id: Mapped[str | None]
    recman_company_id: Mapped[str | None]
    kid: Mapped[str | None]
    kid_allowed: Mapped[bool] = mapped_column(server_default=text("false"))
    customer_name: Mapped[str] = mapped_column(server_default="")
    country: Mapped[str] = mapped_column(server_default="")
    currency: Mapped[str] = mapped_column(server_default="")
    net_amount: Mapped[Decimal | None]
    vat_amount: Mapped[Decimal | None]
    gross_amount: Mapped[Decimal | None]
    content_hash: Mapped[bytes | None]
    fingerprint: Mapped[bytes | None]
    claimed: Mapped[bytes | None]
    not_same: Mapped[bool] = mapped_column(server_default=text("false"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    offer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    decision: Mapped[str | None]
    decided_on: Mapped[int | None] = mapped_column(BigInteger)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    booked_at: Mapped[datetime | None]
    filed_at: Mapped[datetime | None]
    booked_as: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    drift_looked_at: Mapped[datetime | None]
    remote_id: Mapped[int | None] = mapped_column(BigInteger)
    company_key: Mapped[str | None]
    remote_type: Mapped[str | None]
    remote_customer_id: Mapped[int | None] = mapped_column(BigInteger)
    credits_remote_id: Mapped[int | None] = mapped_column(BigInteger)
    has_minus: Mapped[bool | None]
    credit_drafts_before: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    unclear: Mapped[bool] = mapped_column(server_default=text("false"))
    unclear_since: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    guid_spent: Mapped[bool] = mapped_column(server_default=text("false"))
    booking: Mapped[str | None]
    remote_number: Mapped[str | None]
    remote_net_amount: Mapped[Decimal | None]
    remote_vat_amount: Mapped[Decimal | None]
    remote_gross_amount: Mapped[Decimal | None]
    followed_at: Mapped[datetime | None]
    follow_seconds: Mapped[float | None]
    issued: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    order_id: Mapped[int | None] = mapped_column(BigInteger)
    order_number: Mapped[str | None]
    remote_kid: Mapped[str | None]
    voucher_id: Mapped[int | None] = mapped_column(BigInteger)
    voucher_number: Mapped[str | None]
    matched_by: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    reasons: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    warnings: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW, onupdate=func.now())


class InvoicedName(TenantOwned, Table):
    """A name that documents of the tenant were invoiced under; a trigger of the table `transfer` notes it.

    Owner: transfer.retention. Readers: clerk.text_search.
    """

    __tablename__ = "invoiced_name"

    name: Mapped[str] = mapped_column(primary_key=True)


class Attempt(TenantOwned, Table):
    """One try of one step of a transfer: what went out, what came back. Append only.

    `pruned_at`: when `exchanges` was let go, for its time was over or a person's data were erased.

    Owner: transfer.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        refers_to("transfer", "transfer_id", ondelete="CASCADE"),
        Index("ix_attempt_transfer", "tenant_id", "transfer_id", "n"),
        {"postgresql_partition_by": "RANGE (started_at)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    transfer_id: Mapped[int] = mapped_column(BigInteger)
    n: Mapped[int]
    step: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=NOW)
    outcome: Mapped[str]
    detail: Mapped[str] = mapped_column(server_default="")
    exchanges: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    rules_version: Mapped[int] = mapped_column(server_default="0")
    milliseconds: Mapped[int] = mapped_column(server_default="0")
    pruned_at: Mapped[datetime | None]


class Making(TenantOwned, Table):
    """Who makes a record with this name in a key's company, or made it last.

    It is being made for as long as the lane with `lane_token` is leased; `touched_at` is the last moment at which
    something may have been made. `key_id` is the oldest key of the company, `record_id` names also the key that the
    record is made for (“201@<key id>”).

    Owner: transfer.making.
    """

    __tablename__ = "making"
    __table_args__ = (refers_to("key", "key_id"),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str]
    lane_token: Mapped[UUID | None]
    touched_at: Mapped[datetime] = mapped_column(server_default=NOW)
