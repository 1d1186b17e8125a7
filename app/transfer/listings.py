"""What the transfer log knows of many records at once: pages, the attempts of one, what is held for a reason."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select

from app.domain.reasons.codes import Code
from app.domain.states import UNCLEAR, TransferState
from app.platform.db import Session, locked
from app.platform.paging import at_most, older_than
from app.tables import Attempt, Key, Transfer
from app.transfer.log import Place


async def list_customers(session: Session, key: Key, *, before_id: int | None, limit: int) -> Sequence[Transfer]:
    """The customers of a key, linked or on their way, the newest first."""
    query = select(Transfer).where(
        Transfer.tenant_id == key.tenant_id, Transfer.key_id == key.id, Transfer.scope == "company"
    )
    # The scope says so already; the index goes by kind.
    query = query.where(Transfer.kind == literal("customer", literal_execute=True))
    query = query.where(*older_than(Transfer.created_at, before_id))
    newest_first = query.order_by(Transfer.created_at.desc(), Transfer.id.desc())
    return (await session.scalars(newest_first.limit(at_most(limit)))).all()


async def list_transfers(
    session: Session,
    *,
    tenant_id: UUID | None,
    state: str | None,
    kind: str | None,
    before_id: int | None,
    limit: int,
) -> Sequence[Transfer]:
    """Transfers newest first; `before_id` continues a listing."""
    conditions: list[ColumnElement[bool]] = []
    if tenant_id is not None:
        conditions.append(Transfer.tenant_id == tenant_id)
    if state is not None:
        # Written into the statement: only so can a prepared one use the index of what is not done.
        conditions.append(Transfer.state == literal(str(state), literal_execute=True))
    if kind is not None:
        conditions.append(Transfer.kind == literal(kind, literal_execute=True))
    conditions += older_than(Transfer.created_at, before_id)
    query = (
        select(Transfer)
        .where(*conditions)
        .order_by(Transfer.created_at.desc(), Transfer.id.desc())
        .limit(at_most(limit))
    )
    return (await session.scalars(query)).all()


async def list_of_record(session: Session, place: Place) -> Sequence[Transfer]:
    """A record's transfers, whichever key they are at."""
    known = (
        Transfer.tenant_id == place.tenant_id,
        Transfer.scope == place.scope,
        Transfer.record_id == place.record_id,
    )
    return (await session.scalars(locked(select(Transfer).where(*known).order_by(Transfer.id)))).all()


async def list_booked(session: Session, *, tenant_id: UUID, scope: str, record_ids: Sequence[str]) -> dict[str, bool]:
    """Of these records those that our log knows, and whether each is booked at any key."""
    known = (Transfer.tenant_id == tenant_id, Transfer.scope == scope, Transfer.record_id.in_(record_ids))
    query = select(Transfer.record_id, func.bool_or(Transfer.booked_at.is_not(None))).where(*known)
    return {row[0]: row[1] for row in (await session.execute(query.group_by(Transfer.record_id))).all()}


async def list_held(session: Session, *, tenant_id: UUID, codes: Collection[Code]) -> Sequence[Transfer]:
    """Every transfer of a tenant that is held, or not wanted, for one of these reasons, in the order of their lanes."""
    stopped = Transfer.state.in_((TransferState.HELD, TransferState.IGNORED))
    query = select(Transfer).where(Transfer.tenant_id == tenant_id, stopped, names_one_of(codes))
    return (await session.scalars(query.order_by(Transfer.scope, Transfer.record_id))).all()


async def lock_untouched(session: Session, transfer_ids: Sequence[int]) -> Sequence[Transfer]:
    """Those of these transfers of which nothing is half made, locked; who holds one already is not waited for."""
    is_through = or_(Transfer.booked_at.is_not(None), Transfer.filed_at.is_not(None))
    is_whole = or_(is_through, and_(Transfer.remote_id.is_(None), ~Transfer.unclear))
    query = select(Transfer).where(Transfer.id.in_(transfer_ids), is_whole, Transfer.state.not_in(UNCLEAR))
    return (await session.scalars(locked(query, skips=True))).all()


def names_one_of(codes: Collection[Code]) -> ColumnElement[bool]:
    """Whether one of these is among the reasons of a transfer."""
    return or_(*(Transfer.reasons.contains([{"code": code}]) for code in sorted(codes)))


async def list_attempts(session: Session, transfer_id: int) -> Sequence[Attempt]:
    """Every try of a transfer, in order."""
    query = select(Attempt).where(Attempt.transfer_id == transfer_id).order_by(Attempt.n)
    return (await session.scalars(query)).all()
