"""What the key's rules keep from being sent: too old, on hold, or not approved yet. Pure."""

from app.domain.actors import is_same_actor, tell_actor
from app.domain.documents import Document
from app.domain.money import show_money
from app.domain.parties import Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.transfer.plan.situation import DocumentSituation


def is_too_old(document: Document, situation: DocumentSituation) -> bool:
    """Whether the document lies before the rules' cut-off date, nothing of it was begun and nobody chose to send it."""
    first_day = situation.rules.not_before
    past = situation.past
    if past is not None and past.decision is not None:
        return False
    is_begun = bool(situation.found) or (past is not None and (past.unclear or past.remote_id is not None))
    return first_day is not None and document.invoice_date < first_day and not is_begun


def list_rule_gaps(situation: DocumentSituation) -> list[Reason]:
    """Whether the document is a double, its KID another's, or its customer on hold."""
    number = _customer_number(situation)
    gaps = [*situation.doubles, *situation.kid_clashes]
    if number is None or number not in situation.rules.held_customers:
        return gaps
    cause = f"Customer {number} is on the key's hold list"
    return [*gaps, Reason(code=Code.CUSTOMER_ON_HOLD, cause=cause, fix=fix_for(Code.CUSTOMER_ON_HOLD))]


def _customer_number(situation: DocumentSituation) -> str | None:
    view = situation.customer
    if view is None:
        return None
    if isinstance(view.record, Customer):
        return view.record.number
    return view.past.number if view.past is not None else None


def list_review_gaps(document: Document, situation: DocumentSituation) -> list[Reason]:
    """Whether a person must approve the document first; asked last, so that what is approved can be sent."""
    review, past = situation.rules.review, situation.past
    if is_approved(situation):
        return []
    causes = []
    if review.everything:
        causes.append("The key wants every document approved")
    if review.over_amount is not None and document.totals.gross_amount > review.over_amount:
        amount = f"{show_money(document.totals.gross_amount)} {document.currency}"
        causes.append(f"{amount} is over the key's limit of {show_money(review.over_amount)}")
    if situation.booked_before < review.first:
        causes.append(f"The key's first {review.first} documents are approved by a person")
    if causes and past is not None and past.approved:
        cause = f"{tell_actor(past.approved_by)}, who approved it, had a part in its rules or in sending it"
        return [Reason(code=Code.SECOND_PERSON_MISSING, cause=cause, fix=fix_for(Code.SECOND_PERSON_MISSING))]
    return [Reason(code=Code.APPROVAL_MISSING, cause=cause, fix=fix_for(Code.APPROVAL_MISSING)) for cause in causes]


def is_approved(situation: DocumentSituation) -> bool:
    """Whether a person let it through whose word counts, whatever way it came to this key."""
    past = situation.past
    if past is None or not past.approved:
        return False
    involved = {*situation.rule_makers, *({past.decided_by} if past.decision == "send" else ())}
    is_first = any(is_same_actor(past.approved_by, one) for one in involved)
    return not (situation.rules.review.second_person and is_first)
