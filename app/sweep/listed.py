"""What dry runs of backfills listed, for a person to confirm. The only owner of the table `listed_document`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.platform.db import Session
from app.platform.paging import at_most
from app.tables import ListedDocument, Sweep


async def record_listed(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add documents to a list; one that shifted to a further page is on it already."""
    if rows:
        await session.execute(upsert(ListedDocument).values(list(rows)).on_conflict_do_nothing())


async def find_listed(session: Session, sweep: Sweep, record_ids: Sequence[str]) -> dict[str, ListedDocument]:
    """Of these records those that the dry run listed."""
    query = select(ListedDocument).where(*_of(sweep), ListedDocument.record_id.in_(record_ids))
    return {row.record_id: row for row in await session.scalars(query)}


async def list_listed(session: Session, sweep: Sweep, *, after: str = "", limit: int) -> Sequence[ListedDocument]:
    """The list in the order of record ids, those behind `after`."""
    query = select(ListedDocument).where(*_of(sweep), ListedDocument.record_id > after)
    return (await session.scalars(query.order_by(ListedDocument.record_id).limit(at_most(limit)))).all()


async def count_before_go_live(session: Session, sweep: Sweep) -> int:
    """How many of the listed are dated before their key's go-live day."""
    query = select(func.count()).where(*_of(sweep), ListedDocument.before_go_live)
    return int(await session.scalar(query) or 0)


def _of(sweep: Sweep) -> tuple[Any, ...]:
    return (ListedDocument.tenant_id == sweep.tenant_id, ListedDocument.sweep_id == sweep.id)
