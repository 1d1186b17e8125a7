"""customer check: all customers of both systems compared before the first transfer"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of stopping every webhook behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    json = postgresql.JSONB(astext_type=sa.Text())
    states = "state IN ('running', 'green', 'findings', 'accepted', 'failed')"
    op.create_table(
        "customer_check",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("counts", json, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("findings", json, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("failure", json, nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("accepted_reason", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(states, name=op.f("ck_customer_check_state")),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_customer_check_key_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_customer_check_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_check")),
    )
    op.create_index("ix_customer_check_key", "customer_check", ["key_id", "id"], unique=False)
    op.create_index(op.f("ix_customer_check_tenant_id"), "customer_check", ["tenant_id"], unique=False)
    running = sa.text("state = 'running'")
    op.create_index("uq_customer_check_running", "customer_check", ["key_id"], unique=True, postgresql_where=running)
    # A key that has sent before the check was there has its first transfer behind it.
    op.execute("""
        INSERT INTO customer_check
            (tenant_id, key_id, state, started_by, ended_at, accepted_by, accepted_reason, accepted_at)
        SELECT tenant_id, id, 'accepted', 'migration', now(), 'migration', 'sent before there was a check', now()
        FROM key WHERE EXISTS (SELECT FROM transfer WHERE transfer.key_id = key.id AND booked_at IS NOT NULL)
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("customer_check")
