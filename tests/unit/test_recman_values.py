"""Single values of RecMan's records: what they say, and what is refused rather than guessed."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.recman.read.spellings import Unclear, read_day, read_flag, read_id, read_link, read_number, read_text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-10-31", date(2026, 10, 31)),
        ("2026-10-31 14:05:00", date(2026, 10, 31)),
        ("2026-10-31T00:00:00Z", date(2026, 10, 31)),
        ("2026-10-31T00:00:00+02:00", date(2026, 10, 31)),
        ("0000-00-00", None),
        ("0000-00-00 00:00:00", None),
        ("", None),
    ],
)
def test_days_that_are_clear(text: str, day: date | None) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "31.10.2026",
        "2026-02-30",
        "2026-10-31 or so",
        "2026-10-30T23:00:00Z",
        "2026-10-31 25:00:00",
        "1790-01-01",
        "2206-10-31",
        1730329200,
        "20261031",
        "\uff12\uff10\uff12\uff16-10-31",
    ],
)
def test_days_that_are_not(text: Any) -> None:
    with pytest.raises(Unclear):
        read_day(text)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (17, "17"),
        ("17", "17"),
        (" 0017 ", "17"),
        (0, None),
        ("0", None),
        (-3, None),
        (True, None),
        (Decimal("1.0"), None),
        ("1e3", None),
        ("\u0661\u0667", None),
        ("9" * 19, None),
        ("", None),
        (None, None),
        ([17], None),
    ],
)
def test_ids(value: Any, found: str | None) -> None:
    assert read_id(value) == found


@pytest.mark.parametrize("value", [0, "0", "00", None, "", False, "0.0"])
def test_link_to_nothing(value: Any) -> None:
    assert read_link(value) is None


@pytest.mark.parametrize("value", ["x", -1, True, {"id": 3}, "1,2"])
def test_link_that_is_none(value: Any) -> None:
    with pytest.raises(Unclear):
        read_link(value)


@pytest.mark.parametrize("value", [2, "maybe", "10", [1]])
def test_flag_that_is_none(value: Any) -> None:
    with pytest.raises(Unclear):
        read_flag(value)


def test_texts_lose_what_no_database_stores() -> None:
    assert read_text("A\x00B\x0bC\ud800D ") == "ABCD"
    assert (read_text(20001), read_text(Decimal("20001.0")), read_text(Decimal("1.50"))) == ("20001", "20001", "1.50")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (Decimal("67.2000000000000028421709430404007434844970703125"), "67.2"),
        ("67.200000000000003", "67.2"),
        (Decimal("25.0000000000000000"), "25"),
        ("1e3", "1E+3"),
        ("\uff11\uff10\uff10", "100"),
        ("0.333333333333", "0.333333333333"),
        (Decimal(1) / Decimal(3), "0.3333333333"),
        (Decimal(22 / 3), "7.3333333333"),
        ("-66.66666666666667", "-66.6666666667"),
        ("1e-999999", "0"),
    ],
)
def test_numbers_lose_the_dust_of_a_float_and_nothing_else(value: Any, number: str) -> None:
    assert str(read_number(value)) == number


@pytest.mark.parametrize("value", ["1 234,50", "1.234,50", "1e12", "NaN", 0.5])
def test_numbers_that_no_invoice_means(value: Any) -> None:
    with pytest.raises(Unclear):
        read_number(value)
