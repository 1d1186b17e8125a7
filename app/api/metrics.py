"""What monitoring reads: what the processes have counted, and how everything stands, in Prometheus' text form."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app.api.doors import MonitorDoor, ResourcesDep
from app.monitoring.facts import load_facts
from app.monitoring.gauges import to_gauges
from app.platform.figures import to_metrics
from app.platform.heartbeats import record_beat, sum_figures

router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True, eq=False)
class _Told(Collector):
    """Metrics as they were put together a moment ago."""

    metrics: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics(door: MonitorDoor, resources: ResourcesDep) -> Response:
    """Figures for Prometheus, of all processes together; give it a monitor's token (`authorization`).

    A tenant's own monitor is told how its tenant stands, and nothing that all tenants share.
    """
    whole = door.caller.tenant_id is None
    metrics = to_gauges(await load_facts(door.session, resources.settings, tenant_id=door.tenant_id), whole=whole)
    if whole:
        # What is told here must be in what another process tells next, or a sum would seem to fall.
        await record_beat(resources)
        metrics += to_metrics(await sum_figures(door.session))
    registry = CollectorRegistry()
    registry.register(_Told(metrics))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
