"""Lanes that are due are found by tenant, who take turns"""

from alembic import op
from sqlalchemy import text

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _set_index(*columns: str) -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("ix_lane_ready", table_name="lane")
    op.create_index("ix_lane_ready", "lane", list(columns), postgresql_where=text("state = 'ready'"))


def upgrade() -> None:
    _set_index("tenant_id", "run_at")


def downgrade() -> None:
    _set_index("run_at")
