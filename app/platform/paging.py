"""Listings by pages: newest first by time and id, and no dearer however much lies behind."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased


def older_than(time: InstrumentedAttribute[datetime], before_id: int | UUID | None) -> Sequence[ColumnElement[bool]]:
    """The condition that continues a listing by `(time, id)`, newest first, behind the row with this id (None: none).

    Ids alone tell no order where several servers give them out.
    """
    if before_id is None:
        return ()
    table: Any = time.class_
    mark = _mark_of(table)
    marked_at = select(getattr(mark, time.key)).where(mark.id == before_id).scalar_subquery()
    return (tuple_(time, table.id) < tuple_(marked_at, literal(before_id)),)


@cache
def _mark_of(table: type[Any]) -> Any:
    # Made once: what an alias knows of its columns costs more than the statement.
    return aliased(table)


def at_most(limit: int) -> ColumnElement[int]:
    """A limit that stands in the statement: of one that is handed in Postgres believes a tenth of all is wanted."""
    return literal(limit, literal_execute=True)
