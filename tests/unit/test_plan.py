"""The plan: same situation, same steps; a hold lists everything."""

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256

import pytest

from app.domain.documents import DocumentKind, Totals
from app.domain.gaps import Gaps
from app.domain.money import dump_json
from app.domain.policies import NumberPolicy
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, Reference, RemoteCustomer, RemoteProject
from app.transfer.plan.amounts import compare_totals
from app.transfer.plan.document import hash_document, plan_company, plan_document, plan_project_change
from app.transfer.plan.situation import CustomerView, DepartmentView, DocumentSituation, Past, ProjectView, Twin
from app.transfer.plan.steps import (
    AdoptDocument,
    CreateCreditDraft,
    CreateCustomer,
    CreateDepartment,
    CreateDraft,
    CreateProject,
    Decision,
    Go,
    Hold,
    Issue,
    KeepDraft,
    Link,
    LinkDocument,
    LookAgain,
    Skip,
    UpdateCustomer,
    Wait,
)
from tests.world.builders import (
    make_customer,
    make_department,
    make_document,
    make_line,
    make_product,
    make_project,
    make_reference,
    make_remote_document,
)

BOOKED = Past(transfer_id=1, remote_id=17, remote_number="100001", booked=True)


def make_situation(**changes: object) -> DocumentSituation:
    situation = DocumentSituation(
        document=make_document(),
        reference=make_reference(),
        external_reference="RM-5001",
        go_live=date(2026, 1, 1),
        past=Past(transfer_id=9),
        customer=CustomerView(recman_company_id="201", past=BOOKED),
    )
    return replace(situation, **changes)  # type: ignore[arg-type]


def make_credit(
    *, credited: Past = BOOKED, shown: dict[str, object] | None = None, **changes: object
) -> DocumentSituation:
    """A credit note over the whole of invoice 17, which is issued in Unimicro for the same customer."""
    document = make_document(kind=DocumentKind.CREDIT_NOTE, credited_invoice_id="4999", **changes)
    invoice = {"remote_id": 17, "state": DocumentState.ISSUED, "number": "100001", "invoice_date": date(2026, 10, 1)}
    invoice |= {"external_reference": "RM-4999", "currency_id": 1} | (shown or {})
    return make_situation(
        document=document,
        credited=replace(credited, external_reference="RM-4999"),
        credited_document=make_remote_document(**invoice),
    )


def codes(decision: Decision) -> list[str]:
    assert isinstance(decision, Hold), decision
    return [gap.code for gap in decision.gaps]


def step_types(decision: Decision) -> list[object]:
    assert isinstance(decision, Go), decision
    return [step.__class__ for step in decision.steps]


def these(*types: object) -> list[object]:
    return list(types)


def test_known_customer_needs_only_draft_and_issue() -> None:
    assert step_types(plan_document(make_situation())) == these(CreateDraft, Issue)


def test_same_situation_gives_the_same_plan() -> None:
    situation = make_situation()
    assert plan_document(situation) == plan_document(situation)


def test_new_customer_project_and_department_come_before_the_draft_in_this_order() -> None:
    situation = make_situation(
        customer=CustomerView(recman_company_id="201", record=make_customer()),
        project=ProjectView(recman_project_id="301", record=make_project()),
        department=DepartmentView(recman_department_id="401", record=make_department()),
    )
    expected = these(CreateCustomer, CreateProject, CreateDepartment, CreateDraft, Issue)
    assert step_types(plan_document(situation)) == expected


def test_unknown_product_holds_and_names_its_number() -> None:
    document = make_document(lines=(make_line(product_number="7777"),))
    decision = plan_document(make_situation(document=document))
    assert codes(decision) == ["product_unknown"]
    assert isinstance(decision, Hold)
    assert "7777" in decision.gaps[0].cause
    assert "7777" in decision.gaps[0].fix


def test_hold_lists_every_gap_at_once() -> None:
    document = make_document(
        lines=(make_line(product_number="7777"), make_line(position=2, product_number="9001")),
        invoice_date=date(2026, 1, 31),
        due_date=date(2026, 1, 1),
        currency="PLN",
    )
    reference = make_reference(
        products={"9001": (make_product(number="9001", active=False),)}, locked_until=date(2026, 1, 31)
    )
    situation = make_situation(
        document=document,
        reference=reference,
        customer=CustomerView(recman_company_id="201", record=make_customer(number="17")),
    )
    assert codes(plan_document(situation)) == [
        "customer_number_outside_series",
        "product_unknown",
        "product_inactive",
        "period_locked",
        "due_before_invoice",
        "currency_unknown",
    ]


