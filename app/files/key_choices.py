"""What an administrator has chosen for a key's files: letters, signs, number series, and when a year begins."""

from app.files.checks import Bounds, Range
from app.files.layouts import Format, Layout, choose
from app.files.sources import CreditSign
from app.tables import Key


def bounds_of(key: Key) -> Bounds:
    """What is said of the company's numbers and years; nothing is compared with what nobody has said."""
    return Bounds(
        customer_numbers=_read_series(key, "customer_series"),
        document_numbers=_read_series(key, "document_series"),
        first_month=int(key.settings.get("year_begins") or 1),
    )


def choose_for(key: Key, layout: Layout) -> Layout:
    """The layout with the key's own letters and signs; a workbook has letters of its own.

    Raises:
        RequestError: the layout does not go with them.
    """
    sign = key.settings.get("export_credit_sign")
    encoding = key.settings.get("export_encoding") if layout.format is Format.RECORDS else None
    return choose(layout, encoding=str(encoding or ""), credit_sign=CreditSign(sign) if sign else None)


def _read_series(key: Key, name: str) -> tuple[Range, ...]:
    first, _, last = str(key.settings.get(name) or "").partition("-")
    return ((int(first), int(last)),) if last else ()
