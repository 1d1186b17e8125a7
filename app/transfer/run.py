"""Stop 7: do the steps of a document's plan, from draft to issued number.

Nothing here decides; a step that finds something changed raises, and the next run looks and plans again.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from app.accounting.targets import Draft
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.domain.states import EventState
from app.engine.lanes import check_fence
from app.errors import HoldError, OutcomeUnknownError, RemoteRejectedError, System, WaitError
from app.platform.db import Session
from app.transfer.attach import attach
from app.transfer.attempts import attempt, missing_is_unclear
from app.transfer.booked import show_content, show_place
from app.transfer.books import Books
from app.transfer.clashes import record_issued
from app.transfer.context import Outcome, Run
from app.transfer.describe import claim_of
from app.transfer.found_draft import require_as_planned
from app.transfer.level import level_draft
from app.transfer.link import link_document
from app.transfer.linked import Known, find_id, list_linked, make_links
from app.transfer.log import record_done, record_held, record_remote, record_values, show_reasons, show_totals
from app.transfer.own_number import require_number
from app.transfer.plan.issued import Wanted
from app.transfer.plan.situation import DocumentSituation, Past
from app.transfer.plan.steps import (
    AdoptDocument,
    AdoptVoucher,
    BookVoucher,
    CreateCreditDraft,
    CreateDraft,
    CreateProduct,
    Go,
    Issue,
    KeepDraft,
    LinkDocument,
    Step,
)
from app.transfer.proof import lock_judged, record_comparison
from app.transfer.rates import load_rate, record_rate
from app.transfer.run_credit import create_credit_draft
from app.transfer.run_found import adopt_document, guid_of_draft
from app.transfer.run_parts import run_part
from app.transfer.run_product import create_product
from app.transfer.run_voucher import run_voucher
from app.transfer.series import begin_turn, finish_turn, require_next, ring_next, wait_for_turn
from app.transfer.take_back import take_back_draft
from app.transfer.writes import write_draft, write_issue

# A number that comes a moment later is waited for so long before the lane takes over the waiting (seconds).
_NUMBER_PAUSES = (0.0, 0.2, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """How far a plan has come: what is known to be in Unimicro, the document as it stands there, and the warnings."""

    known: Known
    draft: Draft | None = None
    warnings: tuple[Reason, ...] = ()

    def with_draft(self, draft: Draft) -> "_Progress":
        """The same with the draft made, and what making it has warned of."""
        return replace(self, draft=replace(draft, warnings=()), warnings=(*self.warnings, *draft.warnings))


async def run_document(run: Run, books: Books, plan: Go, situation: DocumentSituation) -> None:
    """Do the steps of a document's plan, to the issued invoice.

    Raises:
        HoldError: the totals differ or the draft did not stay a draft.
        RemoteError, WaitError, StaleLeaseError: see `attempt`.
    """
    progress = _Progress(known=list_linked(situation), warnings=plan.warnings)
    for step in plan.steps:
        progress = await _do(run, books, step, situation, progress)


async def _do(run: Run, books: Books, step: Step, situation: DocumentSituation, done: _Progress) -> _Progress:
    """One step, and how far the plan has come with it."""
    match step:
        case AdoptDocument():
            draft = await adopt_document(run, books, step, situation)
            await require_as_planned(run, books, step.remote, situation)
            return done.with_draft(draft)
        case LinkDocument():
            await link_document(run, books, step)
        case CreateDraft():
            return done.with_draft(await _create_draft(run, books, step, situation, done))
        case CreateCreditDraft():
            draft = await create_credit_draft(run, books, step, situation, done.known, warnings=done.warnings)
            return done.with_draft(draft)
        case BookVoucher() | AdoptVoucher():
            await run_voucher(run, books, step, situation, done.known, warnings=done.warnings)
        case CreateProduct():
            await create_product(run, books, step)
        case Issue() | KeepDraft():
            await _finish(run, books, step, situation, done)
        case _:
            return replace(done, known=await run_part(run, books, step, done.known))
    return done


async def _finish(
    run: Run, books: Books, step: Issue | KeepDraft, situation: DocumentSituation, done: _Progress
) -> None:
    if done.draft is None:
        raise TypeError("a plan finishes only what an earlier step made or found")
    await require_number(books, step.document, done.draft.document)
    draft, vat = await level_draft(run, books, step.document, done.draft, situation)
    # What was known when the draft was made may be told again.
    draft = replace(draft, warnings=tuple(dict.fromkeys((*done.warnings, *draft.warnings))))
    wanted = Wanted(
        document=step.document,
        booking=books.booking,
        customer_id=_find_customer_id(situation, done.known),
        rate=draft.rate,
        vat=vat,
        makes_kid=books.key.kid_acceptance is not None,
    )
    if isinstance(step, KeepDraft):
        await _keep_draft(run, books, wanted, draft)
    elif step.series is None:
        await _issue(run, books, step, wanted, draft)
    else:
        await _issue_in_turn(run, books, step, situation, wanted, draft)


async def _issue_in_turn(
    run: Run, books: Books, step: Issue, situation: DocumentSituation, wanted: Wanted, draft: Draft
) -> None:
    """Issue it once its number has its turn; where that takes long, or the key was stopped, no draft is left behind."""
    try:
        is_at_number = await wait_for_turn(run, books, step)
        await require_next(run, books, step, draft.document, situation, is_at_number=is_at_number)
        await _issue(run, books, step, wanted, draft)
    except WaitError:
        await take_back_draft(run)
        raise


def _find_customer_id(situation: DocumentSituation, known: Known) -> int | None:
    """Whose document it must be there: a credit note is its invoice's customer's."""
    credited = situation.credited_document
    if credited is not None:
        return credited.customer_id
    return find_id(known, "company", situation.complete_document.recman_company_id)


async def _create_draft(
    run: Run, books: Books, step: CreateDraft, situation: DocumentSituation, done: _Progress
) -> Draft:
    transfer_id = run.own_transfer_id
    past = situation.past
    version, guid = name_draft(books, step.document, past)
    links = make_links(books, step, done.known)
    rate = await load_rate(run, books, step.document)

    async def prepare(session: Session) -> None:
        # Whatever had the stored id is known to be gone; what this call makes is looked for under its own guid.
        gone: dict[str, Any] = {"remote_id": None, "guid_version": version, "guid_spent": False, "warnings": []}
        # How it gets in is settled by its first write, however the key books when it comes to the next.
        own: dict[str, Any] = {"external_reference": situation.external_reference, "booking": books.booking}
        await record_values(session, transfer_id, **own, **gone)

    async def settle(session: Session, draft: Draft) -> None:
        await record_remote(
            session,
            transfer_id,
            books.key,
            booking=books.booking,
            remote_id=draft.document.remote_id,
            remote_customer_id=draft.document.customer_id,
            # Whoever issues it may be another worker, which has not seen what was sent.
            warnings=show_reasons((*done.warnings, *draft.warnings)),
            **show_totals("remote_", draft.document.totals),
        )

    draft = await attempt(
        run,
        books,
        transfer_id,
        step="create",
        call=lambda: write_draft(
            books, step.document, links, guid=guid, reference=situation.external_reference, rate=rate
        ),
        settle=settle,
        claims=claim_of(run, situation),
        prepare=prepare,
    )
    if draft.document.state is not DocumentState.DRAFT:
        raise HoldError((_issued_at_once(draft.document),))
    return draft


def _issued_at_once(remote: RemoteDocument) -> Reason:
    return Reason(
        code=Code.ISSUED_AT_ONCE,
        cause=f"Unimicro issued the invoice at once (number {remote.number}) although a draft was asked for",
        fix=fix_for(Code.ISSUED_AT_ONCE),
    )


def name_draft(books: Books, document: Document, past: Past | None) -> tuple[int, str]:
    """The guid that a draft is made with, and its version.

    A draft that was deleted in Unimicro took its guid with it: the next one needs another. As long as one may still be
    on its way, the guid stays: then the two cannot both be stored.
    """
    version = 1 if past is None else past.guid_version + (past.remote_id is not None or past.guid_spent)
    return version, guid_of_draft(books, document.recman_invoice_id, version)


@dataclass(frozen=True, slots=True)
class _Issued:
    """The document with its number, and what could not be done besides."""

    document: RemoteDocument
    warnings: tuple[Reason, ...]


async def _issue(run: Run, books: Books, step: Issue, wanted: Wanted, draft: Draft) -> None:
    transfer_id, remote, document = run.own_transfer_id, draft.document, wanted.document

    async def prepare(session: Session) -> None:
        await begin_turn(session, run, books, step)

    async def opens(session: Session, made: _Issued) -> None:
        await lock_judged(session, books, wanted, made.document)

    async def settle(session: Session, made: _Issued) -> None:
        issued = made.document
        told = (*draft.warnings, *made.warnings, *_kid_warnings(books, document, issued))
        clashes = await record_issued(
            session,
            books.key,
            wanted,
            transfer_id=transfer_id,
            remote_id=issued.remote_id,
            booking=books.booking,
            **show_place(issued),
            **show_content(document, wanted.vat, wanted.rate),
            warnings=show_reasons(told),
            **show_totals("remote_", issued.totals),
        )
        await record_rate(session, run, books, document, draft.rate)
        alarms = await record_comparison(session, run, books, wanted, issued, besides=clashes)
        await finish_turn(session, books, step)
        if alarms:
            await record_held(session, transfer_id, alarms)
        await run.finish(
            session,
            state=EventState.HELD if alarms else EventState.DONE,
            note=f"in Unimicro as {'order ' if books.booking is Booking.ORDER else ''}{issued.number}",
            outcome=Outcome.HELD if alarms else _to_outcome(books),
            reasons=alarms or told,
            remote_number=issued.number,
        )

    async def call() -> _Issued:
        async with missing_is_unclear():
            await _issue_draft(books, remote)
            unattached = await attach(books, document, remote)
            numbered = await _fetch_numbered(books, remote.remote_id)
            ring_next(run, books, step, is_over=False)
            return _Issued(numbered, unattached)

    await attempt(run, books, transfer_id, step="issue", call=call, settle=settle, prepare=prepare, opens=opens)
    ring_next(run, books, step, is_over=True)


def _to_outcome(books: Books) -> Outcome:
    return Outcome.ORDERED if books.booking is Booking.ORDER else Outcome.BOOKED


async def _issue_draft(books: Books, draft: RemoteDocument) -> None:
    try:
        await write_issue(books, draft)
    except RemoteRejectedError:
        # An earlier call of ours without an answer may have issued it after we looked.
        if (await books.target.fetch_document(draft.remote_id)).state is DocumentState.DRAFT:
            raise


async def _fetch_numbered(books: Books, remote_id: int) -> RemoteDocument:
    """The issued document with its number, which may come a moment after the issuing.

    Raises:
        OutcomeUnknownError: it has none yet; the next look goes on from there.
    """
    for pause in _NUMBER_PAUSES:
        await asyncio.sleep(pause)
        issued = await books.target.fetch_document(remote_id)
        if issued.number:
            return issued
    cause = f"Unimicro has issued the document with id {remote_id} but shows no number yet"
    raise OutcomeUnknownError(cause, system=System.UNIMICRO, code=Code.NUMBER_MISSING)


async def _keep_draft(run: Run, books: Books, wanted: Wanted, draft: Draft) -> None:
    remote, warnings, document = draft.document, draft.warnings, wanted.document
    async with run.sessions.begin() as session:
        await lock_judged(session, books, wanted, remote)
        await check_fence(session, run.lease)
        await record_done(
            session,
            run.own_transfer_id,
            remote_id=remote.remote_id,
            booking=books.booking,
            **show_place(remote),
            **show_content(document, wanted.vat, wanted.rate),
            warnings=show_reasons(warnings),
            **show_totals("remote_", remote.totals),
        )
        await record_rate(session, run, books, document, draft.rate)
        alarms = await record_comparison(session, run, books, wanted, remote)
        if alarms:
            await record_held(session, run.own_transfer_id, alarms)
        await run.finish(
            session,
            state=EventState.HELD if alarms else EventState.DONE,
            note="left in Unimicro as a draft",
            outcome=Outcome.HELD if alarms else Outcome.DRAFTED,
            reasons=alarms or warnings,
            remote_number=remote.number,
        )


def _kid_warnings(books: Books, document: Document, issued: RemoteDocument) -> list[Reason]:
    # An order has no KID; its invoice gets one of Unimicro's.
    has_kid = document.kind is DocumentKind.INVOICE and books.booking is not Booking.ORDER
    if not has_kid or not document.kid or document.kid == issued.kid:
        return []
    cause = f"The KID is {document.kid} in RecMan and {issued.kid or 'empty'} in Unimicro"
    return [Reason(code=Code.KID_DIFFERS, cause=cause, fix=fix_for(Code.KID_DIFFERS))]
