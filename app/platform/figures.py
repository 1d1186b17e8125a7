"""What the work counts of itself: counters and histograms of this process, for Prometheus.

They are known all over the process, as its log is: whoever works says what happened, and nobody is handed through to be
told. Names and units are Prometheus' conventions; each label has few values, and none is a record, an address or a
person. What processes have counted is summed up by their heartbeats (`platform.heartbeats`).
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric

from app.errors import AuthExpiredError, RemoteError, RemoteRejectedError, RemoteThrottledError

PREFIX = "recman_unimicro"
REGISTRY = CollectorRegistry(auto_describe=False)

# A figure's name, its labels in order of their names, and its value.
Figures = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]
Parameters = ParamSpec("Parameters")
T = TypeVar("T")

# A misspelled route must not become a label of its own again and again.
_MOST_STEPS = 100
_NUMBER = re.compile(r"\d+")
_QUICK = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_CALLS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAITS = (0.1, 1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)
_OK, _UNAUTHORIZED, _THROTTLED, _FAILED = 400, 401, 429, 500
# The moment at which a series began, which is of no use once several processes are summed up.
_BEGINNINGS = "_created"


class Accepted(StrEnum):
    """What became of a record that a webhook named, or of a webhook that named none."""

    NEW = "new"
    REPEAT = "repeat"
    RECORDED = "recorded"
    MEANINGLESS = "meaningless"


# Every figure's name as Prometheus sees it, with its labels.
LABELS: dict[str, tuple[str, ...]] = {}


class Answer(StrEnum):
    """What another system answered; `unusable`: nothing, or nothing that can be read."""

    OK = "ok"
    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    THROTTLED = "throttled"
    FAILED = "failed"
    UNUSABLE = "unusable"


class Refresh(StrEnum):
    """What became of asking for an access token again."""

    RENEWED = "renewed"
    SIGN_IN_LOST = "sign_in_lost"
    FAILED = "failed"


def _count(name: str, meaning: str, *labels: str) -> Counter:
    LABELS[f"{name}_total"] = labels
    return Counter(name, meaning, labels, namespace=PREFIX, registry=REGISTRY)


def _measure(name: str, meaning: str, *labels: str, buckets: Iterable[float]) -> Histogram:
    LABELS[name] = labels
    return Histogram(name, meaning, labels, namespace=PREFIX, registry=REGISTRY, buckets=tuple(buckets))


REQUESTS = _count("requests_received", "Requests that came in, webhooks among them", "door")
ANSWERS = _count(
    "requests_answered", "Requests that were answered, by status; a webhook's 202 is its receipt", "door", "status"
)
REQUEST_SECONDS = _measure("request_seconds", "From a request's arrival to its answer", "door", buckets=_QUICK)
WEBHOOK_RECORDS = _count("webhook_records", "Records that webhooks named, by what became of the hint", "outcome")
LANE_WAIT_SECONDS = _measure("lane_wait_seconds", "How long a record was due when a worker took it up", buckets=_WAITS)
LANE_RUNS = _count("lane_runs", "Turns that records had with a worker, by how the turn ended", "scope", "outcome")
TROUBLES = _count("lane_troubles", "Turns that ended without an end, to be gone on with later, by reason", "code")
LEASES_LOST = _count("leases_lost", "Records that another worker took over while this one was at them")
RENEWALS_MISSED = _count("lease_renewals_missed", "Renewals of leases that did not reach Postgres")
DOCUMENTS = _count("documents", "Documents whose run has ended, by what became of them", "outcome")
DOCUMENT_SECONDS = _measure("document_seconds", "How long the last run of a document took", "outcome", buckets=_CALLS)
DOCUMENT_DELAY = _measure(
    "document_delay_seconds", "From the first hint of a run to the end of its document", "outcome", buckets=_WAITS
)
CALLS = _count("remote_calls", "Calls to other systems, by what they answered", "system", "answer")
CALL_SECONDS = _measure("remote_call_seconds", "How long calls to other systems took", "system", "step", buckets=_CALLS)
REFRESHES = _count("token_refreshes", "Access tokens that were asked for again", "outcome")


def begin_at_zero(counter: Counter, values: Iterable[str]) -> None:
    """Tell of these values of a counter's label before anything happened: a first step from nothing goes unseen."""
    for value in values:
        counter.labels(value)


