"""Proving in a run: a document takes its key's one place before it goes, and is compared once it is in the books."""

from dataclasses import dataclass

from sqlalchemy import select

from app.admin.proving import SCOPE, lock_key_first, record_equal, record_stopped, take_place
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.domain.states import Mode, Proof, TransferState
from app.engine.lanes import check_fence
from app.errors import ProvingError
from app.platform.db import Session, locked
from app.tables import Key, Transfer
from app.transfer.books import Books
from app.transfer.context import Run, to_candidate
from app.transfer.listings import names_one_of
from app.transfer.log import record_values
from app.transfer.plan.issued import (
    Difference,
    Wanted,
    compare_followed,
    compare_issued,
    explain_differences,
    leave_out_days,
    stops_key,
)

# The other document's end wakes whoever has waited longest; this is only the net below. Each look costs RecMan's quota.
_WAIT_SECONDS = 600.0


def is_proven_alone(key: Key, document: Document | Gaps) -> bool:
    """Whether the document goes alone and counts: of a key that is not open, or a first credit note of one that is."""
    return _is_proof(key, document.kind)


def _is_proof(key: Key, kind: DocumentKind) -> bool:
    if key.mode == Mode.FILE:
        # What goes by files is proven by what people say of the import.
        return False
    is_first_credit = kind is DocumentKind.CREDIT_NOTE and not key.credits_proven
    return key.proof != Proof.OPEN or is_first_credit


async def take_turn(run: Run, books: Books) -> None:
    """Make sure that nothing else of the key is under way while it is being proven.

    Raises:
        ProvingError: another document is; its end wakes this one.
    """
    key = books.key
    if not run.goes_alone:
        return
    async with run.sessions.begin() as session:
        await lock_key_first(session, tenant_id=key.tenant_id, key_id=key.id)
        await check_fence(session, run.lease)
        other = await take_place(session, to_candidate(run, key.id))
    if other is not None:
        raise ProvingError(
            f"Key “{key.name}” is being proven, one document at a time: RecMan's invoice {other} is under way",
            scope=SCOPE,
            record_id=str(key.id),
            seconds=_WAIT_SECONDS,
            fix=fix_for(Code.KEY_PROVING),
        )


async def lock_judged(session: Session, books: Books, wanted: Wanted, remote: RemoteDocument | None) -> None:
    """Take the key's row first where what the document has become may say something of the key; None: it has no head.

    An open key of which nothing differs is not touched: then there is nothing to take.
    """
    key = books.key
    is_equal = remote is not None and not compare_issued(wanted, remote, books.reference)
    if not is_equal or _is_proof(key, wanted.document.kind):
        await lock_key_first(session, tenant_id=key.tenant_id, key_id=key.id)


async def record_comparison(
    session: Session,
    run: Run,
    books: Books,
    wanted: Wanted,
    remote: RemoteDocument,
    *,
    besides: tuple[Difference, ...] = (),
) -> tuple[Reason, ...]:
    """The alarms about a document that is in the books now; what they mean for the key is recorded with them."""
    differences = (*compare_issued(wanted, remote, books.reference), *besides)
    alarms = explain_differences(wanted, remote, differences, transfer_id=run.own_transfer_id)
    compared = _Compared(wanted.document.kind, differences, alarms, wanted.booking)
    await _record_proof(session, run, books.key, compared, has_place=True)
    return alarms


async def record_followed(
    session: Session, run: Run, books: Books, wanted: Wanted, remote: RemoteDocument
) -> tuple[Reason, ...]:
    """The alarms about a draft or an order that people have issued; it counts once more, or stops a key that is proven.

    Which days it has is the word of whoever issues it: with an open key no alarm.
    """
    differences = compare_followed(wanted, remote, books.reference)
    if not is_proven_alone(books.key, wanted.document):
        differences = leave_out_days(differences)
    alarms = explain_differences(wanted, remote, differences, transfer_id=run.own_transfer_id)
    compared = _Compared(wanted.document.kind, differences, alarms, books.booking)
    await _record_proof(session, run, books.key, compared, has_place=False)
    return alarms


