"""Stops 5 to 7 of one change: read the record, look, plan, run. One entry for every scope."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from app.db import Session
from app.departments import route_department
from app.domain.dimensions import Project
from app.domain.documents import Document, DocumentKind, IncompleteDocument
from app.domain.parties import Customer
from app.domain.reference import Reference
from app.errors import HoldError, Reason, RemoteRejectedError, WaitError
from app.jobs import SCOPE, end_job, load_job, source_of
from app.keys import list_keys_for_record
from app.lanes import check_fence, postpone
from app.sweeps import SCOPE as SWEEP
from app.sweeps import record_trouble as record_sweep_trouble
from app.tables import Key
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.decisions import forget_decision, note_search
from app.transfer.drift import find_drift
from app.transfer.go_live import is_persons_choice
from app.transfer.log import (
    ensure_transfer,
    find_transfer,
    is_begun,
    record_held,
    record_looked,
    record_not_wanted,
    record_settled,
    record_unread,
    record_values,
    show_reasons,
    show_totals,
)
from app.transfer.look import look_at_customer, look_at_document, look_at_project
from app.transfer.missing import end_missing
from app.transfer.overview import list_invoices_after, read_filter
from app.transfer.plan import plan_company, plan_document, plan_project_change
from app.transfer.retry import retry
from app.transfer.run import run_document
from app.transfer.run_parts import run_part
from app.transfer.situation import DocumentSituation
from app.transfer.steps import CreateProduct, Decision, Go, Hold, LookAgain, Skip, Wait
from app.transfer.sweep import carry_sweep

# A lane that waits is woken by the other record's end; this is only the net below. Each look costs RecMan's quota.
_WAIT_SECONDS = 6 * 3600.0
_JOB_PAGE = 100


async def carry(run: Run) -> None:
    """Take one record as far as it goes now; afterwards `run.finished` unless an error says what to do.

    Raises:
        WaitError, KeyPausedError, RemoteError, StaleLeaseError: the worker decides what becomes of the lane.
    """
    try:
        await _CARRIERS[run.lease.scope](run)
    except HoldError as error:
        await _hold(run, error.gaps)
    except RemoteRejectedError as error:
        await _hold(run, (Reason(code=error.code, cause=error.cause, fix=error.fix),))


async def _carry_document(run: Run) -> None:
    document = await run.reader.read_document(run.lease.record_id)
    if document is None:
        await end_missing(run)
        return
    try:
        key = await choose_key(run, document)
    except HoldError:
        # Without a key it is shown all the same, with its number and sums.
        await _describe(run, document)
        raise
    run.key_id = key.id
    await _describe(run, document)
    books = await _open(run, key)
    situation = await look_at_document(run, books, document)
    await _name_customer(run, situation)
    await note_search(run, books, situation)
    decision = await decide(books, lambda reference: plan_document(replace(situation, reference=reference)))
    await _follow_document(run, books, decision, situation)


async def choose_key(run: Run, document: Document | IncompleteDocument) -> Key:
    """The key of the document's department; once anything was sent to a key, that key, whatever moved since."""
    place = run.place(None, "invoice", document.recman_invoice_id)
    async with run.sessions() as session:
        transfer = await find_transfer(session, place)
        if transfer is not None and transfer.key_id is not None and is_begun(transfer):
            return await session.get_one(Key, transfer.key_id)
        department_id = document.recman_department_id
        return await route_department(session, tenant_id=run.lease.tenant_id, recman_department_id=department_id)


async def decide(books: Books, plan: Callable[[Reference], Decision]) -> Decision:
    """A hold is believed only on fresh reference data: somebody may have mended it in Unimicro since.

    So is the lack of a product: another document may have made it a moment ago. What waits for a person's choice alone
    is mended by nothing there.
    """
    decision = plan(books.reference)
    makes_product = _makes_product(decision)
    if (isinstance(decision, Hold) and not is_persons_choice(decision)) or makes_product:
        fresh = await books.refresh(entirely=makes_product)
        if fresh is not None:
            books.reference = fresh
            return plan(fresh)
    return decision


def _makes_product(decision: Decision) -> bool:
    return isinstance(decision, Go) and any(isinstance(step, CreateProduct) for step in decision.steps)


