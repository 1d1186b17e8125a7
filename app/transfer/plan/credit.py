"""The decision about a credit note: compared with what it credits before anything is sent. Pure.

Unimicro makes the draft of a credit note itself, without a reference of ours; until we have put one on it, a draft is
known only by when it came and what it says. Source: docs/facts/unimicro.md §4.1 [O].
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.money import ZERO, show_money
from app.domain.parties import Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.transfer.plan.basics import (
    choose_last_step,
    list_date_gaps,
    list_sending_gaps,
    list_warnings,
    name_document,
    plan_dimensions,
)
from app.transfer.plan.customers import find_same_customer
from app.transfer.plan.go_live import show_way_out
from app.transfer.plan.products import plan_products
from app.transfer.plan.rates import find_other_rate
from app.transfer.plan.review import is_approved, list_review_gaps, list_rule_gaps
from app.transfer.plan.sale import to_sale
from app.transfer.plan.situation import DocumentSituation, Past
from app.transfer.plan.steps import CreateCreditDraft, Decision, Go, Hold, Wait

# How far our clock and Unimicro's may be apart, and how long after our call its draft may still come. Both assumed.
_CLOCKS_APART = timedelta(minutes=2)
_LATE_ANSWER = timedelta(minutes=5)


def plan_credit_note(document: Document, situation: DocumentSituation, *, draft_id: int | None = None) -> Decision:
    """What to do about a credit note; `draft_id` is its draft in Unimicro, if there is one already."""
    credited = find_credited(document, situation)
    if not isinstance(credited, Credited):
        return credited
    return _plan_compared(document, situation, credited=credited.past, remote=credited.remote, draft_id=draft_id)


@dataclass(frozen=True, slots=True)
class Credited:
    """The invoice that a credit note credits: as our log has it, and as it stands there."""

    past: Past
    remote: RemoteDocument


def find_credited(document: Document, situation: DocumentSituation) -> Credited | Hold | Wait:
    """The invoice that is credited, or what is done as long as it is not there."""
    credited = situation.credited
    if credited is not None and credited.ignored:
        return Hold((_credited_not_sent(document, credited),))
    if credited is not None and credited.booking == Booking.ORDER:
        return Hold((credit_of_order(document),))
    if credited is None or not credited.booked or credited.remote_id is None:
        cause = f"waits for invoice {document.credited_invoice_id}, which it credits"
        if credited is not None and credited.held_because:
            cause += f" and which is held: {credited.held_because}"
        return Wait("invoice", document.credited_invoice_id or "", cause, show_way_out(credited))
    remote = situation.credited_document
    return Hold((_credited_missing(credited),)) if remote is None else Credited(credited, remote)


def list_credit_gaps(document: Document, situation: DocumentSituation, credited: Credited) -> list[Reason]:
    """In what a credit note does not go with the invoice that it credits."""
    past, remote = credited.past, credited.remote
    return [
        *_list_stranger_gaps(past, remote),
        *_list_party_gaps(document, situation, past, remote),
        *_list_sign_gaps(document, situation),
        *_list_amount_gaps(document, situation, past, remote),
    ]


def credit_of_order(document: Document) -> Reason:
    """Why a credit note waits for people: there is no order that credits, and no invoice yet."""
    cause = f"{name_document(document)} credits an order that nobody has invoiced in Unimicro yet"
    return Reason(code=Code.CREDIT_OF_ORDER, cause=cause, fix=fix_for(Code.CREDIT_OF_ORDER))


def _plan_compared(
    document: Document, situation: DocumentSituation, *, credited: Past, remote: RemoteDocument, draft_id: int | None
) -> Decision:
    reference, sale = situation.reference, to_sale(document, situation)
    steps, gaps = plan_dimensions(situation)
    gaps = [*_list_stranger_gaps(credited, remote), *_list_party_gaps(document, situation, credited, remote), *gaps]
    gaps += [*_list_sign_gaps(document, situation), *_list_amount_gaps(document, situation, credited, remote)]
    products, product_gaps = plan_products(sale)
    gaps += [
        *product_gaps,
        *list_date_gaps(document, reference, credited=remote),
        *list_sending_gaps(document, reference, situation.booking),
    ]
    gaps += list_rule_gaps(situation)
    gaps = gaps or list_review_gaps(document, situation)
    if gaps:
        return Hold(tuple(gaps))
    department = situation.department
    is_part = document.totals != remote.totals
    draft = CreateCreditDraft(
        document=document,
        credited_id=remote.remote_id,
        draft_id=draft_id,
        buyer=sale.buyer,
        reason=f"credits {'a part of ' if is_part else ''}invoice {credited.remote_number} in Unimicro",
        department_id=department.matches[0].remote_id if department is not None and department.by_rule else None,
        dimensions={n: ids[0] for n, _, ids in department.dimensions} if department is not None else {},
    )
    return Go((*steps, *products, draft, choose_last_step(document, situation)), list_warnings(document, situation))


def _list_stranger_gaps(credited: Past, remote: RemoteDocument) -> list[Reason]:
    """Whether the stored id still shows the invoice that was stored."""
    is_ours = remote.external_reference == credited.external_reference
    if not credited.external_reference:
        # Linked by hand: it carries nothing of ours.
        is_ours = remote.number == credited.remote_number and remote.totals == credited.totals
    same_customer = credited.remote_customer_id in (None, remote.customer_id)
    if is_ours and same_customer and remote.kind is DocumentKind.INVOICE:
        return [_credited_not_issued(remote)] if remote.state is DocumentState.DRAFT else []
    cause = (
        f"The invoice that it credits was stored as number {credited.remote_number} with id {remote.remote_id}; "
        f"in Unimicro that id now shows {remote.kind.value.replace('_', ' ')} {remote.number or '(no number)'} "
        f"of customer id {remote.customer_id} over {show_money(remote.totals.gross_amount)}"
    )
    return [Reason(code=Code.CREDITED_NOT_OURS, cause=cause, fix=fix_for(Code.CREDITED_NOT_OURS))]


def _credited_not_issued(remote: RemoteDocument) -> Reason:
    cause = f"The invoice that it credits is still a draft in Unimicro (id {remote.remote_id})"
    return Reason(code=Code.CREDITED_NOT_ISSUED, cause=cause, fix=fix_for(Code.CREDITED_NOT_ISSUED))


def _list_party_gaps(
    document: Document, situation: DocumentSituation, credited: Past, remote: RemoteDocument
) -> list[Reason]:
    gaps = []
    customer = situation.customer
    if customer is None or find_same_customer(customer) != remote.customer_id:
        cause = (
            f"{name_document(document)} is for RecMan's customer {_show_customer(situation)}, but invoice "
            f"{credited.remote_number} in Unimicro is for another one ({credited.name or remote.customer_id})"
        )
        gaps.append(Reason(code=Code.CREDIT_CUSTOMER_DIFFERS, cause=cause, fix=fix_for(Code.CREDIT_CUSTOMER_DIFFERS)))
    codes = {identity: code for code, identity in situation.reference.currencies.items()}
    currency = codes.get(remote.currency_id or 0, situation.reference.base_currency)
    if document.currency != currency:
        cause = f"{name_document(document)} is in {document.currency}, invoice {credited.remote_number} in {currency}"
        fix = fix_for(Code.CREDIT_CURRENCY_DIFFERS, currency=currency)
        gaps.append(Reason(code=Code.CREDIT_CURRENCY_DIFFERS, cause=cause, fix=fix))
    if remote.rate is not None and document.currency != situation.reference.base_currency:
        other = find_other_rate(document, remote.rate, "its invoice's in Unimicro", case="credit_note")
        gaps += [] if other is None else [other]
    if remote.invoice_date is not None and document.invoice_date < remote.invoice_date:
        cause = (
            f"{name_document(document)} is dated {document.invoice_date}, before invoice {credited.remote_number} "
            f"of {remote.invoice_date}"
        )
        gaps.append(Reason(code=Code.CREDIT_BEFORE_INVOICE, cause=cause, fix=fix_for(Code.CREDIT_BEFORE_INVOICE)))
    return gaps


def _show_customer(situation: DocumentSituation) -> str:
    view = situation.customer
    if view is None:
        return "(none)"
    if isinstance(view.record, Customer):
        return f"{view.record.number} {view.record.name}"
    return f"{view.past.number} {view.past.name}" if view.past is not None else view.recman_company_id


def _list_sign_gaps(document: Document, situation: DocumentSituation) -> list[Reason]:
    """A credit note with another sign than the account's others takes a credit back.

    Source: which sign RecMan uses is unknown (docs/facts/recman.md §3.3); the account's own credit notes tell.
    """
    usual = situation.usual_minus
    if usual is None or document.has_minus is usual or is_approved(situation):
        return []
    signs = ("with", "without") if document.has_minus else ("without", "with")
    cause = (
        f"{name_document(document)} has its sums {signs[0]} a minus, RecMan's other credit notes {signs[1]} one: it "
        "seems to take a credit back, which Unimicro has no note for"
    )
    return [Reason(code=Code.CREDIT_SIGN_DIFFERS, cause=cause, fix=fix_for(Code.CREDIT_SIGN_DIFFERS))]


def _list_amount_gaps(
    document: Document, situation: DocumentSituation, credited: Past, remote: RemoteDocument
) -> list[Reason]:
    gross = document.totals.gross_amount
    left = _left(situation, remote)
    if gross <= left:
        return []
    cause = (
        f"{name_document(document)} credits {show_money(gross)} {document.currency}, "
        f"but invoice {credited.number or credited.remote_number} has {show_money(left)} left"
    )
    return [Reason(code=Code.CREDIT_TOO_LARGE, cause=cause, fix=fix_for(Code.CREDIT_TOO_LARGE, left=show_money(left)))]


def _left(situation: DocumentSituation, remote: RemoteDocument) -> Decimal:
    """What may still be credited: less what the invoice itself or its issued credit notes say, and our kept drafts."""
    drafts = [one for one in situation.credit_notes if one.state is DocumentState.DRAFT]
    issued = (one.totals.gross_amount for one in situation.credit_notes if one.state is not DocumentState.DRAFT)
    kept = (one.totals.gross_amount for one in drafts if one.remote_id in situation.kept_credits)
    return remote.totals.gross_amount - max(remote.credited_amount, sum(issued, ZERO)) - sum(kept, ZERO)


def _credited_not_sent(document: Document, credited: Past) -> Reason:
    cause = f"It credits invoice {document.credited_invoice_id}, which is not sent by this service"
    return Reason(
        code=Code.CREDITED_NOT_SENT, cause=cause, fix=fix_for(Code.CREDITED_NOT_SENT, invoice_id=credited.transfer_id)
    )


def _credited_missing(credited: Past) -> Reason:
    cause = f"Unimicro does not show invoice {credited.remote_number} (id {credited.remote_id}), which it credits"
    return Reason(code=Code.CREDITED_MISSING, cause=cause, fix=fix_for(Code.CREDITED_MISSING))


def unmark_copies(credited: RemoteDocument | None, found: tuple[RemoteDocument, ...]) -> tuple[RemoteDocument, ...]:
    """Documents as if Unimicro copied no references: a credit note that has its invoice's has none of its own.

    Whether it copies them is unknown, and one of the questions that a company is asked (domain.answers).
    """
    copied = "" if credited is None else credited.external_reference
    if not copied:
        return found
    return tuple(
        replace(one, external_reference="")
        if one.kind is DocumentKind.CREDIT_NOTE and one.external_reference == copied
        else one
        for one in found
    )


def list_own_drafts(
    past: Past | None, credited_document: RemoteDocument | None, credit_notes: tuple[RemoteDocument, ...]
) -> tuple[RemoteDocument, ...]:
    """The credit drafts without reference that can only be what our unanswered call has made.

    It was not there before, came when we called, and is still the whole of what is credited: a draft that a person has
    made or worked on is never taken. Whatever else was unclear (a product) has made no draft; once our draft's id was
    known, no other one is ours.
    """
    if past is None or past.unclear_since is None or past.sent_at is None or credited_document is None:
        return ()
    if past.credits_remote_id != credited_document.remote_id:
        return ()
    first, last = past.unclear_since - _CLOCKS_APART, past.sent_at + _LATE_ANSWER
    return tuple(
        one
        for one in credit_notes
        if one.state is DocumentState.DRAFT
        and not one.external_reference
        and one.remote_id not in past.credit_drafts_before
        and past.remote_id in (None, one.remote_id)
        and one.customer_id == credited_document.customer_id
        and one.totals.gross_amount in _whole_amounts(credited_document, credit_notes)
        and (one.created_at is None or first <= one.created_at <= last)
    )


def _whole_amounts(credited_document: RemoteDocument, credit_notes: tuple[RemoteDocument, ...]) -> set[Decimal]:
    """What Unimicro's own draft of a credit comes to: the invoice, or what is left of it (which of them is unknown)."""
    issued = sum((one.totals.gross_amount for one in credit_notes if one.state is not DocumentState.DRAFT), ZERO)
    gross = credited_document.totals.gross_amount
    return {gross, gross - max(credited_document.credited_amount, issued)}
