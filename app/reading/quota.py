"""The calls to RecMan, counted per tenant and day before they are made: the only owner of the table `recman_quota`.

A day is RecMan's: from midnight to midnight in a zone that the settings name, by the database's clock.
Source: docs/facts/recman.md §2.8: 200 a day [C]; what is counted and when a day begins is assumed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, text
from sqlalchemy.exc import DBAPIError

from app.domain.reading import Purpose, Reading
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import AuthExpiredError, RemoteThrottledError, RequestError, System
from app.platform.db import Session, Sessions, is_away
from app.settings import Settings
from app.tables import RecmanQuota, Tenant

# A refusal of RecMan's own doubles the pause before it, up to this, and never beyond midnight.
_LONGEST_PAUSE_SECONDS = 4 * 3600.0
# A refused API key is tried again now and then, for its rights may come back; another key ends the pause at once.
REFUSED_KEY_SECONDS = 900.0
_PURPOSES = {"invoice": Purpose.INVOICES, "project": Purpose.PROJECTS}
# Departments, users and whatever else is asked for while a document is on its way counts as its customer's.
_OTHER_PURPOSE = Purpose.CUSTOMERS
_ANY_NUMBER = 2**31 - 1

_SPEND = text("""
    INSERT INTO recman_quota AS quota (tenant_id, day, used, by_purpose)
    VALUES (:tenant_id, (now() AT TIME ZONE :zone)::date, 1, jsonb_build_object(CAST(:purpose AS text), 1))
    ON CONFLICT (tenant_id, day) DO UPDATE SET
        used = quota.used + 1,
        by_purpose = quota.by_purpose || jsonb_build_object(
            CAST(:purpose AS text), coalesce((quota.by_purpose ->> CAST(:purpose AS text))::int, 0) + 1)
    WHERE quota.used < :most AND (quota.paused_until IS NULL OR quota.paused_until <= now())
    RETURNING used
""")

_PAUSE = text("""
    INSERT INTO recman_quota AS quota (tenant_id, day, strikes, paused_until, pause_reason, pause_fix)
    VALUES (:tenant_id, (now() AT TIME ZONE :zone)::date, 1, now() + make_interval(secs => :seconds), :reason, :fix)
    ON CONFLICT (tenant_id, day) DO UPDATE SET
        strikes = quota.strikes + 1,
        pause_reason = excluded.pause_reason,
        pause_fix = excluded.pause_fix,
        paused_until = least(
            now() + make_interval(secs => least(:seconds * power(2, least(quota.strikes, 20)), :longest)),
            ((quota.day + 1)::timestamp AT TIME ZONE :zone))
    -- Calls that were under way together are refused together; that is one refusal.
    WHERE quota.paused_until IS NULL OR quota.paused_until <= now()
""")

_STANDING = text("""
    WITH today AS (SELECT (now() AT TIME ZONE :zone)::date AS day)
    SELECT tenant.id AS tenant_id, today.day, coalesce(quota.used, 0) AS used,
           coalesce(quota.by_purpose, '{}') AS by_purpose, coalesce(quota.unshown, 0) AS unshown,
           CASE WHEN quota.paused_until > now() THEN quota.paused_until END AS paused_until,
           quota.pause_reason, quota.pause_fix,
           ((today.day + 1)::timestamp AT TIME ZONE :zone) AS resets_at, now() AS now
    FROM tenant CROSS JOIN today
    LEFT JOIN recman_quota quota ON quota.tenant_id = tenant.id AND quota.day = today.day
    WHERE tenant.id = ANY(:tenant_ids)
""")

_UNSHOWN = text("""
    UPDATE recman_quota SET unshown = unshown + :calls
    WHERE tenant_id = :tenant_id AND day = (now() AT TIME ZONE :zone)::date
    RETURNING unshown, extract(epoch FROM ((day + 1)::timestamp AT TIME ZONE :zone) - now())::float8 AS seconds
