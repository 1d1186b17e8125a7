"""What plans of invoices and of credit notes share. Pure."""

from app.domain.booking import Booking, Sender, sender_of
from app.domain.documents import Document, DocumentKind
from app.domain.kid import is_valid_kid
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteDocument
from app.transfer.plan.parts import list_dimension_warnings, list_line_warnings, plan_department, plan_project
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import Issue, KeepDraft, Step


def name_document(document: Document) -> str:
    """The document as sentences call it."""
    what = "Invoice" if document.kind is DocumentKind.INVOICE else "Credit note"
    return f"{what} {document.number}"


def choose_last_step(document: Document, situation: DocumentSituation) -> Issue | KeepDraft:
    """How a draft ends that is as it should be."""
    return KeepDraft(document=document) if situation.booking == Booking.DRAFT else Issue(document=document)


def plan_dimensions(situation: DocumentSituation) -> tuple[list[Step], list[Reason]]:
    """The steps that put project and department in place, and what stops them."""
    planned = []
    if situation.project is not None:
        planned.append(plan_project(situation.project))
    if situation.department is not None:
        planned.append(plan_department(situation.department))
    return [step for steps, _ in planned for step in steps], [gap for _, gaps in planned for gap in gaps]


def list_date_gaps(document: Document, reference: Reference, *, credited: RemoteDocument | None = None) -> list[Reason]:
    """What is wrong with the document's days; `credited` is the invoice that a credit note credits."""
    gaps = list_lock_gaps(document, reference, credited=credited)
    case = _find_case(document)
    if document.due_date < document.invoice_date:
        cause = f"The due date {document.due_date} is before the invoice date {document.invoice_date}"
        gaps.append(Reason(code=Code.DUE_BEFORE_INVOICE, cause=cause, fix=fix_for(Code.DUE_BEFORE_INVOICE, case)))
    return gaps


def list_lock_gaps(document: Document, reference: Reference, *, credited: RemoteDocument | None = None) -> list[Reason]:
    """Whether the day that the document is booked on lies in a locked period."""
    delivery_date = document.delivery_date
    if delivery_date is None and credited is not None:
        # Unimicro makes the credit note of the invoice, with its delivery date. Source: docs/facts/unimicro.md §4.1.
        delivery_date = credited.delivery_date
    day, name = document.invoice_date, f"The invoice date {document.invoice_date}"
    if reference.books_on_delivery_date and delivery_date is not None:
        day, name = delivery_date, f"The delivery date {delivery_date}, on which the company books,"
    if reference.locked_until is None or day > reference.locked_until:
        return []
    return [period_locked(document, f"{name} lies in a period locked until {reference.locked_until}")]


def period_locked(document: Document, cause: str) -> Reason:
    """Why a document waits for a period to be opened, whoever says that it is locked."""
    return Reason(code=Code.PERIOD_LOCKED, cause=cause, fix=fix_for(Code.PERIOD_LOCKED, _find_case(document)))


def _find_case(document: Document) -> str:
    return "credit_note" if document.kind is DocumentKind.CREDIT_NOTE else ""


def list_warnings(document: Document, situation: DocumentSituation) -> tuple[Reason, ...]:
    """What a person should know of the document although it goes; the same whoever made its draft, and when."""
    dimensions = list_dimension_warnings(situation.project, situation.department)
    lines = list_line_warnings(document.lines, situation.reference)
    return (*dimensions, *lines, *_list_kid_warnings(document))


def _list_kid_warnings(document: Document) -> list[Reason]:
    """A KID that no bank takes: the customer cannot pay with it, but the claim is what it is."""
    # A credit note has no payment of its own.
    if document.kind is DocumentKind.CREDIT_NOTE or not document.kid or is_valid_kid(document.kid):
        return []
    cause = f"Banks take no KID {document.kid}: it needs 4 to 25 digits, the last a check digit of mod 10 or mod 11"
    return [Reason(code=Code.KID_INVALID, cause=cause, fix=fix_for(Code.KID_INVALID))]


def list_sending_gaps(document: Document, reference: Reference, booking: str) -> list[Reason]:
    """Whether Unimicro would send to the customer what RecMan has sent: a credit note as well as an invoice.

    What is left there as an order or as a draft is for Unimicro to send.
    """
    if not reference.sends_by_itself or sender_of(booking) is Sender.UNIMICRO:
        return []
    what = "invoice" if document.kind is DocumentKind.INVOICE else "credit note"
    cause = f"Unimicro would send the {what} to the customer by itself; RecMan has sent it already"
    return [Reason(code=Code.WOULD_SEND_TWICE, cause=cause, fix=fix_for(Code.WOULD_SEND_TWICE))]
