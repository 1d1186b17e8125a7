"""The names that documents were invoiced under have a table of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Whoever names a document notes the name, also a process of the version before.
_NOTE = """
    CREATE FUNCTION note_invoiced_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO invoiced_name (tenant_id, name) VALUES (NEW.tenant_id, NEW.customer_name) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
"""
_NOTES = """
    CREATE TRIGGER transfer_notes_name_on_{} AFTER {} ON transfer
    FOR EACH ROW WHEN (NEW.scope = 'invoice' AND NEW.customer_name <> ''{})
    EXECUTE FUNCTION note_invoiced_name()
"""
_IS_NEW = "OLD.customer_name <> NEW.customer_name"
_KNOWN = """
    INSERT INTO invoiced_name (tenant_id, name)
    SELECT DISTINCT transfer.tenant_id, customer_name FROM tenant JOIN transfer ON transfer.tenant_id = tenant.id
    WHERE scope = 'invoice' AND customer_name <> ''
"""


def upgrade() -> None:
    # No longer than this in front of every webhook that waits behind it (env.py sets the same for all).
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.create_table(
        "invoiced_name",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_invoiced_name_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_invoiced_name"),
    )
    op.execute(_NOTE)
    # From here on nobody else writes a document until this is committed.
    op.execute(_NOTES.format("insert", "INSERT", ""))
    op.execute(_NOTES.format("update", "UPDATE OF customer_name", f" AND {_IS_NEW}"))
    op.execute(_KNOWN)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER transfer_notes_name_on_{event} ON transfer")
    op.execute("DROP FUNCTION note_invoiced_name")
    op.drop_table("invoiced_name")
