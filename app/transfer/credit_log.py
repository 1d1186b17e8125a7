"""What the transfer log knows of credit notes. Reads only."""

from uuid import UUID

from sqlalchemy import ScalarSelect, case, func, select

from app.platform.db import Session
from app.tables import Transfer


def usual_minus_of(tenant_id: UUID) -> ScalarSelect[bool | None]:
    """Whether most of a tenant's booked credit notes came with a minus; null when there are none, or as many as not.

    Those that were booked before it was kept tell nothing.
    """
    booked = (
        Transfer.tenant_id == tenant_id,
        Transfer.kind == "credit_note",
        Transfer.booked_at.is_not(None),
        Transfer.has_minus.is_not(None),
    )
    with_minus = 2 * func.count().filter(Transfer.has_minus.is_(True))
    answer = case((with_minus != func.count(), with_minus > func.count()))
    return select(answer).where(*booked).scalar_subquery()


async def is_credited_by_us(session: Session, *, key_id: UUID, remote_id: int) -> bool:
    """Whether a credit note that we transferred takes this invoice back."""
    ours = (Transfer.key_id == key_id, Transfer.credits_remote_id == remote_id, Transfer.remote_id.is_not(None))
    query = select(Transfer.id).where(*ours)
    return await session.scalar(query.limit(1)) is not None
