"""Look before deciding: gather what our log, RecMan and Unimicro know of a record. Reads only."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from app.admin.shared_numbers import is_shared
from app.domain.answers import takes_numbers
from app.domain.booking import Booking
from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reference import RemoteCustomer, RemoteDocument
from app.domain.vouchers import RemoteVoucher
from app.errors import RemoteMissingError, RemoteUnavailableError, System
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.credit_log import usual_minus_of
from app.transfer.doubles import list_doubles, may_be_same
from app.transfer.filed import load_filed_credits
from app.transfer.kids import has_same_kid, list_kid_clashes
from app.transfer.log import list_customer_links
from app.transfer.numbers import look_at_numbers
from app.transfer.pasts import Pasts, Question, booked_count_of, load_pasts
from app.transfer.plan.credit import list_own_drafts, unmark_copies
from app.transfer.plan.customers import claims_org_number, shares_org_number
from app.transfer.plan.go_live import may_need_choice
from app.transfer.plan.sale import hangs_on_country
from app.transfer.plan.situation import CustomerView, DepartmentView, DocumentSituation, Past, ProjectView
from app.transfer.proof import list_sender_gaps
from app.transfer.series import look_at_series
from app.transfer.twins import find_twins, was_searched


async def look_at_document(
    run: Run, books: Books, document: Document | Gaps, *, imagine: Callable[[Past], Past] | None = None
) -> DocumentSituation:
    """Everything that decides about one invoice or credit note; `imagine`: as if our log said this of it."""
    pasts = await _load_all(run, books, document)
    if imagine is not None:
        pasts = pasts.imagine("invoice", document.recman_invoice_id, imagine)
    past = pasts.find("invoice", document.recman_invoice_id)
    if not may_need_choice(document, books.key.go_live, past):
        return await _look_at_all(run, books, document, pasts)
    if past is None or past.decision != "send":
        return await _look_at_old(run, books, document, pasts)
    situation = await _look_at_all(run, books, document, pasts)
    return replace(situation, twins=await find_twins(run, books, document, situation))


async def _load_all(run: Run, books: Books, document: Document | Gaps) -> Pasts:
    """What our log says of the document and of everything it needs."""
    credited_id = _find_credited_id(document)
    wanted = [
        ("invoice", document.recman_invoice_id),
        ("invoice", credited_id),
        ("company", document.recman_company_id),
        ("project", _find_project_id(document)),
        ("department", document.recman_department_id),
    ]
    is_credit, first = document.kind is DocumentKind.CREDIT_NOTE, books.rules.review.first
    question = Question(
        records=[(scope, record_id) for scope, record_id in wanted if record_id],
        same=may_be_same(document),
        same_kid=has_same_kid(document, key=books.key, booking=books.booking),
        credited_id=credited_id,
        usual_minus=usual_minus_of(run.lease.tenant_id) if is_credit else None,
        booked_before=booked_count_of(books.key.id, most=first) if first else None,
    )
    async with run.sessions() as session:
        pasts = await load_pasts(session, run.lease, books.key.id, question)
        return replace(pasts, department=await run.reader.find_department(session, document.recman_department_id))


def _find_project_id(document: Document | Gaps) -> str | None:
    return document.recman_project_id if isinstance(document, Document) else None


def _find_credited_id(document: Document | Gaps) -> str | None:
    return document.credited_invoice_id if isinstance(document, Document) else None


async def _look_at_old(run: Run, books: Books, document: Document | Gaps, pasts: Pasts) -> DocumentSituation:
    """What a person's choice needs: the customer, and what Unimicro may have of it; asked for once, not per repeat."""
    past = pasts.find("invoice", document.recman_invoice_id)
    situation = DocumentSituation(
        document=document,
        reference=books.reference,
        external_reference=external_reference(document.recman_invoice_id),
        go_live=books.key.go_live,
        booking=books.booking,
        unsaid=list_sender_gaps(books.key, books.booking),
        past=past,
        rules=books.rules,
        rule_makers=books.rule_makers,
    )
    if was_searched(run, books, past):
        return situation
    company_id = document.recman_company_id
    customer = await look_at_customer(run, books, company_id, pasts=pasts) if company_id else None
    situation = replace(situation, customer=customer)
    return replace(situation, twins=await find_twins(run, books, document, situation))