begin_at_zero(WEBHOOK_RECORDS, Accepted)
begin_at_zero(REFRESHES, Refresh)

_steps: set[str] = set()


def name_step(method: str, route: str, query: Mapping[str, str] | None = None) -> str:
    """A call's kind without what is this record's alone: `POST invoices`, `GET invoices/{id}`, `PUT orders ?ship`."""
    action = (query or {}).get("action")
    return f"{method} {_NUMBER.sub('{id}', route)}" + (f" ?{action}" if action else "")


def timed(
    system: str, step: Callable[..., str]
) -> Callable[[Callable[Parameters, Awaitable[T]]], Callable[Parameters, Awaitable[T]]]:
    """Count and measure the calls that a function makes to another system; `step` names one by its arguments."""

    def around(function: Callable[Parameters, Awaitable[T]]) -> Callable[Parameters, Awaitable[T]]:
        @wraps(function)
        async def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> T:
            started, answer = time.perf_counter(), Answer.UNUSABLE
            try:
                result = await function(*args, **kwargs)
                answer = _read_answer(result)
            except RemoteError as error:
                answer = _read_error(error)
                raise
            finally:
                CALL_SECONDS.labels(system, _bound(step(*args, **kwargs))).observe(time.perf_counter() - started)
                CALLS.labels(system, answer).inc()
            return result

        return call

    return around


def _bound(step: str) -> str:
    if step not in _steps:
        if len(_steps) >= _MOST_STEPS:
            return "other"
        _steps.add(step)
    return step


def _read_answer(result: Any) -> Answer:
    """What an answer with a status comes to; whatever has none was useful."""
    response = result[0] if isinstance(result, tuple) else result
    status = getattr(response, "status_code", 0)
    if status < _OK:
        return Answer.OK
    if status in {_UNAUTHORIZED, _THROTTLED}:
        return Answer.UNAUTHORIZED if status == _UNAUTHORIZED else Answer.THROTTLED
    return Answer.FAILED if status >= _FAILED else Answer.REFUSED


def _read_error(error: RemoteError) -> Answer:
    if isinstance(error, RemoteThrottledError):
        return Answer.THROTTLED
    if isinstance(error, AuthExpiredError):
        return Answer.UNAUTHORIZED
    return Answer.REFUSED if isinstance(error, RemoteRejectedError) else Answer.UNUSABLE


def read_figures() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What this process has counted since it began."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if not sample.name.endswith(_BEGINNINGS)
    }


def add(*all_figures: Figures) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Figures of several processes as if one had counted them."""
    total: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for figures in all_figures:
        for key, value in figures.items():
            total[key] = total.get(key, 0.0) + value
    return total


def subtract(figures: Figures, others: Figures) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What is in the first beyond the others."""
    return {key: value - others.get(key, 0.0) for key, value in figures.items()}


def to_rows(figures: Figures) -> list[Any]:
    """Figures as a table keeps them."""
    return [[name, dict(labels), value] for (name, labels), value in figures.items()]


def from_rows(rows: Iterable[Any]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What `to_rows` made, numbers as a database gives them back."""
    return {(name, tuple(sorted(labels.items()))): float(value) for name, labels, value in rows}


def to_metrics(figures: Figures) -> list[Metric]:
    """Figures as Prometheus is told them; what this version does not know, for another one counted it, is left out."""
    metrics = []
    for known in REGISTRY.collect():
        ends = ("_bucket", "_count", "_sum") if known.type == "histogram" else ("_total",)
        metric = Metric(known.name, known.documentation, known.type)
        for end in ends:
            found = [(labels, value) for (name, labels), value in figures.items() if name == known.name + end]
            for labels, value in sorted(found, key=_order):
                metric.add_sample(known.name + end, dict(labels), value)
        metrics.append(metric)
    return metrics


def _order(sample: tuple[tuple[tuple[str, str], ...], float]) -> tuple[Any, float]:
    """By the labels, and buckets from the smallest to the largest."""
    bounds = [float(value) for name, value in sample[0] if name == "le"]
    return tuple(one for one in sample[0] if one[0] != "le"), bounds[0] if bounds else 0.0
