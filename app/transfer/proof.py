"""Proving in a run: a document takes its key's one place before it goes, and is compared once it is in the books."""

from app.admin.proving import Turn, record_equal, record_stopped, take_place
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteDocument
from app.domain.states import Proof
from app.engine.lanes import check_fence
from app.errors import ProvingError
from app.platform.db import Session
from app.tables import Key
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.plan.issued import Wanted, compare_issued, explain_differences, stops_key

# The other document's end wakes this one; this is only the net below.
_WAIT_SECONDS = 60.0


def is_proven_alone(key: Key, document: Document | Gaps) -> bool:
    """Whether the document goes alone and counts: of a key that is not open, or a first credit note of one that is."""
    is_first_credit = document.kind is DocumentKind.CREDIT_NOTE and not key.credits_proven
    return key.proof != Proof.OPEN or is_first_credit


async def take_turn(run: Run, books: Books, document: Document) -> None:
    """Make sure that nothing else of the key is under way while it is being proven.

    Raises:
        ProvingError: another document is; its end wakes this one.
    """
    key = books.key
    if not is_proven_alone(key, document):
        return
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        other = await take_place(session, _to_turn(run, key))
    if other is not None:
        raise ProvingError(
            f"Key “{key.name}” is being proven, one document at a time: RecMan's invoice {other} is under way",
            scope="invoice",
            record_id=other,
            seconds=_WAIT_SECONDS,
            fix=fix_for(Code.KEY_PROVING),
        )


async def record_comparison(
    session: Session, run: Run, books: Books, wanted: Wanted, remote: RemoteDocument
) -> tuple[Reason, ...]:
    """The alarms about a document that is in the books now; what they mean for the key is recorded with them."""
    differences = compare_issued(wanted, remote, books.reference)
    alarms = explain_differences(wanted, remote, differences, transfer_id=run.own_transfer_id)
    turn, booking = _to_turn(run, books.key), wanted.booking
    is_alone = is_proven_alone(books.key, wanted.document)
    if stops_key(differences, booking=booking, is_proving=is_alone):
        causes = "; ".join(one.cause for one in alarms)
        fix = fix_for(Code.KEY_STOPPED, key_id=books.key.id)
        await record_stopped(session, turn, Reason(code=Code.KEY_STOPPED, cause=causes, fix=fix), booking=booking)
    elif is_alone and not differences:
        is_credit = wanted.document.kind is DocumentKind.CREDIT_NOTE
        await record_equal(session, turn, booking=booking, is_credit=is_credit)
    return alarms


async def record_apart(session: Session, run: Run, key: Key, alarm: Reason, *, booking: str) -> None:
    """Stop a key that is being proven because of a document that people in Unimicro issued as another claim."""
    if key.proof == Proof.PROVING:
        fix = fix_for(Code.KEY_STOPPED, key_id=key.id)
        reason = Reason(code=Code.KEY_STOPPED, cause=alarm.cause, fix=fix)
        await record_stopped(session, _to_turn(run, key), reason, booking=booking)


async def record_stop(session: Session, run: Run, books: Books, reason: Reason) -> None:
    """Let nothing more go with the key, for a reason that is true of all its documents."""
    await record_stopped(session, _to_turn(run, books.key), reason, booking=books.booking)


def _to_turn(run: Run, key: Key) -> Turn:
    lease = run.lease
    return Turn(key_id=key.id, tenant_id=lease.tenant_id, record_id=lease.record_id, lane_token=lease.token)


def list_sender_gaps(key: Key, booking: Booking) -> tuple[Reason, ...]:
    """What nobody has said about a key's documents, without which none may go."""
    if booking is not Booking.RENUMBERED or key.acceptance is not None:
        return ()
    cause = f"Nobody has accepted for key “{key.name}” that the books give documents another number and KID"
    fix = fix_for(Code.RENUMBERED_UNACCEPTED, key_id=key.id)
    return (Reason(code=Code.RENUMBERED_UNACCEPTED, cause=cause, fix=fix),)
