"""The facts as Prometheus is told them: figures that stand at this moment, by tenant, key and hook."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from app.domain.states import KeyState, Proof, SweepState
from app.monitoring.facts import Facts, TenantFacts
from app.monitoring.health import Status, judge
from app.platform.figures import PREFIX


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure: its name, what it means, and by what it is told apart."""

    name: str
    meaning: str
    labels: tuple[str, ...]


GAUGES = {
    one.name: one
    for one in (
        Gauge("health_status", "1 for how the service stands, 0 for the other two ways", ("status",)),
        Gauge("processes", "Processes that have shown themselves a moment ago, by role", ("role",)),
        Gauge("workers", "Processes that take up records", ()),
        Gauge("clock_goes", "1 while somebody begins what is due by the clock", ()),
        Gauge("lanes_waiting", "Records that wait for their turn", ("tenant",)),
        Gauge("lane_oldest_due_seconds", "How long the record has been due that is due longest", ("tenant",)),
        Gauge(
            "keys",
            "Keys by how they stand; one that is stopped or must be signed in has no other state",
            ("tenant", "state"),
        ),
        Gauge(
            "hook_heard_timestamp_seconds",
            "When a hook's last delivery was stored, to some seconds; before the first one, when it was made",
            ("tenant", "hook"),
        ),
        Gauge("recman_calls", "Calls to RecMan today, by what they were for", ("tenant", "purpose")),
        Gauge("recman_calls_limit", "The number of today's calls at which a purpose stops", ("tenant", "purpose")),
        Gauge("recman_calls_left", "Calls to RecMan that are left today", ("tenant",)),
        Gauge("recman_rests", "1 while RecMan itself wants no calls", ("tenant",)),
        Gauge(
            "recman_changes_held",
            "Changes that a sweep found and held back because they are so many",
            ("tenant", "scope"),
        ),
        Gauge("sweep_started_timestamp_seconds", "When the last sweep began", ("tenant",)),
        Gauge("sweep_failed", "1 when the last sweep has failed", ("tenant",)),
    )
}

# A figure's name, the values of its labels, and its own.
_Told = tuple[str, tuple[str, ...], float]


def to_gauges(facts: Facts, *, whole: bool) -> list[Metric]:
    """Every figure that stands; `whole`: those of the installation too, not of tenants alone."""
    families = {
        name: GaugeMetricFamily(f"{PREFIX}_{name}", one.meaning, labels=one.labels) for name, one in GAUGES.items()
    }
    told = [*(_tell_processes(facts) if whole else ()), *(row for one in facts.tenants for row in _tell_tenant(one))]
    for name, labels, value in told:
        families[name].add_metric(labels, value)
    return list(families.values())


def _tell_processes(facts: Facts) -> Iterator[_Told]:
    status = judge(facts).status
    yield from (("health_status", (one,), float(one is status)) for one in Status)
    for role in ("up", "serve", "worker"):
        yield "processes", (role,), sum(life.is_alive and life.role == role for life in facts.lives)
    yield "workers", (), sum(life.works for life in facts.lives)
    yield "clock_goes", (), float(facts.clock_goes)


def _tell_tenant(one: TenantFacts) -> Iterable[_Told]:
    tenant, standing = str(one.tenant.id), one.standing
    yield "lanes_waiting", (tenant,), one.lanes_waiting
    yield "lane_oldest_due_seconds", (tenant,), one.oldest_due_seconds if one.is_active else 0
    yield from (("keys", (tenant, state), count) for state, count in count_keys(one).items())
    for hook in one.hooks:
        if hook.disabled_at is None:
            # An address that was never entered in RecMan is silent, too, and is to ring.
            heard_at = hook.heard_at or hook.created_at
            yield "hook_heard_timestamp_seconds", (tenant, str(hook.id)), heard_at.timestamp()
    yield from (("recman_calls", (tenant, purpose), count) for purpose, count in standing.by_purpose.items())
    yield from (("recman_calls_limit", (tenant, purpose), count) for purpose, count in one.stops_at.items())
    yield "recman_calls_left", (tenant,), one.calls_left
    yield "recman_rests", (tenant,), float(standing.paused_until is not None)
    yield from (("recman_changes_held", (tenant, scope), count) for scope, count in one.changes.items())
    if one.sweep is not None:
        yield "sweep_started_timestamp_seconds", (tenant,), one.sweep.started_at.timestamp()
        yield "sweep_failed", (tenant,), float(one.sweep.state == SweepState.FAILED)


def count_keys(one: TenantFacts) -> dict[str, int]:
    """How many keys stand how: what a person must do counts before whether they are proven."""
    states = [*(state.value for state in KeyState if state != KeyState.REMOVED), *(proof.value for proof in Proof)]
    counts = dict.fromkeys((state for state in states if state != KeyState.ACTIVE), 0)
    for key in one.keys:
        counts[key.proof if key.state == KeyState.ACTIVE else key.state] += 1
    return counts
