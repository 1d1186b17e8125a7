"""A KID's check digit, by either of the banks' rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.kid import is_valid_kid


@pytest.mark.parametrize(
    ("kid", "valid"),
    [
        ("000506701000172", True),  # Unimicro's own example: help "aktiver KID"
        ("2345676", True),  # mod 10
        ("12345678903", True),  # mod 10
        ("123456785", True),  # mod 11
        ("1000-", False),
        ("0006-", True),  # mod 11: 6 × 2 leaves one, and ten has no digit
        ("0006", False),
        ("100030", False),
        ("123", False),
        ("1" * 26, False),
        ("", False),
        ("12-45", False),
        ("1234 5678 903", False),
        ("\uff11\uff12\uff13\uff14", False),
    ],
)
def test_check_digit_of_mod_10_or_mod_11(kid: str, *, valid: bool) -> None:
    assert is_valid_kid(kid) is valid


@given(st.text(alphabet="0123456789", min_size=3, max_size=24))
def test_one_check_digit_of_each_rule_fits_and_no_other(body: str) -> None:
    fitting = [last for last in "0123456789-" if is_valid_kid(body + last)]
    assert 1 <= len(fitting) <= 2


@given(st.text(alphabet="0123456789", min_size=3, max_size=24))
def test_what_fits_makes_a_sum_that_the_rule_divides(body: str) -> None:
    weights = (1, *(2, 3, 4, 5, 6, 7) * 4)
    for last in "0123456789-":
        places = [10 if digit == "-" else int(digit) for digit in reversed(body + last)]
        by_11 = sum(weight * digit for weight, digit in zip(weights, places, strict=False)) % 11 == 0
        doubled = [digit * 2 - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(places)]
        by_10 = last != "-" and sum(doubled) % 10 == 0
        assert is_valid_kid(body + last) is (by_10 or by_11)