@dataclass(frozen=True, slots=True)
class _Compared:
    """A document that was compared; `booking`: how it got in."""

    kind: DocumentKind
    differences: tuple[Difference, ...]
    alarms: tuple[Reason, ...]
    booking: Booking

    def booking_of(self, key: Key) -> str:
        """What of the key it proves: where Unimicro sends, a credit note is a draft, of a key for orders too."""
        is_draft = self.booking is Booking.DRAFT and self.kind is DocumentKind.CREDIT_NOTE
        return Booking.ORDER if is_draft and key.booking == Booking.ORDER else self.booking


async def _record_proof(session: Session, run: Run, key: Key, compared: _Compared, *, has_place: bool) -> None:
    """What a comparison means for the key: nothing more goes, or one document more is equal."""
    candidate, booking, is_alone = to_candidate(run, key.id), compared.booking_of(key), _is_proof(key, compared.kind)
    if stops_key(compared.differences, booking=compared.booking, is_proving=is_alone):
        causes = "; ".join(one.cause for one in compared.alarms)
        fix = fix_for(Code.KEY_STOPPED, key_id=key.id)
        await record_stopped(session, candidate, Reason(code=Code.KEY_STOPPED, cause=causes, fix=fix), booking=booking)
    elif is_alone and not compared.differences:
        is_credit = compared.kind is DocumentKind.CREDIT_NOTE
        await record_equal(session, candidate, booking=booking, is_credit=is_credit, has_place=has_place)


async def record_apart(session: Session, run: Run, key: Key, alarm: Reason, *, booking: str) -> None:
    """Stop a key that is being proven because of a document that people in Unimicro issued as another claim."""
    if key.proof == Proof.PROVING:
        fix = fix_for(Code.KEY_STOPPED, key_id=key.id)
        reason = Reason(code=Code.KEY_STOPPED, cause=alarm.cause, fix=fix)
        await record_stopped(session, to_candidate(run, key.id), reason, booking=booking)


async def record_stop(session: Session, run: Run, books: Books, reason: Reason) -> bool:
    """Let nothing more go with the key, because of what the document would become; False: it was stopped already."""
    return await record_stopped(session, to_candidate(run, books.key.id), reason, booking=books.booking)


def stops_with(gaps: tuple[Reason, ...]) -> bool:
    """Whether what holds a document is true of every other one of the company."""
    return any(gap.code == Code.NUMBER_NOT_KEPT for gap in gaps)


async def record_stop_with(session: Session, run: Run, gaps: tuple[Reason, ...]) -> None:
    """Stop the key where what holds a document is true of every other one of the company."""
    for gap in gaps:
        if gap.code == Code.NUMBER_NOT_KEPT and run.key_id is not None:
            await record_stopped(session, to_candidate(run, run.key_id), gap, booking=Booking.OWN_NUMBER)


async def accept_differences(session: Session, key: Key) -> None:
    """Whoever lets a stopped key go on accepts how its documents stand: what was an alarm stays as a warning."""
    query = select(Transfer).where(
        Transfer.tenant_id == key.tenant_id,
        Transfer.key_id == key.id,
        Transfer.state == TransferState.HELD,
        Transfer.booked_at.is_not(None),
        names_one_of({Code.ISSUED_OTHERWISE}),
    )
    for transfer in (await session.scalars(locked(query.order_by(Transfer.id)))).all():
        alarms = [reason for reason in transfer.reasons if reason["code"] == Code.ISSUED_OTHERWISE]
        await record_values(session, transfer.id, warnings=[*transfer.warnings, *alarms])


def list_sender_gaps(key: Key, booking: Booking) -> tuple[Reason, ...]:
    """What nobody has said about a key's documents, without which none may go."""
    if booking is not Booking.RENUMBERED or key.acceptance is not None:
        return ()
    cause = f"Nobody has accepted for key “{key.name}” that the books give documents another number and KID"
    fix = fix_for(Code.RENUMBERED_UNACCEPTED, key_id=key.id)
    return (Reason(code=Code.RENUMBERED_UNACCEPTED, cause=cause, fix=fix),)
