"""The audit trail in one chain for each tenant and one for the installation, each with its head

There was one chain over all rows, whose hashes could not be computed again in normal use. Whether an old row was
tampered with cannot be told any more: all are chained again as they are, and a row of the installation's chain says so.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_START = bytes(32)
_INSTALLATION = UUID(int=0)
_ROWS = sa.text("""
    SELECT id, tenant_id, at, actor, action, subject, before::text AS before, after::text AS after
    FROM audit ORDER BY id
""")
_CHAINED = sa.text("UPDATE audit SET previous_hash = :previous_hash, hash = :hash WHERE id = :id")
_NOTE = sa.text("""
    INSERT INTO audit (at, actor, action, subject, after, previous_hash, hash)
    VALUES (now(), 'migration', 'audit.chain_anew', 'audit:all',
            jsonb_build_object('rows', CAST(:rows AS bigint)), '', '')
""")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    bind = op.get_bind()
    if rows := bind.execute(sa.text("SELECT count(*) FROM audit")).scalar_one():
        bind.execute(_NOTE, {"rows": rows})
    op.execute("ALTER TABLE audit DISABLE TRIGGER audit_append_only")
    _chain_anew(bind)
    op.execute("ALTER TABLE audit ENABLE TRIGGER audit_append_only")


def _chain_anew(bind: sa.Connection) -> None:
    heads: dict[UUID, tuple[int, bytes]] = {}
    for row in bind.execute(_ROWS).mappings().all():
        chain = row["tenant_id"] or _INSTALLATION
        length, previous = heads.get(chain, (0, _START))
        digest = _hash(row, previous)
        bind.execute(_CHAINED, {"id": row["id"], "previous_hash": previous, "hash": digest})
        heads[chain] = (length + 1, digest)
    for chain, (length, digest) in heads.items():
        values = {"id": chain, "length": length, "hash": digest}
        bind.execute(sa.text("INSERT INTO audit_chain VALUES (:id, :length, :hash)"), values)


def _hash(row: Any, previous: bytes) -> bytes:
    moment: datetime = row["at"]
    texts = [str(row["tenant_id"] or ""), moment.astimezone(UTC).isoformat()]
    texts += [row[name] or "" for name in ("actor", "action", "subject", "before", "after")]
    return hashlib.sha256(previous + b"".join(hashlib.sha256(one.encode()).digest() for one in texts)).digest()


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("audit_chain")
