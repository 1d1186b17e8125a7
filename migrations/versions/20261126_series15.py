"""Documents are issued in a series of their own, in RecMan's order"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    tenant = sa.ForeignKey("tenant.id", name=op.f("fk_series_order_tenant_id"))
    op.create_table(
        "series_order",
        sa.Column("tenant_id", sa.Uuid(), tenant, nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("prefix", sa.Text(), server_default="", nullable=False),
        sa.Column("departments", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("skipping_to", sa.BigInteger(), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_series_order_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "series_id", name=op.f("pk_series_order")),
    )
    op.create_table(
        "series_claim",
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "tenant_id",
            sa.Uuid(),
            sa.ForeignKey("tenant.id", name=op.f("fk_series_claim_tenant_id")),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("company_key", "series_id", name=op.f("pk_series_claim")),
    )


def downgrade() -> None:
    op.drop_table("series_claim")
    op.drop_table("series_order")
