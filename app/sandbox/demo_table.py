"""The table that the demo shows at its end."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table

_ORDER = ["customer", "department", "project", "invoice", "credit_note"]
_COLUMNS = (
    ("kind", False),
    ("RecMan", False),
    ("customer / name", False),
    ("amount", True),
    ("state", False),
    ("Unimicro", False),
    ("reason", False),
)
_CELLS: tuple[Callable[[dict[str, Any]], str], ...] = (
    lambda row: str(row["kind"]).replace("_", " "),
    lambda row: str(row["number"]),
    lambda row: str(row["customer_name"]),
    lambda row: f"{row['gross_amount']} {row['currency']}" if row["gross_amount"] is not None else "",
    lambda row: str(row["state"]),
    lambda row: str(row["remote_number"] or ""),
    lambda row: "; ".join(f"{reason['cause']}. {reason['fix']}" for reason in row["reasons"]),
)


def make_table(transfers: Sequence[dict[str, Any]]) -> Table:
    """Every transfer, customers first."""
    table = Table(title="Transfers", title_justify="left", header_style="bold")
    for name, justify in _COLUMNS:
        table.add_column(name, justify="right" if justify else "left", overflow="fold")
    for row in sorted(transfers, key=lambda row: (_ORDER.index(row["kind"]), row["number"])):
        table.add_row(*(cell(row) for cell in _CELLS))
    return table


_CROSS = (
    ("RecMan", "number"),
    ("Unimicro", "remote_number"),
    ("order", "order_number"),
    ("voucher", "voucher_number"),
    ("voucher id", "voucher_id"),
    ("KID in RecMan", "kid"),
    ("KID in Unimicro", "remote_kid"),
    ("state", "state"),
)


def make_cross_table(rows: Sequence[dict[str, Any]]) -> Table:
    """RecMan's documents beside what they are in the books."""
    table = Table(title="Cross-list", title_justify="left", header_style="bold")
    for name, _ in _CROSS:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if row[field] is None else str(row[field]) for _, field in _CROSS))
    return table
