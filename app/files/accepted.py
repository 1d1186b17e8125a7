"""Layouts with assumed fields, and who has accepted them for a key. The only owner of the table `accepted_layout`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.files.layouts import Layout
from app.platform.db import Session
from app.tables import AcceptedLayout, Key


async def record_accepted(session: Session, key: Key, layout: Layout, word: Mapping[str, Any]) -> AcceptedLayout:
    """An administrator has seen which fields of this version are assumed, and lets the key's files have them."""
    place = {"tenant_id": key.tenant_id, "key_id": key.id, "layout": layout.name}
    values = {"version": _sign(layout), "word": dict(word), "accepted_at": func.now()}
    query = upsert(AcceptedLayout).values(place | values)
    query = query.on_conflict_do_update(index_elements=list(place), set_=values)
    return (await session.scalars(query.returning(AcceptedLayout), execution_options={"populate_existing": True})).one()


async def list_accepted(session: Session, key: Key) -> Sequence[AcceptedLayout]:
    """Every layout that was accepted for the key, in the version of then."""
    own = (AcceptedLayout.tenant_id == key.tenant_id, AcceptedLayout.key_id == key.id)
    return (await session.scalars(select(AcceptedLayout).where(*own).order_by(AcceptedLayout.layout))).all()


async def list_good(session: Session, key: Key, layouts: Sequence[Layout]) -> frozenset[str]:
    """The names of those layouts that were accepted just as they are now."""
    accepted = {one.layout: one.version for one in await list_accepted(session, key)}
    return frozenset(one.name for one in layouts if accepted.get(one.name) == _sign(one))


def _sign(layout: Layout) -> str:
    """A layout that somebody edits without naming another version is another one all the same."""
    return f"{layout.version}:{layout.digest}"
