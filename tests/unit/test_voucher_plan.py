"""Vouchers planned: shared out to the øre, held for what nobody has proven, never booked while it may be there."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.answers import Answer, How, Question, Way
from app.domain.booking import Booking
from app.domain.documents import DocumentKind, Totals
from app.domain.money import ZERO
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteVatType
from app.domain.rules import Rules
from app.domain.vouchers import RemoteVoucher, Share, fit_shares, share_out, split_gross, to_base_amounts
from app.transfer.plan.document import plan_document
from app.transfer.plan.situation import CustomerView, DocumentSituation, Past
from app.transfer.plan.steps import AdoptVoucher, BookVoucher, Decision, Go, Hold, LookAgain
from app.transfer.plan.voucher import VoucherDesign, design_voucher
from tests.world.builders import make_document, make_line, make_product, make_reference, make_remote_document

BOOKED = Past(transfer_id=1, remote_id=17, remote_number="100001", booked=True)
VAT_TYPES = {"3": (RemoteVatType(remote_id=11, code="3", rate=Decimal(25)),)}
UNCLEAR = Past(transfer_id=9, unclear=True)


def make_situation(**changes: Any) -> DocumentSituation:
    situation = DocumentSituation(
        document=make_document(),
        reference=make_reference(vat_types=VAT_TYPES),
        external_reference="RM-5001",
        go_live=date(2026, 1, 1),
        booking=Booking.VOUCHER,
        past=Past(transfer_id=9),
        customer=CustomerView(recman_company_id="201", past=BOOKED),
    )
    return replace(situation, **changes)


def make_voucher(*, reference: str = "RM-5001", is_made: bool = True, **head: Any) -> RemoteVoucher:
    """A voucher that is exactly the document."""
    document = make_document()
    values = {"state": DocumentState.ISSUED, "number": document.number, "invoice_date": document.invoice_date}
    remote = make_remote_document(**values | {"external_reference": reference} | head)
    return RemoteVoucher(entry_id=77, number="34-2026", external_reference=reference, document=remote, is_made=is_made)


def make_share(amount: str, *, rate: str = "25", account: int = 283) -> Share:
    return Share(account_id=account, vat_type_id=11, vat_rate=Decimal(rate), amount=Decimal(amount))


def know(question: Question, way: Way) -> dict[Question, Answer]:
    return {question: Answer(question=question, answer=way, how=How.TRIED)}


def codes(decision: Decision) -> list[str]:
    assert isinstance(decision, Hold), decision
    return [gap.code for gap in decision.gaps]


def only_step(decision: Decision) -> Any:
    assert isinstance(decision, Go), decision
    (step,) = decision.steps
    return step


def test_document_of_a_known_customer_is_one_step() -> None:
    step = only_step(plan_document(make_situation()))
    assert isinstance(step, BookVoucher)
    assert (step.credited_id, step.credited_number) == (None, "")


def test_day_of_delivery_locks_nothing_for_a_voucher_is_booked_on_the_invoices_own() -> None:
    locked = make_reference(vat_types=VAT_TYPES, books_on_delivery_date=True, locked_until=date(2026, 9, 30))
    document = make_document(delivery_date=date(2026, 9, 1))
    assert isinstance(plan_document(make_situation(document=document, reference=locked)), Go)
    early = make_document(invoice_date=date(2026, 9, 30), due_date=date(2026, 10, 14))
    assert codes(plan_document(make_situation(document=early, reference=locked))) == [Code.PERIOD_LOCKED]


@pytest.mark.parametrize("way", [None, Way.CHANGED, Way.REFUSED, Way.KEPT])
def test_foreign_currency_goes_only_where_it_is_known_to_be_kept(way: Way | None) -> None:
    answers = {} if way is None else know(Question.VOUCHER_CURRENCY, way)
    decision = plan_document(make_situation(document=make_document(currency="EUR"), answers=answers))
    if way is Way.KEPT:
        assert isinstance(only_step(decision), BookVoucher)
    else:
        assert codes(decision) == [Code.VOUCHER_UNPROVEN]


def test_what_is_only_assumed_of_a_company_proves_nothing() -> None:
    assumed = {Question.VOUCHER_CURRENCY: Answer(question=Question.VOUCHER_CURRENCY, answer=Way.KEPT)}
    decision = plan_document(make_situation(document=make_document(currency="EUR"), answers=assumed))
    assert codes(decision) == [Code.VOUCHER_UNPROVEN]


def test_credit_note_says_which_invoice_it_credits() -> None:
    document = make_document(kind=DocumentKind.CREDIT_NOTE, credited_invoice_id="4999")
    issued = make_remote_document(
        remote_id=17, state=DocumentState.ISSUED, number="19999", external_reference="RM-4999", currency_id=1
    )
    credited = replace(BOOKED, external_reference="RM-4999", remote_number="19999")
    parts = {"document": document, "credited": credited, "credited_document": issued}
    assert codes(plan_document(make_situation(**parts))) == [Code.VOUCHER_UNPROVEN]
    proven = know(Question.VOUCHER_CREDIT_NOTES, Way.ONE_HEAD)
    step = only_step(plan_document(make_situation(**parts, answers=proven)))
    assert (step.credited_id, step.credited_number) == (17, "19999")


def test_voucher_of_ours_is_taken_over_whoever_has_lost_its_answer() -> None:
    for past in (UNCLEAR, Past(transfer_id=9)):
        step = only_step(plan_document(make_situation(past=past, vouchers=(make_voucher(),))))
        assert isinstance(step, AdoptVoucher)


@pytest.mark.parametrize(
    "voucher",
    [
        make_voucher(reference="RM-9999"),
        make_voucher(reference=""),
        make_voucher(reference="", is_made=False),
        make_voucher(reference="RM-9999", is_made=False),
    ],
)
def test_another_document_with_the_number_holds_it(voucher: RemoteVoucher) -> None:
    assert codes(plan_document(make_situation(vouchers=(voucher,)))) == [Code.NUMBER_IN_BOOKS]


def test_voucher_without_reference_is_ours_after_an_unclear_answer_where_all_agrees() -> None:
    same = make_voucher(reference="")
    assert isinstance(only_step(plan_document(make_situation(past=UNCLEAR, vouchers=(same,)))), AdoptVoucher)
    for head in ({"customer_id": 18}, {"invoice_date": date(2026, 10, 30)}, {"kind": DocumentKind.CREDIT_NOTE}):
        other = make_voucher(reference="", **head)
        assert codes(plan_document(make_situation(past=UNCLEAR, vouchers=(other,)))) == [Code.NUMBER_IN_BOOKS]


@pytest.mark.parametrize("reference", ["RM-5001", ""])
def test_voucher_without_head_is_never_sent_again(reference: str) -> None:
    headless = replace(make_voucher(reference=reference), document=None)
    situation = make_situation(past=replace(UNCLEAR, looked_twice=True), vouchers=(headless,))
    assert codes(plan_document(situation)) == [Code.VOUCHER_WITHOUT_HEAD]


def test_two_of_ours_are_for_a_person() -> None:
    twice = (make_voucher(), replace(make_voucher(), entry_id=78, number="35-2026"))
    assert codes(plan_document(make_situation(vouchers=twice))) == [Code.DOCUMENT_TWICE]


def test_nothing_is_sent_again_before_a_second_look_or_ever_where_unimicro_has_seen_its_guid() -> None:
    assert isinstance(plan_document(make_situation(past=UNCLEAR)), LookAgain)
    looked = replace(UNCLEAR, looked_twice=True)
    assert isinstance(only_step(plan_document(make_situation(past=looked))), BookVoucher)
    spent = replace(looked, guid_spent=True)
    assert codes(plan_document(make_situation(past=spent))) == [Code.VOUCHER_LOST]


def test_lines_are_shared_out_by_account_vat_and_department_that_is_there() -> None:
    lines = (
        make_line(),
        make_line(position=2, department_number="20"),
        make_line(position=3, department_number="nowhere"),
        make_line(position=4, quantity=Decimal(0)),
    )
    document = make_document(lines=lines)
    shares = share_out(document, {line.key: make_product() for line in lines}, {"20"})
    assert [(one.department_number, one.amount) for one in shares] == [
        ("", Decimal("42187.50")),
        ("20", Decimal("21093.75")),
    ]


def test_gross_of_a_document_that_rounds_as_a_whole_is_fitted_so_that_net_and_vat_are_its_own() -> None:
    totals = Totals(net_amount=Decimal("76.30"), vat_amount=Decimal("11.45"), gross_amount=Decimal("87.75"))
    (fitted,) = fit_shares([make_share("87.74", rate="15")], Decimal("0.01"), totals) or ()
    assert fitted.amount == Decimal("87.75")
    assert split_gross(fitted.amount, fitted.vat_rate) == (totals.net_amount, totals.vat_amount)
    odd = replace(totals, vat_amount=Decimal("11.40"))
    assert fit_shares([make_share("87.74", rate="15")], Decimal("0.01"), odd) is None


@given(
    amounts=st.lists(st.decimals(-99999, 99999, places=2).filter(bool), min_size=1, max_size=8),
    rate=st.decimals("0.01", "20", places=6),
)
def test_shares_in_the_companys_currency_sum_up_to_the_claim_at_its_rate(amounts: list[Decimal], rate: Decimal) -> None:
    parts = to_base_amounts([make_share(str(amount)) for amount in amounts], rate)
    whole = sum(amounts, ZERO) * rate
    assert abs(sum(parts, ZERO) - whole) <= Decimal("0.005")
    # Only the largest gives way, by half an øre for each.
    apart = [abs(part - amount * rate) for part, amount in zip(parts, amounts, strict=True)]
    assert sorted(apart)[:-1] == sorted(one for one in apart if one <= Decimal("0.005"))[: len(apart) - 1]
    assert max(apart) <= Decimal("0.005") * (len(parts) + 1)


@given(gross=st.decimals("-99999", "99999", places=2), rate=st.sampled_from(["0", "11.11", "12", "15", "25"]))
def test_net_and_vat_make_the_gross_again(gross: Decimal, rate: str) -> None:
    net, vat = split_gross(gross, Decimal(rate))
    assert net + vat == gross


def test_claim_that_lines_do_not_explain_is_held_whatever_account_is_named() -> None:
    stated = Totals(net_amount=Decimal("16900.00"), vat_amount=Decimal("4218.75"), gross_amount=Decimal("21118.75"))
    document = make_document(stated_totals=stated)
    bookings = {line.key: make_product() for line in document.lines}
    reference = make_reference(vat_types=VAT_TYPES)
    for rules in (Rules(), Rules.model_validate({"rounding": {"account": 7740}})):
        found = design_voucher(document, bookings, reference, rules)
        assert isinstance(found, Reason)
        assert found.code == Code.TOTALS_DIFFER


def test_claim_of_its_lines_needs_no_levelling() -> None:
    document = make_document()
    bookings = {line.key: make_product() for line in document.lines}
    found = design_voucher(document, bookings, make_reference(vat_types=VAT_TYPES), Rules())
    assert isinstance(found, VoucherDesign)
    assert [share.amount for share in found.shares] == [document.totals.gross_amount]
