"""Whose tables a database holds: ours of an older version, of another one, or somebody else's."""

from collections.abc import Collection

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.errors import SchemaError

# What extensions bring is nobody's.
_STRANGE = text("""
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
""")
# Postgres' words for a table and for a column that it does not have.
_NOT_THERE = {"42P01", "42703"}
# Tables that every version of ours has.
_ALWAYS = {"tenant", "lane", "event", "transfer"}


def is_other_schema(error: BaseException) -> bool:
    """Whether Postgres has no such table or column: a migration has run, or none has, and this process is of before."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
    return getattr(cause, "sqlstate", "") in _NOT_THERE


def verify_ours(connection: Connection, found: str | None, *, known: Collection[str]) -> None:
    """Make sure that what is there was made by this version or an older one; `found` is the schema's own name for it.

    Raises:
        SchemaError: another version made it, or somebody else.
    """
    if found in known:
        return
    tables = set(connection.scalars(_STRANGE))
    if found is not None and tables >= _ALWAYS:
        cause = f"The schema is at {found}, which this version does not know: another, probably newer, one made it"
        raise SchemaError(cause, case="schema_newer")
    if tables:
        cause = f"The database holds tables of somebody else ({', '.join(sorted(tables)[:3])} …)"
        raise SchemaError(cause, case="schema_foreign")
