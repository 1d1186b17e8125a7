"""Switches of what happens to a document around and after its issue: orders, sending, reminders, factoring, write-offs.

Source: each class names the section of docs/facts/unimicro.md; what carries no source is assumed. Defaults are what the
stand-in has always done, or what the facts make likelier.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.sandbox.unimicro.import_switches import ImportSwitches


class OrderTransfer(StrEnum):
    """What transfer-to-invoice answers: a draft, or an issued invoice. Source: §3.4, "to be checked"."""

    DRAFT = "draft"
    ISSUED = "issued"


class OrderLink(StrEnum):
    """How an invoice's lines tell which order's they were.

    `items`: by OrderItemId (§3.3). `tracelinks`: by trace links of the lines (§0, swagger). `both`, or `none`.
    """

    ITEMS = "items"
    TRACELINKS = "tracelinks"
    BOTH = "both"
    NONE = "none"


class AtIssue(StrEnum):
    """What of a draft is otherwise once it is issued.

    `as_drafted`: nothing. `fee`: a line with a charge more. `today`: InvoiceDate is the day of issue. `due_moved`:
    PaymentDueDate is counted anew from the customer's or company's credit days.
    """

    AS_DRAFTED = "as_drafted"
    FEE = "fee"
    TODAY = "today"
    DUE_MOVED = "due_moved"


class AutoSending(StrEnum):
    """With AutoDistributeInvoice on, what is sent when it is issued (§4.2 [o]).

    `plan`: an invoice that a plan with elements is found for. `always`: every invoice, by e-mail where no plan is.
    """

    PLAN = "plan"
    ALWAYS = "always"


class SharingEnds(StrEnum):
    """How far a delivery gets: done, still waiting, or failed (§4.2: 70003, 70000, 70002)."""

    COMPLETED = "completed"
    PENDING = "pending"
    FAILED = "failed"


class StopFlags(StrEnum):
    """DontSendReminders and DontUseFactoring of a draft: kept by the issued invoice, or lost at issue."""

    KEPT = "kept"
    LOST = "lost"


class WrittenOff(StrEnum):
    """The state of an invoice that was written off: paid, as nothing is left of it (§11 row 7), or as it was."""

    PAID = "paid"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleSwitches(ImportSwitches):
    """The part of one company's switches that is about what happens to its documents; of imports: `ImportSwitches`.

    Attributes:
        order_transfer: See `OrderTransfer`.
        order_link: See `OrderLink`.
        at_issue: See `AtIssue`.
        auto_sending: See `AutoSending`.
        sharing_ends: See `SharingEnds`.
        stop_flags: See `StopFlags`.
        credit_references: True has a credit draft take over its invoice's ExternalReference.
        written_off: See `WrittenOff`.
    """

    order_transfer: OrderTransfer = OrderTransfer.DRAFT
    order_link: OrderLink = OrderLink.BOTH
    at_issue: AtIssue = AtIssue.AS_DRAFTED
    auto_sending: AutoSending = AutoSending.PLAN
    sharing_ends: SharingEnds = SharingEnds.COMPLETED
    stop_flags: StopFlags = StopFlags.KEPT
    credit_references: bool = False
    written_off: WrittenOff = WrittenOff.PAID
