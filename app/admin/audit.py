"""The audit trail: every change by whom, when, before and after. Owner of the tables `audit` and `audit_chain`.

Append-only, and chained: each tenant's rows are one chain, those of the installation (operators, wrong tokens) another.
A row's hash covers its content and the hash of the row before it in its chain, and the chain's head keeps how many
there are and the last hash: so a row that was changed, removed, inserted or moved does not fit. Secrets come in as
fingerprints only.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, cast, delete, func, insert, literal, null, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.money import dump_json
from app.platform.db import Session
from app.platform.paging import at_most, older_than
from app.tables import OPERATORS, Audit, AuditChain, Tenant

_START = bytes(32)
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change; `subject` is `kind:id`; `before` None means made, `after` None means gone."""

    actor: str
    action: str
    subject: str
    tenant_id: UUID | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCheck:
    """How far a chain fits (`tenant_id` None: the installation's).

    Shape: `rows` fit, counted from the oldest, those that were let go included; `broken` is the id of the first that
    does not; `missing` is how many of the newest are gone.
    """

    tenant_id: UUID | None
    rows: int
    broken: int | None = None
    missing: int = 0

    @property
    def fits(self) -> bool:
        """Whether every row is there and as it was written."""
        return self.broken is None and not self.missing


async def record_change(session: Session, change: Change) -> None:
    """Append a change, in the transaction that makes it; the last thing that transaction does before its commit.

    The chain is locked from here to the commit, so who changed other rows afterwards could wait for a transaction that
    has changed those and waits for the chain.
    """
    # What concerns no tenant is the operators'.
    chain = change.tenant_id or OPERATORS
    # The head is read by its own key alone, whatever rows the session may see.
    head = await _claim_head(session, chain)
    # JSONB gives numbers back in another form than they went in, so what it will hold is hashed.
    before, after = _to_jsonb(change.before), _to_jsonb(change.after)
    # The moment at which the chain is ours, not that at which the transaction began: changes are listed by it.
    stored = select(func.clock_timestamp(), cast(before, Text), cast(after, Text))
    at, *texts = (await session.execute(stored)).one()
    values: dict[str, Any] = {
        "tenant_id": chain,
        "at": at,
        "actor": change.actor,
        "action": change.action,
        "subject": change.subject,
    }
    digest = hash_change(list(values.values()), texts, head.hash)
    values |= {"before": before, "after": after, "previous_hash": head.hash, "hash": digest}
    await session.execute(insert(Audit).values(values))
    grown = update(AuditChain).where(AuditChain.tenant_id == chain).values(length=AuditChain.length + 1, hash=digest)
    await session.execute(grown, execution_options={"synchronize_session": False})


async def _claim_head(session: Session, chain: UUID) -> Row[int, bytes]:
    query = upsert(AuditChain).values(tenant_id=chain, length=0, hash=_START)
    touched = query.on_conflict_do_update(index_elements=["tenant_id"], set_={"tenant_id": query.excluded.tenant_id})
    return (await session.execute(touched.returning(AuditChain.length, AuditChain.hash))).one()


def _to_jsonb(value: Mapping[str, Any] | None) -> ColumnElement[Any]:
    return cast(null() if value is None else literal(dump_json(dict(value)), Text), JSONB)


async def list_changes(
    session: Session, *, tenant_id: UUID | None, subject: str | None, before_id: int | None, limit: int
) -> Sequence[Audit]:
    """Changes newest first; `before_id` continues a listing."""
    conditions: list[ColumnElement[bool]] = []
    if tenant_id is not None:
        conditions.append(Audit.tenant_id == tenant_id)
    if subject is not None:
        conditions.append(Audit.subject == subject)
    conditions += older_than(Audit.at, before_id)
    query = select(Audit).where(*conditions).order_by(Audit.at.desc(), Audit.id.desc()).limit(at_most(limit))
    return (await session.scalars(query)).all()


