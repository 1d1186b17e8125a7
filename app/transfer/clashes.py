"""One number for two documents of RecMan's: the one has it in RecMan, the other got it in the books."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import aliased

from app.domain.booking import Booking
from app.platform.db import Session
from app.tables import Key, Transfer
from app.transfer.log import INVOICE, record_done, show_done
from app.transfer.plan.issued import Difference, Part, Wanted

_MOST_NAMED = 3
# Made once: what an alias knows of its columns costs more than the statement.
_OTHER = aliased(Transfer)


async def record_issued(
    session: Session, key: Key, wanted: Wanted, *, transfer_id: int, remote_number: str, **values: Any
) -> tuple[Difference, ...]:
    """The document is issued; told are others in the same books that it shares a number with from now on.

    Shape: one difference at most; where the books keep RecMan's number there is none.
    """
    number = wanted.document.number
    if wanted.booking is not Booking.RENUMBERED or not number or not remote_number:
        await record_done(session, transfer_id, remote_number=remote_number, **values)
        return ()
    keys = select(Key.id).where(Key.tenant_id == key.tenant_id, Key.company_key == key.company_key)
    is_called = and_(_OTHER.number == remote_number, or_(_OTHER.key_id.is_(None), _OTHER.key_id.in_(keys)))
    is_booked = and_(_OTHER.remote_number == number, _OTHER.company_key == key.company_key)
    found = select(func.jsonb_agg(func.jsonb_build_array(_OTHER.number, _OTHER.remote_number))).where(
        _OTHER.tenant_id == key.tenant_id,
        _OTHER.scope == INVOICE,
        _OTHER.id != transfer_id,
        or_(is_called, is_booked),
    )
    # One statement for both: it is done for every document.
    query = update(Transfer).where(Transfer.tenant_id == key.tenant_id, Transfer.id == transfer_id)
    query = query.values(remote_number=remote_number, **show_done(), **values)
    rows = await session.scalar(query.returning(found.scalar_subquery())) or []
    told = [_tell(row, number, remote_number) for row in rows[:_MOST_NAMED]]
    return (Difference(Part.NUMBER, f"number: {'; '.join(told)}"),) if told else ()


def _tell(other: Sequence[str], number: str, remote_number: str) -> str:
    if other[0] == remote_number:
        return f"its number in Unimicro, {remote_number}, is another document's in RecMan"
    return f"RecMan's {other[0]} has its number, {number}, in Unimicro"
