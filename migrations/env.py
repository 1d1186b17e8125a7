"""Alembic's entry: runs the migrations on the connection that `app.platform.db.migrate` hands over."""

from alembic import context
from sqlalchemy import Connection

from app.tables import Table

# A migration that cannot get its lock gives up instead of stopping every webhook behind it, and so does a statement
# that would hold one for long; one that must take longer says so itself.
_LIMITS = ("SET LOCAL lock_timeout = '5s'", "SET LOCAL statement_timeout = '60s'")


def run(connection: Connection) -> None:
    """Migrate in one transaction; `app.platform.db.migrate` holds the advisory lock."""
    context.configure(connection=connection, target_metadata=Table.metadata, compare_type=True)
    with context.begin_transaction():
        for limit in _LIMITS:
            connection.exec_driver_sql(limit)
        context.run_migrations()


run(context.config.attributes["connection"])