async def _follow_document(run: Run, books: Books, decision: Decision, situation: DocumentSituation) -> None:
    match decision:
        case Go():
            await run_document(run, books, decision, situation)
        case Skip():
            await _leave(run, books, decision, situation)
        case Hold():
            raise HoldError(decision.gaps)
        case Wait():
            raise WaitError(
                decision.cause,
                scope=decision.scope,
                record_id=decision.record_id,
                seconds=_WAIT_SECONDS,
                fix=decision.fix,
            )
        case LookAgain():
            await _look_again(run)


async def _leave(run: Run, books: Books, decision: Skip, situation: DocumentSituation) -> None:
    past, document = situation.past, situation.document
    if past is None or not past.booked:
        await _skip_document(run, decision.reason)
        return
    # RecMan's repeats cost no call; a person's wish to look again does.
    asked = run.events[-1].source.startswith(("retry", "job:"))
    drift = await find_drift(run, books, document, past) if asked and isinstance(document, Document) else None
    if drift is not None:
        raise HoldError((drift,))
    await _settle_again(run)
    await _skip(run, decision.reason, state="done")


async def _skip_document(run: Run, reason: str) -> None:
    if run.transfer_id is not None:
        gap = Reason(code="not_wanted", cause=reason, fix="Change the rule if it should be sent, then retry.")
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_not_wanted(session, run.transfer_id, gap)
    await _skip(run, reason)


async def _settle_again(run: Run) -> None:
    """A booked document that was held for an alarm, and stands as it was booked after all, is done again."""
    if run.transfer_id is not None:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_settled(session, run.transfer_id)


async def _look_again(run: Run) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if run.transfer_id is not None:
            await record_looked(session, run.transfer_id, seconds=run.read_lag_seconds)
        # A little longer than the lag, so that the second look is surely behind it.
        await postpone(session, run.lease, seconds=run.read_lag_seconds + 0.1, spends_try=False)
        run.finished = True


async def _describe(run: Run, document: Document | IncompleteDocument) -> None:
    place = run.place(run.key_id, "invoice", document.recman_invoice_id)
    totals = document.totals if isinstance(document, Document) else document.stated_totals
    async with run.sessions.begin() as session:
        transfer = await ensure_transfer(
            session, place, kind=document.kind.value, values={"lane_id": run.lease.lane_id}
        )
        run.transfer_id = transfer.id
        if transfer.booked_at is None:
            sums = show_totals("", totals) if totals is not None else {}
            await record_values(
                session,
                transfer.id,
                key_id=run.key_id,
                kind=document.kind.value,
                number=document.number,
                currency=document.currency,
                invoice_date=document.invoice_date if isinstance(document, Document) else None,
                recman_department_id=document.recman_department_id,
                **forget_decision(transfer, key_id=run.key_id),
                **sums,
            )


async def _name_customer(run: Run, situation: DocumentSituation) -> None:
    name = _customer_name(situation)
    if name and run.transfer_id is not None:
        async with run.sessions.begin() as session:
            await record_values(session, run.transfer_id, customer_name=name)


def _customer_name(situation: DocumentSituation) -> str:
    """From RecMan when it was just read, else as our log knows it; a credit note has its invoice's customer."""
    customer = situation.customer
    if customer is not None and isinstance(customer.record, Customer):
        return customer.record.name
    known = customer.past if customer is not None else situation.credited
    return known.name if known is not None else ""


async def _carry_company(run: Run) -> None:
    keys = await _keys(run)
    for key in keys:
        books = await _open(run, key)
        view = await look_at_customer(run, books, run.lease.record_id, always_read=True)
        if view.record is None:
            await end_missing(run)
            return
        await _follow_part(run, books, await decide(books, partial(plan_company, view)))
    await _end_part(run, keys)


async def _carry_project(run: Run) -> None:
    keys = await _keys(run)
    for key in keys:
        books = await _open(run, key)
        view = await look_at_project(run, books, run.lease.record_id, always_read=True)
        if view.record is None and run.events[-1].operation == "delete":
            await end_missing(run)
            return
        company_id = view.record.recman_company_id if isinstance(view.record, Project) else None
        customer = await look_at_customer(run, books, company_id) if company_id else None
        await _follow_part(run, books, await decide(books, partial(plan_project_change, view, customer)))
    await _end_part(run, keys)


