"""Look before deciding: gather what our log, RecMan and Unimicro know of a record. Reads only."""

from dataclasses import replace
from datetime import date

from app.db import load_now
from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind, IncompleteDocument
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reference import RemoteDocument
from app.errors import RemoteRejectedError, WaitError
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.go_live import may_need_choice
from app.transfer.log import count_booked, find_transfer, is_sent_by_other, past_of
from app.transfer.situation import (
    CustomerView,
    DepartmentView,
    DocumentSituation,
    Past,
    ProjectView,
)
from app.transfer.twins import find_twins, was_searched

# Another lane is making this very customer or project; it takes a second or so.
_OTHER_LANE_SECONDS = 5


async def look_at_document(run: Run, books: Books, document: Document | IncompleteDocument) -> DocumentSituation:
    """Everything that decides about one invoice or credit note."""
    past = await find_past(run, books, "invoice", document.recman_invoice_id)
    if not may_need_choice(document, books.key.go_live, past):
        return await _look_at_all(run, books, document, past)
    if past is None or past.decision != "send":
        return await _look_at_old(run, books, document, past)
    situation = await _look_at_all(run, books, document, past)
    return replace(situation, twins=await find_twins(run, books, document, situation))


async def _look_at_old(
    run: Run, books: Books, document: Document | IncompleteDocument, past: Past | None
) -> DocumentSituation:
    """What a person's choice needs: the customer, and what Unimicro may have of it; asked for once, not per repeat."""
    situation = DocumentSituation(
        document=document,
        reference=books.reference,
        external_reference=external_reference(document.recman_invoice_id),
        go_live=books.key.go_live,
        method=books.key.method,
        past=past,
        rules=books.rules,
    )
    if was_searched(run, books, past):
        return situation
    company_id = document.recman_company_id
    customer = await look_at_customer(run, books, company_id) if company_id else None
    situation = replace(situation, customer=customer)
    return replace(situation, twins=await find_twins(run, books, document, situation))


async def _look_at_all(
    run: Run, books: Books, document: Document | IncompleteDocument, past: Past | None
) -> DocumentSituation:
    is_invoice = document.kind is DocumentKind.INVOICE
    company_id, department_id = document.recman_company_id, document.recman_department_id
    project_id = document.recman_project_id if isinstance(document, Document) else None
    credited_id = document.credited_invoice_id if isinstance(document, Document) else None
    credited = await find_past(run, books, "invoice", credited_id) if credited_id else None
    settled = past is not None and past.booked
    # A credit note takes its customer from its invoice; only the hold list asks who that is.
    needs_customer = (
        is_invoice or bool(books.rules.held_customers) or may_need_choice(document, books.key.go_live, past)
    )
    return DocumentSituation(
        document=document,
        reference=books.reference,
        external_reference=external_reference(document.recman_invoice_id),
        go_live=books.key.go_live,
        method=books.key.method,
        past=past,
        customer=await look_at_customer(run, books, company_id)
        if needs_customer and company_id and not settled
        else None,
        project=await look_at_project(run, books, project_id) if is_invoice and project_id and not settled else None,
        department=await look_at_department(run, books, department_id)
        if is_invoice and department_id and not settled
        else None,
        credited=credited,
        rules=books.rules,
        booked_before=await _count_booked(run, books),
        found=await _find_documents(books, document, past, credited),
    )


async def _count_booked(run: Run, books: Books) -> int:
    most = books.rules.review.first
    if not most:
        return 0
    async with run.sessions() as session:
        return await count_booked(session, key_id=books.key.id, most=most)


def external_reference(recman_invoice_id: str) -> str:
    """What Unimicro can be searched for; built on the id, because invoice numbers may repeat between departments.

    Source: facts/unimicro-api.md §3.2 (20 characters at most), facts/recman-api.md §3.3 (numbers repeat).
    """
    return f"RM-{recman_invoice_id}"


