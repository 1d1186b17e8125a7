"""What monitoring reads: RecMan's calls, what waits, what is held back; in Prometheus' text form. For monitors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.admin.tenants import list_tenants
from app.api.doors import MonitorDoor, ResourcesDep
from app.api.recman import view_quota
from app.engine.lanes import count_waiting
from app.reading.quota import list_standings
from app.sweep.sightings import count_changes

router = APIRouter(tags=["health"])

_PREFIX = "recman_unimicro"


@dataclass(frozen=True, slots=True, eq=False)
class _Gauge(Collector):
    """One figure by labels, as it was read from the database a moment ago."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(f"{_PREFIX}_{self.name}", self.meaning, labels=self.labels)
        for labels, value in self.values.items():
            family.add_metric(labels, value)
        yield family


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics(door: MonitorDoor, resources: ResourcesDep) -> Response:
    """Figures for Prometheus; give it a monitor's token (`authorization` in its scrape configuration)."""
    registry = CollectorRegistry()
    for gauge in await _read(door, resources):
        registry.register(gauge)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _read(door: MonitorDoor, resources: ResourcesDep) -> list[_Gauge]:
    session, settings = door.session, resources.settings
    tenants = {tenant.id: tenant for tenant in await list_tenants(session) if door.tenant_id in (None, tenant.id)}
    ids = list(tenants)
    standings = await list_standings(session, ids, zone=settings.recman_day_zone)
    quotas = {str(one.tenant_id): view_quota(one, tenants[one.tenant_id], settings) for one in standings}
    waiting = await count_waiting(session, ids)
    changes = await count_changes(session, ids)
    tenant = ("tenant",)
    return [
        _Gauge(
            "recman_calls",
            "Calls to RecMan today, by what they were for",
            ("tenant", "purpose"),
            {(one, purpose): count for one, quota in quotas.items() for purpose, count in quota.by_purpose.items()},
        ),
        _Gauge(
            "recman_calls_limit",
            "The number of today's calls at which a purpose stops",
            ("tenant", "purpose"),
            {(one, purpose): count for one, quota in quotas.items() for purpose, count in quota.stops_at.items()},
        ),
        _Gauge(
            "recman_paused",
            "1 while RecMan itself wants no calls",
            tenant,
            {(one,): float(quota.paused_until is not None) for one, quota in quotas.items()},
        ),
        _Gauge(
            "lanes_waiting", "Records that wait for their turn", tenant, {(str(one),): n for one, n in waiting.items()}
        ),
        _Gauge(
            "recman_changes_held",
            "Changes that a sweep found and held back because they are so many",
            ("tenant", "scope"),
            {(str(one), scope): count for (one, scope), count in changes.items()},
        ),
    ]
