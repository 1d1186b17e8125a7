"""What a document points to in Unimicro: ids from the look that decided, and from the steps done since."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.documents import Document
from app.domain.reference import Links
from app.errors import WaitError
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import find_transfer
from app.transfer.plan.parts import find_line_departments
from app.transfer.plan.products import choose_products
from app.transfer.plan.sale import Sale, to_sale
from app.transfer.plan.situation import DocumentSituation, Past
from app.transfer.plan.steps import BookVoucher, CreateCreditDraft, CreateDraft
from app.transfer.plan.vat_sums import VatSums, sum_by_code


@dataclass(frozen=True, slots=True)
class Linked:
    """A record that is in Unimicro: its id there, the number that this id had when it was linked or made, its name."""

    remote_id: int
    number: str = ""
    name: str = ""


# By scope and RecMan id.
Known = Mapping[tuple[str, str], Linked]


def list_linked(situation: DocumentSituation) -> Known:
    """What the look has found linked or made of all that the document points to."""
    customer, project, department = situation.customer, situation.project, situation.department
    found: dict[tuple[str, str], Past | None] = {}
    if customer is not None:
        found["company", customer.recman_company_id] = customer.past
    if project is not None:
        found["project", project.recman_project_id] = project.past
    if department is not None:
        found["department", department.recman_department_id] = department.past
    linked = {record: read_linked(past) for record, past in found.items()}
    return {record: one for record, one in linked.items() if one is not None}


def read_linked(past: Past | None) -> Linked | None:
    """What went all the way, by what our log says of it."""
    if past is None or not past.booked or past.remote_id is None:
        return None
    return Linked(past.remote_id, past.remote_number, past.name)


async def find_linked(run: Run, books: Books, scope: str, record_id: str | None) -> Linked | None:
    """A record that went all the way, as our log has it now: for what no look has told."""
    if record_id is None:
        return None
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(books.key.id, scope, record_id))
    if transfer is None or transfer.booked_at is None or transfer.remote_id is None:
        return None
    return Linked(transfer.remote_id, transfer.remote_number or "", transfer.customer_name)


def find_id(known: Known, scope: str, record_id: str | None) -> int | None:
    """The id in Unimicro of a record that is known to be there."""
    linked = known.get((scope, record_id or ""))
    return None if linked is None else linked.remote_id


def make_links(books: Books, step: CreateDraft | BookVoucher, known: Known) -> Links:
    """Ids of everything a draft, or a voucher, points to.

    Raises:
        WaitError: the customer is not there.
    """
    company_id = step.document.recman_company_id
    customer = known.get(("company", company_id))
    if customer is None:
        raise WaitError(f"waits for customer {company_id}", scope="company", record_id=company_id, seconds=60)
    return _make_links(books, step, known, customer)


def make_credit_links(books: Books, step: CreateCreditDraft, known: Known) -> Links:
    """What the lines of a credit note point to; its customer comes with the draft."""
    return _make_links(books, step, known, Linked(0))


def _make_links(
    books: Books, step: CreateDraft | CreateCreditDraft | BookVoucher, known: Known, customer: Linked
) -> Links:
    document = step.document
    own_department_id = find_id(known, "department", document.recman_department_id)
    return Links(
        customer_id=customer.remote_id,
        customer_number=customer.number,
        customer_name=customer.name,
        project_id=find_id(known, "project", document.recman_project_id),
        department_id=own_department_id if step.department_id is None else step.department_id,
        bookings=choose_products(
            Sale(document=document, buyer=step.buyer, reference=books.reference, rules=books.rules)
        ),
        line_departments=find_line_departments(document.lines, books.reference),
        dimensions=step.dimensions,
        rounding_product_id=find_rounding_product(books),
        series_id=None if isinstance(step, BookVoucher) else step.series_id,
    )


def find_vat_sums(books: Books, document: Document, situation: DocumentSituation) -> VatSums | None:
    """What the document comes to on each VAT code that its lines are booked on.

    None: a line of what was found in Unimicro could not be booked any more, so nobody can say on which.
    """
    buyer = to_sale(document, situation).buyer
    sale = Sale(document=document, buyer=buyer, reference=books.reference, rules=books.rules)
    try:
        bookings = choose_products(sale)
    except LookupError:
        return None
    return sum_by_code(document, bookings, books.reference, rounding_product_id=find_rounding_product(books))


def find_rounding_product(books: Books) -> int | None:
    """The product of lines that level claims, as far as it is there."""
    rounding = books.rules.rounding
    found = () if rounding is None else books.reference.products.get(rounding.product, ())
    return found[0].remote_id if len(found) == 1 else None
