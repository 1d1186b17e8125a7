"""Drafts and orders followed until people in Unimicro have issued, invoiced or deleted them. Reads only, there.

By the clock each key's are looked at, fifty in a call; what moved is looked at closely by its own lane, which records
number, KID, days, sending and voucher, and compares them. RecMan is not asked: its invoices never change.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select, update

from app.accounting.targets import MOST_AT_ONCE
from app.admin.key_check import open_key_target
from app.admin.keys import find_key_in_use
from app.domain.booking import Booking
from app.domain.states import EventState, TransferState
from app.engine.inbox import Arrival, accept, accept_work, dedupe_key
from app.engine.lanes import check_fence
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.context import Run
from app.transfer.log import INVOICE

SCOPE = "follow"
# The source of a hint that a document was seen to have moved in Unimicro.
MOVED = "moved"
_SOURCE = "schedule"
_FOLLOWED = (Booking.ORDER, Booking.DRAFT)
# So many are looked at in one run, the ones longest not looked at first; the others come next time.
_MOST_CALLS = 10
_MOST_MOVED = 100
_MOST_SECONDS = 24 * 3600.0


async def begin_following(session: Session, *, tenant_id: UUID, minutes: float) -> int:
    """Let a worker look at every key that has something to follow; how many there are."""
    last_look = func.coalesce(Transfer.followed_at, Transfer.booked_at)
    is_due = last_look < func.now() - timedelta(minutes=minutes)
    query = select(Transfer.key_id).where(Transfer.tenant_id == tenant_id, *_is_followed(), is_due).distinct()
    key_ids = [one for one in (await session.scalars(query)).all() if one is not None]
    for key_id in key_ids:
        await accept_work(session, tenant_id=tenant_id, scope=SCOPE, work_id=key_id, source=_SOURCE)
    return len(key_ids)


def _is_followed() -> tuple[ColumnElement[bool], ...]:
    """Left in Unimicro for people to issue, and nobody has, as far as we know; and not to be left alone for now."""
    pause = func.make_interval(0, 0, 0, 0, 0, 0, Transfer.follow_seconds)
    return (
        or_(Transfer.follow_seconds.is_(None), Transfer.followed_at < func.now() - pause),
        Transfer.scope == INVOICE,
        Transfer.booking.in_(_FOLLOWED),
        Transfer.issued.is_(None),
        Transfer.state == TransferState.DONE,
        Transfer.remote_id.is_not(None),
    )


async def carry_follow(run: Run) -> None:
    """Look at what one key has left for people, and let what moved be looked at closely."""
    key_id = UUID(run.lease.record_id)
    async with run.sessions() as session:
        key = await find_key_in_use(session, tenant_id=run.lease.tenant_id, key_id=key_id)
        rows = [] if key is None else await _list_followed(session, tenant_id=key.tenant_id, key_id=key_id)
    if key is None:
        async with run.sessions.begin() as session:
            await run.finish(session, state=EventState.IGNORED, note="the key is not in use")
        return
    run.key_id = key_id
    target = open_key_target(run.own_resources, key)
    moved: list[Transfer] = []
    for is_order in (False, True):
        chosen = [row for row in rows if (row.booking == Booking.ORDER) is is_order]
        for start in range(0, len(chosen), MOST_AT_ONCE):
            chunk = chosen[start : start + MOST_AT_ONCE]
            ids = [row.remote_id for row in chunk if row.remote_id is not None]
            standing = await target.list_standing(ids, orders=is_order)
            moved += [row for row in chunk if row.remote_id not in standing]
    await _end_look(run, rows, moved[:_MOST_MOVED])


async def _list_followed(session: Session, *, tenant_id: UUID, key_id: UUID) -> Sequence[Transfer]:
    query = select(Transfer).where(Transfer.tenant_id == tenant_id, Transfer.key_id == key_id, *_is_followed())
    query = query.order_by(Transfer.followed_at.nulls_first(), Transfer.id).limit(_MOST_CALLS * MOST_AT_ONCE)
    return (await session.scalars(query)).all()


async def _end_look(run: Run, rows: Sequence[Transfer], moved: Sequence[Transfer]) -> None:
    tenant_id = run.lease.tenant_id
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        # The lanes before the transfers, as a worker takes them.
        for row in sorted(moved, key=lambda row: row.record_id):
            await accept(session, _to_arrival(tenant_id, row))
        ids = sorted(row.id for row in rows)
        looked = update(Transfer).where(Transfer.tenant_id == tenant_id, Transfer.id.in_(ids))
        await session.execute(looked.values(followed_at=func.now(), updated_at=Transfer.updated_at))
        note = f"{len(rows)} looked at, {len(moved)} moved"
        await run.finish(session, state=EventState.DONE, note=note)


def _to_arrival(tenant_id: UUID, row: Transfer) -> Arrival:
    return Arrival(
        tenant_id=tenant_id,
        scope="invoice",
        record_id=row.record_id,
        operation="update",
        source=MOVED,
        dedupe=dedupe_key(MOVED, uuid4()),
    )


def lengthen_pause(transfer: Transfer, *, minutes: float) -> float:
    """For how many seconds a document is left alone of which nothing can be told yet: twice as long as before.

    A day at most; `minutes`: how often the others are looked at.
    """
    return min(2 * (transfer.follow_seconds or 60 * minutes), _MOST_SECONDS)


def is_move(run: Run) -> bool:
    """Whether a run is about nothing but that its document moved in Unimicro."""
    return bool(run.events) and all(event.source == MOVED for event in run.events)


def is_still_followed(transfer: Transfer | None) -> bool:
    """Whether the document still waits for people, as far as our log knows."""
    is_left = transfer is not None and transfer.booking in _FOLLOWED and transfer.issued is None
    return is_left and transfer is not None and transfer.state == TransferState.DONE
