"""Ids that RecMan never showed: whoever invents them may not use up a day's calls.

Nobody can tell an invented id from one of a record made a moment ago. So it is read, as long as such readings have not
used up a share of the day. After that one reading an hour takes along as many as one call can, and a sweep's pages show
what there is. What RecMan has shown before is read as always.
"""

import time
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import exists, or_, select

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import RemoteThrottledError, System
from app.platform.db import Sessions
from app.platform.logger import get_logger
from app.reading.quota import record_unshown
from app.tables import RecmanRecord, Transfer

_log = get_logger(__name__)
# A sweep may show it any time; looking whether it has costs no call.
_LOOK_SECONDS = 900.0
_PAUSE_SECONDS = 3600.0


@dataclass(slots=True)
class Wariness:
    """Until when ids that RecMan never showed are not asked for, by this process's clock."""

    until: float = 0.0


@dataclass(slots=True)
class WaryTenants:
    """The wariness of each tenant; a new process learns it by one more reading."""

    by_tenant: dict[UUID, Wariness] = field(default_factory=dict)

    def of(self, tenant_id: UUID) -> Wariness:
        """What is known of one tenant."""
        return self.by_tenant.setdefault(tenant_id, Wariness())


@dataclass(frozen=True, slots=True, kw_only=True)
class UnshownShare:
    """What of a tenant's day may go to ids that RecMan does not show, in calls."""

    sessions: Sessions
    tenant_id: UUID
    zone: str
    most: int
    wariness: Wariness = field(default_factory=Wariness)

    async def require(self, scope: str, record_id: str) -> None:
        """Let the record be asked for.

        Raises:
            RemoteThrottledError: the share is used up, and RecMan never showed this one.
        """
        if time.monotonic() >= self.wariness.until or await self._was_shown(scope, record_id):
            return
        cause = f"RecMan never showed {scope} {record_id}, and {self.most} calls went to such ids today"
        raise RemoteThrottledError(
            cause,
            system=System.RECMAN,
            retry_after=_LOOK_SECONDS,
            fix=fix_for(Code.RECMAN_UNSHOWN),
            code=Code.RECMAN_UNSHOWN,
        )

    async def note(self, scope: str, record_id: str, calls: int) -> None:
        """Count calls that went to a record which RecMan did not show; what it showed once is no invention."""
        if not calls or await self._was_shown(scope, record_id):
            return
        async with self.sessions.begin() as session:
            used, seconds = await record_unshown(session, self.tenant_id, zone=self.zone, calls=calls)
        if used >= self.most:
            if not self.wariness.until:
                _log.warning("unshown_ids_wait", calls=used)
            self.wariness.until = time.monotonic() + min(seconds, _PAUSE_SECONDS)

    async def _was_shown(self, scope: str, record_id: str) -> bool:
        place = {"tenant_id": self.tenant_id, "scope": scope, "record_id": record_id}
        seen = exists(RecmanRecord).where(*(getattr(RecmanRecord, name) == value for name, value in place.items()))
        known = exists(Transfer).where(*(getattr(Transfer, name) == value for name, value in place.items()))
        described = or_(Transfer.number != "", Transfer.remote_id.is_not(None), Transfer.booked_at.is_not(None))
        async with self.sessions() as session:
            return bool(await session.scalar(select(or_(seen, known.where(described)))))
