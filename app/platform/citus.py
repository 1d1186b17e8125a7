"""The same tables over many machines, by the extension Citus: each tenant's rows lie together on one of them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import StartError
from app.platform.db import create_engine, migrate
from app.tables import Table

# Small, seldom written, and asked for before the tenant is known, or referred to by every table: a copy everywhere.
REFERENCES = frozenset({"tenant", "hook_address", "sign_in_hash", "token_hash", "series_claim"})
# Written all the time, and of no tenant: they stay where they are, on the machine that is connected to.
LOCAL = frozenset({"leasehold", "heartbeat"})

_IS_THERE = text("SELECT to_regproc('create_distributed_table') IS NOT NULL")
_DONE = text("SELECT logicalrelid::regclass::text FROM pg_dist_partition")
# The audit trail refuses changes by a trigger, which looks at nothing but its own row; that of transfers writes a name
# of the same tenant, which lies beside them.
_ALLOW_TRIGGERS = "SET citus.enable_unsafe_triggers TO on"


def list_calls() -> dict[str, str]:
    """For each table that does not stay where it is the call that distributes it, in the order of the calls.

    Shape: what is referred to comes before what refers to it. Every table of ours is here or in `LOCAL`.

    Raises:
        LookupError: a table is led by no tenant, and nobody has said where it belongs.
    """
    tables = [table for table in Table.metadata.sorted_tables if table.name not in LOCAL]
    led = [table.name for table in tables if next(iter(table.primary_key)).name == "tenant_id"]
    strange = {table.name for table in tables} - set(led) - REFERENCES
    if strange:
        raise LookupError(f"led by no tenant, and in no list: {', '.join(sorted(strange))}")
    everywhere = [table.name for table in tables if table.name in REFERENCES]
    first = led[0]
    calls = {name: f"SELECT create_reference_table('{name}')" for name in everywhere}
    beside = {name: "none" if name == first else first for name in led}
    return calls | {
        name: f"SELECT create_distributed_table('{name}', 'tenant_id', colocate_with => '{other}')"
        for name, other in beside.items()
    }


async def distribute_database(url: str) -> list[str]:
    """Bring the schema up to date and distribute what is not distributed yet; the tables that were.

    Each is a transaction of its own: what is interrupted is gone on with the next time.

    Raises:
        StartError: the database has no Citus; nothing was changed.
        SchemaError: another version has made what is there, or somebody else.
    """
    engine = create_engine(url, pool_size=1)
    try:
        await _verify_citus(engine)
        await migrate(engine)
        async with engine.connect() as connection:
            return await _distribute(await connection.execution_options(isolation_level="AUTOCOMMIT"))
    finally:
        await engine.dispose()


async def _verify_citus(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        if not (await connection.execute(_IS_THERE)).scalar_one():
            raise StartError("The database has no extension Citus", fix=fix_for(Code.CANNOT_START, "citus"))


async def _distribute(connection: AsyncConnection) -> list[str]:
    done = set((await connection.execute(_DONE)).scalars())
    await connection.exec_driver_sql(_ALLOW_TRIGGERS)
    left = {name: call for name, call in list_calls().items() if name not in done}
    for call in left.values():
        await connection.exec_driver_sql(call)
    return list(left)
