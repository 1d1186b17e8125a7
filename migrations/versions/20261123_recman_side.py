"""RecMan's side: call quota, sweeps and what they saw, field profiles, hooks that record first"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(astext_type=sa.Text())
_NOW = sa.text("now()")
_STATES = "'waiting', 'done', 'superseded', 'ignored', 'held', 'failed'"


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of stopping every webhook behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("tenant", sa.Column("reading", _JSON, server_default=sa.text("'{}'"), nullable=False))
    op.add_column("lane", sa.Column("peeks", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("hook", sa.Column("record_first", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _allow_event_states(f"{_STATES}, 'recorded'")
    recorded = sa.text("state = 'recorded'")
    op.create_index("ix_event_recorded", "event", ["hook_id", "id"], postgresql_where=recorded)
    unnamed = sa.text("record_id IS NULL AND scope IS NOT NULL")
    op.create_index("ix_event_unnamed", "event", ["tenant_id", "received_at"], postgresql_where=unnamed)
    _create_quota()
    _create_sweep()
    _create_record()
    _create_profile()
    _create_headers()


def _allow_event_states(states: str) -> None:
    op.drop_constraint("ck_event_state", "event")
    op.create_check_constraint("state", "event", f"state IN ({states})")


def _create_quota() -> None:
    op.create_table(
        "recman_quota",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("by_purpose", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recman_quota_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "day", name=op.f("pk_recman_quota")),
    )


def _create_sweep() -> None:
    op.create_table(
        "sweep",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("wanted", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer(), server_default="1", nullable=False),
        sa.Column("counts", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("trouble", _JSON, nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('sweep', 'backfill')", name=op.f("ck_sweep_kind")),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name=op.f("ck_sweep_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sweep_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep")),
    )
    op.create_index("ix_sweep_tenant", "sweep", ["tenant_id", "id"])
    running = sa.text("state = 'running'")
    op.create_index("uq_sweep_running", "sweep", ["tenant_id", "kind"], unique=True, postgresql_where=running)


def _create_record() -> None:
    op.create_table(
        "recman_record",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.Column("next_hash", sa.LargeBinary(), nullable=True),
        sa.Column("change", sa.Text(), nullable=True),
        sa.Column("seen_sweep", sa.BigInteger(), nullable=False),
        sa.Column("misses", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("change IN ('new', 'changed', 'gone')", name=op.f("ck_recman_record_change")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recman_record_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "scope", "record_id", name=op.f("pk_recman_record")),
        postgresql_with={"fillfactor": "70"},
    )
    changed = sa.text("change IS NOT NULL")
    op.create_index("ix_recman_record_change", "recman_record", ["tenant_id", "scope"], postgresql_where=changed)


def _create_profile() -> None:
    op.create_table(
        "field_profile",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("by_id", sa.Boolean(), nullable=True),
        sa.Column("records", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fields", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("refused", _JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("drift", _JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("probed_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.CheckConstraint("outcome IN ('readable', 'empty', 'refused')", name=op.f("ck_field_profile_outcome")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_field_profile_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "scope", name=op.f("pk_field_profile")),
    )


def _create_headers() -> None:
    op.create_table(
        "hook_headers",
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.Column("names_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("names", _JSON, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["hook_id"], ["hook.id"], name=op.f("fk_hook_headers_hook_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_hook_headers_tenant_id")),
        sa.PrimaryKeyConstraint("hook_id", "names_hash", name=op.f("pk_hook_headers")),
    )
    op.create_index(op.f("ix_hook_headers_tenant_id"), "hook_headers", ["tenant_id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in ("hook_headers", "field_profile", "recman_record", "sweep", "recman_quota"):
        op.drop_table(table)
    op.drop_index("ix_event_recorded", "event")
    op.drop_index("ix_event_unnamed", "event")
    op.drop_index("ix_event_hook", "event")
    op.execute("UPDATE event SET state = 'ignored' WHERE state = 'recorded'")
    _allow_event_states(_STATES)
    op.drop_column("hook", "record_first")
    op.drop_column("lane", "peeks")
    op.drop_column("tenant", "reading")
