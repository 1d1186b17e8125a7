"""Money as Decimal, from byte to byte: JSON without floats, one way to round, one way to write amounts."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import simplejson

ZERO = Decimal(0)
CENT = Decimal("0.01")
# NUL and half a surrogate pair can be written in JSON, but no database stores them as text.
_MAYBE_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def parse_json(text: str | bytes) -> Any:
    """The decoded document, numbers with a fraction as Decimal; what no database stores as text is left out.

    Raises:
        ValueError: not JSON, or NaN/Infinity, or nested too deep or a number too long to be meant seriously.
    """
    raw = text if isinstance(text, bytes) else text.encode(errors="replace")
    try:
        found = simplejson.loads(text, use_decimal=True)
        return make_storable(found) if _MAYBE_UNSTORABLE.search(raw) else found
    except RecursionError as error:
        raise ValueError("JSON is nested too deep") from error
    except InvalidOperation as error:
        raise ValueError("JSON holds a number beyond all bounds") from error


def make_storable(value: Any) -> Any:
    """The value without what a database cannot store as text, in names too."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [make_storable(part) for part in value]
    return (
        {make_storable(name): make_storable(part) for name, part in value.items()} if isinstance(value, dict) else value
    )


def dump_json(value: Any) -> str:
    """Compact JSON with Decimals as plain numbers, keys as given, Norwegian letters readable."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))


def to_decimal(value: object) -> Decimal:
    """The number behind an int, a Decimal or a text with a decimal point.

    Raises:
        ValueError: floats, booleans, blanks, commas, NaN: a guess at money is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(f"not a number: {value!r}")  # noqa: TRY004 - one error type for every unusable number
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {value!r}") from error
    if not number.is_finite() or (isinstance(value, str) and "_" in value):
        raise ValueError(f"not a number: {value!r}")
    return number


def round_money(amount: Decimal, step: Decimal = CENT) -> Decimal:
    """The amount to the øre (or `step`), half away from zero as both systems do; nothing is never minus nothing.

    Source: docs/facts/unimicro.md §3.3 (header rounding half-away); RecMan rounds to two at creation.
    """
    rounded = amount.quantize(step, rounding=ROUND_HALF_UP)
    return rounded or abs(rounded)


def show_money(amount: Decimal) -> str:
    """The amount as a clerk reads it: two decimals, a point, no grouping."""
    return f"{round_money(amount):f}"
