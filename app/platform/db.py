"""The database: one engine, sessions, its clock, and the errors that mean it is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVarTuple
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Select, event, func, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, with_loader_criteria
from sqlalchemy.orm import Session as SyncSession

from app.domain.money import dump_json, parse_json
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import DatabaseAwayError, SchemaError
from app.platform.schema import verify_ours
from app.tables import Tenant, TenantOwned

# Any number that no other user of the same database server takes: "RecMan".
_MIGRATION_LOCK = 0x5265634D616E
_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

# Where a session remembers whose rows it may see: a tenant's id, or all.
_SIGHT = "tenant_id"
_ALL = "all"
_EVERYONE = select(Tenant.__table__.c.id)
# By this name our connections are known in pg_stat_activity.
APPLICATION = "recman-unimicro"

# Webhooks wait this long for a connection before they are answered 503.
ACQUIRE_SECONDS = 5

# A transaction that has written nothing for a while (a backup, say) will not write about what it began with.
_HORIZON = text("""
    SELECT least(now(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND (backend_xid IS NOT NULL OR now() - xact_start < interval '10 seconds')
""")

# Longer than any statement of ours takes, with the longest wait for a row (a token that is being refreshed).
_POOLED_SECONDS = 30

Pool: TypeAlias = Any  # asyncpg ships no types; its Pool is meant
Session = AsyncSession
Columns = TypeVarTuple("Columns")
Sessions = async_sessionmaker[AsyncSession]

# What asyncpg raises while a server is stopped, starting, or out of connections.
_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InterfaceError,
    # Of a connection whose server has said that it dies, until the end of it is heard.
    asyncpg.InternalClientError,
)


# Whatever may become of a statement on a connection of the bare driver.
BARE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def create_engine(
    url: str,
    *,
    pool_size: int = 20,
    wait_seconds: float = ACQUIRE_SECONDS,
    pooled: bool = False,
    label: str = APPLICATION,
) -> AsyncEngine:
    """An engine whose JSON keeps Decimals; whoever finds no free connection waits so long for one, or for a new one.

    `pooled`: each transaction may meet another connection of the server, so that nothing prepared is there again.
    """
    unkept: dict[str, Any] = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": _name_nothing}
    # A pooler whose server is away keeps whoever asks waiting instead of saying so.
    behind = unkept | {"command_timeout": _POOLED_SECONDS} if pooled else {}
    engine = create_async_engine(
        to_async_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        # Who was used last has prepared the most; those at the other end are closed by whatever closes idle ones.
        pool_use_lifo=True,
        # An error's text must not carry what was to be stored.
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=parse_json,
        connect_args={**connect_options(pooled=pooled, label=label, wait_seconds=wait_seconds), **behind},
    )
    if not pooled:
        # Behind a pooler that connection would be anybody's; there the pooler says it (docs/operating.md).
        event.listen(engine.sync_engine, "connect", _work_alone)
    return engine


def _work_alone(connection: Any, _record: object) -> None:
    """Let no statement start other processes of the server: of a few rows by an index that costs ten times the rest."""
    connection.run_async(lambda raw: raw.execute("SET max_parallel_workers_per_gather = 0"))


def connect_options(*, pooled: bool, label: str = APPLICATION, wait_seconds: float = ACQUIRE_SECONDS) -> dict[str, Any]:
    """How the bare driver connects, too; without a cache it parses every statement in the message that runs it."""
    options = {"timeout": wait_seconds, "server_settings": {"timezone": "UTC", "application_name": label}}
    return options | ({"statement_cache_size": 0} if pooled else {})


async def connect_bare(url: str, *, pooled: bool = False, command_timeout: float | None = None) -> Any:
    """A connection of the bare driver, which the caller closes.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: there is none; these are among `BARE_ERRORS`.
    """
    options = connect_options(pooled=pooled)
    return await asyncpg.connect(to_driver_url(url), command_timeout=command_timeout, **options)


def _name_nothing() -> str:
    # A name would lie on a connection that the next transaction may not meet, or in the way of somebody else's.
    return ""


def to_driver_url(url: str) -> str:
    """The address as the bare driver wants it."""
    return to_async_url(url).replace("postgresql+asyncpg://", "postgresql://")


def to_async_url(url: str) -> str:
    """The address with our driver's name, whichever common spelling came in."""
    for prefix in ("postgres://", "postgresql://", "postgresql+psycopg://", "postgresql+psycopg2://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    return url


def create_sessions(engine: AsyncEngine) -> Sessions:
    """A session factory; objects stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def url_of(sessions: Sessions) -> str:
    """The address of the sessions' database, with its password."""
    return engine_of(sessions).url.render_as_string(hide_password=False)


def engine_of(sessions: Sessions) -> AsyncEngine:
    """The engine under the sessions."""
    engine: AsyncEngine = sessions.kw["bind"]
    return engine


async def load_now(session: Session) -> datetime:
    """The database's clock, the only one that counts."""
    return (await session.execute(select(func.now()))).scalar_one()


async def load_horizon(session: Session) -> datetime:
    """The moment before which everything that was begun is committed or undone, by the database's clock.

    What was written by a transaction that is under way now carries a later time, or this very one.
    """
    return (await session.execute(_HORIZON)).scalar_one()  # type: ignore[no-any-return]


def locked(query: Select[*Columns], *, shared: bool = False, skips: bool = False) -> Select[*Columns]:
    """The query's rows, kept from others' changes until the transaction ends, and as they are now.

    The only way to lock rows by the ORM: a session that has read a row before keeps showing what it read then, also
    after it has waited for whoever changed it meanwhile. `shared` lets others lock the rows in the same way; `skips`
    leaves out what somebody holds at this moment.
    """
    # Not the strongest lock: that one also stops whoever only refers to the row, as every event does to its tenant.
    chosen = query.with_for_update(read=shared, key_share=not shared, skip_locked=skips)
    return chosen.execution_options(populate_existing=True)


def limit_to_tenant(session: Session, tenant_id: UUID) -> None:
    """From now on this session sees, changes and deletes rows of one tenant only, whatever a query forgets to say."""
    session.info[_SIGHT] = tenant_id


def look_at_all(session: Session) -> None:
    """From now on this session's queries are about all tenants: for an operator who names none, and for the clock."""
    session.info[_SIGHT] = _ALL


def of_tenant(sessions: Sessions, tenant_id: UUID) -> Sessions:
    """The same sessions, each limited to this tenant from its beginning."""
    info = {_SIGHT: tenant_id}
    if sessions.kw.get("info") == info:
        return sessions
    limited = copy(sessions)
    limited.kw = {**sessions.kw, "info": info}
    return limited


def tenant_of(session: Session) -> UUID:
    """The one tenant that this session is limited to.

    Raises:
        LookupError: it is not limited to one.
    """
    tenant_id = session.info.get(_SIGHT)
    if isinstance(tenant_id, UUID):
        return tenant_id
    raise LookupError("this session is not limited to one tenant")


@event.listens_for(SyncSession, "do_orm_execute")
def _keep_to_tenant(state: ORMExecuteState) -> None:
    """The one place that keeps tenants apart: every ORM statement of a limited session gets the tenant's condition.

    Inserts have no condition to add; each names its tenant.
    """
    sight = state.session.info.get(_SIGHT)
    if sight is None or not (state.is_select or state.is_update or state.is_delete):
        return
    if not (state.is_column_load or state.is_relationship_load):
        state.statement = state.statement.options(_condition_of(sight))


@lru_cache(maxsize=10_000)
def _condition_of(sight: UUID | str) -> LoaderCriteriaOption:
    # Made of the class that all of them share, and by a function: a condition for each table would cost a statement
    # half as much again.
    if isinstance(sight, UUID):
        return with_loader_criteria(TenantOwned, lambda table: table.tenant_id == sight, include_aliases=True)
    # All tenants are named too, so that an index which begins with the tenant serves, and each shard sees its own.
    return with_loader_criteria(TenantOwned, lambda table: table.tenant_id.in_(_EVERYONE), include_aliases=True)


def is_away(error: BaseException) -> bool:
    """Whether the error says that Postgres cannot be reached, rather than that it refused a statement."""
    if isinstance(error, PoolTimeoutError | InterfaceError | OperationalError | OSError):
        return True
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return error.connection_invalidated or isinstance(cause, _AWAY) or isinstance(error.orig, _AWAY)
    return isinstance(error, _AWAY)


def is_unstorable(error: BaseException) -> bool:
    """Whether Postgres refused a value that it was given: a text with NUL in it, a number beyond all bounds."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    return isinstance(cause, asyncpg.DataError)


def is_collision(error: BaseException) -> bool:
    """Whether Postgres has undone a transaction for the sake of another one: it can be done again as it was."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    return isinstance(cause, asyncpg.DeadlockDetectedError | asyncpg.SerializationError)


@asynccontextmanager
async def translate_away() -> AsyncIterator[None]:
    """Turn an unreachable database into our own error.

    Raises:
        DatabaseAwayError: Postgres does not answer.
    """
    try:
        yield
    except (DBAPIError, PoolTimeoutError, *BARE_ERRORS) as error:
        if not is_away(error):
            raise
        raise DatabaseAwayError("The database does not answer", fix=fix_for(Code.DATABASE_AWAY)) from error


def migration_config() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


async def check_schema(engine: AsyncEngine) -> None:
    """Make sure that the database has exactly the schema this version was written for.

    Raises:
        SchemaError: it has another one; run the migrations, or this version is older than the schema.
    """
    async with engine.connect() as connection:
        await connection.run_sync(_verify_current)


def _verify_current(connection: Connection) -> None:
    scripts = ScriptDirectory.from_config(migration_config())
    wanted, found = scripts.get_current_head(), _find_revision(connection)
    if found != wanted:
        verify_ours(connection, found, known=_list_revisions())
        raise SchemaError(f"The schema is at {found or 'nothing'}, older than this version's, which is {wanted}")


def _find_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _list_revisions() -> set[str]:
    return {one.revision for one in ScriptDirectory.from_config(migration_config()).walk_revisions()}


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema up to date; replicas that start together do it one after the other.

    Raises:
        SchemaError: another version has made what is there, or somebody else.
    """
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    verify_ours(connection, _find_revision(connection), known=_list_revisions())
    config = migration_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate_database(url: str, *, pooled: bool = False) -> None:
    """Bring the schema up to date."""
    engine = create_engine(url, pool_size=1, pooled=pooled)
    try:
        await migrate(engine)
    finally:
        await engine.dispose()
