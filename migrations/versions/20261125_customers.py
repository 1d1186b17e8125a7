"""How a customer was known is kept, and a person's word that several have one organisation number"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_RUNGS = "'made', 'by_hand', 'number_and_org_number', 'number_and_name', 'org_number', 'name'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("transfer", sa.Column("matched_by", sa.Text(), nullable=True))
    # Who was made by this service is kept up by it, as before; how the others were known was not noted.
    op.execute("""
        UPDATE transfer SET matched_by = 'made' WHERE kind = 'customer' AND booked_at IS NOT NULL AND EXISTS (
            SELECT FROM attempt
            WHERE attempt.transfer_id = transfer.id AND attempt.step = 'create' AND attempt.outcome = 'done'
        )
    """)
    op.create_check_constraint(op.f("ck_transfer_matched_by"), "transfer", f"matched_by IN ({_RUNGS})")
    op.create_table(
        "shared_org_number",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("digits", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_shared_org_number_key_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_shared_org_number_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "digits", name=op.f("pk_shared_org_number")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("shared_org_number")
    op.drop_column("transfer", "matched_by")
