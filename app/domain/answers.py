"""What nobody can look up about Unimicro, what is assumed meanwhile, and what a company has answered. Pure.

Source: docs/facts/unimicro.md §9, §10, §11 and §12; each row below names its own. What is assumed is what the service
goes by until `recman-unimicro golive` has found out how it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.booking import Booking


class Question(StrEnum):
    """What a company's books are asked, once."""

    # Whether things may be tried in it.
    TEST_COMPANY = "test_company"

    # Drafts and issuing.
    DRAFT_STATUS = "draft_status"
    SUMS_COMPUTED = "sums_computed"
    SUMS_WAY = "sums_way"
    PRODUCTLESS_LINE = "productless_line"
    GUID_REFUSED = "guid_refused"
    REFERENCE_FOUND = "reference_found"
    SEARCH_LAG = "search_lag"
    KID_KEPT = "kid_kept"
    KID_WHEN_EMPTY = "kid_when_empty"
    NUMBER_POSTED = "number_posted"
    PRESET_NUMBER = "preset_number"
    NUMBER_TWICE = "number_twice"
    DAYS_KEPT = "days_kept"
    SENT_WHEN_ISSUED = "sent_when_issued"
    CREDIT_COPIES_REFERENCE = "credit_copies_reference"
    # Customers and rates.
    CUSTOMER_NUMBER_ACCEPTED = "customer_number_accepted"
    RATE_FACTOR = "rate_factor"
    RATE_SENT = "rate_sent"
    # Vouchers.
    VOUCHER_MAKES_HEADS = "voucher_makes_heads"
    VOUCHER_KID = "voucher_kid"
    VOUCHER_CREDIT_NOTES = "voucher_credit_notes"
    VOUCHER_CURRENCY = "voucher_currency"
    VOUCHER_FOUND = "voucher_found"
    # Orders.
    ORDER_INVOICED_AS = "order_invoiced_as"
    ORDER_LINES_NAMED = "order_lines_named"


class Way(StrEnum):
    """How Unimicro does it."""

    DRAFT = "draft"
    NUMBERED = "numbered"
    ISSUED = "issued"
    KEPT = "kept"
    MADE = "made"
    EMPTY = "empty"
    CHANGED = "changed"
    TAKEN = "taken"
    IGNORED = "ignored"
    REFUSED = "refused"
    COMPUTED = "computed"
    AS_SENT = "as_sent"
    LINE = "line"
    DOCUMENT = "document"
    UI2021 = "ui2021"
    TEXT = "text"
    PRICED = "priced"
    FOUND = "found"
    NOT_FOUND = "not_found"
    SENT = "sent"
    NOT_SENT = "not_sent"
    ONE_HEAD = "one_head"
    NO_HEAD = "no_head"
    OTHER_HEADS = "other_heads"
    PER_FACTOR = "per_factor"
    PER_UNIT = "per_unit"
    LINKED = "linked"
    YES = "yes"
    NO = "no"
    UNLIKE = "unlike"


