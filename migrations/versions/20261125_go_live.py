"""A key's first day: what is dated earlier is a person's decision, which is kept with the document"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("key", sa.Column("go_live", sa.Date(), nullable=True))
    # Nobody was asked; what is dated before the key was there was surely not meant to be booked by it.
    op.execute("UPDATE key SET go_live = created_at::date")
    op.alter_column("key", "go_live", nullable=False)
    op.add_column("transfer", sa.Column("offer", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("transfer", sa.Column("decision", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("decided_on", sa.BigInteger(), nullable=True))
    op.add_column("transfer", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("decided_by", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_transfer_decision"), "transfer", "decision IN ('send', 'link')")
    op.create_table(
        "listed_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sweep_id", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("before_go_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_listed_document_key_id")),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweep.id"], name=op.f("fk_listed_document_sweep_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_listed_document_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "sweep_id", "record_id", name=op.f("pk_listed_document")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("listed_document")
    for column in ("decided_by", "decided_at", "decided_on", "decision", "offer"):
        op.drop_column("transfer", column)
    op.drop_column("key", "go_live")
