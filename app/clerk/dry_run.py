"""What would be done about a document: each planned call with its exact payload. Sends nothing and writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.accounting.targets import Preview, guid_for, previews
from app.clerk.side_run import open_side_run
from app.domain.documents import Document, Line
from app.domain.gaps import Gaps
from app.domain.parties import Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteProduct
from app.domain.states import KeyState
from app.errors import HoldError, KeyPausedError, RemoteRejectedError, WaitError
from app.platform.resources import Resources
from app.tables import Transfer
from app.transfer.books import Books
from app.transfer.carry import decide
from app.transfer.context import Run
from app.transfer.linked import Known, list_linked, make_links
from app.transfer.look import look_at_document
from app.transfer.plan.document import compare_totals, plan_document
from app.transfer.plan.products import choose_product
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import (
    AdoptDocument,
    CreateCreditDraft,
    CreateCustomer,
    CreateDepartment,
    CreateDraft,
    CreateProduct,
    CreateProject,
    Decision,
    Go,
    Hold,
    Issue,
    KeepDraft,
    Link,
    LinkDocument,
    Skip,
    Step,
    Wait,
)
from app.transfer.route import choose_key, decide_without_key
from app.transfer.run import name_draft
from app.transfer.run_update import find_customer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePreview:
    """How a line would be booked; account and VAT as Unimicro's numbers and codes."""

    position: int
    text: str
    product: str | None = None
    account: int | None = None
    vat_code: str | None = None
    vat_rate: Decimal | None = None
    net_amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of the plan; `call` None: nothing is sent for it. `difference` says how it is there now."""

    step: str
    reason: str
    call: Preview | None = None
    difference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would become of one document.

    `outcome`: send, hold, wait, skip, look again, or paused.
    """

    transfer_id: int
    number: str
    outcome: str
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    rules_version: int = 0
    steps: tuple[PlannedStep, ...] = ()
    lines: tuple[LinePreview, ...] = ()


async def dry_run(resources: Resources, transfer: Transfer) -> DryRun:
    """What would be done about a transfer's document now.

    Raises:
        RemoteError: RecMan or Unimicro could not be read.
    """
    try:
        return await _dry_run(resources, transfer)
    except HoldError as error:
        return _tell(transfer, "hold", error.gaps)
    except RemoteRejectedError as error:
        # What a customer there lacks is told as it would be held.
        return _tell(transfer, "hold", (Reason(code=error.code, cause=error.cause, fix=error.fix),))
    except (KeyPausedError, WaitError) as error:
        outcome = "wait" if isinstance(error, WaitError) else "paused"
        return _tell(transfer, outcome, (Reason(code=error.code, cause=error.cause, fix=error.fix),))


def _tell(transfer: Transfer, outcome: str, reasons: tuple[Reason, ...]) -> DryRun:
    return DryRun(transfer_id=transfer.id, number=transfer.number, outcome=outcome, reasons=reasons)


async def _dry_run(resources: Resources, transfer: Transfer) -> DryRun:
    run = await open_side_run(resources, transfer)
    document = await run.reader.read_document(transfer.record_id)
    if document is None:
        cause = f"RecMan does not show invoice {transfer.record_id}"
        fix = fix_for(Code.RECORD_MISSING, "not_shown")
        return _tell(transfer, "hold", (Reason(code=Code.RECORD_MISSING, cause=cause, fix=fix),))
    key = await choose_key(run, document)
    if key.state == KeyState.REMOVED:
        outcome, reasons = _name(await decide_without_key(run, key, document))
        return _tell(transfer, outcome, reasons)
    books = await run.open_books(key)
    situation = await look_at_document(run, books, document)
    decision = await decide(books, lambda reference: plan_document(replace(situation, reference=reference)), asked=True)
    outcome, reasons = _name(decision)
    steps = decision.steps if isinstance(decision, Go) else ()
    # From here on as if the products that the plan makes were there.
    books.reference = _add_products(books.reference, steps)
    return DryRun(
        transfer_id=transfer.id,
        number=document.number,
        outcome=outcome,
        reasons=reasons,
        warnings=decision.warnings if isinstance(decision, Go) else (),
        rules_version=books.rules_version,
        steps=tuple([await _preview(run, books, situation, step) for step in steps]),
        lines=() if isinstance(document, Gaps) else tuple(_list_lines(document, books)),
    )


def _add_products(reference: Reference, steps: Sequence[Step]) -> Reference:
    planned = {step.product.number: (step.product,) for step in steps if isinstance(step, CreateProduct)}
    return replace(reference, products={**reference.products, **planned})


