"""Tables about jobs: many documents looked at again, and what came of each."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from app.domain.states import JobKind, JobState
from app.tables.base import NOW, Table, TenantOwned, one_of, refers_to


class Job(TenantOwned, Table):
    """Many documents to look at again, as one piece of work with progress.

    `wanted` is the filter; `last_id` is how far it is: documents come in the order of their ids. `trouble` is why it
    waits itself.

    Owner: clerk.
    """

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", *JobState),
        one_of("kind", *JobKind),
        Index("ix_job_made", "tenant_id", "made_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    state: Mapped[str] = mapped_column(server_default=JobState.RUNNING)
    wanted: Mapped[dict[str, Any]]
    total: Mapped[int]
    sent: Mapped[int] = mapped_column(server_default="0")
    last_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(server_default=JobKind.SEND)
    name: Mapped[str | None]
    reason: Mapped[str | None]
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    started_by: Mapped[str | None]
    started_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]


class JobDocument(TenantOwned, Table):
    """One document of a job: how it was found, what a dry run said of it, and what came of it.

    `event_id`: the hint with which it was taken up. `outcome` None: it has not ended, or was not taken up yet.

    Owner: clerk.
    """

    __tablename__ = "job_document"
    __table_args__ = (
        refers_to("job", "job_id", ondelete="CASCADE"),
        refers_to("transfer", "transfer_id", ondelete="CASCADE"),
        Index("ix_job_document_transfer", "tenant_id", "transfer_id"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    transfer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    state_before: Mapped[str]
    reasons_before: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    preview: Mapped[str | None]
    preview_reasons: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    ended_at: Mapped[datetime | None]