async def _open(run: Run, key: Key) -> Books:
    run.key_id = key.id
    return await run.open_books(key)


async def _keys(run: Run) -> list[Key]:
    lease = run.lease
    async with run.sessions() as session:
        return await list_keys_for_record(
            session, tenant_id=lease.tenant_id, scope=lease.scope, record_id=lease.record_id
        )


async def _follow_part(run: Run, books: Books, decision: Decision) -> None:
    match decision:
        case Go():
            for step in decision.steps:
                await run_part(run, books, step)
            run.note = "in Unimicro"
        case Hold():
            raise HoldError(decision.gaps)
        case Skip():
            run.note = decision.reason
        case _:
            raise TypeError(f"{decision!r} is a decision about documents")


async def _end_part(run: Run, keys: list[Key]) -> None:
    if not keys:
        await _skip(run, "no key is open to all departments; it follows with its first invoice")
        return
    async with run.sessions.begin() as session:
        await run.finish(session, state="done", note=run.note)


async def _carry_job(run: Run) -> None:
    """Take up a page of documents after the other, each page in a transaction of its own: a dead worker loses none."""
    while not run.finished:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            job = await load_job(session, UUID(run.lease.record_id), lock=True)
            page = await list_invoices_after(session, read_filter(job.wanted), after_id=job.last_id, limit=_JOB_PAGE)
            if job.state != "running" or not page:
                if job.state == "running":
                    await end_job(session, job, state="done")
                await run.finish(session, state="done", note=f"{job.sent} documents taken up, {job.state}")
                return
            # In the order in which webhooks take lanes too, so that the two cannot wait for each other.
            for transfer in sorted(page, key=lambda one: one.record_id):
                await retry(session, transfer, source=source_of(job.id))
            job.last_id, job.sent = page[-1].id, job.sent + len(page)


async def _carry_nothing(run: Run) -> None:
    await _skip(run, f"nothing to transfer: a {run.lease.scope} is looked up when an invoice needs it")


async def _skip(run: Run, reason: str, *, state: str = "ignored") -> None:
    async with run.sessions.begin() as session:
        await run.finish(session, state=state, note=reason)


async def _hold(run: Run, gaps: tuple[Reason, ...]) -> None:
    lease = run.lease
    kind = _KINDS.get(lease.scope)
    async with run.sessions.begin() as session:
        if kind is not None:
            place = run.place(run.key_id, lease.scope, lease.record_id)
            transfer = await ensure_transfer(session, place, kind=kind, values={"lane_id": lease.lane_id})
            await record_held(session, transfer.id, gaps)
        await run.finish(session, state="held", note=gaps[0].cause)


_Carrier = Callable[[Run], Awaitable[None]]
_CARRIERS: dict[str, _Carrier] = {
    "invoice": _carry_document,
    "company": _carry_company,
    "project": _carry_project,
    "product": _carry_nothing,
    "department": _carry_nothing,
    SCOPE: _carry_job,
    SWEEP: carry_sweep,
}
_KINDS = {"invoice": DocumentKind.INVOICE.value, "company": "customer", "project": "project"}


async def record_trouble(session: Session, run: Run, reason: Reason, *, failed: bool = False) -> None:
    """Show on the transfer why it is not through yet, without disturbing how far it has come."""
    if run.lease.scope == SWEEP:
        await record_sweep_trouble(session, int(run.lease.record_id), reason, failed=failed)
    if run.transfer_id is None:
        await _show_unread(session, run, reason, failed=failed)
        return
    values: dict[str, Any] = {"reasons": show_reasons([reason])}
    if failed:
        values["state"] = "failed"
    await record_values(session, run.transfer_id, **values)


async def _show_unread(session: Session, run: Run, reason: Reason, *, failed: bool) -> None:
    """A document that could not even be read is shown too; what was known of it before stays as it is."""
    lease = run.lease
    if lease.scope != "invoice":
        return
    place = run.place(None, lease.scope, lease.record_id)
    transfer = await ensure_transfer(session, place, kind=_KINDS[lease.scope], values={"lane_id": lease.lane_id})
    await record_unread(session, transfer.id, reason, failed=failed)
