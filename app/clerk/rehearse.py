"""The steps of a document's plan, done with books that send nothing: every call as it would go, in its order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from app.accounting.targets import Preview, to_previews
from app.domain.reasons.codes import Reason
from app.domain.reference import RemoteDocument
from app.errors import HoldError
from app.transfer.attach import attach
from app.transfer.books import Books
from app.transfer.collect import design_content
from app.transfer.context import Run
from app.transfer.linked import Known, Linked, list_linked, make_credit_links, make_links
from app.transfer.plan.amounts import compare_found, is_apart
from app.transfer.plan.rounding import is_levelled
from app.transfer.plan.situation import DocumentSituation
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
    Issue,
    KeepDraft,
    Link,
    LinkDocument,
    Step,
    UpdateProject,
)
from app.transfer.rates import load_rate
from app.transfer.run import name_draft
from app.transfer.run_parts import name_part_guid
from app.transfer.run_update import find_customer_id
from app.transfer.run_voucher import load_voucher_rate, name_voucher, require_design
from app.transfer.writes import (
    write_credit,
    write_credit_draft,
    write_customer,
    write_department,
    write_draft,
    write_issue,
    write_product,
    write_project,
    write_project_change,
    write_voucher,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of the plan and its calls, in their order; `difference` says how it is there now."""

    step: str
    reason: str
    calls: tuple[Preview, ...] = ()
    difference: str = ""

    @property
    def call(self) -> Preview | None:
        """The first of them; None: nothing is sent for it."""
        return self.calls[0] if self.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """What is in Unimicro by then, or would be; `warnings` of the last step alone."""

    known: Known
    remote: RemoteDocument | None = None
    warnings: tuple[Reason, ...] = ()

    def with_part(self, scope: str, record_id: str, linked: Linked, warnings: Sequence[Reason] = ()) -> "_Progress":
        known = {**self.known, (scope, record_id): linked}
        return replace(self, known=known, warnings=tuple(warnings))


async def rehearse(
    run: Run, books: Books, situation: DocumentSituation, steps: Sequence[Step]
) -> AsyncIterator[PlannedStep]:
    """Each step with the calls that it would make; `books` must have been opened for a rehearsal.

    Raises:
        HoldError: the steps would end in a hold here.
        RemoteError: Unimicro could not be read.
    """
    done = _Progress(known=list_linked(situation))
    for step in steps:
        books.exchanges.clear()
        if isinstance(step, Collect):
            await design_content(run, books, step, situation, done.known)
        done = await _do(run, books, situation, step, replace(done, warnings=()))
        calls = to_previews(tuple(books.exchanges), done.warnings)
        yield PlannedStep(step=type(step).__name__, reason=step.reason, calls=calls, difference=_tell(step))


async def rehearse_taking_back(books: Books, draft: RemoteDocument) -> PlannedStep:
    """The deletion of a draft that is made again."""
    books.exchanges.clear()
    await books.target.delete_draft(draft.remote_id)
    reason = "its draft was made by other rules, or for other products, than there are now"
    told = f"the draft with id {draft.remote_id} goes, and another one is made"
    return PlannedStep(step="TakeBack", reason=reason, calls=to_previews(tuple(books.exchanges), ()), difference=told)


_TOLD: dict[type[Step], str] = {
    KeepDraft: "the draft stays",
    Issue: "the draft gets its number",
    Collect: "it goes into the next file",
}


def _tell(step: Step) -> str:
    match step:
        case Link():
            return f"it is there as {step.remote_number} (id {step.remote_id})"
        case LinkDocument():
            return f"it is there as {step.remote.number} (id {step.remote.remote_id})"
        case AdoptDocument():
            return "its totals agree with RecMan's"
        case AdoptVoucher():
            return f"it is there as voucher {step.voucher.number}"
        case UpdateProject():
            return f"it is there with id {step.remote_id}"
        case _:
            return _TOLD.get(type(step), "it is not there yet")


async def _do(run: Run, books: Books, situation: DocumentSituation, step: Step, done: _Progress) -> _Progress:
    match step:
        case CreateDraft():
            return await _draft(run, books, situation, step, done)
        case CreateCreditDraft():
            return await _credit(books, situation, step, done)
        case BookVoucher():
            return await _voucher(run, books, situation, step, done)
        case AdoptDocument():
            return replace(done, remote=_adopt(books, situation, step))
        case Issue():
            return await _issue(books, step, done)
        case CreateProduct():
            return await _product(books, step, done)
        case LinkDocument() | KeepDraft() | AdoptVoucher() | Collect():
            return done
        case _:
            return await _part(run, books, step, done)


