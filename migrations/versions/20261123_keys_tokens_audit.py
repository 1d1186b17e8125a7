"""keys tokens audit"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock gives up instead of stopping every webhook behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_audit_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_index("ix_audit_tenant", "audit", ["tenant_id", "id"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("begun", sa.LargeBinary(), nullable=True),
        sa.Column("tokens", sa.LargeBinary(), nullable=True),
        sa.Column("companies", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["key.id"], name=op.f("fk_sign_in_key_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_sign_in_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_sign_in_state_hash")),
    )
    op.create_index(op.f("ix_sign_in_tenant_id"), "sign_in", ["tenant_id"], unique=False)
    op.add_column("hook", sa.Column("old_address_hash", sa.LargeBinary(), nullable=True))
    op.add_column("hook", sa.Column("old_address_until", sa.DateTime(timezone=True), nullable=True))
    op.create_unique_constraint(op.f("uq_hook_old_address_hash"), "hook", ["old_address_hash"])
    op.add_column("key", sa.Column("method", sa.Text(), server_default="invoice", nullable=False))
    op.add_column("key", sa.Column("client", sa.Text(), server_default="web", nullable=False))
    op.add_column(
        "key",
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.drop_constraint(op.f("uq_key_tenant_id_name"), "key", type_="unique")
    op.create_index(
        "uq_key_name", "key", ["tenant_id", "name"], unique=True, postgresql_where=sa.text("state <> 'removed'")
    )
    # What Alembic does not compare: the checks on key, and the trigger that keeps the audit trail append-only.
    op.drop_constraint(op.f("ck_key_state"), "key", type_="check")
    states = "state IN ('active', 'paused', 'sign_in_again', 'removed')"
    op.create_check_constraint(op.f("ck_key_state"), "key", states)
    op.create_check_constraint(op.f("ck_key_method"), "key", "method IN ('invoice', 'draft', 'order')")
    op.create_check_constraint(op.f("ck_key_client"), "key", "client IN ('web', 'server')")
    op.execute("""
        CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()
    """)
    op.execute("""
        CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TRIGGER audit_append_only ON audit")
    op.execute("DROP TRIGGER audit_no_truncate ON audit")
    op.execute("DROP FUNCTION refuse_audit_change()")
    op.drop_constraint(op.f("ck_key_client"), "key", type_="check")
    op.drop_constraint(op.f("ck_key_method"), "key", type_="check")
    op.drop_constraint(op.f("ck_key_state"), "key", type_="check")
    op.create_check_constraint(op.f("ck_key_state"), "key", "state IN ('active', 'paused', 'sign_in_again')")
    op.drop_index("uq_key_name", table_name="key", postgresql_where=sa.text("state <> 'removed'"))
    op.create_unique_constraint(
        op.f("uq_key_tenant_id_name"), "key", ["tenant_id", "name"], postgresql_nulls_not_distinct=False
    )
    op.drop_column("key", "settings")
    op.drop_column("key", "client")
    op.drop_column("key", "method")
    op.drop_constraint(op.f("uq_hook_old_address_hash"), "hook", type_="unique")
    op.drop_column("hook", "old_address_until")
    op.drop_column("hook", "old_address_hash")
    op.drop_index(op.f("ix_sign_in_tenant_id"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index("ix_audit_tenant", table_name="audit")
    op.drop_table("audit")
