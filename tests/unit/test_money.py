"""Money stays Decimal from byte to byte."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import (
    dump_json,
    is_same_rate,
    parse_json,
    round_money,
    show_money,
    to_decimal,
    undo_float,
)
from tests.world.builders import make_document, make_line

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False, allow_infinity=False)


@given(amounts)
def test_amount_survives_json_exactly(amount: Decimal) -> None:
    found = parse_json(dump_json({"amount": amount}))["amount"]
    assert isinstance(found, Decimal | int)
    assert found == amount


def test_json_numbers_are_never_floats() -> None:
    assert parse_json('{"a": 0.1, "b": 1e2, "c": 3}') == {"a": Decimal("0.1"), "b": Decimal("1e2"), "c": 3}
    assert type(parse_json("812.3456")) is Decimal


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[" * 100_000, "{", ""])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


@pytest.mark.parametrize("value", [0.1, True, None, "", "1,5", "12 kr", "NaN", "1_000", b"1"])
def test_guesses_at_numbers_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a number"):
        to_decimal(value)


@pytest.mark.parametrize(("amount", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("625.125", "625.13")])
def test_halves_are_rounded_away_from_zero(amount: str, rounded: str) -> None:
    assert round_money(Decimal(amount)) == Decimal(rounded)
    assert show_money(Decimal(amount)) == rounded


def test_line_takes_its_discount_before_rounding_and_its_vat_after() -> None:
    line = make_line(quantity=Decimal("37.5"), unit_price_net=Decimal("812.3456"), discount_percent=Decimal("12.5"))
    assert line.net_amount == Decimal("26655.09")
    assert line.vat_amount == Decimal("6663.77")


def test_totals_are_the_sums_of_rounded_lines() -> None:
    line = make_line(quantity=Decimal(1), unit_price_net=Decimal("0.105"))
    document = make_document(lines=(line, line, line))
    totals = document.totals
    assert (totals.net_amount, totals.vat_amount, totals.gross_amount) == (
        Decimal("0.33"),
        Decimal("0.09"),
        Decimal("0.42"),
    )


@pytest.mark.parametrize("amount", ["-0.004", "-0", "0.004", "0"])
def test_nothing_is_never_minus_nothing(amount: str) -> None:
    assert dump_json(round_money(Decimal(amount))) == "0.00"


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=4, allow_nan=False, allow_infinity=False))
def test_number_that_came_through_a_float_is_the_number_that_went_in(number: Decimal) -> None:
    assert undo_float(Decimal(float(number))) == number
    assert undo_float(Decimal(repr(float(number)))) == number


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("67.2000000000000028421709430404007434844970703125", "67.2"),
        ("-16.800000000000001", "-16.8"),
        ("0.30000000000000004", "0.3"),
        ("5.551115123125783e-17", "0"),
        ("20.00000000000000000000", "20"),
        ("50.00", "50.00"),
        ("1e3", "1E+3"),
        ("812.3456", "812.3456"),
        ("0.33333333", "0.33333333"),
        ("0.123456", "0.123456"),
    ],
)
def test_dust_of_a_float_goes_and_every_other_number_stays_as_it_is_written(written: str, meant: str) -> None:
    assert str(undo_float(Decimal(written))) == meant


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("25", "25.00", True), ("11.11", "11.110000000000000319", True), ("12", "12.0001", False), ("11.11", "11", False)],
)
def test_rates_are_compared_to_four_decimals(one: str, other: str, *, same: bool) -> None:
    assert is_same_rate(Decimal(one), Decimal(other)) is same
