"""A document there belongs to one document here; one credit note of an invoice at a time; what a look-up needs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Who was booked with it first keeps it; the others are shown to a person.
_ONE_FOR_TWO = """
    WITH placed AS (
        SELECT id, first_value(number) OVER whose AS number, row_number() OVER whose AS n FROM transfer
        WHERE scope = 'invoice' AND unimicro_id IS NOT NULL
        WINDOW whose AS (PARTITION BY tenant_id, company_key, remote_type, unimicro_id ORDER BY booked_at, id)
    )
    UPDATE transfer SET company_key = NULL, state = 'held', reasons = jsonb_build_array(jsonb_build_object(
        'code', 'document_taken',
        'cause', 'The document with id ' || unimicro_id || ' in Unimicro belongs to ' || placed.number || ' already',
        'fix', 'Look in Unimicro whose it is, and whether there is one for the other; book by hand what is missing.'))
    FROM placed WHERE placed.id = transfer.id AND placed.n > 1 AND transfer.company_key IS NOT NULL
"""
# The one whose draft is known goes on first; the others forget which invoice they are about until they are planned.
_OPEN_AT_ONCE = """
    WITH open AS (
        SELECT id, row_number() OVER (PARTITION BY tenant_id, key_id, credits_unimicro_id
                                      ORDER BY unimicro_id IS NULL, id) AS n
        FROM transfer
        WHERE credits_unimicro_id IS NOT NULL AND booked_at IS NULL AND (unclear OR unimicro_id IS NOT NULL)
    )
    UPDATE transfer SET credits_unimicro_id = NULL FROM open WHERE open.id = transfer.id AND open.n > 1
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("transfer", sa.Column("company_key", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("remote_type", sa.Text(), nullable=True))
    op.add_column("transfer", sa.Column("unimicro_customer_id", sa.BigInteger(), nullable=True))
    empty = sa.text("'[]'")
    op.add_column(
        "transfer", sa.Column("credit_drafts_before", postgresql.JSONB(), server_default=empty, nullable=False)
    )
    op.add_column("transfer", sa.Column("unclear_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("transfer", sa.Column("guid_spent", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("transfer", sa.Column("has_minus", sa.Boolean(), nullable=True))
    op.execute("UPDATE transfer SET unclear_since = updated_at, sent_at = updated_at WHERE unclear")
    op.execute(
        "UPDATE transfer SET company_key = key.company_key,"
        " remote_type = CASE WHEN coalesce(transfer.method, key.method) = 'order' THEN 'order' ELSE 'invoice' END"
        " FROM key WHERE key.id = transfer.key_id AND transfer.scope = 'invoice' AND transfer.unimicro_id IS NOT NULL"
    )
    # The release before could take one document there for two here; a unique index cannot be made over those.
    op.execute(_ONE_FOR_TWO)
    op.execute(_OPEN_AT_ONCE)
    op.create_index(
        "uq_transfer_remote",
        "transfer",
        ["tenant_id", "company_key", "remote_type", "unimicro_id"],
        unique=True,
        postgresql_where=sa.text("scope = 'invoice' AND unimicro_id IS NOT NULL"),
    )
    op.create_index(
        "uq_transfer_open_credit",
        "transfer",
        ["tenant_id", "key_id", "credits_unimicro_id"],
        unique=True,
        postgresql_where=sa.text("booked_at IS NULL AND (unclear OR unimicro_id IS NOT NULL)"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("uq_transfer_open_credit", table_name="transfer")
    op.drop_index("uq_transfer_remote", table_name="transfer")
    for name in ("has_minus", "guid_spent", "sent_at", "unclear_since", "credit_drafts_before", "unimicro_customer_id"):
        op.drop_column("transfer", name)
    op.drop_column("transfer", "remote_type")
    op.drop_column("transfer", "company_key")
