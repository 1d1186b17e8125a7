"""Proving a key: its first documents go one at a time and are compared; the first difference stops it.

The only owner of the table `proving`. What a document is compared in: `transfer.plan.issued`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.admin.keys import record_proof
from app.domain.reasons.codes import Code, Reason
from app.domain.states import UNDER_WAY, Proof
from app.engine.lanes import is_leased
from app.errors import ConflictError
from app.platform.db import Session, load_now, locked
from app.tables import Key, Proving, Transfer

# So many documents must stand in the books as the customers have them before a person may open the key.
WANTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A document that wants to go alone: RecMan's id of it, and the lane in whose hands it is."""

    key_id: UUID
    tenant_id: UUID
    record_id: str
    lane_token: UUID


async def take_place(session: Session, turn: Turn) -> str | None:
    """None once the document has the key's one place; else RecMan's id of the one that has it.

    The place is free when nobody works on the document that had it and nothing of it is open: it has ended, or it was
    not begun when its worker died.
    """
    place = {"tenant_id": turn.tenant_id, "key_id": turn.key_id}
    await session.execute(upsert(Proving).values(place).on_conflict_do_nothing())
    # Locked before anything is asked: what is seen afterwards is seen by one at a time.
    row = (await session.scalars(locked(select(Proving).where(*_is_of(turn.tenant_id, turn.key_id))))).one()
    if row.place not in (None, turn.record_id) and await _is_taken(session, row):
        return row.place
    row.place, row.lane_token = turn.record_id, turn.lane_token
    await session.flush()
    return None


async def _is_taken(session: Session, row: Proving) -> bool:
    if row.lane_token is not None and await is_leased(session, tenant_id=row.tenant_id, token=row.lane_token):
        return True
    is_begun = or_(Transfer.remote_id.is_not(None), Transfer.unclear)
    query = select(Transfer.id).where(
        Transfer.tenant_id == row.tenant_id,
        Transfer.scope == "invoice",
        Transfer.record_id == row.place,
        Transfer.key_id == row.key_id,
        Transfer.state.in_(UNDER_WAY),
        is_begun,
    )
    return await session.scalar(query) is not None


async def record_equal(session: Session, turn: Turn, *, booking: str, is_credit: bool) -> None:
    """One more document stands there as the customer has it; counted as long as the key still books so."""
    own = (*_is_of(turn.tenant_id, turn.key_id), Proving.place == turn.record_id)
    still = select(Key.id).where(Key.tenant_id == turn.tenant_id, Key.id == turn.key_id, Key.booking == booking)
    values = {"equal": Proving.equal + 1, "equal_credits": Proving.equal_credits + int(is_credit)}
    await session.execute(update(Proving).where(*own, still.exists()).values(values))
    await session.execute(update(Proving).where(*own).values(place=None, lane_token=None))
    if is_credit:
        await record_proof(session, turn.key_id, tenant_id=turn.tenant_id, booking=booking, credits_proven=True)


async def record_stopped(session: Session, turn: Turn, reason: Reason, *, booking: str) -> bool:
    """Let nothing more go with the key, because of this difference; False: it books otherwise by now."""
    place = {"tenant_id": turn.tenant_id, "key_id": turn.key_id}
    tenant_id = turn.tenant_id
    is_so = await record_proof(session, turn.key_id, tenant_id=tenant_id, booking=booking, proof=Proof.STOPPED)
    if is_so:
        stopped = {**asdict(reason), "record_id": turn.record_id, "at": (await load_now(session)).isoformat()}
        values = {"stopped": stopped, "place": None, "lane_token": None}
        query = upsert(Proving).values(place | values)
        await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))
    return is_so


async def record_opened(session: Session, key: Key, word: Mapping[str, Any]) -> None:
    """Let the locked key go on: at once where it is proven, else one document at a time as before it was stopped.

    Raises:
        ConflictError: it is open, or too few documents were compared.
    """
    progress = await load_progress(session, key)
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
    place = {"tenant_id": key.tenant_id, "key_id": key.id}
    values = {"opened": dict(word)}
    query = upsert(Proving).values(place | values)
    await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))
    await session.refresh(key)


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