""")

_MIDNIGHT = text("SELECT (((now() AT TIME ZONE :zone)::date + 1)::timestamp AT TIME ZONE :zone)")

_RESUME = text("UPDATE recman_quota SET paused_until = NULL, strikes = 0 WHERE tenant_id = :tenant_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a tenant's day stands; `paused_until` is None when RecMan may be called."""

    tenant_id: UUID
    day: date
    used: int
    by_purpose: Mapping[str, int]
    unshown: int = 0
    resets_at: datetime
    paused_until: datetime | None
    pause_reason: str | None
    pause_fix: str | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What every call to one tenant's RecMan passes first; `purpose` None lets the scope decide.

    Whoever writes something before a call anyway enters along with that; `entered` are the scopes of which the next
    call is counted so.
    """

    sessions: Sessions
    tenant_id: UUID
    reading: Reading
    daily_calls: int
    zone: str
    purpose: Purpose | None = None
    entered: set[str] = field(default_factory=set)

    async def enter(self, scope: str) -> None:
        """Count a call that is about to be made; it counts whatever becomes of it.

        Raises:
            RemoteThrottledError: this purpose may make no more calls today, or RecMan refused a moment ago.
        """
        if scope in self.entered:
            self.entered.discard(scope)
            return
        async with self.sessions.begin() as session:
            await self._count(session, scope)

    async def enter_along(self, session: Session, scope: str) -> None:
        """The same in the caller's transaction, for the next call of this scope.

        Raises:
            RemoteThrottledError: see `enter`.
        """
        await self._count(session, scope)
        self.entered.add(scope)

    async def _count(self, session: Session, scope: str) -> None:
        purpose = self.purpose or _PURPOSES.get(scope, _OTHER_PURPOSE)
        most = self.reading.most_calls(purpose, daily_calls=self.daily_calls)
        values = {"tenant_id": self.tenant_id, "zone": self.zone, "purpose": purpose.value, "most": most}
        if most and await _record_call(session, values):
            return
        raise _to_error(await load_standing(session, self.tenant_id, zone=self.zone), purpose, most)

    async def rest(self, error: RemoteThrottledError | AuthExpiredError) -> None:
        """Let nobody call for a while, for RecMan would refuse it: it is too much, or the API key is not accepted."""
        seconds = error.retry_after if isinstance(error, RemoteThrottledError) else REFUSED_KEY_SECONDS
        values = {
            "tenant_id": self.tenant_id,
            "zone": self.zone,
            "seconds": seconds,
            "longest": max(_LONGEST_PAUSE_SECONDS, seconds),
            "reason": error.cause,
            "fix": error.fix or None,
        }
        async with self.sessions.begin() as session:
            await _record_pause(session, values)


async def _record_call(session: Session, values: Mapping[str, Any]) -> bool:
    """Whether there was one left; it is spent now."""
    return (await session.execute(_SPEND, values)).scalar() is not None


async def record_calls_made(session: Session, tenant_id: UUID, *, calls: int, zone: str) -> None:
    """Count calls that were made before anybody could count them."""
    values = {"tenant_id": tenant_id, "zone": zone, "purpose": _OTHER_PURPOSE.value, "most": _ANY_NUMBER}
    for _ in range(calls):
        await _record_call(session, values)


async def _record_pause(session: Session, values: Mapping[str, Any]) -> None:
    await session.execute(_PAUSE, values)


def open_gate(sessions: Sessions, settings: Settings, tenant: Tenant, *, purpose: Purpose | None = None) -> Gate:
    """The gate before a tenant's RecMan, for one purpose, or for the one that goes with the scope."""
    reading = Reading.model_validate(tenant.reading)
    return Gate(
        sessions=sessions,
        tenant_id=tenant.id,
        reading=reading,
        daily_calls=reading.daily_calls or settings.recman_daily_calls,
        zone=settings.recman_day_zone,
        purpose=purpose,
    )


async def load_standing(session: Session, tenant_id: UUID, *, zone: str) -> Standing:
    """How the tenant's day stands."""
    return (await list_standings(session, [tenant_id], zone=zone))[0]


async def list_standings(session: Session, tenant_ids: Sequence[UUID], *, zone: str) -> list[Standing]:
    """How the day stands for each of these tenants."""
    rows: Any = await session.execute(_STANDING, {"tenant_ids": list(tenant_ids), "zone": zone})
    return [Standing(**row) for row in rows.mappings()]


async def load_midnight(session: Session, *, zone: str) -> datetime:
    """When RecMan's day ends.

    Raises:
        RequestError: Postgres does not know the zone.
    """
    try:
        return (await session.execute(_MIDNIGHT, {"zone": zone})).scalar_one()  # type: ignore[no-any-return]
    except DBAPIError as error:
        if is_away(error):
            raise
        fix = "Set RMU_RECMAN_DAY_ZONE to a name like Europe/Oslo."
        raise RequestError(f"Postgres knows no time zone “{zone}”", fix=fix) from error


async def record_unshown(session: Session, tenant_id: UUID, *, zone: str, calls: int) -> tuple[int, float]:
    """How many of the day's calls went to ids that RecMan never showed, these among them; and the day's last seconds.

    Where midnight came in between it is a new day, without any.
    """
    row = (await session.execute(_UNSHOWN, {"tenant_id": tenant_id, "zone": zone, "calls": calls})).one_or_none()
    return (0, 0.0) if row is None else (row.unshown, row.seconds)


async def record_pause_lifted(session: Session, tenant_id: UUID) -> None:
    """Try RecMan again at once: somebody has changed what stood in the way."""
    await session.execute(_RESUME, {"tenant_id": tenant_id})


def _to_error(standing: Standing, purpose: Purpose, most: int) -> RemoteThrottledError:
    until = standing.paused_until or standing.resets_at
    when = until.isoformat(sep=" ", timespec="minutes")
    if standing.paused_until is not None:
        cause = f"RecMan rests until {when}: {standing.pause_reason}"
        fix = standing.pause_fix or fix_for(Code.RECMAN_PAUSED)
        code = Code.RECMAN_PAUSED
    else:
        cause = f"{standing.used} calls to RecMan are made today, and {purpose.value} stop at {most}; on at {when}"
        fix = fix_for(Code.RECMAN_QUOTA)
        code = Code.RECMAN_QUOTA
    # A second later, so that the day surely is a new one.
    seconds = max(1.0, (until - standing.now).total_seconds() + 1)
    return RemoteThrottledError(cause, system=System.RECMAN, retry_after=seconds, fix=fix, code=code)


def select_old_days(tenant_id: UUID, before: datetime) -> Select[Any]:
    """Days of calls that nobody reckons with any more."""
    return select(RecmanQuota.day).where(RecmanQuota.tenant_id == tenant_id, RecmanQuota.day < before.date())


async def prune_days(session: Session, tenant_id: UUID, ids: Sequence[Any]) -> None:
    """Let these days go."""
    gone = delete(RecmanQuota).where(RecmanQuota.tenant_id == tenant_id, RecmanQuota.day.in_(ids))
    await session.execute(gone, execution_options={"synchronize_session": False})
