"""Which series numbers a document, whose turn it is, and what a series must be like."""

from dataclasses import replace
from typing import Any

import pytest

from app.admin.series import OddNumbers
from app.admin.series_check import SeriesFacts, examine_series
from app.domain.company_settings import Series
from app.domain.reasons.codes import Code
from app.domain.series import InvoiceSeries, choose_series, list_twice, name_turn, parse_numeral, parse_turn

OWN = InvoiceSeries(series_id=7, name="RecMan", next_number=100)
THERE = Series(name="RecMan", first=100, last=199, following=100, is_default=False, series_id=7)
OTHER = Series(name="Standard", first=1, last=99, following=5, is_default=True, series_id=1)


@pytest.mark.parametrize(
    ("number", "numeral"),
    [("100", 100), ("0100", None), ("F-100", None), ("100-1", None), ("", None), ("0", None), ("9" * 19, None)],
)
def test_a_series_counts_whole_numbers_alone(number: str, numeral: int | None) -> None:
    assert parse_numeral(number) == numeral


def test_what_is_said_most_closely_counts() -> None:
    north = replace(OWN, series_id=8, departments=("2",))
    notes = replace(OWN, series_id=9, kind="credit_note")
    tens = replace(OWN, series_id=10, prefix="10")
    series = [OWN, north, notes, tens]

    def chosen(number: str, department: str, kind: str = "invoice") -> list[int]:
        return [one.series_id for one in choose_series(series, number, department_id=department, kind=kind)]

    assert chosen("200", "1") == [7]
    assert chosen("105", "1") == [10]
    assert chosen("105", "2") == [8]
    assert chosen("200", "1", "credit_note") == [9]
    # A credit note of the department's could be either's: nobody has said which.
    assert chosen("200", "2", "credit_note") == [8, 9]
    assert choose_series([], "200", department_id="1", kind="invoice") == ()


def test_two_series_for_the_same_documents_are_seen() -> None:
    assert list_twice([OWN, replace(OWN, series_id=8)])
    assert list_twice([replace(OWN, departments=("1", "2")), replace(OWN, series_id=8, departments=("2", "3"))])
    assert not list_twice([OWN, replace(OWN, series_id=8, departments=("2",))])


def test_a_turn_is_known_by_its_name() -> None:
    assert parse_turn(name_turn("a/b", 7, 100)) == ("a/b", 7, 100)


def judge(**facts: Any) -> list[Code]:
    findings = examine_series([OWN], SeriesFacts(**{"there": (THERE, OTHER)} | facts))
    assert all(one.ok or (one.cause and one.fix) for one in findings)
    return [one.code for one in findings if not one.ok and one.code is not None]


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, []),
        ({"there": None}, [Code.SERIES_MISSING]),
        ({"there": (OTHER,)}, [Code.SERIES_MISSING]),
        ({"there": (replace(THERE, following=None),)}, [Code.SERIES_MISSING]),
        ({"there": (replace(THERE, is_default=True),)}, [Code.SERIES_SHARED]),
        ({"there": (replace(THERE, is_default=None),)}, [Code.SERIES_SHARED]),
        ({"there": (THERE, replace(OTHER, follows_id=7))}, [Code.SERIES_SHARED]),
        ({"there": (THERE, replace(OTHER, last=100))}, [Code.SERIES_OVERLAPS]),
        ({"there": (replace(THERE, following=101),)}, [Code.SERIES_NOT_NEXT]),
        ({"there": (replace(THERE, first=101, following=101),)}, [Code.SERIES_NOT_NEXT, Code.SERIES_NOT_NEXT]),
        ({"taken": frozenset({7})}, [Code.SERIES_SHARED]),
        ({"odd": {7: OddNumbers(booked=("100",))}}, [Code.SERIES_NOT_NEXT]),
        ({"odd": {7: OddNumbers(open=("99",))}}, [Code.SERIES_NOT_NEXT]),
    ],
)
def test_a_series_is_fine_only_when_nothing_could_give_another_number(facts: dict[str, Any], codes: list[Code]) -> None:
    assert judge(**facts) == codes


def test_no_series_at_all_is_an_alarm() -> None:
    (finding,) = examine_series([], SeriesFacts(there=()))
    assert (finding.ok, finding.code) == (False, Code.SERIES_UNSET)
