"""Stops 5 to 7 of one change: read the record, look, plan, run. One entry for every kind of record."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from app.admin.keys import list_keys_for_record
from app.admin.proving import lock_key_first
from app.domain.answers import lag_of
from app.domain.dimensions import Project
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference
from app.domain.series import SCOPE as TURN
from app.domain.states import EventState, KeyState
from app.engine.lanes import check_fence, postpone
from app.errors import HoldError, OutcomeUnknownError, RemoteRejectedError, ServiceError, WaitError
from app.tables import Key, Transfer
from app.transfer.books import Books, Terms
from app.transfer.collect import collect_document, leave_filed
from app.transfer.context import Run
from app.transfer.describe import claim_of, name_customer, place
from app.transfer.doubles import wake_doubles
from app.transfer.drift import list_alarms
from app.transfer.follow import is_move
from app.transfer.followed import follow_document
from app.transfer.leave_booked import leave_booked, settle_again
from app.transfer.log import (
    record_held,
    record_looked,
    record_not_wanted,
    record_remote,
    record_transfer,
)
from app.transfer.look import look_at_customer, look_at_document, look_at_project
from app.transfer.missing import end_missing
from app.transfer.offers import record_search
from app.transfer.pasts import read_reasons
from app.transfer.plan.document import plan_company, plan_document, plan_project_change
from app.transfer.plan.go_live import is_persons_choice
from app.transfer.plan.situation import DocumentSituation, Past
from app.transfer.plan.steps import (
    BookVoucher,
    Collect,
    CreateDraft,
    CreateProduct,
    Decision,
    Go,
    Hold,
    LookAgain,
    Skip,
    Wait,
)
from app.transfer.proof import is_proven_alone, record_stop_with, stops_with, take_turn
from app.transfer.refused import explain_refusal
from app.transfer.route import WAIT_SECONDS, decide_without_key
from app.transfer.run import run_document
from app.transfer.run_parts import run_parts
from app.transfer.seen_codes import list_new_codes, record_codes
from app.transfer.series import find_turn
from app.transfer.take_back import require_unmoved, take_back_draft


async def carry_document(run: Run) -> None:
    """Take an invoice or a credit note as far as it goes now; one that moved in Unimicro is only looked at there."""
    if is_move(run):
        await follow_document(run)
        return
    document = await run.reader.read_document(run.lease.record_id)
    if document is None:
        await end_missing(run)
        return
    key, transfer, terms = await place(run, document)
    if transfer.filed_at is not None and transfer.remote_id is None:
        await leave_filed(run, transfer, document)
        return
    if key.state == KeyState.REMOVED:
        await _follow_orphan(run, transfer, await decide_without_key(run, key, document))
        return
    books = await _open(run, key, terms)
    run.goes_alone = is_proven_alone(key, document)
    situation = await look_at_document(run, books, document)
    run.turn = find_turn(situation)
    try:
        await _note_found(run, books, situation)
        await record_search(run, books, situation)
        await _note_codes(run, books, document)
        decision = await decide(
            books,
            lambda reference: plan_document(replace(situation, reference=reference)),
            past=situation.past,
            asked=run.is_asked,
        )
        await _follow_document(run, books, decision, situation)
    except ServiceError:
        # Whatever stops it, it is shown with its customer.
        await name_customer(run, situation)
        raise


async def _note_codes(run: Run, books: Books, document: Document | Gaps) -> None:
    """A VAT code that the rules do not know is listed for the accountant, whatever becomes of the document."""
    if isinstance(document, Document) and list_new_codes(document, books.rules):
        async with run.sessions.begin() as session:
            await record_codes(session, books.key, document, books.rules)


async def decide(
    books: Books, plan: Callable[[Reference], Decision], *, past: Past | None = None, asked: bool = False
) -> Decision:
    """A hold is believed only on fresh reference data: somebody may have mended it in Unimicro since.

    So is the lack of a product: another document may have made it a moment ago. What waits for a person's choice alone
    is mended by nothing there. A go is confirmed where the settings are older than the newest hint, surely so when a
    person asked (`asked`) or the document was held before; else once in a while, for it costs a call.
    """
    decision = plan(books.reference)
    if isinstance(decision, Go):
        confirmed = await books.confirm(surely=asked or (past is not None and bool(past.held_for)))
        if confirmed is not None:
            books.reference = confirmed
            decision = plan(confirmed)
    makes_product = _makes_product(decision)
    if (isinstance(decision, Hold) and not is_persons_choice(decision)) or makes_product:
        fresh = await books.refresh(entirely=makes_product)
        if fresh is not None:
            books.reference = fresh
            return plan(fresh)
    return decision


def _makes_product(decision: Decision) -> bool:
    return isinstance(decision, Go) and any(isinstance(step, CreateProduct) for step in decision.steps)


async def _go(run: Run, books: Books, plan: Go, situation: DocumentSituation) -> None:
    # What is begun by its own first write claims it there; nothing else is made for a document that may not go.
    if not isinstance(plan.steps[0], CreateDraft | BookVoucher):
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await claim_of(run, situation)(session)
    if isinstance(plan.steps[-1], Collect):
        await collect_document(run, books, plan, situation)
        return
    await take_turn(run, books)
    await _do(run, books, plan, situation)


async def _do(run: Run, books: Books, plan: Go, situation: DocumentSituation) -> None:
    """Do the plan; what was remembered of the company may be the reason why it cannot be done."""
    try:
        await run_document(run, books, plan, situation)
    except HoldError:
        await require_unmoved(run, books)
        raise
    except RemoteRejectedError as error:
        await require_unmoved(run, books)
        raise await explain_refusal(books, situation, error) from error
    except OutcomeUnknownError:
        # A server error may be all that Unimicro says of an id that is gone. Source: docs/facts/unimicro.md §3 [O].
        books.forget()
        raise


async def _follow_document(run: Run, books: Books, decision: Decision, situation: DocumentSituation) -> None:
    if isinstance(decision, Go):
        await _go(run, books, decision, situation)
        return
    await name_customer(run, situation)
    match decision:
        case Skip():
            await _leave(run, books, decision, situation)
        case Hold():
            # What was found in Unimicro is not forgotten because RecMan has changed it, too.
            raise HoldError((*decision.gaps, *list_alarms(situation.past)))
        case Wait():
            if decision.scope == TURN:
                # What a dead worker left does not stand there until the turn comes, whenever that is.
                await take_back_draft(run)
            raise WaitError(
                decision.cause,
                scope=decision.scope,
                record_id=decision.record_id,
                seconds=WAIT_SECONDS,
                fix=decision.fix,
            )
        case LookAgain():
            await _look_again(run)


async def _follow_orphan(run: Run, transfer: Transfer, decision: Skip | Hold) -> None:
    if isinstance(decision, Hold):
        raise HoldError(decision.gaps)
    await settle_again(run, read_reasons(transfer.warnings), decision.notes)
    await _skip(run, decision.reason, state=EventState.IGNORED if transfer.booked_at is None else EventState.DONE)


async def _leave(run: Run, books: Books, decision: Skip, situation: DocumentSituation) -> None:
    past, document = situation.past, situation.document
    if past is None or not past.booked:
        await _skip_document(run, decision.reason)
        return
    await leave_booked(run, books, document, past, decision.notes)
    await _skip(run, decision.reason, state=EventState.DONE, reasons=decision.notes)


async def _skip_document(run: Run, reason: str) -> None:
    gap = Reason(code=Code.NOT_WANTED, cause=reason, fix=fix_for(Code.NOT_WANTED))
    if run.transfer_id is not None:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_not_wanted(session, run.transfer_id, gap)
            await wake_doubles(session, run.transfer_id)
    await _skip(run, reason, reasons=(gap,))


async def _look_again(run: Run) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if run.transfer_id is not None:
            await record_looked(session, run.transfer_id, seconds=run.read_lag_seconds)
        # A little longer than the lag, so that the second look is surely behind it.
        await postpone(session, run.lease, seconds=run.read_lag_seconds + 0.1, spends_try=False)
        run.finished = True


async def _note_found(run: Run, books: Books, situation: DocumentSituation) -> None:
    """Note what was found before anything is decided: what is ours is gone on with, or taken back, whatever comes."""
    past = situation.past
    if past is None or len(situation.found) != 1 or situation.found[0].remote_id == past.remote_id:
        return
    (remote,) = situation.found
    is_credit = remote.kind is DocumentKind.CREDIT_NOTE and remote.credited_id == past.credits_remote_id
    if remote.external_reference == situation.external_reference or (is_credit and not remote.external_reference):
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_remote(
                session,
                past.transfer_id,
                books.key,
                booking=books.booking,
                remote_id=remote.remote_id,
                remote_customer_id=remote.customer_id,
                external_reference=situation.external_reference,
            )


async def carry_company(run: Run) -> None:
    """Take a change of a company to every key that is open to it."""
    keys = await _keys(run)
    for key in keys:
        books = await _open(run, key)
        view = await look_at_customer(run, books, run.lease.record_id, always_read=True)
        if view.record is None:
            await end_missing(run)
            return
        await _follow_part(run, books, await decide(books, partial(plan_company, view)))
    await _end_part(run, keys)


async def carry_project(run: Run) -> None:
    """Take a change of a project to every key that is open to it."""
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


async def _open(run: Run, key: Key, terms: Terms | None = None) -> Books:
    run.key_id = key.id
    run.books = await run.open_books(key, terms=terms)
    run.read_lag_seconds = lag_of(run.books.answers, run.read_lag_seconds)
    return run.books


async def _keys(run: Run) -> list[Key]:
    lease = run.lease
    async with run.sessions() as session:
        return await list_keys_for_record(
            session, tenant_id=lease.tenant_id, scope=lease.scope, record_id=lease.record_id
        )


async def _follow_part(run: Run, books: Books, decision: Decision) -> None:
    match decision:
        case Go():
            await run_parts(run, books, decision.steps)
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
    await run.leave(state=EventState.DONE, note=run.note)


async def carry_nothing(run: Run) -> None:
    """Leave a record that has no life of its own in Unimicro."""
    await _skip(run, f"nothing to transfer: a {run.lease.scope} is looked up when an invoice needs it")


async def _skip(
    run: Run, reason: str, *, state: EventState = EventState.IGNORED, reasons: tuple[Reason, ...] = ()
) -> None:
    await run.leave(state=state, note=reason, reasons=reasons)


async def hold(run: Run, gaps: tuple[Reason, ...]) -> None:
    """Keep the record until a person has decided; what was made of it and may not stand is taken away."""
    gaps = (*gaps, *await take_back_draft(run))
    lease = run.lease
    kind = _KINDS.get(lease.scope)
    async with run.sessions.begin() as session:
        if run.key_id is not None and stops_with(gaps):
            await lock_key_first(session, tenant_id=lease.tenant_id, key_id=run.key_id)
        # The lane before the transfer: whoever waits for this record locks the two in that order.
        await check_fence(session, lease)
        if kind is not None:
            place = run.place(run.key_id, lease.scope, lease.record_id)
            transfer = await record_transfer(session, place, kind=kind, values={"lane_id": lease.lane_id})
            await record_held(session, transfer.id, gaps)
            run.show_transfer(transfer.id)
            run.number = run.number or transfer.number
        await record_stop_with(session, run, gaps)
        await run.finish(session, state=EventState.HELD, note=gaps[0].cause, reasons=gaps)


_KINDS = {"invoice": DocumentKind.INVOICE.value, "company": "customer", "project": "project"}
