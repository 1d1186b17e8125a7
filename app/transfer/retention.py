"""How long the log of transfers is kept, and what of it is erased when a person's data must go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, and_, cast, delete, exists, func, or_, select, text, update

from app.domain.states import AT_REST, TransferState
from app.platform.db import Session
from app.tables import Attempt, InvoicedName, Transfer
from app.transfer.filed import erase_contents
from app.transfer.log import INVOICE

# Of a month: an attempt is part of its document, and goes with it.
ATTEMPT_IS_NEEDED = """
    exchanges <> '[]' OR EXISTS (SELECT FROM transfer WHERE transfer.tenant_id = month.tenant_id
                                 AND transfer.id = month.transfer_id AND transfer.scope = 'invoice')
"""

# Waits for those who are giving a name to a document at this moment, and lets nobody else begin.
_LET_NOBODY_NOTE = text("LOCK TABLE invoiced_name IN SHARE ROW EXCLUSIVE MODE")
_EMPTIED: dict[str, Any] = {"exchanges": [], "pruned_at": func.now()}


def select_old_exchanges(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Attempts that still hold what was said to Unimicro and answered, by id."""
    return select(Attempt.id).where(
        Attempt.tenant_id == tenant_id, Attempt.started_at < before, Attempt.exchanges != []
    )


async def prune_exchanges(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Empty these attempts; they stay, and say when that was."""
    emptied = update(Attempt).where(Attempt.tenant_id == tenant_id, Attempt.id.in_(ids)).values(_EMPTIED)
    await session.execute(emptied, execution_options={"synchronize_session": False})


def select_old_documents(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Documents of years that no law keeps; none that still needs anybody."""
    dated = func.coalesce(Transfer.invoice_date, cast(Transfer.updated_at, Date))
    old = Transfer.scope == "invoice", Transfer.state.in_(AT_REST), dated < before.date()
    return select(Transfer.id).where(Transfer.tenant_id == tenant_id, *old)


async def prune_documents(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these documents go, with their attempts and approvals, and the names that nobody else was invoiced under."""
    gone = delete(Transfer).where(Transfer.tenant_id == tenant_id, Transfer.id.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})
    await _prune_names(session, tenant_id)


async def _prune_names(session: Session, tenant_id: UUID) -> None:
    """Let the names go that no document of the tenant has any more."""
    await session.execute(_LET_NOBODY_NOTE)
    document = exists().where(
        Transfer.tenant_id == tenant_id, Transfer.scope == INVOICE, Transfer.customer_name == InvoicedName.name
    )
    gone = delete(InvoicedName).where(InvoicedName.tenant_id == tenant_id, ~document)
    await session.execute(gone, execution_options={"synchronize_session": False})


async def list_documents_of(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> Sequence[Transfer]:
    """The transfers of a record; of a company those of its documents too."""
    its_own = and_(Transfer.scope == scope, Transfer.record_id == record_id)
    billed = and_(Transfer.scope == "invoice", Transfer.recman_company_id == record_id)
    of_record = or_(its_own, billed) if scope == "company" else its_own
    query = select(Transfer).where(Transfer.tenant_id == tenant_id, of_record).order_by(Transfer.id)
    return (await session.scalars(query)).all()


def needs_somebody(transfer: Transfer) -> bool:
    """Whether it is under way, or a person must decide about it."""
    return transfer.state not in AT_REST


def is_kept_by_law(transfer: Transfer) -> bool:
    """Whether it is accounting material: a document that is, or was, in the books."""
    went = transfer.booked_at is not None or transfer.filed_at is not None
    return transfer.scope == "invoice" and (went or transfer.state == TransferState.DONE)


async def erase_exchanges(session: Session, *, tenant_id: UUID, transfer_ids: Sequence[int]) -> int:
    """How many attempts of these transfers held something that is gone now."""
    held = Attempt.tenant_id == tenant_id, Attempt.transfer_id.in_(transfer_ids), Attempt.exchanges != []
    emptied = update(Attempt).where(*held).values(_EMPTIED)
    found = await session.scalars(emptied.returning(Attempt.id), execution_options={"synchronize_session": False})
    return len(found.all())


async def erase_names(session: Session, *, tenant_id: UUID, transfer_ids: Sequence[int]) -> None:
    """Take the person's name, and every text that may hold it, from these transfers; nobody finds them by it."""
    await erase_contents(session, tenant_id=tenant_id, transfer_ids=transfer_ids)
    values: dict[str, Any] = {"customer_name": "", "offer": None, "booked_as": None, "reasons": [], "warnings": []}
    mine = Transfer.tenant_id == tenant_id, Transfer.id.in_(transfer_ids)
    await session.execute(
        update(Transfer).where(*mine).values(values), execution_options={"synchronize_session": False}
    )
    await _prune_names(session, tenant_id)
