"""Tables about a key's books: rules, checks, and what was said or used there before."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger, Numeric

from app.domain.answers import How
from app.domain.lists import ListKind
from app.domain.states import CheckState
from app.tables.base import NOW, Table, TenantOwned, one_of, refers_to


class RuleSet(TenantOwned, Table):
    """One version of a key's rules; the newest is in force, older ones stay. Append only.

    `review_by`: who made the review as it stands in this version.

    Owner: admin.rules.
    """

    __tablename__ = "rule_set"
    __table_args__ = (refers_to("key", "key_id"), UniqueConstraint("tenant_id", "key_id", "version"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    key_id: Mapped[UUID]
    version: Mapped[int]
    rules: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    review_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Proving(TenantOwned, Table):
    """How far a key is proven, and the one document that is under way meanwhile.

    `equal`: how many documents stand in the books as the customer has them; `equal_credits`: how many of them were
    credit notes. `place`: RecMan's id of the document that alone may go now, in the hands of the lane with
    `lane_token`; it is free again when that document has ended, or when nothing of it is begun and nobody works on it.
    `stopped`: the difference that stopped the key last (code, cause, fix), and when. `opened`: who let the key go on
    last (name, reason; at, by).

    Owner: admin.proving.
    """

    __tablename__ = "proving"
    __table_args__ = (refers_to("key", "key_id"),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    equal: Mapped[int] = mapped_column(server_default="0")
    equal_credits: Mapped[int] = mapped_column(server_default="0")
    place: Mapped[str | None]
    lane_token: Mapped[UUID | None]
    stopped: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    opened: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class KeyList(TenantOwned, Table):
    """What a key without sign-in knows of its company: a list that somebody has sent, as it was checked (domain.lists).

    `rows`: by the columns' names, every value as text; `digest`: SHA-256 of the file that they were read from.

    Owner: admin.lists.
    """

    __tablename__ = "key_list"
    __table_args__ = (refers_to("key", "key_id"), one_of("kind", *ListKind))

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[list[Any]]
    count: Mapped[int]
    digest: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SharedOrgNumber(TenantOwned, Table):
    """A person's word that several customers of a key's company have this organisation number, digits alone.

    Owner: admin.shared_numbers.
    """

    __tablename__ = "shared_org_number"
    __table_args__ = (refers_to("key", "key_id"),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    digits: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SeenCode(TenantOwned, Table):
    """A VAT code of RecMan's that the key's rules did not know, as the first document stated it.

    Owner: transfer.seen_codes.
    """

    __tablename__ = "seen_code"
    __table_args__ = (refers_to("key", "key_id"),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str]
    vat_rate: Mapped[Decimal | None] = mapped_column(Numeric())
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)


class UsedRate(TenantOwned, Table):
    """The rate of exchange that a company's last booked document in a currency had.

    Units: the company's own currency for one unit.

    Owner: transfer.rates.
    """

    __tablename__ = "used_rate"

    company_key: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Numeric)
    used_at: Mapped[datetime] = mapped_column(server_default=NOW)


class CompanyAnswer(TenantOwned, Table):
    """What was found out about one company: the answer to a question that no documentation answers (domain.answers).

    `evidence`: the exchanges that show it, masked.

    Owner: admin.answers.
    """

    __tablename__ = "company_answer"
    __table_args__ = (one_of("how", How.TRIED, How.STATED),)

    company_key: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]
    how: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    answered_by: Mapped[str]
    answered_at: Mapped[datetime] = mapped_column(server_default=NOW)


class TrialThing(TenantOwned, Table):
    """Something that `golive` has made in a company to find out how it is there, noted before it was sent.

    `reference` is what it is known by there until its id is known; `trial` is empty where all trials need it. `ended`:
    what became of it; None: it is there, or may be.

    Owner: admin.trials.
    """

    __tablename__ = "trial_thing"

    company_key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    trial: Mapped[str]
    route: Mapped[str]
    what: Mapped[str]
    remote_id: Mapped[int | None] = mapped_column(BigInteger)
    remote_number: Mapped[str] = mapped_column(server_default="")
    ended: Mapped[str | None]
    begun_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]


class SeriesOrder(TenantOwned, Table):
    """A number series of a company in which RecMan's documents are issued in RecMan's order.

    `next_number` is RecMan's number that is issued next; whoever has a higher one waits. `holder_id`: the transfer that
    is being issued with it. `prefix`, `departments` and `kind` say which documents it numbers (domain.series).
    `skipping_to`: an administrator passes a gap; nothing is issued until the series stands there.

    Owner: admin.series.
    """

    __tablename__ = "series_order"
    __table_args__ = (one_of("kind", "invoice", "credit_note"),)

    company_key: Mapped[str] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    next_number: Mapped[int] = mapped_column(BigInteger)
    prefix: Mapped[str] = mapped_column(server_default="")
    departments: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    kind: Mapped[str | None]
    holder_id: Mapped[int | None] = mapped_column(BigInteger)
    skipping_to: Mapped[int | None] = mapped_column(BigInteger)
    started_by: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SeriesClaim(Table):
    """Which RecMan account of ours alone issues in a company's series: two would take each other's numbers.

    A look-up across tenants: one row is all that they share.

    Owner: admin.series.
    """

    __tablename__ = "series_claim"

    company_key: Mapped[str] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    tenant_id: Mapped[UUID]


class CustomerCheck(TenantOwned, Table):
    """One comparison of all customers of RecMan and of a key's company.

    `beat_at` is when the process that runs it was last heard of; `failure` holds cause and fix of a failed one.

    Owner: admin.customer_checks.
    """

    __tablename__ = "customer_check"
    __table_args__ = (
        one_of("state", *CheckState),
        refers_to("key", "key_id"),
        Index("ix_customer_check_key", "tenant_id", "key_id", "id"),
        Index(
            "uq_customer_check_running",
            "tenant_id",
            "key_id",
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    key_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default=CheckState.RUNNING)
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    findings: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_by: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    beat_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    accepted_reason: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
