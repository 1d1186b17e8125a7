"""Whether a value of a real file can be what a layout says of its field."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from app.files.layouts import Field, FieldKind, Layout

# What of a field's value is shown to people.
_SHOWN = 40


def find_odd(layout: Layout, one: Field, value: Any) -> str:
    """How a value differs from the field, in words that follow “expected”; empty: it does not.

    `value` is a text, or what a workbook's cell holds.
    """
    if value is None or value == "":
        return _tell_empty(one)
    if not one.source:
        return "" if value == one.constant else repr(one.constant) if one.constant else "nothing"
    if one.words and value not in one.words.values():
        return f"one of {', '.join(one.words.values())}"
    return _JUDGES[one.kind](layout, one, value)


def show(value: Any) -> str:
    """The value, short enough for one line."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def to_number(layout: Layout, value: Any) -> Decimal | None:
    """The number that a value is in this layout's spelling; None: it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Decimal(repr(value))
    text = str(value).strip()
    if layout.decimal_mark != ".":
        text = "" if "." in text else text.replace(layout.decimal_mark, ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None


def _tell_empty(one: Field) -> str:
    if one.constant and not one.source:
        return repr(one.constant)
    return "something: the field must be filled" if one.mandatory else ""


def _judge_text(_layout: Layout, one: Field, value: Any) -> str:
    if not isinstance(value, str):
        return "a text"
    return f"at most {one.length} letters" if one.length and len(value) > one.length else ""


def _judge_number(layout: Layout, one: Field, value: Any) -> str:
    decimals = one.decimals if one.kind is FieldKind.NUMBER else 0
    number = None if isinstance(value, date) else to_number(layout, value)
    if number is None:
        return f"a number with {layout.decimal_mark!r} before its decimals"
    return "" if number == round(number, decimals) else f"a number of at most {decimals} decimals"


def _judge_date(layout: Layout, _one: Field, value: Any) -> str:
    if isinstance(value, date):
        return ""
    shape = layout.date_format
    return "" if isinstance(value, str) and _is_day(shape, value) else f"a day as {shape}"


def _is_day(shape: str, text: str) -> bool:
    pattern = re.escape(shape)
    for sign, digits in (
        ("yyyy", r"(?P<y>\d{4})"),
        ("yy", r"(?P<y>\d\d)"),
        ("MM", r"(?P<m>\d\d)"),
        ("dd", r"(?P<d>\d\d)"),
    ):
        if f"(?P<{digits[4]}>" not in pattern:
            pattern = pattern.replace(sign, digits)
    found = re.fullmatch(pattern, text, re.ASCII)
    if found is None:
        return False
    year = int(found["y"])
    try:
        date(year if year >= 100 else 2000 + year, int(found["m"]), int(found["d"]))  # noqa: PLR2004 - two digits
    except ValueError:
        return False
    return True


_JUDGES: dict[FieldKind, Callable[[Layout, Field, Any], str]] = {
    FieldKind.TEXT: _judge_text,
    FieldKind.CODE: _judge_text,
    FieldKind.NUMBER: _judge_number,
    FieldKind.WHOLE: _judge_number,
    FieldKind.DATE: _judge_date,
}
