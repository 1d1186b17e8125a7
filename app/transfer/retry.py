"""Looking at records again: after somebody mended something, or changed a choice."""

from uuid import UUID, uuid4

from app.domain.reasons.catalogue import mended_by
from app.domain.reasons.rows import Change
from app.engine.inbox import Arrival, accept, dedupe_key
from app.engine.lanes import wake_record
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.listings import list_held
from app.transfer.log import record_reopened


async def retry(session: Session, transfer: Transfer, *, source: str = "retry") -> None:
    """Look at the transfer's record again, now; `source` says who asked for it."""
    await record_reopened(session, transfer)
    arrival = Arrival(
        tenant_id=transfer.tenant_id,
        scope=transfer.scope,
        record_id=transfer.record_id,
        operation="update",
        source=source,
        dedupe=dedupe_key("retry", uuid4()),
    )
    await accept(session, arrival)
    # A lane that pauses between two tries looks now all the same.
    await wake_record(session, tenant_id=transfer.tenant_id, scope=transfer.scope, record_id=transfer.record_id)


async def retry_held(session: Session, *, tenant_id: UUID, change: Change) -> int:
    """Look again at every record that is held for what this change may mend; how many there are."""
    transfers = await list_held(session, tenant_id=tenant_id, codes=mended_by(change))
    for transfer in transfers:
        await retry(session, transfer)
    return len(transfers)
