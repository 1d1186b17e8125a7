"""Why a record is not through yet, shown on its transfer without disturbing how far it has come."""

from app.domain.documents import DocumentKind
from app.domain.reasons.codes import Reason
from app.platform.db import Session
from app.platform.logger import add_log_fields
from app.transfer.context import Run
from app.transfer.log import record_reason, record_transfer, record_unread


async def record_trouble(session: Session, run: Run, reason: Reason, *, failed: bool = False) -> None:
    """Show on the transfer why it is not through yet, without disturbing how far it has come."""
    if run.transfer_id is None:
        await _show_unread(session, run, reason, failed=failed)
        return
    await record_reason(session, run.transfer_id, reason, failed=failed)


async def _show_unread(session: Session, run: Run, reason: Reason, *, failed: bool) -> None:
    """A document that could not even be read is shown too; what was known of it before stays as it is."""
    lease = run.lease
    if lease.scope != "invoice":
        return
    place = run.place(None, lease.scope, lease.record_id)
    transfer = await record_transfer(session, place, kind=DocumentKind.INVOICE.value, values={"lane_id": lease.lane_id})
    add_log_fields(transfer=transfer.id)
    await record_unread(session, transfer.id, reason, failed=failed)
