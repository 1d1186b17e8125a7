"""KID, the number by which a Norwegian payment finds its invoice: whether banks take it. Pure."""

import re

from stdnum import luhn

# Source: docs/facts/unimicro.md §11 row 18: 4 to 25 digits, the last one a check digit of mod 10 or mod 11.
_FORM = re.compile(r"\d{3,24}[\d-]", re.ASCII)
_WEIGHTS = (2, 3, 4, 5, 6, 7)
_MODULUS = 11
# What stands for the check digits that have no digit of their own.
_SIGNS = {10: "-", 11: "0"}


def is_valid_kid(text: str) -> bool:
    """Whether the form is a KID's and its check digit fits mod 10 or mod 11; `-` is mod 11's for ten."""
    if not _FORM.fullmatch(text):
        return False
    return _fits_mod11(text) or (text.isdecimal() and luhn.is_valid(text))


def clean_kid(text: str) -> str:
    """The KID without the blanks that people print in it: two that differ in those alone are one."""
    return "".join(text.split())


def _fits_mod11(text: str) -> bool:
    digits = map(int, reversed(text[:-1]))
    total = sum(digit * _WEIGHTS[place % len(_WEIGHTS)] for place, digit in enumerate(digits))
    wanted = _MODULUS - total % _MODULUS
    return text[-1] == _SIGNS.get(wanted, str(wanted))
