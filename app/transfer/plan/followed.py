"""What people in Unimicro made of a draft or an order, against what we left there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.documents import Totals
from app.domain.money import show_money
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was left in Unimicro for people to issue, as our log has it; `name` is what people call it."""

    name: str
    totals: Totals | None
    customer_id: int | None
    invoice_date: date | None
    due_date: date | None = None


def find_alarm(left: Left, issued: RemoteDocument) -> Reason | None:
    """How the claim that was issued is another one than what was left there."""
    apart = []
    if left.totals is not None and left.totals != issued.totals:
        apart.append(f"its sums are {_show(issued.totals)}, RecMan's {_show(left.totals)}")
    if left.customer_id is not None and left.customer_id != issued.customer_id:
        apart.append(f"it is for customer id {issued.customer_id}, and was left for {left.customer_id}")
    if not apart:
        return None
    cause = f"{left.name} was issued in Unimicro as {issued.number}, but {'; '.join(apart)}"
    return Reason(code=Code.DRIFT_CHANGED, cause=cause, fix=fix_for(Code.DRIFT_CHANGED))


def _show(totals: Totals) -> str:
    names = {"net": totals.net_amount, "VAT": totals.vat_amount, "gross": totals.gross_amount}
    return ", ".join(f"{name} {show_money(amount)}" for name, amount in names.items())


def list_notes(left: Left, issued: RemoteDocument, due_date: date | None) -> tuple[Reason, ...]:
    """Which days are others than RecMan's: the customer has Unimicro's, for that is who sends."""
    days = {
        "the invoice date": (left.invoice_date, issued.invoice_date),
        "the due date": (left.due_date, due_date),
    }
    apart = [
        f"{name} is {there}, RecMan's {ours}"
        for name, (ours, there) in days.items()
        if ours is not None and there is not None and ours != there
    ]
    if not apart:
        return ()
    cause = f"{left.name} was issued in Unimicro as {issued.number}: {'; '.join(apart)}"
    return (Reason(code=Code.ISSUED_ON_OTHER_DAYS, cause=cause, fix=fix_for(Code.ISSUED_ON_OTHER_DAYS)),)


def explain_many(left: Left, numbers: Sequence[str]) -> Reason:
    """The order has become several invoices, or one of several that look alike."""
    cause = f"{left.name} may have become any of these in Unimicro, or more than one: {', '.join(numbers)}"
    return Reason(code=Code.ORDER_INVOICES, cause=cause, fix=fix_for(Code.ORDER_INVOICES))


def explain_part(left: Left, numbers: Sequence[str]) -> Reason:
    """The order is invoiced in parts, and not all of it yet."""
    cause = f"The order of {left.name} is invoiced in part in Unimicro so far: {', '.join(numbers) or 'not told where'}"
    return Reason(code=Code.ORDER_INVOICES, cause=cause, fix=fix_for(Code.ORDER_INVOICES, "part"))


def explain_unknown(left: Left) -> Reason:
    """The order is closed, and nothing tells by which invoice."""
    cause = (
        f"The order of {left.name} is closed in Unimicro, and no invoice there can be told to be its own: none has "
        "lines that name the order's, and none of the customer's comes to its sums"
    )
    return Reason(code=Code.ORDER_INVOICES, cause=cause, fix=fix_for(Code.ORDER_INVOICES))


def read_due_date(booked_as: Mapping[str, Any] | None) -> date | None:
    """RecMan's due date, as it is kept of what was booked."""
    text = (booked_as or {}).get("due_date")
    return date.fromisoformat(text) if text else None
