"""The decision about one record: pure, so that the same situation always gives the same steps.

A plan looks at everything before it says no: a hold lists every gap at once, not the first one found.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from app.domain.answers import list_disproven
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.money import dump_json
from app.domain.parties import NO_CUSTOMER_KINDS, Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, Reference
from app.transfer.plan.basics import (
    choose_last_step,
    list_date_gaps,
    list_sending_gaps,
    list_warnings,
    name_document,
    plan_dimensions,
)
from app.transfer.plan.changes import explain_alarm, explain_unreadable, find_changes, list_notes, say_settled
from app.transfer.plan.credit import (
    Credited,
    find_credited,
    list_credit_gaps,
    plan_credit_note,
)
from app.transfer.plan.customers import plan_customer
from app.transfer.plan.filed import is_filed, list_filed_credit_gaps, to_filing, wait_for_refused
from app.transfer.plan.go_live import is_persons_choice, plan_before_go_live
from app.transfer.plan.numbers_apart import list_number_gaps
from app.transfer.plan.parts import plan_project
from app.transfer.plan.products import list_unknown_products, plan_products
from app.transfer.plan.review import is_too_old, list_review_gaps, list_rule_gaps
from app.transfer.plan.sale import Sale, to_sale
from app.transfer.plan.series import keep_order
from app.transfer.plan.situation import CustomerView, DepartmentView, DocumentSituation, Past, ProjectView
from app.transfer.plan.steps import (
    AdoptDocument,
    CreateDraft,
    Decision,
    Go,
    Hold,
    Link,
    LinkDocument,
    LookAgain,
    Skip,
    Step,
    UpdateCustomer,
    UpdateProject,
    Wait,
)
from app.transfer.plan.voucher import design_step, list_voucher_gaps, plan_known_voucher


def plan_document(situation: DocumentSituation) -> Decision:
    """What to do about an invoice or credit note."""
    decision = _hold_unsaid(_plan(situation), situation)
    return to_filing(decision, situation) if situation.by_file else decision


def _hold_unsaid(decision: Decision, situation: DocumentSituation) -> Decision:
    """Nothing goes as long as somebody must say how, or set numbers apart; what is issued already is ours to record."""
    is_booked = situation.past is not None and situation.past.booked
    if is_booked or any(one.state is not DocumentState.DRAFT for one in situation.found):
        return decision
    unsaid = (*situation.unsaid, *list_number_gaps(situation), *_list_disproven(situation))
    match decision:
        case Hold() if not is_persons_choice(decision):
            return Hold((*decision.gaps, *unsaid))
        case Go() if unsaid and not any(isinstance(step, LinkDocument) for step in decision.steps):
            return Hold(unsaid)
    return decision


def _list_disproven(situation: DocumentSituation) -> tuple[Reason, ...]:
    """Why nothing may be booked so any more; of an import the API's answers say nothing."""
    booking, answers = Booking(situation.booking), situation.answers
    missing = () if situation.by_file else list_disproven(booking, answers)
    if not missing:
        return ()
    told = "; ".join(f"{one}: {answers[one].answer}" for one in missing if one in answers)
    cause = f"This company's documents cannot be booked by {booking} any more ({told})"
    return (Reason(code=Code.BOOKING_DISPROVEN, cause=cause, fix=fix_for(Code.BOOKING_DISPROVEN)),)


def _plan(situation: DocumentSituation) -> Decision:
    document, past = situation.document, situation.past
    if past is not None and past.ignored:
        return Skip("a person chose not to send it")
    if past is not None and past.booked:
        if isinstance(document, Gaps):
            return Hold((explain_unreadable(document, past),))
        return plan_booked(document, past)
    if isinstance(document, Gaps):
        return Hold(_incomplete_gaps(situation, document))
    old = plan_before_go_live(document, situation)
    if old is not None:
        return old
    if is_too_old(document, situation):
        return Skip(f"{name_document(document)} is older than the key's cut-off date {situation.rules.not_before}")
    return keep_order(_plan_open(document, situation), document, situation)


def _plan_open(document: Document, situation: DocumentSituation) -> Decision:
    past = situation.past
    if situation.booking is Booking.VOUCHER:
        return plan_known_voucher(document, situation) or _plan_voucher(document, situation)
    if situation.found:
        return _plan_found(document, situation)
    # What was there by its id is not gone because one answer says so.
    may_be_there = past is not None and (past.unclear or past.remote_id is not None)
    if past is not None and may_be_there and not past.looked_twice:
        return LookAgain()
    if document.kind is DocumentKind.CREDIT_NOTE:
        return plan_credit_note(document, situation)
    return _plan_invoice(document, situation)


def plan_booked(document: Document, past: Past) -> Skip | Hold:
    """What to do about a document that Unimicro has."""
    # What a release before has booked is known by its content alone.
    is_same = past.content_hash in (hash_document(document), hash_content(document))
    changes = find_changes(document, past, is_same=is_same)
    if changes.alarms:
        return Hold((explain_alarm(document, past, changes),))
    return Skip(say_settled(past, changes), list_notes(document, past, changes))


