"""Proving a key: its first documents go one at a time and are compared; the first difference stops it.

The only owner of the table `proving`. What a document is compared in: `transfer.plan.issued`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.admin.answers import load_answers
from app.admin.keys import record_proof
from app.domain.answers import list_unproven
from app.domain.booking import Booking
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import UNDER_WAY, Proof
from app.engine.lanes import is_leased, wake_first, wake_waiting
from app.errors import ConflictError
from app.platform.db import Session, load_now, locked
from app.tables import Key, Proving, Transfer

# What a lane waits for whose document may not go yet: this, and the key.
SCOPE = "proving"
# So many documents must stand in the books as the customers have them before a person may open the key.
WANTED = 3
# The import of one file, confirmed by a person, opens a key that makes files.
WANTED_IMPORTS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A document that wants to go alone: RecMan's id of it, and the lane in whose hands it is."""

    key_id: UUID
    tenant_id: UUID
    record_id: str
    lane_token: UUID


async def lock_key_first(session: Session, *, tenant_id: UUID, key_id: UUID) -> str | None:
    """How far the key is proven; its row is taken before any lane or transfer, and before what is kept of its proving.

    Doors that change a key take it so, and the lanes and transfers that it concerns after it: whoever took them the
    other way round would wait for a door that waits for it.
    """
    query = select(Key.proof).where(Key.tenant_id == tenant_id, Key.id == key_id)
    return await session.scalar(locked(query))


async def take_place(session: Session, candidate: Candidate) -> str | None:
    """None once the document has the key's one place; else RecMan's id of the one that has it.

    The place is free when nobody works on the document that had it and nothing of it is open: it has ended, or it was
    not begun when its worker died.
    """
    place = {"tenant_id": candidate.tenant_id, "key_id": candidate.key_id}
    await session.execute(upsert(Proving).values(place).on_conflict_do_nothing())
    # Locked before anything is asked: what is seen afterwards is seen by one at a time.
    row = (await session.scalars(locked(select(Proving).where(*_is_of(candidate.tenant_id, candidate.key_id))))).one()
    if row.place not in (None, candidate.record_id) and await _is_taken(session, row):
        return row.place
    row.place, row.lane_token = candidate.record_id, candidate.lane_token
    await session.flush()
    return None


async def is_free(session: Session, candidate: Candidate) -> bool:
    """Whether the document could go by now; the place is not given away until the caller's transaction ends."""
    row = (await session.scalars(locked(select(Proving).where(*_is_of(candidate.tenant_id, candidate.key_id))))).one()
    return row.place in (None, candidate.record_id) or not await _is_taken(session, row)


async def record_place_left(session: Session, candidate: Candidate) -> None:
    """The document has ended, or waits for something else: whoever has waited longest for the place may look."""
    tenant_id, key_id, record_id = candidate.tenant_id, candidate.key_id, candidate.record_id
    begun = select(Transfer.id).where(*_is_open(tenant_id, key_id), Transfer.record_id == record_id)
    own = (*_is_of(tenant_id, key_id), Proving.place == record_id, ~begun.exists())
    await session.execute(update(Proving).where(*own).values(place=None, lane_token=None))
    await wake_first(session, tenant_id=tenant_id, scope=SCOPE, record_id=str(key_id))


async def _is_taken(session: Session, row: Proving) -> bool:
    if row.lane_token is not None and await is_leased(session, tenant_id=row.tenant_id, token=row.lane_token):
        return True
    query = select(Transfer.id).where(*_is_open(row.tenant_id, row.key_id), Transfer.record_id == row.place)
    return await session.scalar(query) is not None


def _is_open(tenant_id: UUID, key_id: UUID) -> tuple[Any, ...]:
    """Of a transfer: a document of the key of which something may be in the books, and which has not ended."""
    return (
        Transfer.tenant_id == tenant_id,
        Transfer.key_id == key_id,
        Transfer.scope == "invoice",
        Transfer.state.in_(UNDER_WAY),
        or_(Transfer.remote_id.is_not(None), Transfer.unclear),
    )


