"""What a company has answered to the questions that no documentation answers, and what was made to find it out"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "company_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("how IN ('tried', 'stated')", name=op.f("ck_company_answer_how")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_company_answer_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "question", name=op.f("pk_company_answer")),
    )
    op.create_table(
        "trial_thing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("company_key", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("trial", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.BigInteger(), nullable=True),
        sa.Column("remote_number", sa.Text(), server_default="", nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_trial_thing_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "company_key", "reference", name=op.f("pk_trial_thing")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("trial_thing")
    op.drop_table("company_answer")