def _plan_found(document: Document, situation: DocumentSituation) -> Decision:
    remote, *others = situation.found
    if others:
        ids = ", ".join(str(other.remote_id) for other in situation.found)
        cause = f"Unimicro has more than one document for {name_document(document)} (ids {ids})"
        return Hold((Reason(code=Code.DOCUMENT_TWICE, cause=cause, fix=fix_for(Code.DOCUMENT_TWICE)),))
    # A credit draft has no reference yet when its making was cut short; the look has made sure that it is ours.
    is_unmarked = document.kind is DocumentKind.CREDIT_NOTE and not remote.external_reference
    if remote.external_reference != situation.external_reference and not is_unmarked:
        name = name_document(document)
        cause = f"{name} was sent as id {remote.remote_id}, which now carries another reference in Unimicro"
        return Hold(
            (
                Reason(
                    code=Code.DOCUMENT_NOT_OURS,
                    cause=cause,
                    fix=fix_for(Code.DOCUMENT_NOT_OURS, reference=situation.external_reference),
                ),
            )
        )
    if document.kind is DocumentKind.CREDIT_NOTE and remote.state is DocumentState.DRAFT:
        return plan_credit_note(document, situation, draft_id=remote.remote_id)
    customer = situation.customer
    linked = customer.past.remote_id if customer is not None and customer.past is not None else None
    if linked is not None and remote.customer_id is not None and remote.customer_id != linked:
        cause = f"{name_document(document)} is in Unimicro already, but on another customer (id {remote.customer_id})"
        return Hold(
            (Reason(code=Code.DOCUMENT_OTHER_CUSTOMER, cause=cause, fix=fix_for(Code.DOCUMENT_OTHER_CUSTOMER)),)
        )
    adopt = AdoptDocument(remote=remote, reason="it was found in Unimicro after an unclear answer")
    # A draft is not booked yet: what was closed since it was made holds it, and takes it away.
    is_draft = remote.state is DocumentState.DRAFT
    products, gaps = plan_products(to_sale(document, situation)) if is_draft else ((), ())
    if gaps:
        return Hold(gaps)
    return Go((*products, adopt, choose_last_step(document, situation)), list_warnings(document, situation))


def _plan_invoice(document: Document, situation: DocumentSituation) -> Decision:
    reference = situation.reference
    steps, gaps = _plan_parts(situation)
    sale = to_sale(document, situation)
    products, product_gaps = plan_products(sale)
    gaps = [*gaps, *product_gaps, *list_date_gaps(document, reference), *_company_gaps(document, situation)]
    gaps += list_rule_gaps(situation)
    gaps = gaps or list_review_gaps(document, situation)
    if gaps:
        return Hold(tuple(gaps))
    draft = _plan_draft(sale, situation.department)
    last = choose_last_step(document, situation)
    return Go((*steps, *products, draft, last), list_warnings(document, situation))


def _plan_voucher(document: Document, situation: DocumentSituation) -> Decision:
    credited = _find_credited(document, situation)
    if credited is not None and not isinstance(credited, Credited | Past):
        return credited
    # A voucher is booked on the day that we name, which is the document's own.
    reference = replace(situation.reference, books_on_delivery_date=False)
    steps, gaps = _plan_parts(situation)
    sale = to_sale(document, situation)
    products, product_gaps = plan_products(sale)
    gaps = [*gaps, *product_gaps, *list_date_gaps(document, reference), *_company_gaps(document, situation)]
    match credited:
        case Credited():
            gaps += list_credit_gaps(document, situation, credited)
        case Past():
            gaps += list_filed_credit_gaps(document, situation, credited)
    gaps += [*list_voucher_gaps(sale, situation), *list_rule_gaps(situation)]
    gaps = gaps or list_review_gaps(document, situation)
    if gaps:
        return Hold(tuple(gaps))
    booking = design_step(sale, situation, credited if isinstance(credited, Credited) else None)
    if isinstance(credited, Past):
        booking = replace(booking, credited_number=credited.number)
    return Go((*steps, *products, booking), list_warnings(document, situation))


def _find_credited(document: Document, situation: DocumentSituation) -> Credited | Past | Hold | Wait | None:
    """The invoice that a credit note credits, there or in a file; what is done as long as it is in neither."""
    if document.kind is not DocumentKind.CREDIT_NOTE:
        return None
    past = situation.credited
    if situation.by_file and past is not None and is_filed(past) and not past.ignored:
        return wait_for_refused(document, past) or past
    return find_credited(document, situation)


def _plan_draft(sale: Sale, department: DepartmentView | None) -> CreateDraft:
    reason = f"{name_document(sale.document)} is not in Unimicro yet"
    draft = CreateDraft(document=sale.document, reason=reason, buyer=sale.buyer)
    if department is None:
        return draft
    return replace(
        draft,
        department_id=department.matches[0].remote_id if department.by_rule else None,
        dimensions={n: ids[0] for n, _, ids in department.dimensions},
    )


