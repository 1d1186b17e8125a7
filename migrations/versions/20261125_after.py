"""What a document said when it was booked, when it was last looked for, and by which KID it is paid"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ADDED = ("recman_company_id", "kid", "kid_allowed", "booked_as", "drift_looked_at")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("transfer", sa.Column("recman_company_id", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("kid", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("kid_allowed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("transfer", sa.Column("booked_as", postgresql.JSONB(), nullable=True))
    op.add_column("transfer", sa.Column("drift_looked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_transfer_kid", "transfer", ["tenant_id", "kid"], postgresql_where=sa.text("kid IS NOT NULL"))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_transfer_kid", table_name="transfer")
    for name in reversed(_ADDED):
        op.drop_column("transfer", name)
