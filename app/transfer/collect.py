"""Stop 7 for keys that make files: nothing is sent; what was decided is kept for the key's next file."""

from dataclasses import replace
from decimal import Decimal

from app.admin.keys import lock_for_files
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.file_documents import FileDocument
from app.domain.gaps import Gaps
from app.domain.parties import Customer
from app.domain.reasons.codes import Reason
from app.domain.reference import Reference, RemoteProduct
from app.domain.states import EventState
from app.engine.lanes import check_fence
from app.errors import HoldError, WaitError
from app.tables import Transfer
from app.transfer.booked import show_content
from app.transfer.books import Books
from app.transfer.context import Outcome, Run
from app.transfer.filed import find_filed, is_refused, record_back, record_collected, record_content
from app.transfer.linked import Known, list_linked
from app.transfer.log import show_reasons
from app.transfer.pasts import past_of
from app.transfer.plan.document import plan_booked
from app.transfer.plan.filed import Content, Numbers, to_file_document
from app.transfer.plan.products import choose_products
from app.transfer.plan.sale import Sale
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import Collect, Go, Hold
from app.transfer.plan.vat_sums import VatSums, sum_by_code
from app.transfer.plan.voucher import design_voucher
from app.transfer.rates import load_rate
from app.transfer.run_parts import run_part


async def collect_document(run: Run, books: Books, plan: Go, situation: DocumentSituation) -> None:
    """Keep the document for the key's next file, and end the lane's run with that.

    Raises:
        HoldError: it cannot be written down.
        WaitError: the key makes no files any more; look again.
    """
    known = list_linked(situation)
    for step in plan.steps[:-1]:
        # What is there already is linked: nothing is written for it.
        known = await run_part(run, books, step, known)
    step = _find_step(plan)
    content, vat = await design_content(run, books, step, situation, known)
    document, key = step.document, books.key
    async with run.sessions.begin() as session:
        # The key before the lane, as whoever changes the key takes them.
        if not await lock_for_files(session, key.id):
            raise WaitError(f"key “{key.name}” was changed just now", scope="", record_id="", seconds=0)
        await check_fence(session, run.lease)
        is_ready = await record_collected(
            session,
            run.own_transfer_id,
            key_id=key.id,
            booking=books.booking,
            warnings=show_reasons(plan.warnings),
            **show_content(document, vat),
        )
        if is_ready:
            credited_id = document.credited_invoice_id
            await record_content(session, key.id, content, tenant_id=run.lease.tenant_id, credits_record_id=credited_id)
        await run.finish(
            session,
            state=EventState.DONE,
            note="ready for a file" if is_ready else "it went into a file, or is not wanted, since it was looked at",
            outcome=Outcome.COLLECTED if is_ready else Outcome.UNCHANGED,
            reasons=plan.warnings,
        )


def _find_step(plan: Go) -> Collect:
    last = plan.steps[-1]
    if not isinstance(last, Collect):
        raise TypeError("a plan that is filed ends with a document that is collected")
    return last


async def design_content(
    run: Run, books: Books, step: Collect, situation: DocumentSituation, known: Known
) -> tuple[FileDocument, VatSums]:
    """The document as files have it, and what it comes to on each VAT code.

    Raises:
        HoldError: it cannot be written down.
        RemoteError: Unimicro could not be asked.
    """
    document = step.document
    reference = _with_products(books.reference, step.products)
    bookings = choose_products(Sale(document=document, buyer=step.buyer, reference=reference, rules=books.rules))
    vat, content = (
        sum_by_code(document, bookings, reference),
        Content(
            numbers=_find_numbers(situation, known),
            bookings=bookings,
            reference=reference,
            vat=(),
            booking=books.booking,
        ),
    )
    if books.booking is Booking.VOUCHER:
        design = design_voucher(document, bookings, reference, books.rules)
        if isinstance(design, Reason):
            raise HoldError((design,))
        vat = design.vat
        content = replace(content, shares=design.shares, rate=await _load_rate(run, books, step))
    record = situation.customer.record if situation.customer is not None else None
    customer = record if isinstance(record, Customer) else None
    past = situation.past
    transfer_id = run.own_transfer_id if past is None else past.transfer_id
    made = to_file_document(transfer_id, step, replace(content, vat=vat.sums), customer)
    if isinstance(made, Reason):
        raise HoldError((made,))
    return made, vat


def _with_products(reference: Reference, made: tuple[RemoteProduct, ...]) -> Reference:
    """As if what a rule makes were there: a voucher names no products, and a file of orders brings them."""
    return replace(reference, products={**reference.products, **{one.number: (one,) for one in made}})


def _find_numbers(situation: DocumentSituation, known: Known) -> Numbers:
    document, department = situation.complete_document, situation.department
    customer = known.get(("company", document.recman_company_id))
    record = situation.customer.record if situation.customer is not None else None
    if customer is None and not isinstance(record, Customer):
        raise WaitError(
            f"waits for customer {document.recman_company_id}",
            scope="company",
            record_id=document.recman_company_id,
            seconds=60,
        )
    number = customer.number if customer is not None else ""
    project = known.get(("project", document.recman_project_id or ""))
    own = known.get(("department", document.recman_department_id or ""))
    by_rule = department.matches[0].number if department is not None and department.by_rule else None
    return Numbers(
        customer=number or (record.number if isinstance(record, Customer) else ""),
        customer_name=record.name if isinstance(record, Customer) else (customer.name if customer else ""),
        project="" if project is None else project.number,
        department=by_rule if by_rule is not None else ("" if own is None else own.number),
    )


async def _load_rate(run: Run, books: Books, step: Collect) -> Decimal:
    """What one unit is worth: on the document's day, or for a credit note when its invoice was booked, or filed."""
    document = step.document
    if step.credited_rate is not None:
        return step.credited_rate
    if document.kind is DocumentKind.CREDIT_NOTE and document.credited_invoice_id is not None:
        async with run.sessions() as session:
            credited = await find_filed(session, tenant_id=run.lease.tenant_id, record_id=document.credited_invoice_id)
        if credited is not None and credited.exchange_rate is not None:
            return credited.exchange_rate
    return await load_rate(run, books, document)


async def leave_filed(run: Run, transfer: Transfer, document: Document | Gaps) -> None:
    """A document that is in a file is in no other one, and never sent; what RecMan says of it otherwise is an alarm.

    Raises:
        HoldError: it is not what was exported any more.
    """
    # What was refused is in no books: whatever RecMan says of it goes into the next file.
    if isinstance(document, Document) and transfer.key_id is not None and not is_refused(transfer):
        past = past_of(transfer, key_id=transfer.key_id, now=transfer.updated_at)
        decision = plan_booked(document, past)
        if isinstance(decision, Hold):
            raise HoldError(decision.gaps)
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        await record_back(session, transfer.id, tenant_id=transfer.tenant_id)
        await run.finish(session, state=EventState.DONE, note="it is in a file already")
