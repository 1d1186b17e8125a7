"""Stop 7 for credit notes: one of an invoice at a time, marked as ours before anything else is done to its draft."""

from collections.abc import Sequence

from app.accounting.targets import Draft
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.domain.states import STOPPED
from app.errors import WaitError
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.attempts import attempt, missing_is_unclear
from app.transfer.books import Books
from app.transfer.claims import list_other_credits
from app.transfer.context import Run
from app.transfer.linked import Known, make_credit_links
from app.transfer.log import record_remote, record_values, show_reasons, show_totals
from app.transfer.plan.situation import DocumentSituation
from app.transfer.plan.steps import CreateCreditDraft
from app.transfer.writes import write_credit, write_credit_draft

# The other credit note's end wakes this one; this is only the net below.
_WAIT_SECONDS = 3600.0


async def create_credit_draft(
    run: Run,
    books: Books,
    step: CreateCreditDraft,
    situation: DocumentSituation,
    known: Known,
    *,
    warnings: tuple[Reason, ...],
) -> Draft:
    """The credit draft with RecMan's dates, texts and lines, made now or found from an earlier try.

    `warnings` are the plan's, kept with what making the draft warns of.

    Raises:
        WaitError: another credit note of the same invoice is under way.
        RemoteError, StaleLeaseError: see `attempt`.
    """
    reference, transfer_id = situation.external_reference, run.own_transfer_id
    draft_id = step.draft_id
    if draft_id is None:
        draft_id = (await _make(run, books, step, situation)).remote_id
    known_id = draft_id
    links = make_credit_links(books, step, known)
    # A credit note is reckoned with its invoice's rate, whatever the day's is.
    rate = None if situation.credited_document is None else situation.credited_document.rate

    async def call() -> Draft:
        async with missing_is_unclear():
            return await write_credit(books, step, links, draft_id=known_id, reference=reference, rate=rate)

    async def settle(session: Session, updated: Draft) -> None:
        values = {"warnings": show_reasons((*warnings, *updated.warnings))}
        values |= show_totals("remote_", updated.document.totals)
        await record_values(session, transfer_id, remote_customer_id=updated.document.customer_id, **values)

    return await attempt(run, books, transfer_id, step="update", call=call, settle=settle)


async def _make(run: Run, books: Books, step: CreateCreditDraft, situation: DocumentSituation) -> RemoteDocument:
    transfer_id = run.own_transfer_id

    async def prepare(session: Session) -> None:
        await require_turn(session, books, step.credited_id, transfer_id, situation)
        drafts = [one.remote_id for one in situation.credit_notes if one.state is DocumentState.DRAFT]
        await record_values(
            session,
            transfer_id,
            remote_id=None,
            booking=books.booking,
            credits_remote_id=step.credited_id,
            credit_drafts_before=drafts,
            external_reference=situation.external_reference,
        )

    async def call() -> RemoteDocument:
        async with missing_is_unclear():
            return await write_credit_draft(books, step, reference=situation.external_reference)

    async def settle(session: Session, draft: RemoteDocument) -> None:
        await record_remote(session, transfer_id, books.key, remote_id=draft.remote_id, booking=books.booking)

    return await attempt(run, books, transfer_id, step="create", call=call, settle=settle, prepare=prepare)


async def require_turn(
    session: Session, books: Books, credited_id: int, transfer_id: int, situation: DocumentSituation
) -> None:
    """Make sure that no other credit note of the invoice is under way, and the look knew of all that are booked.

    Raises:
        WaitError: one is, or it did not.
    """
    others = await list_other_credits(session, key_id=books.key.id, credited_id=credited_id, besides=transfer_id)
    _require_alone(others)
    require_as_seen(others, situation)


def require_as_seen(others: Sequence[Transfer], situation: DocumentSituation) -> None:
    """Make sure that our log knows the same booked credit notes of the invoice as at the look that reckoned with them.

    Raises:
        WaitError: one was booked since, so less may be left of the invoice; look again.
    """
    booked = {one.remote_id for one in others if one.booked_at is not None and one.remote_id is not None}
    if booked != situation.kept_credits:
        cause = "another credit note of the same invoice was booked just now"
        raise WaitError(cause, scope="", record_id="", seconds=0)


def _require_alone(others: Sequence[Transfer]) -> None:
    is_open = (one for one in others if one.booked_at is None and (one.unclear or one.remote_id is not None))
    other = next(is_open, None)
    if other is None:
        return
    why = "; ".join(reason["cause"] for reason in other.reasons)
    cause = f"waits for credit note {other.number or other.record_id} of the same invoice, which is {other.state}"
    cause = f"{cause}: {why}" if why else cause
    fix = ""
    if other.state in STOPPED:
        fix = fix_for(Code.WAITS, "held_credit", transfer_id=other.id)
    raise WaitError(cause, scope="invoice", record_id=other.record_id, seconds=_WAIT_SECONDS, fix=fix, while_open=True)
