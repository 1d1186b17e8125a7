"""sign-in: who began it, what it granted, why it failed; server clients; the files service"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("key", sa.Column("files_base", sa.Text(), nullable=True))
    op.add_column("key", sa.Column("credentials", sa.LargeBinary(), nullable=True))
    # No sign-in is older than ten minutes, and none was ever made: nothing to carry over.
    op.execute("DELETE FROM sign_in")
    op.add_column("sign_in", sa.Column("begun_by", sa.Text(), nullable=False))
    op.add_column("sign_in", sa.Column("granted", sa.LargeBinary(), nullable=True))
    op.add_column("sign_in", sa.Column("failure", sa.Text(), nullable=True))
    op.drop_column("sign_in", "tokens")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DELETE FROM sign_in")
    op.add_column("sign_in", sa.Column("tokens", sa.LargeBinary(), nullable=True))
    op.drop_column("sign_in", "failure")
    op.drop_column("sign_in", "granted")
    op.drop_column("sign_in", "begun_by")
    op.drop_column("key", "credentials")
    op.drop_column("key", "files_base")