async def look_at_customer(run: Run, books: Books, company_id: str, *, always_read: bool = False) -> CustomerView:
    """The customer; RecMan and Unimicro are asked only when our log has no link yet (or when told to)."""
    past = await find_past(run, books, "company", company_id)
    view = CustomerView(recman_company_id=company_id, past=past, policy=books.rules.customer_number)
    if past is not None and past.booked and not always_read:
        return view
    record = await run.reader.read_company(company_id)
    if not isinstance(record, Customer) or (past is not None and past.booked):
        return replace(view, record=record)
    if view.policy is NumberPolicy.LINKED and past is not None and past.unclear:
        # What may have been made has a number that we do not know.
        return replace(view, record=record, matches=await books.target.list_customers())
    matches = await books.target.find_customers(number=record.number, org_number=record.org_number or None)
    return replace(view, record=record, matches=matches)


async def look_at_project(run: Run, books: Books, project_id: str, *, always_read: bool = False) -> ProjectView:
    """The project; asked for like the customer."""
    past = await find_past(run, books, "project", project_id)
    if past is not None and past.booked and not always_read:
        return ProjectView(recman_project_id=project_id, past=past)
    record = await run.reader.read_project(project_id)
    if not isinstance(record, Project) or (past is not None and past.booked):
        return ProjectView(recman_project_id=project_id, past=past, record=record)
    matches = await books.target.find_projects(record.number)
    return ProjectView(recman_project_id=project_id, past=past, record=record, matches=matches)


async def look_at_department(run: Run, books: Books, department_id: str) -> DepartmentView:
    """The department; its number, or the rule for it, decides what it is in Unimicro."""
    rule = books.rules.department_of(department_id)
    if rule is None:
        return await _look_at_own_department(run, books, department_id)
    free = [(n, number, await books.target.find_dimension(n, number)) for n, number in rule.dimensions.items()]
    if rule.unimicro is None:
        return replace(await _look_at_own_department(run, books, department_id), dimensions=tuple(free))
    return DepartmentView(
        recman_department_id=department_id,
        record=Department(recman_department_id=department_id, name=rule.unimicro, number=rule.unimicro),
        matches=await books.target.find_departments(rule.unimicro),
        by_rule=True,
        dimensions=tuple(free),
    )


async def _look_at_own_department(run: Run, books: Books, department_id: str) -> DepartmentView:
    past = await find_past(run, books, "department", department_id)
    record = await run.reader.read_department(department_id)
    if (past is not None and past.booked) or record is None or not record.number:
        return DepartmentView(recman_department_id=department_id, past=past, record=record)
    matches = await books.target.find_departments(record.number)
    return DepartmentView(recman_department_id=department_id, past=past, record=record, matches=matches)


async def find_past(run: Run, books: Books, scope: str, record_id: str) -> Past | None:
    """What our log says of a record at this key.

    Raises:
        WaitError: another live lane is sending it right now.
    """
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(books.key.id, scope, record_id))
        if transfer is None:
            return None
        if await is_sent_by_other(session, transfer.id, run.lease):
            raise WaitError(
                f"{transfer.kind} {transfer.number or record_id} is being sent right now",
                scope=scope,
                record_id=record_id,
                seconds=_OTHER_LANE_SECONDS,
            )
        return past_of(transfer, now=await load_now(session))


async def _find_documents(
    books: Books, document: Document | IncompleteDocument, past: Past | None, credited: Past | None
) -> tuple[RemoteDocument, ...]:
    """What Unimicro has of the document; asked only when our log cannot tell.

    An invoice's guid keeps it from being made twice; a credit draft has none, so it is always looked for. So is what is
    older than the go-live day or the cut-off date: an installation before this one may have sent it.
    """
    if past is None or past.booked or isinstance(document, IncompleteDocument):
        return ()
    if past.remote_id is not None:
        return await _fetch_known(books, past.remote_id)
    first_day = max(books.key.go_live, books.rules.not_before or date.min)
    is_old = document.invoice_date < first_day or past.decision is not None
    if not past.unclear and not is_old and document.kind is DocumentKind.INVOICE:
        return ()
    found = await books.target.find_documents_by_reference(external_reference(document.recman_invoice_id))
    if not found and past.unclear and credited is not None and credited.remote_id is not None:
        found = await books.target.find_credit_drafts(credited.remote_id)
    return found


async def _fetch_known(books: Books, remote_id: int) -> tuple[RemoteDocument, ...]:
    try:
        return (await books.target.fetch_document(remote_id),)
    except RemoteRejectedError as error:
        if error.code == "remote_missing":
            return ()
        raise
