"""Listings find what is seldom by an index"""

from alembic import op

revision = "20261126_scale13"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_event_state": "event (tenant_id, state, received_at, id) WHERE state <> 'done'",
    "ix_transfer_by_state": "transfer (tenant_id, state, created_at, id) WHERE state <> 'done'",
    "ix_transfer_by_kind": "transfer (tenant_id, kind, created_at, id)",
    "ix_transfer_by_key_id": "transfer (tenant_id, key_id, created_at, id)",
    "ix_transfer_by_recman_department_id": "transfer (tenant_id, recman_department_id, created_at, id) "
    "WHERE scope = 'invoice'",
    "ix_transfer_by_customer_name": "transfer (tenant_id, customer_name, created_at, id) WHERE scope = 'invoice'",
    "ix_transfer_by_booking": "transfer (tenant_id, booking, created_at, id) WHERE booking IN ('order', 'draft')",
    "ix_transfer_warned": "transfer (tenant_id, created_at, id) WHERE warnings <> '[]'::jsonb",
    "ix_transfer_dated": "transfer (tenant_id, invoice_date, id) WHERE scope = 'invoice'",
    "ix_audit_subject": "audit (tenant_id, subject, at, id)",
}


def upgrade() -> None:
    """Make them."""
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")


def downgrade() -> None:
    """Take them away."""
    for name in _INDEXES:
        op.execute(f"DROP INDEX {name}")
