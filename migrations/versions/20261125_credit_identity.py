"""A document there belongs to one document here; one credit note of an invoice at a time; what a look-up needs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("transfer", sa.Column("company_key", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("remote_type", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("unimicro_customer_id", sa.BigInteger(), nullable=True))
    empty = sa.text("'[]'")
    op.add_column(
        "transfer", sa.Column("credit_drafts_before", postgresql.JSONB(), server_default=empty, nullable=False)
    )
    op.add_column("transfer", sa.Column("unclear_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("guid_spent", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("transfer", sa.Column("has_minus", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("UPDATE transfer SET unclear_since = updated_at, sent_at = updated_at WHERE unclear")
    op.execute(
        "UPDATE transfer SET company_key = key.company_key,"
        " remote_type = CASE WHEN coalesce(transfer.method, key.method) = 'order' THEN 'order' ELSE 'invoice' END"
        " FROM key WHERE key.id = transfer.key_id AND transfer.scope = 'invoice' AND transfer.unimicro_id IS NOT NULL"
    )
    op.create_index(
        "uq_transfer_remote",
        "transfer",
        ["tenant_id", "company_key", "remote_type", "unimicro_id"],
        unique=True,
        postgresql_where=sa.text("scope = 'invoice' AND unimicro_id IS NOT NULL"),
    )
    op.create_index(
        "uq_transfer_open_credit",
        "transfer",
        ["tenant_id", "key_id", "credits_unimicro_id"],
        unique=True,
        postgresql_where=sa.text("booked_at IS NULL AND (unclear OR unimicro_id IS NOT NULL)"),
    )


def downgrade() -> None:
    op.drop_index("uq_transfer_open_credit", table_name="transfer")
    op.drop_index("uq_transfer_remote", table_name="transfer")
    for name in ("has_minus", "guid_spent", "sent_at", "unclear_since", "credit_drafts_before", "unimicro_customer_id"):
        op.drop_column("transfer", name)
    op.drop_column("transfer", "remote_type")
    op.drop_column("transfer", "company_key")
