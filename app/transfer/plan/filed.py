"""The decision about a document of a key for files: the same plan, done by people who import a file. Pure.

What no file can make must be there before: what is missing holds the document, and a person makes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind, Line, LineKey
from app.domain.file_documents import FileCustomer, FileDocument, FileEntry, FileLine, FileVat
from app.domain.money import ZERO, show_money
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteProduct
from app.domain.vouchers import Share, to_base_amounts
from app.transfer.plan.basics import name_document
from app.transfer.plan.situation import CustomerView, DocumentSituation, Past
from app.transfer.plan.steps import (
    AdoptDocument,
    AdoptVoucher,
    BookVoucher,
    Collect,
    CreateCreditDraft,
    CreateCustomer,
    CreateDepartment,
    CreateDraft,
    CreateProduct,
    CreateProject,
    Decision,
    Go,
    Hold,
    Link,
    LinkDocument,
    Step,
    Wait,
)
from app.transfer.plan.vat_sums import CodeSum

_NAMES = {DocumentKind.INVOICE: "Faktura", DocumentKind.CREDIT_NOTE: "Kreditnota"}


def to_filing(decision: Decision, situation: DocumentSituation) -> Decision:
    """The same decision where nothing is sent: what would be written is collected for a file, or held.

    What a person links is linked as ever: nothing is written for it.
    """
    if not isinstance(decision, Go) or any(isinstance(step, LinkDocument) for step in decision.steps):
        return decision
    gaps = tuple(_list_gaps(decision.steps, situation))
    if gaps:
        return Hold(gaps)
    links = tuple(step for step in decision.steps if isinstance(step, Link))
    collected = _to_collect(decision.steps, situation.complete_document)
    left_out = tuple(_list_missing(decision.steps)) if situation.leaves_out else ()
    return Go((*links, collected), (*decision.warnings, *left_out, *_list_warnings(collected)))


def _list_gaps(steps: Sequence[Step], situation: DocumentSituation) -> Iterator[Reason]:
    if not situation.leaves_out:
        yield from _list_missing(steps)
    for step in steps:
        match step:
            case CreateCustomer() if not _keeps_number(situation.customer):
                yield _part_missing("customer", step.customer.number, step.customer.name, case="customer")
            case CreateCreditDraft():
                cause = f"{name_document(step.document)} credits an order, which no file can"
                yield Reason(code=Code.FILE_BY_HAND, cause=cause, fix=fix_for(Code.FILE_BY_HAND))
            case AdoptDocument() | AdoptVoucher():
                cause = f"{name_document(situation.complete_document)} is in Unimicro already"
                yield Reason(code=Code.NUMBER_IN_BOOKS, cause=cause, fix=fix_for(Code.NUMBER_IN_BOOKS))
            case _:
                pass


def _list_missing(steps: Sequence[Step]) -> Iterator[Reason]:
    """Projects and departments that are not in Unimicro yet."""
    for step in steps:
        match step:
            case CreateProject(project=project):
                yield _part_missing("project", project.number, project.name)
            case CreateDepartment(department=department):
                yield _part_missing("department", department.number, department.name)
            case _:
                pass


def _keeps_number(view: CustomerView | None) -> bool:
    """Whether a customer that a file makes has the number that the document names."""
    return view is None or (view.policy is not NumberPolicy.LINKED and view.takes_numbers)


def _part_missing(what: str, number: str, name: str, *, case: str = "") -> Reason:
    cause = f"The {what} {number} {name} is not in Unimicro, and no file can make it"
    return Reason(code=Code.FILE_PART_MISSING, cause=cause, fix=fix_for(Code.FILE_PART_MISSING, case))


def _to_collect(steps: Sequence[Step], document: Document) -> Collect:
    made = tuple(step.product for step in steps if isinstance(step, CreateProduct))
    for step in steps:
        match step:
            case BookVoucher() | CreateDraft():
                return Collect(
                    document=document,
                    reason=f"{name_document(document)} goes with the key's next file",
                    buyer=step.buyer,
                    department_id=step.department_id,
                    dimensions=step.dimensions,
                    products=made,
                    credited_number=step.credited_number if isinstance(step, BookVoucher) else "",
                    credited_rate=step.credited_rate if isinstance(step, BookVoucher) else None,
                )
            case _:
                pass
    raise TypeError("a plan that is filed makes a voucher or an order")


def _list_warnings(step: Collect) -> tuple[Reason, ...]:
    if not step.dimensions:
        return ()
    named = ", ".join(map(str, sorted(step.dimensions)))
    cause = f"A rule puts the document on dimension {named}, for which a file has no column"
    return (Reason(code=Code.FILE_WITHOUT_DIMENSION, cause=cause, fix=fix_for(Code.FILE_WITHOUT_DIMENSION)),)


def is_filed(past: Past | None) -> bool:
    """Whether it is ready for a file, or in one, so that a credit note of it may follow."""
    return past is not None and past.by_file and past.remote_id is None


def wait_for_refused(document: Document, past: Past) -> Wait | None:
    """What is done as long as the invoice that is credited stands in no file that may be imported."""
    if not past.held_for:
        return None
    cause = f"waits for invoice {past.number}, which it credits and which is held: {past.held_because}"
    return Wait("invoice", document.credited_invoice_id or "", cause)


def list_filed_credit_gaps(document: Document, situation: DocumentSituation, credited: Past) -> Iterator[Reason]:
    """In what a credit note does not go with the invoice that it credits, as that one stands in its file."""
    shown, name = credited.described, name_document(document)
    if document.recman_company_id != credited.company_id:
        cause = f"{name} is for another customer of RecMan's than invoice {credited.number}, which it credits"
        yield Reason(code=Code.CREDIT_CUSTOMER_DIFFERS, cause=cause, fix=fix_for(Code.CREDIT_CUSTOMER_DIFFERS))
    currency = shown.get("currency", document.currency)
    if document.currency != currency:
        cause = f"{name} is in {document.currency}, invoice {credited.number} in {currency}"
        fix = fix_for(Code.CREDIT_CURRENCY_DIFFERS, currency=currency)
        yield Reason(code=Code.CREDIT_CURRENCY_DIFFERS, cause=cause, fix=fix)
    if document.invoice_date.isoformat() < shown.get("invoice_date", ""):
        cause = f"{name} is dated {document.invoice_date}, before invoice {credited.number} of {shown['invoice_date']}"
        yield Reason(code=Code.CREDIT_BEFORE_INVOICE, cause=cause, fix=fix_for(Code.CREDIT_BEFORE_INVOICE))
    left = Decimal(shown.get("gross_amount", "0")) - situation.filed_credits
    if document.totals.gross_amount > left:
        told = show_money(document.totals.gross_amount)
        cause = f"{name} credits {told} {document.currency}, but invoice {credited.number} has {show_money(left)} left"
        yield Reason(code=Code.CREDIT_TOO_LARGE, cause=cause, fix=fix_for(Code.CREDIT_TOO_LARGE, left=show_money(left)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the document points to, by its number in Unimicro; `customer` may be yet to be made."""

    customer: str
    customer_name: str
    project: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What of a document was decided besides its own words.

    `bookings`: where each line is booked; `shares` those of its voucher, none of an order; `rate` as the document's
    `exchange_rate`.
    """

    numbers: Numbers
    bookings: Mapping[LineKey, RemoteProduct]
    reference: Reference
    vat: Sequence[CodeSum]
    shares: Sequence[Share] = ()
    rate: Decimal = Decimal(1)
    booking: Booking = Booking.VOUCHER


def to_file_document(
    transfer_id: int, step: Collect, content: Content, customer: Customer | None
) -> FileDocument | Reason:
    """The document as any layout writes it; why it cannot be. What Unimicro numbers has no KID of ours."""
    document, numbers = step.document, content.numbers
    is_voucher = content.booking is Booking.VOUCHER
    entries = _to_entries(step, content) if is_voucher else ()
    if isinstance(entries, Reason):
        return entries
    is_foreign = document.currency != content.reference.base_currency
    return FileDocument(
        transfer_id=str(transfer_id),
        record_id=document.recman_invoice_id,
        kind=document.kind,
        number=document.number,
        invoice_date=document.invoice_date,
        due_date=document.due_date,
        currency=document.currency,
        base_currency=content.reference.base_currency,
        customer=_to_customer(numbers, customer),
        lines=tuple(_to_line(line, content) for line in document.lines),
        net_amount=document.totals.net_amount,
        vat_amount=document.totals.vat_amount,
        gross_amount=document.totals.gross_amount,
        vat_by_code=tuple(_to_vat(one) for one in content.vat),
        entries=entries,
        delivery_date=document.delivery_date,
        payment_id=document.kid if is_voucher else "",
        exchange_rate=content.rate if is_foreign and is_voucher else None,
        project_number=numbers.project,
        department_number=numbers.department,
        our_reference=document.our_reference,
        your_reference=document.your_reference,
        requisition=document.requisition,
        note=document.note,
        credited_number=step.credited_number,
    )


def _to_customer(numbers: Numbers, customer: Customer | None) -> FileCustomer:
    if customer is None:
        return FileCustomer(number=numbers.customer, name=numbers.customer_name)
    return FileCustomer(
        number=numbers.customer,
        name=customer.name,
        # A person's number goes no farther than RecMan.
        organisation_number="" if customer.is_private else customer.org_number,
        email=customer.invoice_email or customer.email,
        phone=customer.phone,
        address=customer.invoice_address,
        delivery_address=customer.delivery_address,
        credit_days=customer.credit_days,
        currency=customer.currency,
    )


def _to_line(line: Line, content: Content) -> FileLine:
    if line.is_text:
        return FileLine(text=line.text)
    product, reference = content.bookings[line.key], content.reference
    account = reference.find_account(product.account_id)
    return FileLine(
        text=line.text,
        product_number=product.number,
        product_name=product.name,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price_net,
        discount_percent=line.discount_percent,
        net_amount=line.net_amount,
        vat_amount=line.vat_amount,
        vat_code=reference.code_of(product.vat_type_id) or "",
        account="" if account is None else str(account.number),
        project_number=content.numbers.project,
        department_number=_choose_department(line.department_number, content),
    )


def _choose_department(own: str, content: Content) -> str:
    """A line's own department, where exactly one has its number; else the document's."""
    is_known = bool(own) and len(content.reference.departments.get(own, ())) == 1
    return own if is_known else content.numbers.department


def _to_vat(one: CodeSum) -> FileVat:
    return FileVat(code=one.code, net_amount=one.net_amount, vat_amount=one.vat_amount)


def _to_entries(step: Collect, content: Content) -> tuple[FileEntry, ...] | Reason:
    """The claim on the customer, and each share against it; a credit note turned around."""
    document, shares = step.document, content.shares
    sign = 1 if document.kind is DocumentKind.INVOICE else -1
    base = to_base_amounts(shares, content.rate)
    accounts = [content.reference.find_account(share.account_id) for share in shares]
    if any(account is None for account in accounts):
        cause = f"{name_document(document)} is booked on an account of which Unimicro tells no number"
        return Reason(code=Code.FILE_ACCOUNT_UNKNOWN, cause=cause, fix=fix_for(Code.FILE_ACCOUNT_UNKNOWN))
    text = f"{_NAMES[document.kind]} {document.number} {content.numbers.customer_name}".strip()
    claim = FileEntry(
        amount=sign * sum(base, ZERO),
        currency_amount=sign * sum((share.amount for share in shares), ZERO),
        currency=document.currency,
        customer_number=content.numbers.customer,
        text=text,
        due_date=document.due_date,
        invoice_number=document.number,
        payment_id=document.kid,
    )
    against = (
        FileEntry(
            amount=-sign * amount,
            currency_amount=-sign * share.amount,
            currency=document.currency,
            account=str(account.number if account is not None else ""),
            project_number=content.numbers.project,
            department_number=_choose_department(share.department_number, content),
            text=text,
            vat_code=content.reference.code_of(share.vat_type_id) or "",
            invoice_number=document.number,
        )
        for share, amount, account in zip(shares, base, accounts, strict=True)
    )
    return (claim, *against)
