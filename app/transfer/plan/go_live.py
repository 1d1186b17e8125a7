"""What is dated before a key's first day: a person links, sends or ignores it. Pure.

Every entrance ends in the plan, and the plan asks here, so that nobody has to remember it elsewhere.
"""

from collections.abc import Iterable
from datetime import date

from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.transfer.plan.review import is_too_old
from app.transfer.plan.situation import DocumentSituation, Past, Twin
from app.transfer.plan.steps import Decision, Go, Hold, LinkDocument


def may_need_choice(document: Document | Gaps, go_live: date, past: Past | None) -> bool:
    """Whether a person may have to choose: nothing of it was begun, and it is dated before the key's first day.

    Or it was before that day moved, and was found in Unimicro then, or is to be linked: that is not forgotten.
    """
    if isinstance(document, Gaps):
        return False
    if past is None:
        return document.invoice_date < go_live
    is_begun = past.booked or past.unclear or past.remote_id is not None
    return not is_begun and (document.invoice_date < go_live or past.found_there or past.decision == "link")


def find_offer(twins: Iterable[Twin]) -> RemoteDocument | None:
    """The only document there that agrees in everything; None when there is none, or more than one."""
    agreeing = [twin.remote for twin in twins if not twin.differences]
    return agreeing[0] if len(agreeing) == 1 else None


def is_persons_choice(hold: Hold) -> bool:
    """Whether nothing but a person's choice is missing."""
    return all(gap.code == Code.BEFORE_GO_LIVE for gap in hold.gaps)


def plan_before_go_live(document: Document, situation: DocumentSituation) -> Decision | None:
    """What becomes of an old document; None when its date stops nothing: it is not old, or a person wants it sent.

    A choice holds for what was seen when it was made: another document that was found since is a new question.
    """
    past, twins = situation.past, situation.twins
    if not may_need_choice(document, situation.go_live, past):
        return None
    if twins is None:
        # Nobody looked this time, so nothing goes; what was found before still stands.
        known = past.held_for if past is not None else ()
        return Hold(
            known if Code.BEFORE_GO_LIVE in {gap.code for gap in known} else (_explain(document, situation, None),)
        )
    offer = find_offer(twins)
    choice, seen = (past.decision, past.decided_on) if past is not None else (None, None)
    if offer is not None and choice is not None and offer.remote_id == seen:
        return Go((LinkDocument(document=document, remote=offer),)) if choice == "link" else None
    is_wanted = choice == "send" or (choice is None and document.invoice_date >= situation.go_live)
    if all(twin.differences for twin in twins) and (is_wanted or is_too_old(document, situation)):
        return None
    return Hold((_explain(document, situation, offer),))


def _explain(document: Document, situation: DocumentSituation, offer: RemoteDocument | None) -> Reason:
    what = _name(document.kind, document.number)
    cause = f"{what} is dated {document.invoice_date}, before the key's go-live day {situation.go_live}. "
    if document.invoice_date >= situation.go_live:
        cause = f"{what} was looked for in Unimicro before the key's go-live day was {situation.go_live}. "
    past = situation.past
    if past is not None and past.decision == "link" and (offer is None or offer.remote_id != past.decided_on):
        cause += f"It was to be linked to id {past.decided_on}, which no longer agrees. "
    if offer is not None:
        cause += f"Unimicro has {_describe(offer, document)} for the same customer and amount"
        case = "offered"
    else:
        cause += _tell_twins(situation)
        case = ""
    return Reason(code=Code.BEFORE_GO_LIVE, cause=cause, fix=fix_for(Code.BEFORE_GO_LIVE, case))


def _tell_twins(situation: DocumentSituation) -> str:
    twins = situation.twins
    if twins is None:
        return "It was not looked for in Unimicro yet"
    agreeing = [twin for twin in twins if not twin.differences]
    if agreeing:
        ids = ", ".join(str(twin.remote.remote_id) for twin in agreeing)
        return f"Unimicro has more than one document for the same customer and amount (ids {ids})"
    if not twins:
        what = "invoices are not looked for with a key that makes orders" if situation.booking == Booking.ORDER else ""
        return what.capitalize() or "Unimicro has no document with its number"
    return "; ".join(f"Unimicro has {_describe(twin.remote)}, but {', '.join(twin.differences)}" for twin in twins)


def _describe(remote: RemoteDocument, document: Document | None = None) -> str:
    day = remote.invoice_date
    is_other_day = document is not None and day is not None and day != document.invoice_date
    what = f"{_name(remote.kind, remote.number).lower().strip()} (id {remote.remote_id})"
    return f"{what}, dated {day}," if is_other_day else what


def _name(kind: DocumentKind, number: str) -> str:
    return f"{'Invoice' if kind is DocumentKind.INVOICE else 'Credit note'} {number}"


def show_way_out(credited: Past | None) -> str:
    """What to do for a credit note whose invoice is held; empty: nothing."""
    if credited is None or not credited.held_for:
        return ""
    is_old = Code.BEFORE_GO_LIVE in {gap.code for gap in credited.held_for}
    return fix_for(Code.WAITS, "old_invoice" if is_old else "held_invoice")