async def check_chains(session: Session) -> list[ChainCheck]:
    """Every chain, the installation's first.

    The session must see one moment: changes that are made meanwhile would look like tampering.
    """
    everyone = select(Tenant.id)
    chains = await session.scalars(select(AuditChain).where(AuditChain.tenant_id.in_(everyone)))
    heads = {head.tenant_id: head for head in chains}
    written = set(await session.scalars(select(Audit.tenant_id).where(Audit.tenant_id.in_(everyone)).distinct()))
    empty = AuditChain(length=0, hash=_START)
    return [await _check(session, chain, heads.get(chain, empty)) for chain in sorted({*heads, *written})]


def select_old_changes(tenant_id: UUID | None, before: datetime) -> Select[Any]:
    """Changes of years that no law keeps, from the chain's beginning without a gap; the newest of all stays."""
    own = Audit.tenant_id == (tenant_id or OPERATORS)
    newer = select(func.min(Audit.id)).where(own, Audit.at >= before).scalar_subquery()
    newest = select(func.max(Audit.id)).where(own).scalar_subquery()
    return select(Audit.id).where(own, Audit.id < func.coalesce(newer, newest)).order_by(Audit.id)


async def prune_changes(session: Session, tenant_id: UUID | None, ids: Sequence[Any]) -> None:
    """Let these changes go; the chain's head remembers where the rest begins, so that it still fits."""
    chain = tenant_id or OPERATORS
    own = Audit.tenant_id == chain
    await _claim_head(session, chain)
    last = await session.scalar(select(Audit.hash).where(own, Audit.id == max(ids)))
    values = {"pruned_length": AuditChain.pruned_length + len(ids), "pruned_hash": last}
    unseen = {"synchronize_session": False}
    await session.execute(
        update(AuditChain).where(AuditChain.tenant_id == chain).values(values), execution_options=unseen
    )
    await session.execute(delete(Audit).where(own, Audit.id.in_(ids)), execution_options=unseen)


async def _check(session: Session, chain: UUID, head: AuditChain) -> ChainCheck:
    tenant_id = None if chain == OPERATORS else chain
    previous, count, last = head.pruned_hash or _START, head.pruned_length or 0, None
    async for row, *texts in _walk(session, chain):
        plain = [row.tenant_id, row.at, row.actor, row.action, row.subject]
        fits = row.previous_hash == previous and row.hash == hash_change(plain, texts, previous)
        if not fits or count == head.length:
            return ChainCheck(tenant_id=tenant_id, rows=count, broken=row.id)
        previous, count, last = row.hash, count + 1, row.id
    if count == head.length and previous != head.hash:
        return ChainCheck(tenant_id=tenant_id, rows=max(count - 1, 0), broken=last or 0)
    return ChainCheck(tenant_id=tenant_id, rows=count, missing=head.length - count)


async def _walk(session: Session, tenant_id: UUID) -> AsyncIterator[tuple[Audit, str | None, str | None]]:
    own, last = Audit.tenant_id == tenant_id, 0
    texts = cast(Audit.before, Text).label("before_text"), cast(Audit.after, Text).label("after_text")
    query = select(Audit, *texts).order_by(Audit.id).limit(_PAGE)
    while True:
        rows = (await session.execute(query.where(own, Audit.id > last))).all()
        for row, before, after in rows:
            yield row, before, after
            last = row.id
        if len(rows) < _PAGE:
            return


def hash_change(plain: Sequence[Any], texts: Sequence[str | None], previous: bytes) -> bytes:
    """The hash of a row: tenant, time, actor, action and subject, then `before` and `after` as Postgres writes them."""
    tenant_id, at, *names = plain
    parts = [str(tenant_id), at.astimezone(UTC).isoformat(), *names, *(one or "" for one in texts)]
    return hashlib.sha256(previous + b"".join(hashlib.sha256(part.encode()).digest() for part in parts)).digest()