def test_incomplete_document_lists_its_gaps_and_its_unknown_products() -> None:
    gap = Reason(code=Code.RECORD_MISSING, cause="Line 1: the price is missing", fix="Correct it.")
    document = Gaps(recman_id="5001", gaps=(gap,), product_numbers=("7777",))
    assert codes(plan_document(make_situation(document=document))) == ["record_missing", "product_unknown"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vat_registered": False}, "company_without_vat"),
        ({"sends_by_itself": True}, "would_send_twice"),
        ({"products": {"1001": (make_product(vat_rate=Decimal(15)),)}}, "vat_differs"),
        ({"products": {"1001": (make_product(vat_rate=None),)}}, "product_without_vat"),
        ({"products": {"1001": (make_product(), make_product(remote_id=34))}}, "product_ambiguous"),
    ],
)
def test_company_or_product_settings_hold_before_anything_is_sent(changes: dict[str, object], code: str) -> None:
    reference: Reference = replace(make_reference(), **changes)  # type: ignore[arg-type]
    assert codes(plan_document(make_situation(reference=reference))) == [code]


def test_company_without_vat_takes_invoices_without_vat() -> None:
    products = {"1001": (make_product(vat_rate=None, vat_type_id=None),)}
    reference = replace(make_reference(), vat_registered=False, products=products)
    document = make_document(lines=(make_line(vat_rate=Decimal(0)),))
    situation = make_situation(reference=reference, document=document)
    assert step_types(plan_document(situation)) == these(CreateDraft, Issue)


def test_inactive_namesake_of_an_active_product_does_not_matter() -> None:
    products = {"1001": (make_product(), make_product(remote_id=34, active=False))}
    situation = make_situation(reference=replace(make_reference(), products=products))
    assert step_types(plan_document(situation)) == these(CreateDraft, Issue)


def test_same_number_and_organisation_number_links() -> None:
    match = RemoteCustomer(remote_id=17, number="100001", name="Another name", org_number="310000012")
    view = CustomerView(recman_company_id="201", record=make_customer(org_number="310000012"), matches=(match,))
    assert step_types(plan_document(make_situation(customer=view))) == these(Link, CreateDraft, Issue)


def test_same_number_of_another_party_holds() -> None:
    match = RemoteCustomer(remote_id=17, number="100001", name="Somebody else", org_number="310000020")
    view = CustomerView(recman_company_id="201", record=make_customer(org_number="310000012"), matches=(match,))
    assert codes(plan_document(make_situation(customer=view))) == ["customer_number_clash"]


def test_same_number_without_organisation_numbers_needs_the_same_name() -> None:
    same = RemoteCustomer(remote_id=17, number="100001", name="ÆRFUGL Bemanning A/S")
    other = RemoteCustomer(remote_id=17, number="100001", name="Lundefugl AS")
    record = make_customer(name="Ærfugl Bemanning AS", org_number="")
    linked = CustomerView(recman_company_id="201", record=record, matches=(same,))
    clash = CustomerView(recman_company_id="201", record=record, matches=(other,))
    assert step_types(plan_document(make_situation(customer=linked)))[0] is Link
    assert codes(plan_document(make_situation(customer=clash))) == ["customer_number_clash"]


def test_same_organisation_number_under_another_number_never_creates_a_customer() -> None:
    match = RemoteCustomer(remote_id=17, number="100099", name="Ærfugl Bemanning AS", org_number="310456101")
    view = CustomerView(recman_company_id="201", record=make_customer(org_number="310456101"), matches=(match,))
    assert codes(plan_document(make_situation(customer=view))) == ["customer_under_other_number"]


def test_organisation_number_that_cannot_be_one_counts_only_with_a_like_name() -> None:
    record = make_customer(org_number="000000000")
    like = RemoteCustomer(remote_id=17, number="100099", name="Ærfugl Bemanning Norge AS", org_number="000000000")
    stranger = replace(like, name="Vestfold Rør AS")
    view = CustomerView(recman_company_id="201", record=record, matches=(like,))
    assert codes(plan_document(make_situation(customer=view))) == ["customer_under_other_number"]
    unlike = replace(view, matches=(stranger,))
    assert step_types(plan_document(make_situation(customer=unlike)))[0] is CreateCustomer