async def record_equal(
    session: Session, candidate: Candidate, *, booking: str, is_credit: bool, has_place: bool = True
) -> None:
    """One more document stands there as the customer has it; counted as long as the key still books so.

    `has_place`: it went alone and gives its place back; what was followed to its end has given it back before.
    """
    tenant_id, key_id = candidate.tenant_id, candidate.key_id
    own = _is_of(tenant_id, key_id)
    if has_place:
        own = (*own, Proving.place == candidate.record_id)
    still = select(Key.id).where(Key.tenant_id == tenant_id, Key.id == key_id, Key.booking == booking)
    values = {"equal": Proving.equal + 1, "equal_credits": Proving.equal_credits + int(is_credit)}
    await session.execute(update(Proving).where(*own, still.exists()).values(values))
    if has_place:
        await session.execute(update(Proving).where(*own).values(place=None, lane_token=None))
    if is_credit:
        await record_proof(session, key_id, tenant_id=tenant_id, booking=booking, credits_proven=True)


async def record_stopped(session: Session, candidate: Candidate, reason: Reason, *, booking: str) -> bool:
    """Let nothing more go with the key, because of this; False: it was stopped already, or books otherwise by now."""
    place = {"tenant_id": candidate.tenant_id, "key_id": candidate.key_id}
    tenant_id = candidate.tenant_id
    is_so = await record_proof(session, candidate.key_id, tenant_id=tenant_id, booking=booking, proof=Proof.STOPPED)
    if is_so:
        stopped = {**asdict(reason), "record_id": candidate.record_id, "at": (await load_now(session)).isoformat()}
        values = {"stopped": stopped, "place": None, "lane_token": None}
        query = upsert(Proving).values(place | values)
        await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))
    return is_so


async def record_opened(session: Session, key: Key) -> None:
    """Let the locked key go on: at once where it is proven, else one document at a time as before it was stopped.

    Raises:
        ConflictError: it is open, or too few documents were compared.
    """
    progress = await load_progress(session, key)
    if key.mode == "file" and key.proof == Proof.PROVING:
        raise ConflictError(
            f"Key “{key.name}” makes files, and nobody has confirmed the import of one",
            fix="Import its first file and confirm it; that opens the key.",
            code=Code.KEY_UNPROVEN,
        )
    if key.proof == Proof.OPEN:
        raise ConflictError(f"Key “{key.name}” is open", fix="Nothing to do.", code=Code.KEY_IS_OPEN)
    missing = WANTED - progress.equal
    if key.proof == Proof.PROVING and missing > 0:
        raise ConflictError(
            f"{progress.equal} of {WANTED} documents of key “{key.name}” are compared and equal; {missing} missing",
            fix="Let it go on one document at a time until so many stand in Unimicro as the customers have them.",
            code=Code.KEY_UNPROVEN,
        )
    await record_proof(
        session,
        key.id,
        tenant_id=key.tenant_id,
        booking=key.booking,
        proof=Proof.OPEN if missing <= 0 else Proof.PROVING,
    )
    await session.refresh(key)


async def record_word(session: Session, key: Key, word: Mapping[str, Any]) -> None:
    """Keep who let the key go on, and wake what waited for its place."""
    place = {"tenant_id": key.tenant_id, "key_id": key.id}
    values = {"opened": dict(word)}
    query = upsert(Proving).values(place | values)
    await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))
    await wake_waiting(session, tenant_id=key.tenant_id, scope=SCOPE, record_id=str(key.id))


def require_next_file(key: Key, *, unconfirmed: int) -> None:
    """Make sure that the key may make another file: while it is being proven there is one at a time.

    `unconfirmed`: of how many documents in its files nobody has said what became of them.

    Raises:
        ConflictError: the key was stopped, or the import of its last file is to be confirmed first.
    """
    if key.proof == Proof.STOPPED:
        cause = f"Key “{key.name}” was stopped: a document stands in Unimicro otherwise than the customer has it"
        raise ConflictError(cause, fix=fix_for(Code.KEY_STOPPED, key_id=key.id), code=Code.KEY_STOPPED)
    if key.proof == Proof.PROVING and unconfirmed:
        raise ConflictError(
            f"Key “{key.name}” is being proven, one file at a time: nobody has said what became of {unconfirmed} "
            "documents in its files",
            fix="Import the file, and say of each document whether it was taken (confirm); then the next one may go.",
            code=Code.KEY_UNPROVEN,
        )