async def _look_at_all(run: Run, books: Books, document: Document | Gaps, pasts: Pasts) -> DocumentSituation:
    place = ("invoice", document.recman_invoice_id)
    past = pasts.find(*place)
    credited_id = _find_credited_id(document)
    credited = pasts.find("invoice", credited_id) if credited_id else None
    settled = past is not None and past.booked
    credited_document, credit_notes = (None, ()) if settled else await _fetch_credited(run, books, credited, pasts)
    parts = _Parts() if settled else await _look_at_parts(run, books, document, pasts)
    customer = await _look_at_country(books, document, parts.customer)
    return DocumentSituation(
        document=document,
        reference=books.reference,
        external_reference=external_reference(document.recman_invoice_id),
        go_live=books.key.go_live,
        booking=books.booking,
        unsaid=list_sender_gaps(books.key, books.booking),
        past=past,
        customer=customer,
        project=parts.project,
        department=parts.department,
        credited=credited,
        credited_document=credited_document,
        credit_notes=credit_notes,
        kept_credits=frozenset() if credited_document is None else pasts.kept_credits,
        usual_minus=None if settled else pasts.usual_minus,
        rules=books.rules,
        rule_makers=books.rule_makers,
        booked_before=pasts.booked_before,
        doubles=list_doubles(pasts.transfers.get(place), pasts.doubles, document),
        kid_clashes=list_kid_clashes(pasts.transfers.get(place), pasts.same_kid, document, parts.customer),
        found=unmark_copies(
            credited_document,
            await _find_documents(books, document, past, list_own_drafts(past, credited_document, credit_notes)),
        ),
        vouchers=await _find_vouchers(books, document, past),
        answers=books.answers,
        series=None if settled else await look_at_series(run, books, document),
        numbers=None if settled else await look_at_numbers(run, books),
        by_file=books.by_file,
        leaves_out=books.key.settings.get("missing_dimensions") == "leave_out",
        filed_credits=await load_filed_credits(run, books.key, document, credited),
    )