class How(StrEnum):
    """How an answer came to be."""

    ASSUMED = "assumed"
    TRIED = "tried"
    STATED = "stated"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A question as people read it, and what is assumed where nobody has answered it.

    Shape: `ways` are the answers that there can be; none: the answer is a number of seconds.
    """

    asks: str
    assumed: str
    ways: tuple[Way, ...]
    section: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is taken for true of one company; `evidence` are the masked exchanges that show it."""

    question: Question
    answer: str
    how: How = How.ASSUMED
    answered_by: str = ""
    answered_at: datetime | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether somebody has found it out for this company."""
        return self.how is not How.ASSUMED


UNKNOWNS: Mapping[Question, Unknown] = {
    Question.TEST_COMPANY: Unknown(
        "Is it a test company, whose books nobody signs?", Way.NO, (Way.YES, Way.NO), "§1.6"
    ),
    Question.DRAFT_STATUS: Unknown(
        "Is an invoice that is posted with StatusCode 10001 a draft without number?",
        Way.DRAFT,
        (Way.DRAFT, Way.NUMBERED, Way.ISSUED, Way.REFUSED),
        "§9 row 13",
    ),
    Question.SUMS_COMPUTED: Unknown(
        "Does Unimicro compute the sums of a draft that brings none?",
        Way.AS_SENT,
        (Way.COMPUTED, Way.AS_SENT, Way.REFUSED),
        "§9 row 7",
    ),
    Question.SUMS_WAY: Unknown(
        "How does VAT come together: per line, per document, or as Unimicro's web client did it in 2021?",
        Way.LINE,
        (Way.LINE, Way.DOCUMENT, Way.UI2021, Way.UNLIKE),
        "§11 row 14",
    ),
    Question.PRODUCTLESS_LINE: Unknown(
        "What becomes of a priced line without product?",
        Way.REFUSED,
        (Way.TEXT, Way.PRICED, Way.REFUSED),
        "§9 row 10",
    ),
    Question.GUID_REFUSED: Unknown(
        "Is a second record with the same _createguid refused?", Way.REFUSED, (Way.REFUSED, Way.MADE), "§5.2"
    ),
    Question.REFERENCE_FOUND: Unknown(
        "Is an invoice found by its ExternalReference?", Way.FOUND, (Way.FOUND, Way.NOT_FOUND), "§5.2"
    ),
    Question.SEARCH_LAG: Unknown("How many seconds pass before a new record is found?", "5", (), "§5.2"),
    Question.KID_KEPT: Unknown(
        "Is the KID of a draft still there once it is issued?",
        Way.MADE,
        (Way.KEPT, Way.MADE, Way.EMPTY),
        "§11 row 1",
    ),
    Question.KID_WHEN_EMPTY: Unknown(
        "Does Unimicro make a KID for a draft that has none?", Way.MADE, (Way.EMPTY, Way.MADE), "§11 row 1"
    ),
    Question.NUMBER_POSTED: Unknown(
        "Is a number that is posted on the draft the invoice's?",
        Way.IGNORED,
        (Way.TAKEN, Way.IGNORED, Way.REFUSED),
        "§9 row 1",
    ),
    Question.PRESET_NUMBER: Unknown(
        "Is a posted number taken where the company presets invoice numbers?",
        Way.IGNORED,
        (Way.TAKEN, Way.IGNORED, Way.REFUSED),
        "§9 row 1",
    ),
    Question.NUMBER_TWICE: Unknown(
        "Is a posted number that another invoice has refused, or taken once more?",
        Way.TAKEN,
        (Way.REFUSED, Way.TAKEN),
        "§9 row 1",
    ),
    Question.DAYS_KEPT: Unknown(
        "Are invoice date and due date of a draft still there once it is issued?",
        Way.KEPT,
        (Way.KEPT, Way.CHANGED),
        "§9 row 7",
    ),
    Question.SENT_WHEN_ISSUED: Unknown(
        "Does Unimicro send an invoice by itself when it is issued?", Way.NOT_SENT, (Way.SENT, Way.NOT_SENT), "§4.2"
    ),
    Question.CREDIT_COPIES_REFERENCE: Unknown(
        "Does a credit draft have its invoice's ExternalReference?", Way.NO, (Way.NO, Way.YES), "§4.1"
    ),
    Question.CUSTOMER_NUMBER_ACCEPTED: Unknown(
        "Is an explicit customer number inside the series taken?",
        Way.TAKEN,
        (Way.TAKEN, Way.IGNORED, Way.REFUSED),
        "§9 row 3",
    ),
    Question.RATE_FACTOR: Unknown(
        "Is a rate told for as many units as its Factor says?",
        Way.PER_FACTOR,
        (Way.PER_FACTOR, Way.PER_UNIT, Way.UNLIKE),
        "§11 row 13",
    ),
    Question.RATE_SENT: Unknown(
        "Is the rate of a document for one unit of its currency?",
        Way.PER_UNIT,
        (Way.PER_UNIT, Way.PER_FACTOR, Way.UNLIKE),
        "§3.3",
    ),
    Question.VOUCHER_MAKES_HEADS: Unknown(
        "Does a voucher with an invoice number make one invoice head with it?",
        Way.NO_HEAD,
        (Way.ONE_HEAD, Way.NO_HEAD, Way.OTHER_HEADS, Way.REFUSED),
        "§9 row 2",
    ),
    Question.VOUCHER_KID: Unknown("Has that head the voucher's KID?", Way.MADE, (Way.KEPT, Way.MADE, Way.EMPTY), "§12"),
    Question.VOUCHER_CREDIT_NOTES: Unknown(
        "Does the mirrored voucher of a credit note make one credit note's head?",
        Way.NO_HEAD,
        (Way.ONE_HEAD, Way.NO_HEAD, Way.OTHER_HEADS, Way.REFUSED),
        "§12",
    ),
    Question.VOUCHER_CURRENCY: Unknown(
        "Has the head of a voucher in a foreign currency that currency's amount?",
        Way.CHANGED,
        (Way.KEPT, Way.CHANGED, Way.NO_HEAD, Way.REFUSED),
        "§12",
    ),
    Question.VOUCHER_FOUND: Unknown(
        "Is a journal entry found by its ExternalReference?", Way.NOT_FOUND, (Way.FOUND, Way.NOT_FOUND), "§12"
    ),
    Question.ORDER_INVOICED_AS: Unknown(
        "Is the invoice that an order becomes a draft, or issued at once?",
        Way.DRAFT,
        (Way.DRAFT, Way.ISSUED, Way.REFUSED),
        "§3.4",
    ),
    Question.ORDER_LINES_NAMED: Unknown(
        "Do the lines of such an invoice name the order's lines, or are they linked?",
        Way.NO,
        (Way.NO, Way.YES, Way.LINKED),
        "§3.3",
    ),
}

# What must be known of a company, and how it must be, before a key can book so.
_PROOFS: Mapping[Booking, Mapping[Question, Way]] = {
    Booking.VOUCHER: {Question.VOUCHER_MAKES_HEADS: Way.ONE_HEAD, Question.VOUCHER_KID: Way.KEPT},
    # A number that is given twice would have to be looked for before each issuing, and somebody could still be quicker.
    Booking.OWN_NUMBER: {
        Question.NUMBER_POSTED: Way.TAKEN,
        Question.KID_KEPT: Way.KEPT,
        Question.NUMBER_TWICE: Way.REFUSED,
    },
}


def assume(question: Question) -> Answer:
    """What is taken for true where nobody has found it out."""
    return Answer(question=question, answer=UNKNOWNS[question].assumed)


def hangs_on_answers(booking: Booking) -> bool:
    """Whether a key may book so only where somebody has found out that its company allows it."""
    return booking in _PROOFS


def list_unproven(booking: Booking, answers: Mapping[Question, Answer]) -> tuple[Question, ...]:
    """What keeps a company's documents from being booked so: not known yet, or known to be otherwise."""
    proofs = _PROOFS.get(booking, {})
    return tuple(
        one for one, needed in proofs.items() if not any(_is_proven(told, needed) for told in _told_of(one, answers))
    )


