"""Look before deciding: gather what our log, RecMan and Unimicro know of a record. Reads only."""

from dataclasses import replace
from datetime import date

from app.domain.booking import Booking
from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind, IncompleteDocument
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reference import RemoteCustomer, RemoteDocument
from app.errors import RemoteMissingError, RemoteUnavailableError, System, WaitError
from app.platform.db import load_now
from app.transfer.books import Books
from app.transfer.claims import is_sent_by_other
from app.transfer.context import Run
from app.transfer.credit_log import find_usual_minus, list_booked_credits
from app.transfer.doubles import list_doubles
from app.transfer.log import count_booked, find_transfer, is_begun, list_customer_links
from app.transfer.pasts import past_of
from app.transfer.plan.credit import list_own_drafts
from app.transfer.plan.go_live import may_need_choice
from app.transfer.plan.parts import shares_org_number
from app.transfer.plan.situation import CustomerView, DepartmentView, DocumentSituation, Past, ProjectView
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
        booking=books.key.booking,
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
    company_id, department_id = document.recman_company_id, document.recman_department_id
    project_id = document.recman_project_id if isinstance(document, Document) else None
    credited_id = document.credited_invoice_id if isinstance(document, Document) else None
    credited = await find_past(run, books, "invoice", credited_id) if credited_id else None
    settled = past is not None and past.booked
    credited_document, credit_notes = (None, ()) if settled else await _fetch_credited(run, books, credited)
    return DocumentSituation(
        document=document,
        reference=books.reference,
        external_reference=external_reference(document.recman_invoice_id),
        go_live=books.key.go_live,
        booking=books.key.booking,
        past=past,
        customer=await look_at_customer(run, books, company_id) if company_id and not settled else None,
        project=await look_at_project(run, books, project_id) if project_id and not settled else None,
        department=await look_at_department(run, books, department_id) if department_id and not settled else None,
        credited=credited,
        credited_document=credited_document,
        credit_notes=credit_notes,
        kept_credits=await _list_kept_credits(run, books, credited_document),
        usual_minus=await _find_usual_minus(run) if document.kind is DocumentKind.CREDIT_NOTE and not settled else None,
        rules=books.rules,
        booked_before=await _count_booked(run, books),
        doubles=await list_doubles(run, document),
        found=await _find_documents(books, document, past, list_own_drafts(past, credited_document, credit_notes)),
    )


async def _list_kept_credits(run: Run, books: Books, credited: RemoteDocument | None) -> frozenset[int]:
    if credited is None:
        return frozenset()
    async with run.sessions() as session:
        return await list_booked_credits(session, key_id=books.key.id, credited_id=credited.remote_id)


async def _find_usual_minus(run: Run) -> bool | None:
    async with run.sessions() as session:
        return await find_usual_minus(session, tenant_id=run.lease.tenant_id)


async def _count_booked(run: Run, books: Books) -> int:
    most = books.rules.review.first
    if not most:
        return 0
    async with run.sessions() as session:
        return await count_booked(session, key_id=books.key.id, most=most)


def external_reference(recman_invoice_id: str) -> str:
    """What Unimicro can be searched for; built on the id, because invoice numbers may repeat between departments.

    Source: docs/facts/unimicro.md §3.2 (20 characters at most), docs/facts/recman.md §3.3 (numbers repeat).
    """
    return f"RM-{recman_invoice_id}"


async def look_at_customer(run: Run, books: Books, company_id: str, *, always_read: bool = False) -> CustomerView:
    """The customer; RecMan and Unimicro are asked only when our log has no link yet (or on request)."""
    past = await find_past(run, books, "company", company_id)
    view = CustomerView(recman_company_id=company_id, past=past, policy=books.rules.customer_number)
    if past is not None and past.booked and not always_read:
        return view
    record = await run.reader.read_company(company_id)
    if not isinstance(record, Customer) or (past is not None and past.booked):
        return replace(view, record=record)
    if view.policy is NumberPolicy.LINKED and past is not None and past.unclear:
        # What may have been made has a number that we do not know.
        return replace(view, record=record, matches=await _list_candidates(run, books, record))
    matches = await books.target.find_customers(number=record.number, org_number=record.org_number or None)
    return replace(view, record=record, matches=matches)


async def _list_candidates(run: Run, books: Books, customer: Customer) -> tuple[RemoteCustomer, ...]:
    """Every customer but those of other companies with another organisation number, or with none."""
    async with run.sessions() as session:
        taken = set((await list_customer_links(session, key_id=books.key.id)).values())
    found = await books.target.list_customers()
    return tuple(one for one in found if one.remote_id not in taken or shares_org_number(customer, one))


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
        WaitError: another live lane is sending it right now; or it went to another key since this one was chosen.
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
        if transfer.key_id != books.key.id and is_begun(transfer):
            cause = f"{transfer.kind} {transfer.number or record_id} went to another key just now"
            raise WaitError(cause, scope="", record_id="", seconds=1)
        now = await load_now(session)
        if scope != "invoice" and transfer.guid_spent and transfer.look_again_at and transfer.look_again_at > now:
            # Unimicro says that it has it, and may not show it yet: made again too early, it would be there twice.
            cause = f"{transfer.kind} {transfer.number or record_id} is looked for once more"
            seconds = (transfer.look_again_at - now).total_seconds() + 0.1
            raise WaitError(cause, scope="", record_id="", seconds=seconds)
        return past_of(transfer, key_id=books.key.id, now=now)


async def _fetch_credited(
    run: Run, books: Books, credited: Past | None
) -> tuple[RemoteDocument | None, tuple[RemoteDocument, ...]]:
    """What the id of the credited invoice shows now, and every credit note of it."""
    if credited is None or not credited.booked or credited.remote_id is None or credited.booking == Booking.ORDER:
        return None, ()
    shown = await _fetch_known(books, credited.remote_id)
    if not shown and run.asks_again:
        raise RemoteUnavailableError(
            f"Unimicro does not show invoice {credited.remote_number} right now", system=System.UNIMICRO
        )
    if not shown:
        return None, ()
    return shown[0], await books.target.find_credits(credited.remote_id)


async def _find_documents(
    books: Books,
    document: Document | IncompleteDocument,
    past: Past | None,
    own_drafts: tuple[RemoteDocument, ...],
) -> tuple[RemoteDocument, ...]:
    """What Unimicro has of the document; asked only when our log cannot tell.

    An invoice's guid keeps it from being made twice; a credit draft has none, so it is always looked for, at last by
    what else tells it (`own_drafts`). So is what is older than the go-live day or the cut-off date: an installation
    before this one may have sent it.
    """
    if past is None or past.booked or isinstance(document, IncompleteDocument):
        return ()
    known = await _fetch_known(books, past.remote_id) if past.remote_id is not None else ()
    first_day = max(books.key.go_live, books.rules.not_before or date.min)
    is_old = document.invoice_date < first_day or past.decision is not None
    is_open = past.unclear or past.remote_id is not None or is_old or document.kind is DocumentKind.CREDIT_NOTE
    if known or not is_open:
        return known
    found = await books.target.find_documents_by_reference(external_reference(document.recman_invoice_id))
    return found or (own_drafts if past.unclear else ())


async def _fetch_known(books: Books, remote_id: int) -> tuple[RemoteDocument, ...]:
    try:
        return (await books.target.fetch_document(remote_id),)
    except RemoteMissingError:
        return ()
