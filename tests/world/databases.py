"""The database of a test: cloned from a migrated template, and emptied again for the next test where that is safe.

A clone costs more than most tests do. Rows are all that nearly every test leaves; whoever changed the schema, or left
so much that it would slow the next one down, is followed by a new clone.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy.event import listen

from app.platform.db import create_engine, to_driver_url
from app.tables import OPERATORS
from tests.world.workers import PATIENCE

_MOST_BYTES = 64 * 2**20

# Workers that were killed may still be at it in their last statement.
_ALONE = """
    SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND pid <> ALL($1)
"""
_IDLE = "SELECT pid FROM pg_stat_activity WHERE pid = ANY($1) AND state = 'idle' AND datname = current_database()"
_SCHEMA = " UNION ALL ".join(
    f"SELECT '{catalog}', count(*), sum(hashtextextended(xmin::text || ctid::text, 0)::numeric) FROM {catalog}"  # noqa: S608 - fixed names
    for catalog in ("pg_attribute", "pg_constraint", "pg_index", "pg_proc", "pg_trigger", "pg_attrdef")
)
# Triggers keep the audit trail from being emptied, as they should.
EMPTY = f"""
    DO $$
    DECLARE one record;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR one IN SELECT relname,
                          -- The operators' own tenant is part of the schema.
                          CASE WHEN relname = 'tenant' THEN ' WHERE id <> ''{OPERATORS}''' ELSE '' END AS others
                   FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                   AND relname <> 'alembic_version'
        LOOP
            EXECUTE format('DELETE FROM %I', one.relname) || one.others;
        END LOOP;
        PERFORM setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL;
    END $$
"""  # noqa: S608 - built from a constant


@dataclass(slots=True)
class Spare:
    """The one database that a test process uses again and again; the server's account must be a superuser."""

    server_url: str
    template: str
    name: str
    _schema: list[Any] = field(default_factory=list)
    _looker: asyncpg.Connection | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return to_url(self.server_url, self.name)

    @property
    def lent(self) -> "Lent":
        """Its engine."""
        return borrow_engine(self.url, pooled=False)

    async def make_empty(self) -> None:
        """Migrated and without a row, whatever was there before."""
        self.lent.stays_open = True
        if not self._schema or not await self._empty():
            await self.close()
            await recreate(self.server_url, self.name, template=self.template)
            self._schema = list(await (await self._look()).fetch(_SCHEMA))

    async def close(self) -> None:
        """Nobody of ours is connected to it any more."""
        await self.lent.close()
        if self._looker is not None:
            await self._looker.close()

    async def _empty(self) -> bool:
        connection = await self._look()
        await connection.fetchval(_ALONE, await self.lent.keep_idle(connection))
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        if size > _MOST_BYTES or await connection.fetch(_SCHEMA) != self._schema:
            return False
        await connection.execute(EMPTY)
        return True

    async def _look(self) -> asyncpg.Connection:
        # Kept from test to test: a process of the server is dearer than what it is asked.
        if self._looker is None or self._looker.is_closed():
            self._looker = await asyncpg.connect(to_driver_url(self.url))
        return self._looker


class Lent:
    """The one engine to an address: it knows every statement that it has compiled, which is half of a short test.

    Its connections stay open from test to test, for each of them knows what it has prepared.
    """

    def __init__(self, url: str, *, pooled: bool) -> None:
        # On a slow machine calls that come at once wait longer than a service may let its callers wait.
        self.engine = create_engine(url, wait_seconds=PATIENCE, pooled=pooled)
        self.stays_open = False
        self._opened: list[Any] = []
        listen(self.engine.sync_engine, "connect", self._note)

    def _note(self, connection: Any, _record: object) -> None:
        self._opened.append(connection.driver_connection)

    async def keep_idle(self, looker: asyncpg.Connection) -> list[int]:
        """Which backends may stay: all of its own where every one of them rests, else none."""
        pids = [] if any(one.is_closed() for one in self._opened) else [one.get_server_pid() for one in self._opened]
        idle = [row["pid"] for row in await looker.fetch(_IDLE, pids)]
        if len(idle) == len(self._opened):
            return idle
        await self.close()
        return []

    async def give_back(self) -> None:
        """A world is done with it."""
        if not self.stays_open:
            await self.close()

    async def close(self) -> None:
        """Close its connections; it can be used again."""
        self._opened.clear()
        await self.engine.dispose()


@cache
def borrow_engine(url: str, *, pooled: bool) -> Lent:
    """The engine to this address, made once."""
    return Lent(url, pooled=pooled)


def to_url(server_url: str, database: str) -> str:
    """The address of another database of the server."""
    head, _, query = server_url.partition("?")
    return f"{head.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")


async def recreate(server_url: str, name: str, *, template: str = "template0") -> None:
    """A new database of this name, whatever was there before."""
    await drop(server_url, name)
    await execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


async def drop(server_url: str, name: str) -> None:
    """No database of this name any more."""
    await execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def execute(server_url: str, *statements: str) -> None:
    """Run statements one after the other, each in a transaction of its own."""
    connection = await asyncpg.connect(to_driver_url(server_url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
