"""Cells of a CSV that a spreadsheet opens. Pure.

No cell begins a formula (`domain/cells.py`); amounts have a decimal comma, as spreadsheets of the Nordic countries
read them.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from app.domain.cells import to_cell

# The mark tells spreadsheets that the letters are UTF-8.
_MARK = "\ufeff"


def to_sheet(columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> str:
    """The rows below their columns' names, with semicolons between them: a comma is part of an amount."""
    sink = io.StringIO()
    sink.write(_MARK)
    writer = csv.writer(sink, delimiter=";")
    writer.writerow(columns)
    writer.writerows([_show(value) for value in row] for row in rows)
    return sink.getvalue()


def _show(value: Any) -> str:
    if value is None:
        return ""
    # An amount is a number whatever it begins with.
    return f"{value:f}".replace(".", ",") if isinstance(value, Decimal) else to_cell(str(value))
