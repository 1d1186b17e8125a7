"""The decision about one record: pure, so that the same situation always gives the same steps.

A plan looks at everything before it says no: a hold lists every gap at once, not the first one found.
"""

import hashlib

from app.domain.documents import Document, DocumentKind, IncompleteDocument, Totals
from app.domain.money import dump_json, show_money
from app.domain.parties import NO_CUSTOMER_KINDS, Customer
from app.domain.reference import DocumentState, Reference, RemoteDocument
from app.errors import Reason
from app.transfer.parts import (
    list_dimension_warnings,
    list_product_gaps,
    plan_customer,
    plan_department,
    plan_project,
)
from app.transfer.situation import CustomerView, DocumentSituation, Past, ProjectView
from app.transfer.steps import (
    AdoptDocument,
    CreateCreditDraft,
    CreateDraft,
    Decision,
    Go,
    Hold,
    Issue,
    KeepDraft,
    LookAgain,
    Skip,
    Step,
    UpdateCustomer,
    UpdateProject,
    Wait,
)


def plan_document(situation: DocumentSituation) -> Decision:
    """What to do about an invoice or credit note."""
    past = situation.past
    if past is not None and past.ignored:
        return Skip("a person chose not to send it")
    document = situation.document
    if situation.method == "order":
        cause = "The key wants orders, which this version does not make yet"
        fix = "Set the key's method to invoice or draft, then retry."
        return Hold((Reason(code="method_not_offered", cause=cause, fix=fix),))
    if isinstance(document, IncompleteDocument):
        return Hold(_incomplete_gaps(situation, document))
    if past is not None and past.booked:
        return _plan_booked(document, past)
    if situation.found:
        return _plan_found(document, situation)
    if past is not None and past.unclear and not past.looked_twice:
        return LookAgain()
    if document.kind is DocumentKind.CREDIT_NOTE:
        return _plan_credit_note(document, situation)
    return _plan_invoice(document, situation)


def _plan_booked(document: Document, past: Past) -> Decision:
    if past.content_hash == hash_document(document):
        return Skip("already in Unimicro, unchanged")
    return Hold(
        (
            Reason(
                code="changed_after_transfer",
                cause=f"{_name(document)} changed in RecMan after it was booked in Unimicro as {past.remote_number}",
                fix="RecMan's invoices never change: find out who changed it; correct with a credit note.",
            ),
        )
    )


def _plan_found(document: Document, situation: DocumentSituation) -> Decision:
    remote, *others = situation.found
    if others:
        ids = ", ".join(str(other.remote_id) for other in situation.found)
        cause = f"Unimicro has more than one document for {_name(document)} (ids {ids})"
        fix = "Delete or credit the extra ones in Unimicro, then retry."
        return Hold((Reason(code="document_twice", cause=cause, fix=fix),))
    customer = situation.customer
    linked = customer.past.remote_id if customer is not None and customer.past is not None else None
    if linked is not None and remote.customer_id is not None and remote.customer_id != linked:
        cause = f"{_name(document)} is in Unimicro already, but on another customer (id {remote.customer_id})"
        fix = "Check the document in Unimicro; credit it there if it is wrong, then retry."
        return Hold((Reason(code="document_other_customer", cause=cause, fix=fix),))
    fresh_credit = document.kind is DocumentKind.CREDIT_NOTE and not remote.external_reference
    if remote.external_reference != situation.external_reference and not fresh_credit:
        cause = f"{_name(document)} was sent as id {remote.remote_id}, which now carries another reference in Unimicro"
        fix = "Check that document in Unimicro, then retry."
        return Hold((Reason(code="document_not_ours", cause=cause, fix=fix),))
    if document.kind is DocumentKind.CREDIT_NOTE and remote.state is DocumentState.DRAFT:
        return _finish_credit_draft(document, remote, situation)
    adopt = AdoptDocument(remote=remote, reason="it was found in Unimicro after an unclear answer")
    return Go((adopt, _last_step(document, situation)), situation.warnings)


def _last_step(document: Document, situation: DocumentSituation) -> Issue | KeepDraft:
    return KeepDraft(document=document) if situation.method == "draft" else Issue(document=document)


def _finish_credit_draft(document: Document, remote: RemoteDocument, situation: DocumentSituation) -> Decision:
    credit = CreateCreditDraft(
        document=document,
        credited_id=remote.credited_id or 0,
        draft_id=remote.remote_id,
        reason="its draft was found in Unimicro after an unclear answer",
    )
    return Go((credit, _last_step(document, situation)))


def _plan_credit_note(document: Document, situation: DocumentSituation) -> Decision:
    credited = situation.credited
    if credited is None or not credited.booked or credited.remote_id is None:
        cause = f"waits for invoice {document.credited_invoice_id}, which it credits"
        if credited is not None and credited.held_because:
            cause += f" and which is held: {credited.held_because}"
        return Wait("invoice", document.credited_invoice_id or "", cause)
    gaps = _date_gaps(document, situation.reference)
    if gaps:
        return Hold(tuple(gaps))
    credit = CreateCreditDraft(
        document=document,
        credited_id=credited.remote_id,
        draft_id=None,
        reason=f"credits invoice {credited.remote_number} in Unimicro",
    )
    return Go((credit, _last_step(document, situation)), situation.warnings)


