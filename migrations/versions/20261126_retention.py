"""What was kept for long enough goes: choices of tenants, copies put aside, what was pruned"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


_PARTS = {
    "attempt": {"transfer_id": "transfer"},
    "job_document": {"transfer_id": "transfer", "job_id": "job"},
    "listed_document": {"sweep_id": "sweep"},
}
_REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN {but} RAISE EXCEPTION 'the audit trail is append-only'; END $$
"""
# What law has kept for long enough may go.
_OLD_GOES = "IF TG_OP = 'DELETE' AND OLD.at < now() - interval '5 years' THEN RETURN OLD; END IF;"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    empty = sa.text("'{}'")
    op.add_column("tenant", sa.Column("retention", postgresql.JSONB(), server_default=empty, nullable=False))
    op.add_column("attempt", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audit_chain", sa.Column("pruned_length", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("audit_chain", sa.Column("pruned_hash", sa.LargeBinary(), nullable=True))
    op.create_table(
        "record_copy",
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenant.id", name="fk_record_copy_tenant_id"), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_record_copy"),
    )
    op.create_index("ix_record_copy_record", "record_copy", ["tenant_id", "scope", "record_id"])
    op.execute(_REFUSE.format(but=_OLD_GOES))
    _tie_parts(ondelete="CASCADE")


def _tie_parts(*, ondelete: str | None) -> None:
    for table, columns in _PARTS.items():
        for column, whole in columns.items():
            name = op.f(f"fk_{table}_{column}")
            op.drop_constraint(name, table)
            op.create_foreign_key(name, table, whole, [column], ["id"], ondelete=ondelete)


def downgrade() -> None:
    _tie_parts(ondelete=None)
    op.execute(_REFUSE.format(but=""))
    op.drop_table("record_copy")
    op.drop_column("audit_chain", "pruned_hash")
    op.drop_column("audit_chain", "pruned_length")
    op.drop_column("attempt", "pruned_at")
    op.drop_column("tenant", "retention")
