"""Jobs keep what became of each document, departments what RecMan gave and a person entered; second persons"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_STATES = "'previewing', 'previewed', 'running', 'cancelling', 'done', 'cancelled', 'failed'"
_JOB_TEXTS = ("name", "reason", "started_by", "cancelled_by")
_DEPARTMENT_TEXTS = ("recman_name", "recman_number", "entered_name", "entered_number")
# Whoever has no API key has entered everything; else the audit trail knows what was entered.
_IS_ENTERED = """
    EXISTS (SELECT FROM tenant WHERE tenant.id = department.tenant_id AND recman_api_key IS NULL)
    OR EXISTS (SELECT FROM audit WHERE audit.tenant_id = department.tenant_id AND action = 'department.enter'
               AND subject = 'department:' || department.recman_department_id)
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _upgrade_jobs()
    for name in _DEPARTMENT_TEXTS:
        op.add_column("department", sa.Column(name, sa.Text(), nullable=True))
    op.execute(
        f"UPDATE department SET entered_name = name, entered_number = nullif(number, '') WHERE {_IS_ENTERED}"  # noqa: S608 - constants
    )
    op.execute("UPDATE department SET recman_name = name, recman_number = number WHERE entered_name IS NULL")
    op.add_column("admin_token", sa.Column("holder_id", sa.Uuid(), nullable=True))
    op.add_column("rule_set", sa.Column("review_by", sa.Text(), nullable=True))
    # Nobody could ask for a second person yet, and whoever does has made the review.
    op.execute("UPDATE rule_set SET review_by = made_by")
    op.alter_column("rule_set", "review_by", nullable=False)


def _upgrade_jobs() -> None:
    op.add_column("job", sa.Column("kind", sa.Text(), server_default="send", nullable=False))
    op.create_check_constraint(op.f("ck_job_kind"), "job", "kind IN ('send', 'replay')")
    for name in _JOB_TEXTS:
        op.add_column("job", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("job", sa.Column("trouble", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("job", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck_job_state"), "job", type_="check")
    op.create_check_constraint(op.f("ck_job_state"), "job", f"state IN ({_STATES})")
    op.create_table(
        "job_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("state_before", sa.Text(), nullable=False),
        sa.Column(
            "reasons_before", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("preview", sa.Text(), nullable=True),
        sa.Column(
            "preview_reasons", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_document_job_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_job_document_tenant_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name=op.f("fk_job_document_transfer_id")),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", "transfer_id", name=op.f("pk_job_document")),
    )
    op.create_index("ix_job_document_transfer", "job_document", ["transfer_id"])
    # What a job before this had taken up is known by its events.
    op.execute(
        """INSERT INTO job_document (tenant_id, job_id, transfer_id, event_id, state_before, outcome, note, ended_at)
           SELECT job.tenant_id, job.id, transfer.id, max(event.id), 'waiting',
                  max(CASE WHEN event.state <> 'waiting' THEN event.state END), max(event.note), max(event.ended_at)
           FROM job JOIN event ON event.source = 'job:' || job.id AND event.scope <> 'job'
           JOIN transfer ON transfer.tenant_id = job.tenant_id AND transfer.scope = 'invoice'
                        AND transfer.record_id = event.record_id
           GROUP BY job.tenant_id, job.id, transfer.id"""
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("rule_set", "review_by")
    op.drop_column("admin_token", "holder_id")
    for name in _DEPARTMENT_TEXTS:
        op.drop_column("department", name)
    op.drop_table("job_document")
    op.drop_constraint(op.f("ck_job_state"), "job", type_="check")
    op.execute("UPDATE job SET state = 'cancelled' WHERE state NOT IN ('running', 'done', 'cancelled')")
    op.create_check_constraint(op.f("ck_job_state"), "job", "state IN ('running', 'done', 'cancelled')")
    for name in (*_JOB_TEXTS, "trouble", "started_at", "cancelled_at"):
        op.drop_column("job", name)
    op.drop_constraint(op.f("ck_job_kind"), "job", type_="check")
    op.drop_column("job", "kind")