def test_policy_linked_needs_no_number_of_the_series_and_minds_no_strangers_number() -> None:
    stranger = RemoteCustomer(remote_id=17, number="42", name="Vestfold Rør AS", org_number="311877208")
    record = make_customer(number="42", org_number="310456101")
    view = CustomerView(recman_company_id="201", record=record, matches=(stranger,), policy=NumberPolicy.LINKED)
    assert step_types(plan_document(make_situation(customer=view)))[0] is CreateCustomer
    same_number = replace(view, policy=NumberPolicy.SAME_NUMBER)
    assert codes(plan_document(make_situation(customer=same_number))) == ["customer_number_clash"]


def test_policy_linked_still_leaves_a_suggestion_to_a_person() -> None:
    other = RemoteCustomer(remote_id=17, number="7", name="Ærfugl Bemanning AS", org_number="310456101")
    record = make_customer(org_number="310456101")
    view = CustomerView(recman_company_id="201", record=record, matches=(other,), policy=NumberPolicy.LINKED)
    assert codes(plan_document(make_situation(customer=view))) == ["customer_under_other_number"]
    like = RemoteCustomer(remote_id=17, number="100001", name="Ærfugl Bemaning")
    unsure = replace(view, record=make_customer(), matches=(like,))
    assert codes(plan_document(make_situation(customer=unsure))) == ["customer_number_clash"]


def test_policy_linked_finds_what_may_have_been_made_by_all_but_its_number() -> None:
    made = RemoteCustomer(remote_id=17, number="7", name="Ærfugl Bemanning AS", org_number="310456101")
    record, past = make_customer(org_number="310456101"), Past(transfer_id=3, unclear=True)
    view = CustomerView(recman_company_id="201", record=record, matches=(made,), policy=NumberPolicy.LINKED, past=past)
    assert step_types(plan_document(make_situation(customer=view)))[0] is Link
    twice = replace(view, matches=(made, replace(made, remote_id=18)))
    assert codes(plan_document(make_situation(customer=twice))) == ["customer_number_twice"]


def test_policy_match_only_makes_no_customer() -> None:
    view = CustomerView(recman_company_id="201", record=make_customer(), policy=NumberPolicy.MATCH_ONLY)
    assert codes(plan_document(make_situation(customer=view))) == ["customer_not_in_unimicro"]
    match = RemoteCustomer(remote_id=17, number="100001", name="Ærfugl Bemanning AS")
    found = replace(view, matches=(match,))
    assert step_types(plan_document(make_situation(customer=found)))[0] is Link


def test_inactive_customer_holds() -> None:
    match = RemoteCustomer(remote_id=17, number="100001", name="Ærfugl Bemanning AS", active=False)
    view = CustomerView(recman_company_id="201", record=make_customer(), matches=(match,))
    assert codes(plan_document(make_situation(customer=view))) == ["customer_inactive"]


def test_missing_project_never_blocks_an_invoice_but_is_told() -> None:
    decision = plan_document(make_situation(project=ProjectView(recman_project_id="301")))
    assert step_types(decision) == these(CreateDraft, Issue)
    assert isinstance(decision, Go)
    assert [warning.code for warning in decision.warnings] == ["project_gone"]


@pytest.mark.parametrize(("kid", "codes"), [("100030", ["kid_invalid"]), ("1100023", []), ("0006-", []), ("", [])])
def test_kid_that_no_bank_takes_is_told_and_the_claim_goes_out(kid: str, codes: list[str]) -> None:
    decision = plan_document(make_situation(document=make_document(kid=kid)))
    assert isinstance(decision, Go)
    assert [warning.code for warning in decision.warnings] == codes


def test_department_without_number_is_left_out_and_told() -> None:
    view = DepartmentView(recman_department_id="401", record=make_department(number=""))
    decision = plan_document(make_situation(department=view))
    assert isinstance(decision, Go)
    assert [warning.code for warning in decision.warnings] == ["department_without_number"]


def test_existing_project_is_linked() -> None:
    match = RemoteProject(remote_id=3, number="P-301", name="Whatever")
    view = ProjectView(recman_project_id="301", record=make_project(number="P-301"), matches=(match,))
    assert step_types(plan_document(make_situation(project=view)))[0] is Link


def test_booked_invoice_is_left_alone_when_unchanged() -> None:
    past = replace(BOOKED, content_hash=hash_document(make_document()))
    assert isinstance(plan_document(make_situation(past=past)), Skip)


def test_changed_amount_of_a_booked_invoice_is_an_alarm() -> None:
    past = replace(BOOKED, content_hash=hash_document(make_document()))
    changed = make_document(lines=(make_line(unit_price_net=Decimal(451)),))
    assert codes(plan_document(make_situation(past=past, document=changed))) == ["changed_after_transfer"]


