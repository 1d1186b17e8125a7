"""What is wrong with a page of metrics is seen without Prometheus' own program; flows/test_metrics.py reads ours."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tests.world.exposition import list_format_faults

PAGE = """\
# HELP x_bookings_total Documents, "booked" or not.
# TYPE x_bookings_total counter
x_bookings_total{tenant="a",state="b\\"c\\\\d"} 1.0
x_bookings_total{tenant="b",state=""} 1e+06
# HELP x_wait_seconds How long.
# TYPE x_wait_seconds histogram
x_wait_seconds_bucket{le="0.5"} 1.0
x_wait_seconds_bucket{le="+Inf"} 2.0
x_wait_seconds_sum 0.75
x_wait_seconds_count 2.0
# HELP x_workers Who works.
# TYPE x_workers gauge
x_workers 3.0
"""


def test_a_page_that_prometheus_takes_has_no_fault() -> None:
    assert list_format_faults(PAGE) == []


def test_a_page_of_prometheus_own_client_has_no_fault() -> None:
    registry = CollectorRegistry()
    Counter("x_calls", "Calls.", ["way"], registry=registry).labels(way='a"b\\c\nd').inc()
    Gauge("x_rests", "Whether it rests.", registry=registry).set(float("inf"))
    Histogram("x_wait_seconds", "How long.", registry=registry).observe(0.3)
    page = generate_latest(registry).decode()
    kept = [line for line in page.splitlines(keepends=True) if "_created" not in line]
    assert list_format_faults("".join(kept)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("x_workers 3.0\n", "x_workers 3.0", "does not end"),
        ("x_workers 3.0", "x_workers three", "nobody can read"),
        ("x_workers 3.0", "x_workers 3.0\n\n", "nobody can read"),
        ('state=""', "state=''", "nobody can read"),
        ('state=""', 'state="\\x"', "nobody can read"),
        ("x_workers Who works.", "x_workers ", "nobody can read"),
        ("# TYPE x_workers gauge\n", "", "below its own name"),
        ("# TYPE x_workers gauge", "# TYPE x_worker gauge", "does not follow its help"),
        ("x_workers 3.0", "x_worker 3.0", "below its own name"),
        ("x_wait_seconds_sum", "x_wait_seconds_total", "below its own name"),
        ('{tenant="b",state=""}', '{state="b\\"c\\\\d",tenant="a"}', "told twice of"),
        ('{tenant="b",state=""}', '{tenant="b",tenant=""}', "a label twice"),
        ('state=""', '__state=""', "has the label __state"),
        ('state=""', 'bookingState=""', "has the label bookingState"),
        ('state=""', 'le="1"', "a label of another kind"),
        ("# HELP x_workers Who works.\n", "# HELP x_wait_seconds Who works.\n", "told twice"),
    ],
)
def test_a_page_that_prometheus_refuses_is_found(old: str, new: str, fault: str) -> None:
    assert old in PAGE
    assert any(fault in one for one in list_format_faults(PAGE.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("x_bookings_total", "x_bookings", "without _total"),
        ("x_workers", "x_workers_total", "part of another kind"),
        ("x_workers", "x_workers_count", "part of another kind"),
        ("x_workers", "x_gauge_of_workers", "names its type"),
        ("x_wait_seconds", "x_wait_milliseconds", "no base unit"),
        ("x_wait_seconds", "x_wait_hours", "no base unit"),
        ("x_wait_seconds", "x_wait_ms", "abbreviated"),
        ("x_workers", "x_busyWorkers", "camel case"),
    ],
)
def test_a_name_that_prometheus_tool_warns_of_is_found(old: str, new: str, fault: str) -> None:
    assert any(fault in one for one in list_format_faults(PAGE.replace(old, new)))
