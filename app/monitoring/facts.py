"""How everything stands at this moment, read once for health and metrics: processes, and tenant by tenant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from app.admin.hooks import list_hooks
from app.admin.keys import list_keys
from app.admin.tenants import list_tenants
from app.domain.reading import Reading
from app.domain.states import TenantState
from app.engine.claims import list_oldest_due
from app.engine.lanes import count_waiting
from app.platform.db import Session, limit_to_tenant, load_now, look_at_all
from app.platform.heartbeats import Life, list_lives
from app.platform.leases import is_led
from app.reading.quota import Standing, list_standings
from app.settings import Settings
from app.sweep.sightings import count_changes
from app.sweep.sweeps import list_last_sweeps
from app.tables import Hook, Key, Sweep, Tenant, TenantOwned

Owned = TypeVar("Owned", bound=TenantOwned)

# The office of whoever looks at the clock for all (`app.scheduler`).
CLOCK = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts:
    """How one tenant stands.

    `oldest_due_seconds`: for how long the record that is due longest has been so; 0: none is due. `sweep` is the newest
    one, `changes` how many of each scope wait for a person. `stops_at`: the number of today's calls at which a purpose
    stops; `unshown_stops_at`: that of calls for ids that RecMan never showed.
    """

    tenant: Tenant
    lanes_waiting: int
    oldest_due_seconds: float
    keys: Sequence[Key]
    hooks: Sequence[Hook]
    standing: Standing
    stops_at: Mapping[str, int]
    unshown_stops_at: int
    sweep_hours: float
    sweep: Sweep | None
    changes: Mapping[str, int]

    @property
    def is_active(self) -> bool:
        """Whether its records are worked on."""
        return self.tenant.state == TenantState.ACTIVE

    @property
    def calls_left(self) -> int:
        """How many calls to RecMan are left today, for invoices; other purposes stop earlier."""
        return max(0, max(self.stops_at.values()) - self.standing.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How everything stands, by the database's clock."""

    now: datetime
    lives: Sequence[Life]
    clock_goes: bool
    tenants: Sequence[TenantFacts]


async def load_facts(session: Session, settings: Settings, *, tenant_id: UUID | None) -> Facts:
    """How everything stands for one tenant, or for all."""
    if tenant_id is None:
        look_at_all(session)
    else:
        limit_to_tenant(session, tenant_id)
    tenants = [one for one in await list_tenants(session) if tenant_id in (None, one.id)]
    return Facts(
        now=await load_now(session),
        lives=await list_lives(session),
        clock_goes=await is_led(session, CLOCK),
        tenants=await _load_tenants(session, settings, tenants),
    )


async def _load_tenants(session: Session, settings: Settings, tenants: Sequence[Tenant]) -> list[TenantFacts]:
    ids = [tenant.id for tenant in tenants]
    waiting, oldest = await count_waiting(session, ids), await list_oldest_due(session, ids)
    keys, hooks = await list_keys(session, tenant_id=None), await list_hooks(session, tenant_id=None)
    standings = {one.tenant_id: one for one in await list_standings(session, ids, zone=settings.recman_day_zone)}
    sweeps = {one.tenant_id: one for one in await list_last_sweeps(session, ids)}
    changes = await count_changes(session, ids)
    keys_of, hooks_of = _by_tenant(keys), _by_tenant(hooks)
    found = []
    for tenant in tenants:
        reading = Reading.model_validate(tenant.reading)
        hours = settings.recman_sweep_hours if reading.sweep_hours is None else reading.sweep_hours
        facts = TenantFacts(
            tenant=tenant,
            lanes_waiting=waiting.get(tenant.id, 0),
            oldest_due_seconds=oldest.get(tenant.id, 0.0),
            keys=keys_of.get(tenant.id, ()),
            hooks=hooks_of.get(tenant.id, ()),
            standing=standings[tenant.id],
            stops_at=reading.list_limits(daily_calls=reading.daily_calls or settings.recman_daily_calls),
            unshown_stops_at=reading.most_unshown(daily_calls=reading.daily_calls or settings.recman_daily_calls),
            sweep_hours=hours if tenant.recman_reads == "api" else 0,
            sweep=sweeps.get(tenant.id),
            changes={scope: count for (owner, scope), count in changes.items() if owner == tenant.id},
        )
        found.append(facts)
    return found


def _by_tenant(rows: Iterable[Owned]) -> dict[UUID, list[Owned]]:
    found: dict[UUID, list[Owned]] = {}
    for row in rows:
        found.setdefault(row.tenant_id, []).append(row)
    return found
