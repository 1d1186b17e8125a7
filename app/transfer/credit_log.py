"""What the transfer log knows of credit notes. Reads only."""

from uuid import UUID

from sqlalchemy import func, select

from app.platform.db import Session
from app.tables import Transfer


async def find_usual_minus(session: Session, *, tenant_id: UUID) -> bool | None:
    """Whether most of a tenant's booked credit notes came with a minus; None when there are none, or as many as not.

    Those that were booked before it was kept tell nothing.
    """
    booked = (
        Transfer.tenant_id == tenant_id,
        Transfer.kind == "credit_note",
        Transfer.booked_at.is_not(None),
        Transfer.has_minus.is_not(None),
    )
    with_minus = func.count().filter(Transfer.has_minus.is_(True))
    row = (await session.execute(select(with_minus, func.count()).where(*booked))).one()
    return None if 2 * row[0] == row[1] else 2 * row[0] > row[1]


async def is_credited_by_us(session: Session, *, key_id: UUID, remote_id: int) -> bool:
    """Whether a credit note that we transferred takes this invoice back."""
    ours = (Transfer.key_id == key_id, Transfer.credits_remote_id == remote_id, Transfer.remote_id.is_not(None))
    query = select(Transfer.id).where(*ours)
    return await session.scalar(query.limit(1)) is not None


async def list_booked_credits(session: Session, *, key_id: UUID, credited_id: int) -> frozenset[int]:
    """Unimicro's ids of the credit notes of this invoice there that we have booked, issued or left as drafts."""
    ours = (Transfer.key_id == key_id, Transfer.credits_remote_id == credited_id, Transfer.booked_at.is_not(None))
    query = select(Transfer.remote_id).where(*ours, Transfer.remote_id.is_not(None))
    return frozenset(one for one in await session.scalars(query) if one is not None)
