"""Tables about the file route: what is collected for files, and what went out in them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from app.domain.states import FileState
from app.tables.base import NOW, Table, TenantOwned, one_of, refers_to


class FiledDocument(TenantOwned, Table):
    """A document as its key's next file has it: what was decided when it was collected last.

    `content` as domain.file_documents writes it down; it is in a file when its transfer says so. `credits_record_id`:
    RecMan's id of the invoice that it credits.
    Units: `gross_amount` in the document's currency, positive also on a credit note.

    Owner: transfer.filed. Readers: files.
    """

    __tablename__ = "filed_document"
    __table_args__ = (
        refers_to("transfer", "transfer_id", ondelete="CASCADE"),
        refers_to("key", "key_id"),
        Index("ix_filed_document_credits", "tenant_id", "credits_record_id"),
    )

    transfer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key_id: Mapped[UUID]
    credits_record_id: Mapped[str | None]
    gross_amount: Mapped[Decimal]
    content: Mapped[dict[str, Any]]
    collected_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ExportNumber(TenantOwned, Table):
    """The running number of a key's last file; locked by whoever makes the next one, so that files come one by one.

    `trouble`: why the clock could not make the next one when it tried last, at `tried_at`.

    Owner: files.
    """

    __tablename__ = "export_number"
    __table_args__ = (refers_to("key", "key_id"),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_number: Mapped[int] = mapped_column(server_default="0")
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    tried_at: Mapped[datetime | None]


class Export(TenantOwned, Table):
    """One export of a key: documents that went out together, in one file or one for each financial year and card.

    `layouts`: by which layouts, as they were then, by name. `manifest` as it is handed out. `wanted`: what was asked
    for. `settled_at`: when the last of its documents was taken, refused or freed. `drops`: into the folder, too.

    Owner: files.
    """

    __tablename__ = "export"
    __table_args__ = (
        refers_to("key", "key_id"),
        UniqueConstraint("tenant_id", "key_id", "number"),
        Index("ix_export_made", "tenant_id", "made_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    key_id: Mapped[UUID]
    number: Mapped[int]
    layout: Mapped[str]
    layouts: Mapped[dict[str, Any]]
    manifest: Mapped[dict[str, Any]]
    wanted: Mapped[dict[str, Any]]
    documents: Mapped[int]
    drops: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=NOW)
    settled_at: Mapped[datetime | None]


class ExportFile(TenantOwned, Table):
    """One file of an export, whole: a later release may write the same documents in other bytes.

    `drop_begun_at`: a whole copy lies beside the folder and is about to be moved into it; `dropped_at`: it was.

    Owner: files.
    """

    __tablename__ = "export_file"
    __table_args__ = (
        refers_to("export", "export_id", ondelete="CASCADE"),
        Index("ix_export_file_undropped", "tenant_id", "export_id", postgresql_where=text("dropped_at IS NULL")),
    )

    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    layout: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes]
    drop_begun_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]


class ExportDocument(TenantOwned, Table):
    """One document of an export, as it stands in its file, and what became of it there.

    `said_by`, `said`: who said so, and why it was refused, or may go into another file.

    Owner: files.
    """

    __tablename__ = "export_document"
    __table_args__ = (
        refers_to("export", "export_id", ondelete="CASCADE"),
        refers_to("transfer", "transfer_id", ondelete="CASCADE"),
        one_of("state", *FileState),
        # No document is in two files, whatever anybody does at once.
        Index(
            "uq_export_document_once",
            "tenant_id",
            "transfer_id",
            unique=True,
            postgresql_where=text("state <> 'freed'"),
        ),
    )

    export_id: Mapped[UUID] = mapped_column(primary_key=True)
    transfer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int]
    content: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default=FileState.IN_FILE)
    said: Mapped[str | None]
    said_by: Mapped[str | None]
    said_at: Mapped[datetime | None]


class AcceptedLayout(TenantOwned, Table):
    """A layout with assumed fields that an administrator has accepted for a key, in the version that was seen.

    `word`: who, why, and which token said so.

    Owner: files.accepted.
    """

    __tablename__ = "accepted_layout"
    __table_args__ = (refers_to("key", "key_id"),)

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    layout: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    word: Mapped[dict[str, Any]] = mapped_column(JSONB)
    accepted_at: Mapped[datetime] = mapped_column(server_default=NOW)