def test_what_a_release_before_booked_is_unchanged_as_that_release_knew_it() -> None:
    lines, sums = [["1001", "37.5", "450", "0", "25"]], ["16875", "4218.75", "21093.75"]
    content = ["invoice", "20001", "201", "2026-10-31", "NOK", *sums, lines]
    past = replace(BOOKED, content_hash=sha256(dump_json(content).encode()).digest())
    assert isinstance(plan_document(make_situation(past=past)), Skip)
    changed = make_document(lines=(make_line(unit_price_net=Decimal(451)),))
    assert codes(plan_document(make_situation(past=past, document=changed))) == ["changed_after_transfer"]


def test_changed_text_of_a_booked_invoice_is_no_alarm() -> None:
    past = replace(BOOKED, content_hash=hash_document(make_document()))
    changed = make_document(lines=(make_line(text="Other words"),), note="hello")
    assert isinstance(plan_document(make_situation(past=past, document=changed)), Skip)


def test_unclear_invoice_is_looked_up_twice_before_it_is_sent_again() -> None:
    once = Past(transfer_id=9, unclear=True)
    twice = replace(once, looked_twice=True)
    assert isinstance(plan_document(make_situation(past=once)), LookAgain)
    assert step_types(plan_document(make_situation(past=twice))) == these(CreateDraft, Issue)


@pytest.mark.parametrize("state", list(DocumentState))
def test_invoice_found_in_unimicro_is_adopted_not_made_again(state: DocumentState) -> None:
    found = (make_remote_document(state=state, customer_id=17),)
    decision = plan_document(make_situation(past=Past(transfer_id=9, unclear=True), found=found))
    assert step_types(decision) == these(AdoptDocument, Issue)


def test_two_documents_found_hold() -> None:
    found = (make_remote_document(remote_id=1), make_remote_document(remote_id=2))
    assert codes(plan_document(make_situation(found=found))) == ["document_twice"]


def test_document_found_on_another_customer_holds() -> None:
    found = (make_remote_document(customer_id=99),)
    assert codes(plan_document(make_situation(found=found))) == ["document_other_customer"]


def test_document_under_our_id_that_carries_another_reference_holds() -> None:
    found = (make_remote_document(external_reference="RM-9999"),)
    assert codes(plan_document(make_situation(found=found))) == ["document_not_ours"]


def test_method_draft_leaves_the_issuing_to_a_person() -> None:
    assert step_types(plan_document(make_situation(booking="draft"))) == these(CreateDraft, KeepDraft)


def test_credit_note_is_held_until_its_order_was_invoiced() -> None:
    ordered = replace(BOOKED, booking="order")
    assert codes(plan_document(make_credit(credited=ordered))) == ["credit_of_order"]
    assert isinstance(plan_document(make_credit()), Go)


def test_credit_note_waits_for_its_invoice() -> None:
    document = make_document(kind=DocumentKind.CREDIT_NOTE, credited_invoice_id="4999")
    decision = plan_document(make_situation(document=document, credited=None))
    assert decision == Wait("invoice", "4999", "waits for invoice 4999, which it credits")


def test_credit_note_of_a_held_invoice_says_why_it_waits() -> None:
    document = make_document(kind=DocumentKind.CREDIT_NOTE, credited_invoice_id="4999")
    credited = Past(transfer_id=3, held_because="Product 7777 is not in Unimicro")
    decision = plan_document(make_situation(document=document, credited=credited))
    assert isinstance(decision, Wait)
    assert "Product 7777" in decision.cause


def test_credit_note_is_made_from_its_booked_invoice() -> None:
    assert step_types(plan_document(make_credit())) == these(CreateCreditDraft, Issue)


def test_what_a_person_chose_to_ignore_stays_ignored() -> None:
    assert isinstance(plan_document(make_situation(past=Past(transfer_id=9, ignored=True))), Skip)


def test_totals_must_agree_to_the_ore() -> None:
    document = make_document()
    same = make_remote_document(totals=document.totals)
    totals = document.totals
    off = Totals(
        net_amount=totals.net_amount, vat_amount=totals.vat_amount, gross_amount=totals.gross_amount + Decimal("0.01")
    )
    assert compare_totals(document, same) is None
    difference = compare_totals(document, make_remote_document(totals=off))
    assert difference is not None
    assert difference.code == "rounding"


