"""How Postgres is found when a process starts, in one sentence, or why it cannot be worked with."""

import os
import platform
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import DatabaseAwayError, ServiceError, StartError
from app.platform.db import APPLICATION, BARE_ERRORS, connect_bare, to_async_url
from app.settings import Settings, mask_url
from app.tables import Table

# How often a connection is asked where it is, while another one is in the middle of a transaction.
_LOOKS = 3
_LOOK_SECONDS = 2.0
_WHERE = "SELECT pg_backend_pid()"
_LABEL = re.compile(rf"^{APPLICATION} (\d+)/")

_LIMIT = """
    SELECT current_setting('server_version') AS version, current_setting('transaction_read_only') = 'on' AS reads_only,
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true)::int, 0) AS most
"""
_OTHERS = """
    SELECT application_name AS name, count(*)::int AS open FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY application_name
"""
_SAME = "SELECT pg_postmaster_start_time()::text || (SELECT oid FROM pg_database WHERE datname = current_database())"
_CLOSED = """
    SELECT name FROM unnest($1::text[]) AS name
    WHERE to_regclass(name) IS NOT NULL
      AND NOT (has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')) ORDER BY name
"""

# What Postgres' own codes mean for whoever starts a process: the case of the fix, and the beginning of the sentence.
_REFUSALS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((asyncpg.InvalidAuthorizationSpecificationError,), "login", "lets the user not in"),
    ((asyncpg.InvalidCatalogNameError,), "login", "has no such database"),
    ((asyncpg.InsufficientPrivilegeError,), "rights", "does not let the user do what is needed"),
    ((asyncpg.ReadOnlySQLTransactionError,), "read_only", "can only be read"),
    ((asyncpg.TooManyConnectionsError,), "connections", "has no connection left"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a process has found. `mine`: the connections it opens at most; `others`: what others may open, or have."""

    version: str
    way: str
    woken: str
    mine: int
    others: int
    processes: int
    most: int | None

    @property
    def is_tight(self) -> bool:
        """Whether Postgres has too few connections for everybody at once."""
        return self.most is not None and self.mine + self.others > self.most

    @property
    def sentence(self) -> str:
        """All of it for people."""
        room = f"{self.mine} connections at most"
        if self.most is not None:
            room += f", {self.others} for others ({self.processes} more of our processes) and {self.most} in all"
        tight = ", which is too few when all are busy at once" if self.is_tight else ""
        return f"Postgres {self.version}, {self.way}; {self.woken}; {room}{tight}"


def verify_url(url: str) -> None:
    """Make sure that it can be an address of a Postgres at all.

    Raises:
        StartError: it cannot.
    """
    try:
        is_ours = make_url(to_async_url(url)).drivername == "postgresql+asyncpg"
    except (ArgumentError, ValueError):
        is_ours = False
    if not is_ours:
        raise StartError("DATABASE_URL is no address of a Postgres", fix=fix_for(Code.CANNOT_START, "address"))


def make_label(settings: Settings, *, serves: bool, works: bool) -> str:
    """The name of a process's connections in pg_stat_activity, by which others count what it may open."""
    most = settings.most_connections(serves=serves, works=works)
    return f"{APPLICATION} {most}/{platform.node()[:20]}/{os.getpid()}"


async def load_standing(settings: Settings, url: str, *, serves: bool, works: bool) -> Standing:
    """How Postgres stands, whatever it holds.

    Raises:
        StartError: it cannot be worked with as it is; the one sentence says why.
        DatabaseAwayError: it does not answer.
    """
    async with explained(url), _connected(url) as connection:
        server = await connection.fetchrow(_LIMIT)
        if server["reads_only"]:
            raise _refuse(url, "can only be read", "read_only")
        await _verify_rights(connection, url)
        way = await _load_way(settings, url, connection)
        woken = await _load_woken(settings, connection, works=works)
        mine, pooled = settings.most_connections(serves=serves, works=works), settings.database_pooled
        if mine > server["most"] and not pooled:
            cause = f"This process may open {mine} connections, Postgres has {server['most']}"
            raise StartError(cause, fix=fix_for(Code.CANNOT_START, "connections"))
        rows = await connection.fetch(_OTHERS)
    ours = {row["name"]: int(found[1]) for row in rows if (found := _LABEL.match(row["name"]))}
    strange = sum(row["open"] for row in rows if not row["name"].startswith(APPLICATION))
    return Standing(
        version=server["version"].split()[0],
        way=way,
        woken=woken,
        mine=mine,
        others=sum(ours.values()) + strange,
        processes=len(ours),
        most=None if pooled else server["most"],
    )


async def _load_way(settings: Settings, url: str, connection: Any) -> str:
    """How Postgres is reached."""
    if await connection.fetchval(_WHERE) == connection.get_server_pid():
        return "reached directly" + (", though DATABASE_POOLED is set" if settings.database_pooled else "")
    if not await _moves(url, connection):
        return "through a pooler that keeps a session's connection"
    if not settings.database_pooled:
        cause = "A pooler in transaction mode stands before Postgres, and DATABASE_POOLED is not set"
        raise StartError(cause, fix=fix_for(Code.CANNOT_START, "pooler"))
    return "through a pooler in transaction mode, where no statement is kept prepared"


async def _moves(url: str, connection: Any) -> bool:
    """Whether the connection's next transaction may meet another one of the server's."""
    seen = {await connection.fetchval(_WHERE)}
    async with _connected(url) as other, other.transaction():
        await other.fetchval(_WHERE)
        try:
            seen |= {await connection.fetchval(_WHERE, timeout=_LOOK_SECONDS) for _ in range(_LOOKS)}
        except TimeoutError:
            # There is one connection for all, and the other transaction has it.
            return True
    return len(seen) > 1


async def _load_woken(settings: Settings, connection: Any, *, works: bool) -> str:
    """How a worker learns of work."""
    direct = settings.database_direct_url
    if direct is None:
        return f"workers look for work every {settings.poll_seconds:g} s" + (
            " (no DATABASE_DIRECT_URL)" if settings.database_pooled else " and are woken"
        )
    async with explained(direct), _connected(direct) as beside:
        is_direct = await beside.fetchval(_WHERE) == beside.get_server_pid()
        if await beside.fetchval(_SAME) != await connection.fetchval(_SAME):
            cause = f"DATABASE_DIRECT_URL ({mask_url(direct)}) is another database than DATABASE_URL"
            raise StartError(cause, fix=fix_for(Code.CANNOT_START, "direct"))
    if not is_direct:
        cause = f"DATABASE_DIRECT_URL ({mask_url(direct)}) leads to a pooler, too"
        raise StartError(cause, fix=fix_for(Code.CANNOT_START, "direct"))
    return "workers are woken past it" if works else "workers can be woken past it"


async def _verify_rights(connection: Any, url: str) -> None:
    tables: Sequence[str] = sorted(Table.metadata.tables)
    closed = [row["name"] for row in await connection.fetch(_CLOSED, tables)]
    if closed:
        raise _refuse(url, f"does not let the user read and write {', '.join(closed)}", "rights")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    # Nothing is kept prepared, whatever the settings say: what stands in between is to be found out.
    connection = await connect_bare(url, pooled=True, command_timeout=10)
    try:
        yield connection
    finally:
        connection.terminate()


@asynccontextmanager
async def explained(url: str) -> AsyncIterator[None]:
    """Whatever keeps a start from using the database at this address, told in one sentence.

    Raises:
        StartError: Postgres answers, and will say no again.
        DatabaseAwayError: it does not answer.
    """
    try:
        yield
    except (DBAPIError, *BARE_ERRORS) as error:
        raise _explain(error, url) from error


def _explain(error: BaseException, url: str) -> ServiceError:
    cause = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    for kinds, case, says in _REFUSALS:
        if isinstance(cause, kinds):
            return _refuse(url, f"{says} ({cause})", case)
    if isinstance(cause, OSError | asyncpg.PostgresConnectionError | asyncpg.CannotConnectNowError):
        return DatabaseAwayError(f"Postgres at {mask_url(url)} does not answer", fix=fix_for(Code.CANNOT_START, "away"))
    return _refuse(url, f"cannot be used ({type(cause).__name__}: {cause})", "away")


def _refuse(url: str, says: str, case: str) -> StartError:
    return StartError(f"Postgres at {mask_url(url)} {says}", fix=fix_for(Code.CANNOT_START, case))
