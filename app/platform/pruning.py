"""Letting go of rows whose time is over: found, counted, and taken away a few at a time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.platform.db import Session, Sessions

# So many at a time: no lock is held for long, and a process that dies loses little.
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Rows of one kind whose time is over.

    Shape: `find` selects their ids; `act` lets the tenant's rows with these ids go, in the caller's transaction.
    """

    tenant_id: UUID
    what: str
    find: Select[Any]
    act: Callable[[Session, UUID, Sequence[Any]], Awaitable[None]]


async def count_due(session: Session, due: Due) -> int:
    """How many rows would go now."""
    return int(await session.scalar(select(func.count()).select_from(due.find.subquery())) or 0)


async def prune_due(sessions: Sessions, due: Due) -> int:
    """How many rows went; each batch is committed, so that what is interrupted is gone on with."""
    gone = 0
    while True:
        async with sessions.begin() as session:
            ids = (await session.scalars(due.find.limit(BATCH))).all()
            if not ids:
                return gone
            await due.act(session, due.tenant_id, ids)
        gone += len(ids)
