"""Answers of a company, what was made to find them out, what became of drafts and orders"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "company_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("how IN ('tried', 'stated')", name=op.f("ck_company_answer_how")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_company_answer_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "question", name=op.f("pk_company_answer")),
    )
    op.create_table(
        "trial_thing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), nullable=True),
        sa.Column("remote_number", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_trial_thing_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "reference", name=op.f("pk_trial_thing")),
    )
    op.add_column("transfer", sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("issued", postgresql.JSONB(), nullable=True))
    op.add_column("transfer", sa.Column("order_id", sa.BigInteger(), nullable=True))
    op.add_column("transfer", sa.Column("order_number", sa.Text(), nullable=True))
    op.create_index(
        "ix_transfer_followed",
        "transfer",
        ["tenant_id", "key_id"],
        postgresql_where=sa.text("scope = 'invoice' AND booking IN ('order', 'draft') AND issued IS NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_transfer_followed", "transfer")
    for name in ("order_number", "order_id", "issued", "followed_at"):
        op.drop_column("transfer", name)
    op.drop_table("trial_thing")
    op.drop_table("company_answer")
