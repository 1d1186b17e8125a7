"""Keys say who sends the invoice, and know six bookings"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_SENDER = "sender IN ('recman', 'unimicro')"
_BOOKING = "booking IN ('series', 'voucher', 'own_number', 'renumbered', 'order', 'draft')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("key", sa.Column("sender", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_key_sender"), "key", _SENDER)
    op.drop_constraint(op.f("ck_key_booking"), "key")
    op.create_check_constraint(op.f("ck_key_booking"), "key", _BOOKING)
    # Orders and drafts were never RecMan's to send.
    op.execute("UPDATE key SET sender = 'unimicro' WHERE booking IN ('order', 'draft')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_key_booking"), "key")
    op.create_check_constraint(op.f("ck_key_booking"), "key", "booking IN ('renumbered', 'draft', 'order')")
    op.drop_column("key", "sender")