async def record_confirmed(
    session: Session, key: Key, *, taken: int, credit_notes: int, refused: int, word: Mapping[str, Any]
) -> bool:
    """Count what a person says that Unimicro has taken of a file; True: the locked key is proven by that, and open.

    A file of which nothing was refused proves the key: its own rows, accounts and codes were imported. `credit_notes`:
    how many of those taken were such.
    """
    place = {"tenant_id": key.tenant_id, "key_id": key.id}
    await session.execute(upsert(Proving).values(place).on_conflict_do_nothing())
    is_proven = key.proof == Proof.PROVING and taken > 0 and not refused
    counted: dict[str, Any] = {"equal": Proving.equal + taken, "equal_credits": Proving.equal_credits + credit_notes}
    opened = {"opened": dict(word)} if is_proven else {}
    await session.execute(update(Proving).where(*_is_of(key.tenant_id, key.id)).values(counted | opened))
    proofs: dict[str, Any] = {"proof": Proof.OPEN} if is_proven else {}
    proofs |= {"credits_proven": True} if credit_notes else {}
    if proofs:
        await record_proof(session, key.id, tenant_id=key.tenant_id, booking=key.booking, **proofs)
        await session.refresh(key)
    return is_proven


async def require_provable(session: Session, *, tenant_id: UUID, company_key: str, booking: Booking) -> None:
    """Make sure that `golive` has found that the company can book so, where that cannot be taken for granted.

    Raises:
        ConflictError: it has not, or has found otherwise.
    """
    answers = await load_answers(session, tenant_id=tenant_id, company_key=company_key)
    missing = list_unproven(booking, answers)
    if missing:
        told = "; ".join(f"{one}: {answers[one].answer} ({answers[one].how})" for one in missing)
        raise ConflictError(
            f"It is not proven that this company's documents can be booked by {booking}. {told}",
            fix="Prove it for this company: make its key with `booking` draft, run `recman-unimicro golive run --key "
            "NAME` (which asks for its accountant's yes where it is no test company), then say the `booking` again "
            "(PATCH /v1/keys/{key_id}). Or choose another `booking`.",
            code=Code.BOOKING_UNPROVEN,
        )


async def record_restart(session: Session, key: Key) -> None:
    """Prove the key from the beginning: it books otherwise from now on."""
    values = {"equal": 0, "equal_credits": 0, "place": None, "lane_token": None, "stopped": None}
    await session.execute(update(Proving).where(*_is_of(key.tenant_id, key.id)).values(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a key is proven; `stopped` is the difference that stopped it last, `opened` who let it go on."""

    equal: int = 0
    equal_credits: int = 0
    place: str | None = None
    stopped: Mapping[str, Any] | None = None
    opened: Mapping[str, Any] | None = None


async def load_progress(session: Session, key: Key) -> Progress:
    """How far the key is proven; nothing was compared where there is no row."""
    return (await list_progress(session, tenant_id=key.tenant_id)).get(key.id, Progress())


async def list_progress(session: Session, *, tenant_id: UUID | None) -> dict[UUID, Progress]:
    """How far each key is proven of which anything was compared; of one tenant, or all."""
    query = select(Proving)
    if tenant_id is not None:
        query = query.where(Proving.tenant_id == tenant_id)
    rows = await session.scalars(query.execution_options(populate_existing=True))
    return {
        row.key_id: Progress(
            equal=row.equal,
            equal_credits=row.equal_credits,
            place=row.place,
            stopped=row.stopped,
            opened=row.opened,
        )
        for row in rows
    }


def _is_of(tenant_id: UUID, key_id: UUID) -> tuple[Any, ...]:
    return Proving.tenant_id == tenant_id, Proving.key_id == key_id
