"""What is assumed of a company, and what its answers prove."""

import re
from pathlib import Path

import pytest

from app.domain.answers import UNKNOWNS, Answer, How, Question, Way, assume, is_answer, list_disproven, list_unproven
from app.domain.booking import Booking

FACTS = Path(__file__).resolve().parents[2] / "docs" / "facts" / "unimicro.md"


def answered(**answers: Way) -> dict[Question, Answer]:
    found = {question: assume(question) for question in Question}
    for name, way in answers.items():
        found[Question(name)] = Answer(question=Question(name), answer=way, how=How.TRIED)
    return found


def test_every_question_has_an_assumption_that_is_an_answer_to_it() -> None:
    assert set(UNKNOWNS) == set(Question)
    assert [one for one, row in UNKNOWNS.items() if not is_answer(one, row.assumed)] == []
    assert [row.asks for row in UNKNOWNS.values() if not row.asks.endswith("?")] == []


def test_every_question_names_where_the_facts_leave_it_open() -> None:
    sections = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)", FACTS.read_text("utf-8"), re.MULTILINE))
    assert {row.section.partition(" ")[0].strip("§") for row in UNKNOWNS.values()} <= sections


OWN_NUMBER = {"number_posted": Way.TAKEN, "kid_kept": Way.KEPT, "number_twice": Way.REFUSED}


@pytest.mark.parametrize(
    ("booking", "answers", "missing"),
    [
        (Booking.VOUCHER, {}, ["voucher_makes_heads", "voucher_kid"]),
        (Booking.VOUCHER, {"voucher_makes_heads": Way.ONE_HEAD}, ["voucher_kid"]),
        (Booking.VOUCHER, {"voucher_makes_heads": Way.ONE_HEAD, "voucher_kid": Way.KEPT}, []),
        (
            Booking.VOUCHER,
            {"voucher_makes_heads": Way.NO_HEAD, "voucher_kid": Way.KEPT},
            ["voucher_makes_heads"],
        ),
        (Booking.OWN_NUMBER, {}, ["number_posted", "kid_kept", "number_twice"]),
        (Booking.OWN_NUMBER, OWN_NUMBER, []),
        (Booking.OWN_NUMBER, OWN_NUMBER | {"number_posted": Way.IGNORED}, ["number_posted"]),
        (Booking.OWN_NUMBER, OWN_NUMBER | {"number_posted": Way.IGNORED, "preset_number": Way.TAKEN}, []),
        (Booking.OWN_NUMBER, OWN_NUMBER | {"kid_kept": Way.MADE}, ["kid_kept"]),
        (Booking.OWN_NUMBER, OWN_NUMBER | {"number_twice": Way.TAKEN}, ["number_twice"]),
        (Booking.RENUMBERED, {}, []),
        (Booking.ORDER, {}, []),
    ],
)
def test_a_booking_is_proven_by_answers_alone_and_never_by_assumptions(
    booking: Booking, answers: dict[str, Way], missing: list[str]
) -> None:
    assert list_unproven(booking, answered(**answers)) == tuple(Question(one) for one in missing)
    found_otherwise = tuple(Question(one) for one in missing if one in answers)
    assert list_disproven(booking, answered(**answers)) == found_otherwise


def test_who_only_says_what_was_proven_before_holds_no_document() -> None:
    answers = answered(**OWN_NUMBER)
    twice = Question.NUMBER_TWICE
    answers[twice] = Answer(question=twice, answer=Way.REFUSED, how=How.STATED)
    assert list_unproven(Booking.OWN_NUMBER, answers) == (twice,)
    assert list_disproven(Booking.OWN_NUMBER, answers) == ()
    answers[twice] = Answer(question=twice, answer=Way.TAKEN, how=How.STATED)
    assert list_disproven(Booking.OWN_NUMBER, answers) == (twice,)


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        (Question.KID_KEPT, "kept", True),
        (Question.KID_KEPT, "sent", False),
        (Question.SEARCH_LAG, "0.4", True),
        (Question.SEARCH_LAG, "kept", False),
        (Question.SEARCH_LAG, "", False),
    ],
)
def test_a_question_takes_its_own_answers_alone(question: Question, answer: str, fits: bool) -> None:  # noqa: FBT001
    assert is_answer(question, answer) is fits
