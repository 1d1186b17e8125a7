"""An order whose invoice cannot be told is looked at ever more seldom"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_rest15b"
down_revision = "20261126_scale13"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No longer than this in front of every webhook that waits behind it (env.py sets the same for all).
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.add_column("transfer", sa.Column("follow_seconds", sa.Float(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.drop_column("transfer", "follow_seconds")