def _name(decision: Decision) -> tuple[str, tuple[Reason, ...]]:
    match decision:
        case Go():
            return "send", ()
        case Hold():
            return "hold", decision.gaps
        case Wait():
            fix = decision.fix or fix_for(Code.WAITS)
            return "wait", (Reason(code=Code.WAITS, cause=decision.cause, fix=fix),)
        case Skip():
            return "skip", (Reason(code=Code.SKIPPED, cause=decision.reason, fix=fix_for(Code.SKIPPED)),)
        case _:
            cause = "A write got no answer; it is being looked up"
            return "look again", (Reason(code=Code.OUTCOME_UNKNOWN, cause=cause, fix=fix_for(Code.OUTCOME_UNKNOWN)),)


async def _preview(run: Run, books: Books, situation: DocumentSituation, step: Step) -> PlannedStep:
    call: Preview | None = None
    difference = "it is not there yet"
    match step:
        case Link():
            difference = f"it is there as {step.remote_number} (id {step.remote_id})"
        case LinkDocument():
            difference = f"it is there as {step.remote.number} (id {step.remote.remote_id})"
        case AdoptDocument():
            found = compare_totals(_complete(situation), step.remote)
            difference = found.cause if found is not None else "its totals agree with RecMan's"
        case KeepDraft():
            difference = "the draft stays"
        case Issue():
            target = books.target
            call, difference = previews.preview_issue(target.route, target.issuing), "the draft gets its number"
        case CreateDraft():
            call = await _preview_draft(books, situation, step)
        case CreateCreditDraft():
            reference = situation.external_reference
            call = previews.preview_credit(step.credited_id, step.document, external_reference=reference)
        case _:
            call = await _preview_part(run, books, list_linked(situation), step)
    return PlannedStep(step=type(step).__name__, reason=step.reason, call=call, difference=difference)


async def _preview_part(run: Run, books: Books, known: Known, step: Step) -> Preview:
    def guid(kind: str, record_id: str) -> str:
        return guid_for(str(books.key.id), kind, record_id, "1")

    match step:
        case CreateCustomer(customer=customer):
            return previews.preview_customer(
                customer,
                guid=guid("customer", customer.recman_company_id),
                send_number=books.send_customer_number,
                currencies=books.reference.currencies,
            )
        case CreateProject(project=project):
            customer_id = await find_customer_id(run, books, project, known)
            made = guid("project", project.recman_project_id)
            return previews.preview_project(project, guid=made, customer_id=customer_id)
        case CreateDepartment(department=department):
            made = guid("department", department.recman_department_id)
            return previews.preview_department(department, guid=made)
        case CreateProduct(product=product):
            return previews.preview_product(product, guid=guid_for(str(books.key.id), "product", product.number))
        case _:
            raise TypeError(f"{step!r} is no step of a document's plan")


def _complete(situation: DocumentSituation) -> Document:
    if isinstance(situation.document, Gaps):
        raise TypeError("an incomplete document has no steps")
    return situation.document


async def _preview_draft(books: Books, situation: DocumentSituation, step: CreateDraft) -> Preview:
    # 0 stands for a customer that an earlier step makes.
    links = make_links(books, step, list_linked(situation), new_customer_id=_find_linked(situation) or 0)
    _, guid = name_draft(books, step.document, situation.past)
    payload, warnings = await books.target.prepare_draft(
        step.document,
        links,
        guid=guid,
        external_reference=situation.external_reference,
        reference=books.reference,
    )
    return previews.preview_draft(books.target.route, payload, warnings)


def _find_linked(situation: DocumentSituation) -> int | None:
    """The id of the customer that an earlier step takes over."""
    view = situation.customer
    if view is None or not isinstance(view.record, Customer):
        return None
    return next((match.remote_id for match in view.matches if match.number == view.record.number), None)


def _list_lines(document: Document, books: Books) -> Iterator[LinePreview]:
    accounts = {one.remote_id: number for number, one in books.reference.accounts.items()}
    vat_codes = {one.remote_id: code for code, one in books.reference.vat_types.items()}
    for line in document.lines:
        shown = LinePreview(position=line.position, text=line.text, product=line.product_number)
        chosen = _choose(line, document, books)
        yield (
            shown
            if chosen is None
            else replace(
                shown,
                product=chosen.number,
                account=accounts.get(chosen.account_id or 0),
                vat_code=vat_codes.get(chosen.vat_type_id or 0),
                vat_rate=chosen.vat_rate,
                net_amount=line.net_amount,
            )
        )


def _choose(line: Line, document: Document, books: Books) -> RemoteProduct | None:
    if line.product_number is None:
        return None
    chosen = choose_product(line.product_number, document, books.reference, books.rules)
    return chosen if isinstance(chosen, RemoteProduct) else None