async def _part(run: Run, books: Books, step: Step, done: _Progress) -> _Progress:
    """A step about a customer, project or department."""
    match step:
        case Link():
            return done.with_part(step.scope, step.record_id, Linked(step.remote_id, step.remote_number))
        case CreateCustomer(customer=customer):
            record_id = customer.recman_company_id
            _, guid = await name_part_guid(run, books, "company", "customer", record_id)
            made = await write_customer(books, customer, guid)
            return done.with_part(
                "company", record_id, Linked(made.record.remote_id, made.record.number), made.warnings
            )
        case CreateProject() | UpdateProject():
            return await _project(run, books, step, done)
        case CreateDepartment(department=department):
            record_id = department.recman_department_id
            _, guid = await name_part_guid(run, books, "department", "department", record_id)
            placed = await write_department(books, department, guid)
            linked = Linked(placed.record.remote_id, placed.record.number)
            return done.with_part("department", record_id, linked, placed.warnings)
        case _:
            raise TypeError(f"{step!r} is no step of a document's plan")


async def _project(run: Run, books: Books, step: CreateProject | UpdateProject, done: _Progress) -> _Progress:
    project = step.project
    record_id = project.recman_project_id
    customer_id = await find_customer_id(run, books, project, done.known)
    if isinstance(step, UpdateProject):
        change = await write_project_change(books, step.remote_id, project, customer_id=customer_id)
        return done.with_part("project", record_id, Linked(step.remote_id, project.number), change.warnings)
    _, guid = await name_part_guid(run, books, "project", "project", record_id)
    made = await write_project(books, project, guid, customer_id=customer_id)
    return done.with_part("project", record_id, Linked(made.record.remote_id, made.record.number), made.warnings)


async def _product(books: Books, step: CreateProduct, done: _Progress) -> _Progress:
    made = await write_product(books, step.product)
    # From here on as if it were there.
    books.reference = replace(books.reference, products={**books.reference.products, made.number: (made,)})
    return done


async def _draft(run: Run, books: Books, situation: DocumentSituation, step: CreateDraft, done: _Progress) -> _Progress:
    _, guid = name_draft(books, step.document, situation.past)
    links = make_links(books, step, done.known)
    rate = await load_rate(run, books, step.document)
    reference = situation.external_reference
    draft = await write_draft(books, step.document, links, guid=guid, reference=reference, rate=rate)
    return replace(done, remote=draft.document, warnings=draft.warnings)


async def _credit(books: Books, situation: DocumentSituation, step: CreateCreditDraft, done: _Progress) -> _Progress:
    reference, draft_id = situation.external_reference, step.draft_id
    if draft_id is None:
        draft_id = (await write_credit_draft(books, step, reference=reference)).remote_id
    links = make_credit_links(books, step, done.known)
    rate = None if situation.credited_document is None else situation.credited_document.rate
    draft = await write_credit(books, step, links, draft_id=draft_id, reference=reference, rate=rate)
    return replace(done, remote=draft.document, warnings=draft.warnings)


async def _voucher(
    run: Run, books: Books, situation: DocumentSituation, step: BookVoucher, done: _Progress
) -> _Progress:
    links = make_links(books, step, done.known)
    design = require_design(books, step.document, links)
    rate = await load_voucher_rate(run, books, step)
    _, guid = name_voucher(books, step.document, situation.past)
    reference = situation.external_reference
    entry = await write_voucher(books, step, links, design, guid=guid, reference=reference, rate=rate)
    unattached = await attach(books, step.document, entry_id=entry.entry_id)
    return replace(done, warnings=(*entry.warnings, *unattached))


def _adopt(books: Books, situation: DocumentSituation, step: AdoptDocument) -> RemoteDocument:
    document = situation.complete_document
    difference = compare_found(document, step.remote)
    if difference is not None and is_apart(difference) and not is_levelled(difference, step.remote, books.rules):
        raise HoldError((difference,))
    return step.remote


async def _issue(books: Books, step: Issue, done: _Progress) -> _Progress:
    if done.remote is None:
        raise TypeError("a plan issues only what an earlier step made or found")
    await write_issue(books, done.remote)
    return replace(done, warnings=await attach(books, step.document, done.remote))
