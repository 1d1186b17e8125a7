"""A write whose outcome is unknown is remembered, whatever becomes of the record"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("transfer", sa.Column("unclear", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute("UPDATE transfer SET unclear = true WHERE state IN ('sending', 'unknown')")


def downgrade() -> None:
    op.drop_column("transfer", "unclear")
