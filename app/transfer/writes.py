"""The calls of steps that a dry run rehearses too, with all that they are given: one place for both."""

from contextlib import suppress
from decimal import Decimal

from app.accounting.targets import BookedEntry, Change, Draft, Made, NewDraft, NewVoucher, guid_for
from app.domain.booking import Booking
from app.domain.dimensions import Department, Project
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.reference import (
    DocumentState,
    Links,
    RemoteCustomer,
    RemoteDepartment,
    RemoteDocument,
    RemoteProduct,
    RemoteProject,
)
from app.errors import RemoteError
from app.transfer.books import Books
from app.transfer.plan.steps import BookVoucher, CreateCreditDraft
from app.transfer.plan.voucher import VoucherDesign


async def write_customer(books: Books, customer: Customer, guid: str) -> Made[RemoteCustomer]:
    """The customer, made."""
    return await books.target.create_customer(
        customer, guid=guid, send_number=books.send_customer_number, currencies=books.reference.currencies
    )


async def write_project(books: Books, project: Project, guid: str, *, customer_id: int | None) -> Made[RemoteProject]:
    """The project, made."""
    return await books.target.create_project(project, guid=guid, customer_id=customer_id)


async def write_project_change(books: Books, remote_id: int, project: Project, *, customer_id: int | None) -> Change:
    """The project, brought in line."""
    return await books.target.update_project(remote_id, project, customer_id=customer_id)


async def write_department(books: Books, department: Department, guid: str) -> Made[RemoteDepartment]:
    """The department, made."""
    return await books.target.create_department(department, guid=guid)


async def write_product(books: Books, product: RemoteProduct) -> RemoteProduct:
    """The product, made; its number alone tells it from others."""
    return await books.target.create_product(product, guid=guid_for(str(books.key.id), "product", product.number))


async def write_draft(
    books: Books, document: Document, links: Links, *, guid: str, reference: str, rate: Decimal
) -> Draft:
    """The document, as a draft that carries our reference."""
    new = NewDraft(
        document=document,
        links=links,
        guid=guid,
        external_reference=reference,
        reference=books.reference,
        rate=rate,
        is_quiet=books.booking is Booking.RENUMBERED,
        keeps_number=books.booking is Booking.OWN_NUMBER,
    )
    return await books.target.create_draft(new)


async def write_credit_draft(books: Books, step: CreateCreditDraft, *, reference: str) -> RemoteDocument:
    """A credit draft that carries our reference, as far as it could be put there."""
    draft = await books.target.create_credit_draft(step.credited_id)
    # Marked at once: until then only its time and sums tell it from a person's. Where this fails, the id that we
    # have got is kept all the same, and the next step puts the reference on it.
    with suppress(RemoteError):
        await books.target.mark_credit_draft(draft.remote_id, external_reference=reference)
    return draft


async def write_credit(
    books: Books, step: CreateCreditDraft, links: Links, *, draft_id: int, reference: str, rate: Decimal | None
) -> Draft:
    """The credit draft as RecMan has the credit note."""
    return await books.target.update_credit_draft(
        draft_id,
        step.document,
        external_reference=reference,
        links=links,
        rate=rate,
        keeps_number=books.booking is Booking.OWN_NUMBER,
    )


async def write_issue(books: Books, draft: RemoteDocument) -> None:
    """Nothing where it is issued already."""
    if draft.state is DocumentState.DRAFT:
        await books.target.issue_document(draft.remote_id)


async def write_voucher(  # noqa: PLR0913 - one write, and all that belongs to it
    books: Books, step: BookVoucher, links: Links, design: VoucherDesign, *, guid: str, reference: str, rate: Decimal
) -> BookedEntry:
    """The document, booked as a voucher that carries our reference."""
    new = NewVoucher(
        document=step.document,
        links=links,
        guid=guid,
        external_reference=reference,
        shares=design.shares,
        currency_id=books.reference.currencies[step.document.currency],
        rate=rate,
        credited_number=step.credited_number,
    )
    return await books.target.book_voucher(new)
