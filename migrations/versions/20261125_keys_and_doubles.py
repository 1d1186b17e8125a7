"""What a removed key leaves behind, doubles at the source, and who makes a customer now"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("department", sa.Column("former_key_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_department_former_key_id"), "department", "key", ["former_key_id"], ["id"])
    op.create_index(op.f("ix_department_former_key_id"), "department", ["former_key_id"])
    op.add_column("transfer", sa.Column("fingerprint", sa.LargeBinary(), nullable=True))
    op.add_column("transfer", sa.Column("claimed", sa.LargeBinary(), nullable=True))
    op.add_column("transfer", sa.Column("not_same", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    invoices, claimed = sa.text("scope = 'invoice'"), sa.text("claimed IS NOT NULL")
    op.create_index("ix_transfer_number", "transfer", ["tenant_id", "number"], postgresql_where=invoices)
    op.create_index("uq_transfer_claimed", "transfer", ["tenant_id", "claimed"], unique=True, postgresql_where=claimed)
    op.create_table(
        "making",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("lane_token", sa.Uuid(), nullable=True),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_making_tenant_id")),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_making_key_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "name", name=op.f("pk_making")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("making")
    op.drop_index("uq_transfer_claimed", "transfer")
    op.drop_index("ix_transfer_number", "transfer")
    for column in ("not_same", "claimed", "fingerprint"):
        op.drop_column("transfer", column)
    op.drop_index(op.f("ix_department_former_key_id"), "department")
    op.drop_constraint(op.f("fk_department_former_key_id"), "department")
    op.drop_column("department", "former_key_id")
