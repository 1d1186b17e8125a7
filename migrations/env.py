"""Alembic's entry: runs the migrations on the connection that `app.platform.db.migrate` hands over."""

from alembic import context
from sqlalchemy import Connection

from app.tables import Table


def run(connection: Connection) -> None:
    """Migrate in one transaction; `app.platform.db.migrate` holds the advisory lock."""
    context.configure(connection=connection, target_metadata=Table.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
