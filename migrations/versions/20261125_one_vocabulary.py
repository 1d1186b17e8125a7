"""Columns say remote_ for what stands in the accounting system, and booking for how a document gets there"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_RENAMED = ("id", "number", "customer_id", "net_amount", "vat_amount", "gross_amount")
# A check's findings are stored as they are shown.
_FINDING_NAMES = ("id", "number", "name", "org_number")


def _rename_findings(before: str, after: str) -> None:
    told = "findings::text"
    for name in _FINDING_NAMES:
        told = f"replace({told}, '\"{before}{name}\":', '\"{after}{name}\":')"
    op.execute(f"UPDATE customer_check SET findings = ({told})::jsonb WHERE findings <> '[]'")  # noqa: S608 - constants


def _rename_values(before: str, after: str) -> None:
    op.execute(f"UPDATE key SET booking = '{after}' WHERE booking = '{before}'")  # noqa: S608 - constants
    op.execute(f"UPDATE transfer SET booking = '{after}' WHERE booking = '{before}'")  # noqa: S608 - constants


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in _RENAMED:
        op.alter_column("transfer", f"unimicro_{name}", new_column_name=f"remote_{name}")
    op.alter_column("transfer", "credits_unimicro_id", new_column_name="credits_remote_id")
    _rename_findings("unimicro_", "remote_")
    op.drop_constraint(op.f("ck_key_method"), "key", type_="check")
    for table in ("key", "transfer"):
        op.alter_column(table, "method", new_column_name="booking")
    _rename_values("invoice", "renumbered")
    op.alter_column("key", "booking", server_default="renumbered")
    # A code that was given up; what waits for it must still hear when its key changes.
    op.execute(
        """UPDATE transfer SET reasons = replace(reasons::text, '"method_not_offered"', '"key_in_file_mode"')::jsonb
           WHERE reasons @> '[{"code": "method_not_offered"}]'"""
    )
    op.create_check_constraint(op.f("ck_key_booking"), "key", "booking IN ('renumbered', 'draft', 'order')")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_key_booking"), "key", type_="check")
    _rename_values("renumbered", "invoice")
    op.alter_column("key", "booking", server_default="invoice")
    for table in ("key", "transfer"):
        op.alter_column(table, "booking", new_column_name="method")
    op.create_check_constraint(op.f("ck_key_method"), "key", "method IN ('invoice', 'draft', 'order')")
    _rename_findings("remote_", "unimicro_")
    op.alter_column("transfer", "credits_remote_id", new_column_name="credits_unimicro_id")
    for name in _RENAMED:
        op.alter_column("transfer", f"remote_{name}", new_column_name=f"unimicro_{name}")
