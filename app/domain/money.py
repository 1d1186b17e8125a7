"""Money as Decimal, from byte to byte: JSON without floats, one way to round, one way to write amounts."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import simplejson

ZERO = Decimal(0)
CENT = Decimal("0.01")
# As fine as prices, quantities and rates are told by either system.
_DECIMALS = 4
TEN_THOUSANDTH = Decimal(1).scaleb(-_DECIMALS)
# How far a binary float of an invoice lies from the number that it was made of, and what large ones need beyond that.
_FLOAT_ERROR = Decimal("1e-9")
_FLOAT_STEP = Decimal(2) ** -52
# NUL and half a surrogate pair can be written in JSON, but no database stores them as text.
_MAYBE_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Whoever writes or walks through a document goes down with it: the records of either system have six levels.
_DEEPEST = 100
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def parse_json(text: str | bytes) -> Any:
    """The decoded document, numbers with a fraction as Decimal; what no database stores as text is left out.

    Raises:
        ValueError: not JSON, or NaN/Infinity, or nested too deep or a number too long to be meant seriously.
    """
    raw = text if isinstance(text, bytes) else text.encode(errors="replace")
    try:
        found = simplejson.loads(text, use_decimal=True)
        if raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_too_deep(found):
            raise ValueError("JSON is nested too deep")
        return make_storable(found) if _MAYBE_UNSTORABLE.search(raw) else found
    except RecursionError as error:
        raise ValueError("JSON is nested too deep") from error
    except InvalidOperation as error:
        raise ValueError("JSON holds a number beyond all bounds") from error


def _is_too_deep(found: Any) -> bool:
    level = [found] if isinstance(found, list | dict) else []
    for _ in range(_DEEPEST):
        parts = (part.values() if isinstance(part, dict) else part for part in level)
        level = [inner for part in parts for inner in part if isinstance(inner, list | dict)]
        if not level:
            return False
    return True


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


def undo_float(number: Decimal) -> Decimal:
    """The number of four decimals that came through a binary float, 67.2 for 67.2000000000000028…; else as it is.

    Raises:
        InvalidOperation: over twenty digits stand before the point.
    """
    near = number.quantize(TEN_THOUSANDTH, rounding=ROUND_HALF_UP)
    error = max(_FLOAT_ERROR, abs(number) * _FLOAT_STEP)
    return number if count_decimals(number) <= _DECIMALS or abs(number - near) > error else near.normalize() + ZERO


def count_decimals(number: Decimal) -> int:
    """How many digits are written behind the point, noughts too."""
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def is_same_rate(one: Decimal, other: Decimal) -> bool:
    """Whether two rates in per cent are the same to four decimals."""
    return round_money(one, TEN_THOUSANDTH) == round_money(other, TEN_THOUSANDTH)


def round_money(amount: Decimal, step: Decimal = CENT) -> Decimal:
    """The amount to the øre (or `step`), half away from zero as both systems do; nothing is never minus nothing.

    Source: docs/facts/unimicro.md §3.3 (header rounding half-away); RecMan rounds to two at creation.
    """
    rounded = amount.quantize(step, rounding=ROUND_HALF_UP)
    return rounded or abs(rounded)


def show_money(amount: Decimal) -> str:
    """The amount as a clerk reads it: two decimals, a point, no grouping."""
    return f"{round_money(amount):f}"
