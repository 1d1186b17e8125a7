"""Tables about who is served and how they are reached: tenants, hooks, tokens, keys, departments, the audit trail."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from app.domain.booking import Booking, Sender
from app.domain.states import Access, KeyState, Mode, Proof, TenantState
from app.tables.base import NOW, OPERATORS, Table, TenantOwned, one_of, refers_to


class Tenant(Table):
    """One RecMan account; `reading` holds how its RecMan is read (domain.reading), `retention` how long it is kept.

    One more is the operators' own.

    Owner: admin.tenants. Readers: admin.audit, clerk.overview, engine.claims, platform.db, reading.quota.
    """

    __tablename__ = "tenant"
    __table_args__ = (one_of("state", *TenantState), one_of("recman_reads", "api", "payload"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default=TenantState.ACTIVE)
    recman_reads: Mapped[str] = mapped_column(server_default="payload")
    recman_api_key: Mapped[bytes | None]
    reading: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    retention: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Hook(TenantOwned, Table):
    """One secret webhook address of a tenant; only its SHA-256 is kept.

    `old_addresses`: what was rotated away, each as SHA-256 (hex) with the moment until which it is good.
    `record_first`: deliveries are stored without effects until somebody has confirmed how they are read. `heard_at`:
    when one was stored last, to a few seconds.

    Owner: admin.hooks. Readers: engine.recorded.
    """

    __tablename__ = "hook"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    address_hash: Mapped[bytes]
    verification: Mapped[dict[str, Any]] = mapped_column(server_default=text("""'{"kind": "path"}'"""))
    secrets: Mapped[bytes | None]
    old_addresses: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    disabled_at: Mapped[datetime | None]
    record_first: Mapped[bool] = mapped_column(server_default=false())
    heard_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class HookAddress(Table):
    """To which hook an address leads: asked before anybody knows the tenant.

    Owner: admin.hooks.
    """

    __tablename__ = "hook_address"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    hook_id: Mapped[UUID]


class AdminToken(TenantOwned, Table):
    """What a caller of our REST API holds; only its SHA-256 is kept.

    `holder_id`: the first token of those that were rotated into this one; `successor_id`: what it was rotated into.
    A monitor's is a tenant's, or the operators' own and for the whole installation.

    Owner: admin.tokens.
    """

    __tablename__ = "admin_token"
    __table_args__ = (
        one_of("role", "operator", "admin", "viewer", "monitor"),
        CheckConstraint(
            f"role = 'monitor' OR (role = 'operator') = (tenant_id = '{OPERATORS}')", name="operators_tenant"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    role: Mapped[str]
    name: Mapped[str]
    hash: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    holder_id: Mapped[UUID | None]
    successor_id: Mapped[UUID | None]


class TokenHash(Table):
    """Whose token this is the SHA-256 of: asked before anybody knows the tenant.

    Owner: admin.tokens.
    """

    __tablename__ = "token_hash"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    token_id: Mapped[UUID]


class KeptAnswer(TenantOwned, Table):
    """A request that came with an `Idempotency-Key`, and what it was answered; for a day.

    `carried_out`: its first transaction has committed. `answer` None: not known (yet); of one that showed a secret only
    the id of what was `made` is kept. `holder_id`: whose key it is, also after the token was rotated.

    Owner: admin.kept_answers.
    """

    __tablename__ = "kept_answer"
    __table_args__ = (Index("ix_kept_answer_begun_at", "tenant_id", "begun_at"),)

    holder_id: Mapped[UUID] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    begun_at: Mapped[datetime] = mapped_column(server_default=NOW)
    carried_out: Mapped[bool] = mapped_column(server_default=false())
    answer_status: Mapped[int | None]
    answer: Mapped[str | None]
    made: Mapped[str | None]


class Key(TenantOwned, Table):
    """A named access to one Unimicro company; secrets are sealed with the row's identity.

    `client`: how we know its company; with `lists` there is no sign-in, and what is known was sent as files (table
    `key_list`). `credentials` is the private key of a server client, which needs no refresh token. `go_live` is the
    key's first day: documents dated earlier are a person's decision. `sender`: who sends the invoice to the customer;
    None: nobody has said so yet. `acceptance`: an accountant's word that `renumbered` documents have another number and
    KID in the books (name, reason, day; at, by); `kid_acceptance`: a word that Unimicro makes a KID where the document
    has none. `proof`: how far its documents are trusted (table `proving`); `credits_proven`: a credit note was among
    the equal.

    Owner: admin.keys. Readers: admin, clerk.absence, clerk.overview, files, transfer.
    """

    __tablename__ = "key"
    __table_args__ = (
        Index("uq_key_name", "tenant_id", "name", unique=True, postgresql_where=text("state <> 'removed'")),
        one_of("mode", *Mode),
        one_of("booking", *Booking),
        one_of("sender", *Sender),
        one_of("client", *Access),
        one_of("state", *KeyState),
        one_of("proof", *Proof),
        Index("uq_key_open_to_all", "tenant_id", unique=True, postgresql_where=text("open_to_all")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    company_key: Mapped[str]
    company_name: Mapped[str]
    mode: Mapped[str] = mapped_column(server_default="full")
    sender: Mapped[str | None]
    booking: Mapped[str] = mapped_column(server_default="renumbered")
    acceptance: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    kid_acceptance: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    proof: Mapped[str] = mapped_column(server_default=Proof.PROVING)
    credits_proven: Mapped[bool] = mapped_column(server_default=false())
    client: Mapped[str] = mapped_column(server_default="web")
    open_to_all: Mapped[bool] = mapped_column(server_default=false())
    go_live: Mapped[date]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default=KeyState.ACTIVE)
    paused_until: Mapped[datetime | None]
    pause_reason: Mapped[str | None]
    api_base: Mapped[str]
    files_base: Mapped[str | None]
    credentials: Mapped[bytes | None]
    access_token: Mapped[bytes | None]
    refresh_token: Mapped[bytes | None]
    token_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SignIn(TenantOwned, Table):
    """A sign-in to Unimicro that was begun: what must come back, and then what it gave.

    `key_id` is set when an existing key is signed in again; `used_at` when a key was made of it. `begun` and `granted`
    are sealed, and emptied as soon as they are used. `browser_hash`: the browser that was sent to Unimicro from here;
    what came back in another one is `unconfirmed`. `person` has signed in, and chosen `company_key` there.

    Owner: admin.sign_ins.
    """

    __tablename__ = "sign_in"
    __table_args__ = (refers_to("key", "key_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    key_id: Mapped[UUID | None]
    state_hash: Mapped[bytes]
    begun_by: Mapped[str]
    begun: Mapped[bytes | None]
    granted: Mapped[bytes | None]
    browser_hash: Mapped[bytes | None]
    unconfirmed: Mapped[bool] = mapped_column(server_default=false())
    person: Mapped[str] = mapped_column(server_default="")
    company_key: Mapped[str | None]
    companies: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    expires_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class SignInHash(Table):
    """Which sign-in a state belongs to that comes back, or our own address that begins it.

    Asked before anybody knows the tenant.

    Owner: admin.sign_ins.
    """

    __tablename__ = "sign_in_hash"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    sign_in_id: Mapped[UUID]


class Audit(TenantOwned, Table):
    """Who changed what and when, append-only and chained by hashes.

    Owner: admin.audit.
    """

    __tablename__ = "audit"
    __table_args__ = (
        UniqueConstraint("tenant_id", "hash"),
        Index("ix_audit_at", "tenant_id", "at", "id"),
        Index("ix_audit_subject", "tenant_id", "subject", "at", "id"),
        # Operators look through all of them.
        Index("ix_audit_all", "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


class AuditChain(Table):
    """The head of a tenant's chain of the audit trail: its length and last hash, and what was let go of its beginning.

    Found by its own key alone, whatever rows the session may see.

    Owner: admin.audit.
    """

    __tablename__ = "audit_chain"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    length: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]
    pruned_length: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pruned_hash: Mapped[bytes | None]


class Department(TenantOwned, Table):
    """A RecMan department and the key that serves it.

    `former_key_id`: the removed key that served it; nobody has said yet which one serves it now. `name` and `number`
    are those in force: what a person entered where RecMan gave nothing (`entered_…`), else what RecMan said last
    (`recman_…`; None: it never named the department).

    Owner: admin.departments.
    """

    __tablename__ = "department"
    __table_args__ = (
        refers_to("key", "key_id"),
        refers_to("key", "former_key_id"),
        Index("ix_department_key", "tenant_id", "key_id"),
        Index("ix_department_former_key", "tenant_id", "former_key_id"),
    )

    recman_department_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    number: Mapped[str] = mapped_column(server_default="")
    recman_name: Mapped[str | None]
    recman_number: Mapped[str | None]
    entered_name: Mapped[str | None]
    entered_number: Mapped[str | None]
    key_id: Mapped[UUID | None]
    former_key_id: Mapped[UUID | None]
    read_at: Mapped[datetime] = mapped_column(server_default=NOW)
