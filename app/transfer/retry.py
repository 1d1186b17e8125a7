"""Looking at records again: after somebody mended something, or changed a choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from app.domain.reasons.catalogue import mended_by
from app.domain.reasons.rows import Change
from app.domain.states import TransferState
from app.engine.inbox import Arrival, accept, dedupe_key
from app.engine.lanes import wake_record
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.listings import list_held, lock_untouched
from app.transfer.log import record_reopened, record_values


async def retry(session: Session, transfer: Transfer, *, source: str = "retry") -> int | None:
    """Look at the transfer's record again, now; `source` says who asked for it. The hint's id."""
    arrival = Arrival(
        tenant_id=transfer.tenant_id,
        scope=transfer.scope,
        record_id=transfer.record_id,
        operation="update",
        source=source,
        dedupe=dedupe_key("retry", uuid4()),
    )
    # The lane before the transfer, as a worker takes them.
    event_id = await accept(session, arrival)
    await record_reopened(session, transfer)
    # A lane that pauses between two tries looks now all the same.
    await wake_record(session, tenant_id=transfer.tenant_id, scope=transfer.scope, record_id=transfer.record_id)
    return event_id


@dataclass(frozen=True, slots=True)
class Before:
    """How a transfer stood before it was to be looked at again."""

    state: str
    reasons: Sequence[Any]


async def undo_retries(session: Session, before: Mapping[int, Before]) -> set[int]:
    """Let transfers stand as they did; those of which nothing is under way. The caller holds their lanes.

    Shape: the ids of those that stand so now; half made ones, and those that somebody changes at this moment, are left.
    """
    rows = await lock_untouched(session, list(before))
    for row in rows:
        was = before[row.id]
        is_reopened = was.state in {TransferState.IGNORED, TransferState.FAILED} and row.state == TransferState.WAITING
        if (is_reopened or row.state == was.state) and (row.state, row.reasons) != (was.state, list(was.reasons)):
            await record_values(session, row.id, state=was.state, reasons=list(was.reasons))
    return {row.id for row in rows}


async def retry_held(session: Session, *, tenant_id: UUID, change: Change) -> int:
    """Look again at every record that is held for what this change may mend; how many there are."""
    transfers = await list_held(session, tenant_id=tenant_id, codes=mended_by(change))
    for transfer in transfers:
        await retry(session, transfer)
    return len(transfers)
