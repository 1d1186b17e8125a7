"""Keys are proven one document at a time, and accountants accept in writing what differs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_PROOF = "proof IN ('proving', 'open', 'stopped')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("key", sa.Column("acceptance", JSONB(), nullable=True))
    op.add_column("key", sa.Column("kid_acceptance", JSONB(), nullable=True))
    op.add_column("key", sa.Column("proof", sa.Text(), server_default="proving", nullable=False))
    op.add_column("key", sa.Column("credits_proven", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_check_constraint(op.f("ck_key_proof"), "key", _PROOF)
    op.create_table(
        "proving",
        sa.Column(
            "tenant_id", sa.Uuid(), sa.ForeignKey("tenant.id", name=op.f("fk_proving_tenant_id")), nullable=False
        ),
        sa.Column("key_id", sa.Uuid(), sa.ForeignKey("key.id", name=op.f("fk_proving_key_id")), nullable=False),
        sa.Column("equal", sa.Integer(), server_default="0", nullable=False),
        sa.Column("equal_credits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("lane_token", sa.Uuid(), nullable=True),
        sa.Column("stopped", JSONB(), nullable=True),
        sa.Column("opened", JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", name=op.f("pk_proving")),
    )


def downgrade() -> None:
    op.drop_table("proving")
    op.drop_constraint(op.f("ck_key_proof"), "key")
    for column in ("credits_proven", "proof", "kid_acceptance", "acceptance"):
        op.drop_column("key", column)
