"""Which deliveries of a record are needed still, where RecMan cannot be asked for it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.domain.gaps import Gaps
from app.engine.retention import KeepCopies, list_bodies, record_copies
from app.platform.db import Session
from app.recman.hook.copies import Delivered, list_copies
from app.recman.read.translate import read_company, read_invoice, read_project

_READ = {"company": read_company, "project": read_project, "invoice": read_invoice}


def keep_newest_copies(tenant_id: UUID, before: datetime) -> KeepCopies:
    """Puts a record's newest complete copy aside before the deliveries that came `before` are emptied."""

    async def keep(session: Session, scope: str, record_id: str) -> None:
        bodies = await list_bodies(session, tenant_id=tenant_id, scope=scope, record_id=record_id)
        deliveries = [Delivered(body, kind, operation) for _, body, kind, operation in bodies]
        needed = count_needed(deliveries, scope=scope, record_id=record_id)
        ids = [event_id for event_id, *_ in bodies[:needed]]
        await record_copies(
            session, tenant_id=tenant_id, scope=scope, record_id=record_id, event_ids=ids, before=before
        )

    return keep


def count_needed(deliveries: Sequence[Delivered], *, scope: str, record_id: str) -> int:
    """How many of a record's deliveries, newest first, show as much of it as all of them do.

    Where none shows a copy (the newest says that it was deleted, or all carry the id alone), the newest is enough.
    """
    read = _READ.get(scope)
    if read is None or not any(True for _ in list_copies(deliveries, scope=scope, record_id=record_id)):
        return min(1, len(deliveries))
    for count in range(1, len(deliveries)):
        shown = list_copies(deliveries[:count], scope=scope, record_id=record_id)
        if any(not isinstance(read(raw), Gaps) for raw in shown):
            return count
    return len(deliveries)