async def _look_at_country(
    books: Books, document: Document | Gaps, customer: CustomerView | None
) -> CustomerView | None:
    """The customer with Unimicro's word for its country, where RecMan's is not kept and something hangs on it.

    It is read where the document's head will need it anyway.
    """
    past = customer.past if customer is not None else None
    if customer is None or past is None or not past.booked or past.country or past.remote_id is None:
        return customer
    if isinstance(document, Gaps) or not hangs_on_country(document, books.rules):
        return customer
    return replace(customer, remote_country=await books.target.find_customer_country(past.remote_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a document points to."""

    customer: CustomerView | None = None
    project: ProjectView | None = None
    department: DepartmentView | None = None


async def _look_at_parts(run: Run, books: Books, document: Document | Gaps, pasts: Pasts) -> _Parts:
    company_id, department_id = document.recman_company_id, document.recman_department_id
    project_id, reads = _find_project_id(document), books.by_file
    # A file has the customer's name and addresses, also where he is linked.
    customer = await look_at_customer(run, books, company_id, pasts=pasts, always_read=reads) if company_id else None
    return _Parts(
        customer=customer,
        project=await look_at_project(run, books, project_id, pasts=pasts) if project_id else None,
        department=await _look_at_department(run, books, department_id, pasts) if department_id else None,
    )


def external_reference(recman_invoice_id: str) -> str:
    """What Unimicro can be searched for; built on the id, because invoice numbers may repeat between departments.

    Source: docs/facts/unimicro.md §3.2 (20 characters at most), docs/facts/recman.md §3.3 (numbers repeat).
    """
    return f"RM-{recman_invoice_id}"


async def look_at_customer(
    run: Run, books: Books, company_id: str, *, pasts: Pasts | None = None, always_read: bool = False
) -> CustomerView:
    """The customer; RecMan and Unimicro are asked only when our log has no link yet (or on request).

    `pasts` is what the log has said already of all that a document needs.
    """
    pasts = pasts or await _load_past(run, books, "company", company_id)
    past = pasts.find("company", company_id)
    view = CustomerView(
        recman_company_id=company_id,
        past=past,
        policy=books.rules.customer_number,
        takes_numbers=takes_numbers(books.answers),
    )
    if past is not None and past.booked and not always_read:
        return view
    record = await run.reader.read_company(company_id)
    if not isinstance(record, Customer) or (past is not None and past.booked):
        return replace(view, record=record)
    if view.policy is NumberPolicy.LINKED and past is not None and past.unclear:
        # What may have been made has a number that we do not know.
        shares_number = bool(record.org_number) and await _is_shared(run, books, record)
        matches = await _list_candidates(run, books, record, shares_number=shares_number)
        return replace(view, record=record, matches=matches, shares_number=shares_number)
    matches = await books.target.find_customers_like(record)
    # Asked only where it matters: when somebody else there has this number.
    is_asked = any(other.number != record.number and claims_org_number(record, other) for other in matches)
    shares_number = is_asked and await _is_shared(run, books, record)
    return replace(view, record=record, matches=matches, shares_number=shares_number)


async def _is_shared(run: Run, books: Books, customer: Customer) -> bool:
    async with run.sessions() as session:
        return await is_shared(session, books.key, customer)


async def _list_candidates(
    run: Run, books: Books, customer: Customer, *, shares_number: bool
) -> tuple[RemoteCustomer, ...]:
    """Every customer but those of other companies, unless the organisation number, not a shared one, is the same."""
    async with run.sessions() as session:
        taken = set((await list_customer_links(session, key_id=books.key.id)).values())
    found = await books.target.list_customers()
    return tuple(
        one for one in found if one.remote_id not in taken or (shares_org_number(customer, one) and not shares_number)
    )


async def look_at_project(
    run: Run, books: Books, project_id: str, *, pasts: Pasts | None = None, always_read: bool = False
) -> ProjectView:
    """The project; asked for like the customer."""
    pasts = pasts or await _load_past(run, books, "project", project_id)
    past = pasts.find("project", project_id)
    if past is not None and past.booked and not always_read:
        return ProjectView(recman_project_id=project_id, past=past)
    record = await run.reader.read_project(project_id)
    if not isinstance(record, Project) or (past is not None and past.booked):
        return ProjectView(recman_project_id=project_id, past=past, record=record)
    matches = await books.target.find_projects(record.number)
    return ProjectView(recman_project_id=project_id, past=past, record=record, matches=matches)


async def _look_at_department(run: Run, books: Books, department_id: str, pasts: Pasts) -> DepartmentView:
    """The department; its number, or the rule for it, decides what it is in Unimicro."""
    rule = books.rules.department_of(department_id)
    if rule is None:
        return await _look_at_own_department(run, books, department_id, pasts)
    free = [(n, number, await books.target.find_dimension(n, number)) for n, number in rule.dimensions.items()]
    if rule.unimicro is None:
        return replace(await _look_at_own_department(run, books, department_id, pasts), dimensions=tuple(free))
    return DepartmentView(
        recman_department_id=department_id,
        record=Department(recman_department_id=department_id, name=rule.unimicro, number=rule.unimicro),
        matches=await books.target.find_departments(rule.unimicro),
        by_rule=True,
        dimensions=tuple(free),
    )


async def _look_at_own_department(run: Run, books: Books, department_id: str, pasts: Pasts) -> DepartmentView:
    past = pasts.find("department", department_id)
    record = pasts.department or await run.reader.read_department(department_id)
    if (past is not None and past.booked) or record is None or not record.number:
        return DepartmentView(recman_department_id=department_id, past=past, record=record)
    matches = await books.target.find_departments(record.number)
    return DepartmentView(recman_department_id=department_id, past=past, record=record, matches=matches)


async def _load_past(run: Run, books: Books, scope: str, record_id: str) -> Pasts:
    """What our log says of a single record at this key."""
    async with run.sessions() as session:
        return await load_pasts(session, run.lease, books.key.id, Question(records=[(scope, record_id)]))


async def _fetch_credited(
    run: Run, books: Books, credited: Past | None, pasts: Pasts
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
    listed = await books.target.find_credits(credited.remote_id)
    # Credit notes that were booked as vouchers name no invoice: our log alone knows whose they are.
    others = sorted(pasts.kept_credits - {one.remote_id for one in listed})
    kept = [one for remote_id in others for one in await _fetch_known(books, remote_id)]
    return shown[0], unmark_copies(shown[0], (*listed, *kept))


async def _find_vouchers(books: Books, document: Document | Gaps, past: Past | None) -> tuple[RemoteVoucher, ...]:
    """Whatever has the number of a document that is booked as a voucher: it is asked for before anything is sent.

    Else a plain voucher would be taken for a payment of it. Source: docs/facts/unimicro.md §11 row 4 [O].
    """
    is_booked = past is not None and past.booked
    if books.booking is not Booking.VOUCHER or is_booked or isinstance(document, Gaps):
        return ()
    reference = external_reference(document.recman_invoice_id)
    return await books.target.find_vouchers(document.number, reference, thoroughly=past is not None and past.unclear)


async def _find_documents(
    books: Books, document: Document | Gaps, past: Past | None, own_drafts: tuple[RemoteDocument, ...]
) -> tuple[RemoteDocument, ...]:
    """What Unimicro has of the document; asked only when our log cannot tell.

    An invoice's guid keeps it from being made twice; a credit draft has none, so it is always looked for, at last by
    what else tells it (`own_drafts`). So is what is older than the go-live day or the cut-off date: an installation
    before this one may have sent it.
    """
    if past is None or past.booked or isinstance(document, Gaps) or books.booking is Booking.VOUCHER:
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
