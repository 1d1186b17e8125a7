"""rules in versions; what reviews and the invoice overview need of a transfer"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "rule_set",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_rule_set_key_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_rule_set_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint("key_id", "version", name=op.f("uq_rule_set_key_id_version")),
    )
    op.create_index(op.f("ix_rule_set_tenant_id"), "rule_set", ["tenant_id"])
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'cancelled')", name=op.f("ck_job_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_tenant_id"), "job", ["tenant_id"])
    op.add_column("transfer", sa.Column("invoice_date", sa.Date(), nullable=True))
    op.create_index("ix_event_job", "event", ["source"], unique=False, postgresql_where=sa.text("source LIKE 'job:%'"))
    op.add_column("transfer", sa.Column("credits_unimicro_id", sa.BigInteger(), nullable=True))
    op.add_column("transfer", sa.Column("method", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("recman_department_id", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("approved_by", sa.Text(), nullable=True))
    op.create_index("ix_transfer_key_state", "transfer", ["key_id", "state"])
    op.add_column("attempt", sa.Column("rules_version", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("attempt", "rules_version")
    op.drop_index("ix_transfer_key_state", table_name="transfer")
    op.drop_index("ix_event_job", table_name="event")
    for column in (
        "method",
        "credits_unimicro_id",
        "approved_by",
        "approved_at",
        "recman_department_id",
        "invoice_date",
    ):
        op.drop_column("transfer", column)
    op.drop_table("job")
    op.drop_index(op.f("ix_rule_set_tenant_id"), table_name="rule_set")
    op.drop_table("rule_set")
