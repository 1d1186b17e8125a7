"""What processes have of their own: leases that are no lane's, and signs of life."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import NOW, Table


class Leasehold(Table):
    """Who has a numbered place of this name, until when by the database's clock; free ones lie in the past.

    Of no tenant: tenants may share a company, and who leads does so for all. Not written to the log that survives a
    crash: a server that has crashed has ended every connection, and a commit a call would cost more than the call.

    Owner: platform.leases.
    """

    __tablename__ = "leasehold"
    # Hot rows: leave room for updates in place.
    __table_args__ = {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": "50"}}  # noqa: RUF012 - SQLAlchemy's own name for it

    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[UUID | None]
    leased_until: Mapped[datetime] = mapped_column(server_default=text("'-infinity'"))


class Heartbeat(Table):
    """That a process lives, and what it has counted since it began; one more row has the sums of those that are gone.

    Of no tenant: processes serve all. `turned_at`: when its loop over lanes went round last; None: it has none.

    Owner: platform.heartbeats.
    """

    __tablename__ = "heartbeat"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]
    place: Mapped[str]
    version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)
    turned_at: Mapped[datetime | None]
    figures: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