@pytest.mark.parametrize("kind", ["ownCompany", "supplier", "prospect"])
def test_companies_that_are_no_customers_are_left_alone(kind: str) -> None:
    view = CustomerView(recman_company_id="201", record=make_customer(kind=kind))
    assert isinstance(plan_company(view, make_reference()), Skip)


def test_changed_company_is_updated_unchanged_one_is_not() -> None:
    view = CustomerView(recman_company_id="201", record=make_customer(), past=BOOKED)
    assert step_types(plan_company(view, make_reference())) == these(UpdateCustomer)


def test_project_change_brings_its_customer_along() -> None:
    view = ProjectView(recman_project_id="301", record=make_project())
    customer = CustomerView(recman_company_id="201", record=make_customer())
    assert step_types(plan_project_change(view, customer, make_reference())) == these(CreateCustomer, CreateProject)


def test_project_of_a_prospect_follows_with_its_first_invoice() -> None:
    view = ProjectView(recman_project_id="301", record=make_project())
    customer = CustomerView(recman_company_id="201", record=make_customer(kind="prospect"))
    assert isinstance(plan_project_change(view, customer, make_reference()), Skip)


def test_planning_two_hundred_invoices_takes_less_than_a_fifth_of_a_second_of_cpu() -> None:
    products = {str(n): (make_product(remote_id=n, number=str(n)),) for n in range(1, 2001)}
    reference = replace(make_reference(), products=products)
    lines = tuple(make_line(position=n, product_number=str(n)) for n in range(1, 21))
    situations = [
        make_situation(document=make_document(recman_invoice_id=str(n), lines=lines), reference=reference)
        for n in range(200)
    ]
    before = time.process_time()
    decisions = [plan_document(situation) for situation in situations]
    assert time.process_time() - before < 0.2
    assert all(step_types(decision) == these(CreateDraft, Issue) for decision in decisions)


# --- before the key's first day ---

LATE = date(2027, 1, 1)


def make_twin(*differences: str, **changes: object) -> Twin:
    values = {"state": DocumentState.ISSUED, "number": "20001", "external_reference": "", **changes}
    return Twin(make_remote_document(**values), differences)


def test_nothing_goes_when_nobody_looked_for_an_old_document() -> None:
    for past in (None, Past(transfer_id=9), Past(transfer_id=9, decision="send"), Past(transfer_id=9, decision="link")):
        assert codes(plan_document(make_situation(go_live=LATE, past=past))) == ["before_go_live"]


def test_old_document_goes_only_with_a_persons_word_about_what_was_seen() -> None:
    agreeing, other = make_twin(), make_twin("it is another")
    cases: list[tuple[tuple[Twin, ...], str | None, int | None, str]] = [
        ((), None, None, "hold"),
        ((other,), None, None, "hold"),
        ((agreeing,), None, None, "hold"),
        ((), "send", None, "send"),
        ((other,), "send", None, "send"),
        ((agreeing,), "send", None, "hold"),
        ((agreeing,), "send", 712, "send"),
        ((agreeing, agreeing), "send", 712, "hold"),
        ((agreeing,), "link", 712, "link"),
        ((agreeing,), "link", 711, "hold"),
        ((other,), "link", 712, "hold"),
        ((), "link", 712, "hold"),
        ((agreeing, agreeing), "link", 712, "hold"),
    ]
    for twins, decision, seen, wanted in cases:
        past = Past(transfer_id=9, decision=decision, decided_on=seen)
        planned = plan_document(make_situation(go_live=LATE, past=past, twins=twins))
        if wanted == "hold":
            assert codes(planned) == ["before_go_live"], (twins, decision, seen)
        else:
            steps = these(LinkDocument) if wanted == "link" else these(CreateDraft, Issue)
            assert step_types(planned) == steps, (twins, decision, seen)


def test_what_was_begun_before_the_first_day_moved_goes_on() -> None:
    for past in (
        Past(transfer_id=9, unclear=True, looked_twice=True),
        Past(transfer_id=9, remote_id=5, looked_twice=True),
    ):
        assert step_types(plan_document(make_situation(go_live=LATE, past=past))) == these(CreateDraft, Issue)


def test_what_is_to_be_linked_or_was_found_is_not_booked_because_the_first_day_moved() -> None:
    for past in (Past(transfer_id=9, found_there=True), Past(transfer_id=9, decision="link", decided_on=711)):
        planned = plan_document(make_situation(past=past, twins=(make_twin(),)))
        assert codes(planned) == ["before_go_live"]
    gone = make_situation(past=Past(transfer_id=9, found_there=True), twins=())
    assert step_types(plan_document(gone)) == these(CreateDraft, Issue)