def _plan_parts(situation: DocumentSituation) -> tuple[list[Step], list[Reason]]:
    steps, gaps = plan_dimensions(situation)
    if situation.customer is None:
        return steps, gaps
    customer_steps, customer_gaps = plan_customer(situation.customer, situation.reference)
    return [*customer_steps, *steps], [*customer_gaps, *gaps]


def _incomplete_gaps(situation: DocumentSituation, document: Gaps) -> tuple[Reason, ...]:
    _, part_gaps = _plan_parts(situation)
    unknown = list_unknown_products(document.product_numbers, situation.reference, situation.rules)
    return (*document.gaps, *part_gaps, *unknown)


def _company_gaps(document: Document, situation: DocumentSituation) -> list[Reason]:
    gaps, reference = [], situation.reference
    if document.currency not in reference.currencies:
        cause = f"Unimicro has no currency {document.currency}"
        gaps.append(Reason(code=Code.CURRENCY_UNKNOWN, cause=cause, fix=fix_for(Code.CURRENCY_UNKNOWN)))
    if not reference.is_registered(document.invoice_date) and document.totals.vat_amount:
        cause = "The company is not VAT-registered in Unimicro, but the invoice has VAT"
        gaps.append(Reason(code=Code.COMPANY_WITHOUT_VAT, cause=cause, fix=fix_for(Code.COMPANY_WITHOUT_VAT)))
    return [*gaps, *list_sending_gaps(document, reference, situation.booking)]


def plan_company(view: CustomerView, reference: Reference) -> Decision:
    """What to do about a company that changed in RecMan."""
    if isinstance(view.record, Customer):
        if view.past is not None and view.past.booked and view.past.remote_id is not None:
            if view.past.content_hash == hash_customer(view.record):
                return Skip("already in Unimicro, unchanged")
            update = UpdateCustomer(
                customer=view.record,
                remote_id=view.past.remote_id,
                reason="the company changed in RecMan",
                matched_by=view.past.matched_by,
            )
            return Go((update,))
        if view.record.kind in NO_CUSTOMER_KINDS:
            return Skip(f"a company of type {view.record.kind} is no customer until it is invoiced")
    steps, gaps = plan_customer(view, reference)
    return Hold(gaps) if gaps else Go(steps)


def plan_project_change(view: ProjectView, customer: CustomerView | None, reference: Reference) -> Decision:
    """What to do about a project that changed in RecMan; its customer comes first."""
    if view.record is None:
        return Skip("RecMan no longer lists the project")
    if isinstance(view.record, Gaps):
        return Hold(view.record.gaps)
    if view.past is not None and view.past.booked and view.past.remote_id is not None:
        update = UpdateProject(
            project=view.record, remote_id=view.past.remote_id, reason="the project changed in RecMan"
        )
        return Go((update,))
    if customer is None:
        return Skip("the project has no customer yet; it follows with its first invoice")
    if isinstance(customer.record, Customer) and customer.record.kind in NO_CUSTOMER_KINDS and not customer.past:
        return Skip(f"its company is a {customer.record.kind}; the project follows with its first invoice")
    customer_steps, customer_gaps = plan_customer(customer, reference)
    steps, gaps = plan_project(view)
    if customer_gaps or gaps:
        return Hold((*customer_gaps, *gaps))
    # Taken over as it is, it is brought in line at once; then it does not matter who came first.
    updates = [
        UpdateProject(project=view.record, remote_id=step.remote_id, reason="the project changed in RecMan")
        for step in steps
        if isinstance(step, Link)
    ]
    return Go((*customer_steps, *steps, *updates))


def hash_document(document: Document) -> bytes:
    """A fingerprint of the claim and of what is booked; texts and references are left out: no alarm if they change."""
    return _hash(document, [document.invoice_date.isoformat(), document.due_date.isoformat(), document.kid])


def hash_content(document: Document) -> bytes:
    """A fingerprint without due date and KID; releases before these were compared have no other one in their logs."""
    return _hash(document, [document.invoice_date.isoformat()])


def _hash(document: Document, claim: Sequence[str | None]) -> bytes:
    lines = [
        [line.product_number, *map(_plain, (line.quantity, line.unit_price_net, line.discount_percent, line.vat_rate))]
        for line in document.lines
        if not line.is_text
    ]
    totals = document.totals
    booked = [document.kind, document.number, document.recman_company_id, *claim]
    sums = [_plain(totals.net_amount), _plain(totals.vat_amount), _plain(totals.gross_amount)]
    return hashlib.sha256(dump_json([*booked, document.currency, *sums, lines]).encode()).digest()


def hash_customer(customer: Customer) -> bytes:
    """A fingerprint of everything about a customer that is sent."""
    return hashlib.sha256(repr(customer).encode()).digest()


def _plain(number: object) -> str:
    return "" if number is None else f"{number.normalize():f}" if hasattr(number, "normalize") else str(number)
