"""A lane knows its newest hints, an event's lane is no foreign key, long numbers have an index"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FOREIGN_KEY = "fk_event_tenant_id_lane_id"
_KEY = "pk_event_key"
_LONG = "ix_transfer_long_numbers"


def upgrade() -> None:
    # No longer than this in front of every webhook that waits behind it (env.py sets the same for all).
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.drop_constraint(_FOREIGN_KEY, "event", type_="foreignkey")
    op.add_column(
        "lane", sa.Column("known", sa.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False)
    )
    # Of what waits to be read now, an equal hint is one event more.
    op.execute("DELETE FROM event_key USING tenant WHERE event_key.tenant_id = tenant.id AND lane_id <> 0")
    op.drop_constraint(_KEY, "event_key", type_="primary")
    op.drop_column("event_key", "lane_id")
    op.create_primary_key(_KEY, "event_key", ["tenant_id", "dedupe"])
    long = "greatest(length(number), length(remote_number), length(record_id)) > 16"
    op.execute(f"CREATE INDEX {_LONG} ON transfer (tenant_id, id) WHERE scope = 'invoice' AND {long}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.drop_index(_LONG, "transfer")
    op.drop_constraint(_KEY, "event_key", type_="primary")
    op.add_column("event_key", sa.Column("lane_id", sa.BigInteger(), server_default="0", nullable=False))
    op.alter_column("event_key", "lane_id", server_default=None)
    op.create_primary_key(_KEY, "event_key", ["tenant_id", "lane_id", "dedupe"])
    op.drop_column("lane", "known")
    op.create_foreign_key(_FOREIGN_KEY, "event", "lane", ["tenant_id", "lane_id"], ["tenant_id", "id"])
