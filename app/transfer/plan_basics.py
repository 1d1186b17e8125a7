"""What plans of invoices and of credit notes share. Pure."""

from app.domain.documents import Document, DocumentKind
from app.domain.reference import Reference
from app.errors import Reason
from app.transfer.parts import plan_department, plan_project
from app.transfer.situation import DocumentSituation
from app.transfer.steps import Issue, KeepDraft, Step


def name_document(document: Document) -> str:
    """The document as sentences call it."""
    what = "Invoice" if document.kind is DocumentKind.INVOICE else "Credit note"
    return f"{what} {document.number}"


def choose_last_step(document: Document, situation: DocumentSituation) -> Issue | KeepDraft:
    """How a draft ends that is as it should be."""
    return KeepDraft(document=document) if situation.method == "draft" else Issue(document=document)


def plan_dimensions(situation: DocumentSituation) -> tuple[list[Step], list[Reason]]:
    """The steps that put project and department in place, and what stops them."""
    planned = []
    if situation.project is not None:
        planned.append(plan_project(situation.project))
    if situation.department is not None:
        planned.append(plan_department(situation.department))
    return [step for steps, _ in planned for step in steps], [gap for _, gaps in planned for gap in gaps]


def list_date_gaps(document: Document, reference: Reference) -> list[Reason]:
    """What is wrong with the document's days."""
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