def _plan_invoice(document: Document, situation: DocumentSituation) -> Decision:
    reference = situation.reference
    steps, gaps = _plan_parts(situation)
    numbers = [line.product_number for line in document.lines if line.product_number is not None]
    gaps = [*gaps, *list_product_gaps(document.lines, numbers, reference)]
    gaps += _date_gaps(document, reference) + _company_gaps(document, reference)
    if gaps:
        return Hold(tuple(gaps))
    warnings = situation.warnings + list_dimension_warnings(situation.project, situation.department)
    draft = CreateDraft(document=document, reason=f"{_name(document)} is not in Unimicro yet")
    return Go((*steps, draft, _last_step(document, situation)), warnings)


def _plan_parts(situation: DocumentSituation) -> tuple[list[Step], list[Reason]]:
    planned = []
    if situation.customer is not None:
        planned.append(plan_customer(situation.customer, situation.reference))
    if situation.project is not None:
        planned.append(plan_project(situation.project))
    if situation.department is not None:
        planned.append(plan_department(situation.department))
    return [step for steps, _ in planned for step in steps], [gap for _, gaps in planned for gap in gaps]


def _incomplete_gaps(situation: DocumentSituation, document: IncompleteDocument) -> tuple[Reason, ...]:
    _, part_gaps = _plan_parts(situation)
    return (*document.gaps, *part_gaps, *list_product_gaps((), document.product_numbers, situation.reference))


def _date_gaps(document: Document, reference: Reference) -> list[Reason]:
    gaps = []
    if reference.locked_until is not None and document.invoice_date <= reference.locked_until:
        cause = f"The invoice date {document.invoice_date} lies in a period locked until {reference.locked_until}"
        fix = "Open the period in Unimicro, then retry; or credit the invoice in RecMan and make it anew."
        gaps.append(Reason(code="period_locked", cause=cause, fix=fix))
    if document.due_date < document.invoice_date:
        cause = f"The due date {document.due_date} is before the invoice date {document.invoice_date}"
        fix = "Credit the invoice in RecMan and make it anew with right dates."
        gaps.append(Reason(code="due_before_invoice", cause=cause, fix=fix))
    return gaps


def _company_gaps(document: Document, reference: Reference) -> list[Reason]:
    gaps = []
    if document.currency not in reference.currencies:
        cause = f"Unimicro has no currency {document.currency}"
        gaps.append(Reason(code="currency_unknown", cause=cause, fix="Add the currency in Unimicro, then retry."))
    if not reference.vat_registered and document.totals.vat_amount:
        cause = "The company is not VAT-registered in Unimicro, but the invoice has VAT"
        fix = "Correct the company's VAT settings in Unimicro or the product's VAT in RecMan, then retry."
        gaps.append(Reason(code="company_without_vat", cause=cause, fix=fix))
    if reference.sends_by_itself:
        cause = "Unimicro would send the invoice to the customer by itself; RecMan has sent it already"
        fix = "Turn off automatic sending of invoices in Unimicro's company settings, then retry."
        gaps.append(Reason(code="would_send_twice", cause=cause, fix=fix))
    return gaps


def plan_company(view: CustomerView, reference: Reference) -> Decision:
    """What to do about a company that changed in RecMan."""
    if isinstance(view.record, Customer):
        if view.past is not None and view.past.booked and view.past.remote_id is not None:
            if view.past.content_hash == hash_customer(view.record):
                return Skip("already in Unimicro, unchanged")
            update = UpdateCustomer(
                customer=view.record, remote_id=view.past.remote_id, reason="the company changed in RecMan"
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
    if isinstance(view.record, tuple):
        return Hold(view.record)
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
    return Go((*customer_steps, *steps))


def compare_totals(document: Document, remote: RemoteDocument) -> Reason | None:
    """The difference between RecMan's sums and Unimicro's, or None when they agree to the øre."""
    ours, theirs = document.totals, remote.totals
    if ours == theirs:
        return None
    return Reason(
        code="totals_differ",
        cause=f"The totals differ: RecMan {_sums(ours)}, Unimicro {_sums(theirs)}",
        fix="Check price, discount and VAT of the lines and the products' VAT in Unimicro, then retry.",
    )


def hash_document(document: Document) -> bytes:
    """A fingerprint of what is booked; texts and references are left out, a change there is no alarm."""
    lines = [
        [line.product_number, *map(_plain, (line.quantity, line.unit_price_net, line.discount_percent, line.vat_rate))]
        for line in document.lines
        if not line.is_text
    ]
    totals = document.totals
    booked = [document.kind, document.number, document.recman_company_id, document.invoice_date.isoformat()]
    sums = [_plain(totals.net_amount), _plain(totals.vat_amount), _plain(totals.gross_amount)]
    return hashlib.sha256(dump_json([*booked, document.currency, *sums, lines]).encode()).digest()


def hash_customer(customer: Customer) -> bytes:
    """A fingerprint of everything about a customer that is sent."""
    return hashlib.sha256(repr(customer).encode()).digest()


def _plain(number: object) -> str:
    return "" if number is None else f"{number.normalize():f}" if hasattr(number, "normalize") else str(number)


def _name(document: Document) -> str:
    what = "Invoice" if document.kind is DocumentKind.INVOICE else "Credit note"
    return f"{what} {document.number}"


def _sums(totals: Totals) -> str:
    net, vat, gross = map(show_money, (totals.net_amount, totals.vat_amount, totals.gross_amount))
    return f"{net} + {vat} VAT = {gross}"
