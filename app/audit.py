"""The audit trail: every change by whom, when, before and after; append-only and chained. Owner of table `audit`.

Each row's hash covers its content and the hash of the row before, so that a changed, removed or inserted row breaks the
chain from there on. Secrets come in as fingerprints only.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, text

from app.db import Session
from app.domain.money import dump_json
from app.tables import Audit

# One writer at a time keeps the chain a chain; taken until the caller's transaction ends.
_CHAIN_LOCK = 0x4175646974
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


async def record_change(session: Session, change: Change) -> None:
    """Append a change, in the transaction that makes it."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CHAIN_LOCK})
    previous = await session.scalar(select(Audit.hash).order_by(Audit.id.desc()).limit(1)) or _START
    at = (await session.execute(select(func.now()))).scalar_one()
    values = {
        "tenant_id": change.tenant_id,
        "at": at,
        "actor": change.actor,
        "action": change.action,
        "subject": change.subject,
        "before": dict(change.before) if change.before is not None else None,
        "after": dict(change.after) if change.after is not None else None,
    }
    await session.execute(insert(Audit).values(**values, previous_hash=previous, hash=_hash(values, previous)))


async def list_changes(
    session: Session, *, tenant_id: UUID | None, subject: str | None, before_id: int | None, limit: int
) -> Sequence[Audit]:
    """Changes newest first; `before_id` continues a listing."""
    conditions: list[ColumnElement[bool]] = []
    if tenant_id is not None:
        conditions.append(Audit.tenant_id == tenant_id)
    if subject is not None:
        conditions.append(Audit.subject == subject)
    if before_id is not None:
        conditions.append(Audit.id < before_id)
    query = select(Audit).where(*conditions).order_by(Audit.id.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def find_broken_row(session: Session) -> tuple[int, int | None]:
    """How many rows were checked, and the id of the first that does not fit the chain (None: all do)."""
    previous, count = _START, 0
    async for row in _walk(session):
        values = {name: getattr(row, name) for name in _COVERED}
        if row.previous_hash != previous or row.hash != _hash(values, previous):
            return count, row.id
        previous, count = row.hash, count + 1
    return count, None


_COVERED = ("tenant_id", "at", "actor", "action", "subject", "before", "after")


async def _walk(session: Session) -> AsyncIterator[Audit]:
    last = 0
    while True:
        query = select(Audit).where(Audit.id > last).order_by(Audit.id).limit(_PAGE)
        rows = (await session.scalars(query)).all()
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def _hash(values: Mapping[str, Any], previous: bytes) -> bytes:
    moment: datetime = values["at"]
    plain = [
        str(values["tenant_id"]),
        moment.astimezone(UTC).isoformat(),
        *(values[name] for name in ("actor", "action", "subject")),
        _sorted(values["before"]),
        _sorted(values["after"]),
    ]
    return hashlib.sha256(previous + dump_json(plain).encode()).digest()


def _sorted(value: Any) -> Any:
    """The same value with its keys in order, as JSONB does not keep it."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(part) for part in value]
    return value
