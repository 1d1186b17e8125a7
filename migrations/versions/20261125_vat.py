"""Where a customer is, for VAT; the VAT codes that RecMan has stated, so that an accountant can say what each is"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("transfer", sa.Column("country", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "seen_code",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("vat_rate", sa.Numeric(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_seen_code_key_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_seen_code_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "code", name=op.f("pk_seen_code")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("seen_code")
    op.drop_column("transfer", "country")