def list_disproven(booking: Booking, answers: Mapping[Question, Answer]) -> tuple[Question, ...]:
    """What somebody has found out that forbids to book so, though the key began when it was proven."""
    needed = _PROOFS.get(booking, {})
    unproven = list_unproven(booking, answers)
    return tuple(one for one in unproven if _is_denied(_told_of(one, answers), needed[one]))


def _told_of(question: Question, answers: Mapping[Question, Answer]) -> tuple[Answer, ...]:
    """A number that is posted may be taken as it is, or where the company presets numbers; a draft shows either."""
    ways = (question, Question.PRESET_NUMBER) if question is Question.NUMBER_POSTED else (question,)
    return tuple(answers[one] for one in ways if one in answers)


def _is_proven(answer: Answer, needed: Way) -> bool:
    """What somebody has only said proves nothing."""
    return answer.how is How.TRIED and answer.answer == needed


def _is_denied(told: tuple[Answer, ...], needed: Way) -> bool:
    """Whether all that anybody has found out or said is something else; who says what is needed denies nothing."""
    known = [one for one in told if one.is_known]
    return bool(known) and all(one.answer != needed for one in known)


def is_answer(question: Question, answer: str) -> bool:
    """Whether the question can be answered so."""
    ways = UNKNOWNS[question].ways
    return answer in ways if ways else answer.replace(".", "", 1).isdecimal()


def knows_otherwise(answers: Mapping[Question, Answer], question: Question, *ways: Way) -> bool:
    """Whether somebody has found out, for this company, that it is one of these ways."""
    answer = answers.get(question)
    return answer is not None and answer.is_known and answer.answer in ways


def takes_numbers(answers: Mapping[Question, Answer]) -> bool:
    """Whether a customer may be made with RecMan's number, as far as anybody knows."""
    return not knows_otherwise(answers, Question.CUSTOMER_NUMBER_ACCEPTED, Way.IGNORED, Way.REFUSED)


def lag_of(answers: Mapping[Question, Answer], seconds: float) -> float:
    """How long an empty look is not believed: as it is set, and twice what was measured where that is longer."""
    answer = answers.get(Question.SEARCH_LAG)
    return seconds if answer is None or not answer.is_known else max(seconds, 2 * float(answer.answer))
