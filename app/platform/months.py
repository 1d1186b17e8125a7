"""Tables that are kept by month: months made ahead, and dropped whole when nothing in them is needed any more.

A drop costs the same however many rows a month has; deleting them would cost as much as writing them did. What comes
for a month that nobody has made lies in the table's default part, and moves when its month is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.db import Sessions
from app.platform.logger import get_logger
from app.tables import Table

# A process that makes months may be down for so long.
AHEAD = 3

# Whoever stores a webhook waits behind us no longer than that; the next look tries again.
_PATIENCE = "SET LOCAL lock_timeout = '2s'"

_MISSING = text("""
    SELECT to_char(month, 'YYYY_MM') AS name, month AT TIME ZONE 'UTC' AS begins,
           (month + interval '1 month') AT TIME ZONE 'UTC' AS ends
    FROM generate_series(date_trunc('month', now() AT TIME ZONE 'UTC'),
                         date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => :ahead),
                         interval '1 month') AS month
    WHERE to_regclass(:table || '_' || to_char(month, 'YYYY_MM')) IS NULL
    ORDER BY month
""")

# By the name: what else somebody has attached is not ours.
_OVER = text("""
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = to_regclass(:table) AND relname ~ '_[0-9]{4}_[0-9]{2}$'
      AND (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= :before
    ORDER BY relname
""")

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A month that is gone, and how many rows of each tenant went with it."""

    table: str
    name: str
    rows: Mapping[UUID, int] = field(default_factory=dict)


def list_tables_by_month() -> dict[str, str]:
    """The tables that are kept by month, and the column whose month counts."""
    rules = {name: table.dialect_options["postgresql"]["partition_by"] for name, table in Table.metadata.tables.items()}
    return {name: rule.removeprefix("RANGE (").removesuffix(")") for name, rule in rules.items() if rule}


async def create_months(sessions: Sessions, *, ahead: int = AHEAD) -> list[str]:
    """Make this month and those ahead, where they are missing; the names of those that were made."""
    made = []
    for table, column in list_tables_by_month().items():
        async with sessions() as session:
            missing = (await session.execute(_MISSING, {"table": table, "ahead": ahead})).all()
        for month in missing:
            async with sessions.begin() as session:
                await _create(await session.connection(), table, column, month)
            made.append(f"{table}_{month.name}")
    return made


async def _create(connection: AsyncConnection, table: str, column: str, month: Any) -> None:
    """Attached, not made as a part: that would stop everybody who reads or writes the table meanwhile."""
    name, default = f"{table}_{month.name}", f"{table}_default"
    bounds = f"FROM ('{month.begins.isoformat()}') TO ('{month.ends.isoformat()}')"
    within = f"{column} >= '{month.begins.isoformat()}' AND {column} < '{month.ends.isoformat()}'"
    for statement in (
        _PATIENCE,
        f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        f"LOCK TABLE {default} IN SHARE ROW EXCLUSIVE MODE",
        f"WITH moved AS (DELETE FROM {default} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608 - our own names
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}",
    ):
        await connection.exec_driver_sql(statement)


async def drop_months(sessions: Sessions, table: str, *, before: datetime, kept_while: str) -> list[Dropped]:
    """Drop the months of a table that ended before a moment; one stays as long as any row of it fits `kept_while`.

    A month that somebody holds too long is left for the next time.
    """
    async with sessions() as session:
        over = (await session.scalars(_OVER, {"table": table, "before": before})).all()
    dropped = []
    for name in over:
        try:
            async with sessions.begin() as session:
                gone = await _drop(await session.connection(), table, name, kept_while)
        except DBAPIError as error:
            _log.warning("month_not_dropped", month=name, error=type(error.orig).__name__)
            continue
        dropped += [gone] if gone is not None else []
    return dropped


async def _drop(connection: AsyncConnection, table: str, name: str, kept_while: str) -> Dropped | None:
    await connection.exec_driver_sql(_PATIENCE)
    # Nobody can put anything into it from here on, so that what is seen now is all there is.
    await connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
    needed = f"SELECT EXISTS (SELECT FROM {name} AS month WHERE {kept_while})"  # noqa: S608 - our own names
    if (await connection.exec_driver_sql(needed)).scalar_one():
        return None
    counted: Any = await connection.exec_driver_sql(f"SELECT tenant_id, count(*) FROM {name} GROUP BY tenant_id")  # noqa: S608 - our own names
    rows = {row[0]: row[1] for row in counted}
    await connection.exec_driver_sql(f"DROP TABLE {name}")
    return Dropped(table=table, name=name, rows=rows)
