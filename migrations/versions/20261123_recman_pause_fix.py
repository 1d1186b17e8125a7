"""RecMan's pauses say what ends them"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("recman_quota", sa.Column("pause_fix", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("recman_quota", "pause_fix")
