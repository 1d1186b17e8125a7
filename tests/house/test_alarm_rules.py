"""The alarms that the documents propose ask for what the service tells, by its own names, labels and values."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.api.counted import _DOORS
from app.domain.states import KeyState, Proof
from app.monitoring.gauges import GAUGES
from app.monitoring.health import Status
from app.platform.figures import LABELS, Accepted, Answer, Refresh
from app.transfer.context import Outcome
from tests.world.rule_file import list_file_faults

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "prometheus-rules.yml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text("utf-8"))["groups"] for rule in group["rules"]
]

# What may stand in a matcher, as far as the code has a list of it.
VALUES = {
    "status": {*Status, "200", "202", "401", "404", "413", "422", "429", "500", "502", "503"},
    "door": {door for _, door in _DOORS},
    "outcome": {*Outcome, *Accepted, *Refresh, "done", "lost", "stopped", "database_away"},
    "state": {*KeyState, *Proof},
    "answer": set(Answer),
}
_WORDS = {"absent", "by", "increase", "histogram_quantile", "max", "min", "or", "rate", "sum", "time"}
_METRIC = re.compile(r"\b([a-z_]+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'\s*(\w+)(=~|!=|=)"([^"]*)"\s*(?:,|$)')


def list_faults(expr: str) -> list[str]:
    """What in an expression Prometheus would find nothing for."""
    faults = [] if all(expr.count(a) == expr.count(b) for a, b in ("()", "{}", "[]")) else ["brackets"]
    groups = {label for found in re.findall(r"\bby \(([^)]*)\)", expr) for label in found.split(", ")}
    plain = re.sub(r"\[\w+\]|\bby \([^)]*\)", "", expr)
    labels = {"le"}
    for name, matchers in _METRIC.findall(plain):
        if name in _WORDS or name == "up":
            continue
        known = _find_labels(name)
        if known is None:
            faults.append(name)
            continue
        labels |= set(known)
        faults += _list_of_matchers(name, matchers, known)
    return faults + sorted(groups - labels)


def _find_labels(metric: str) -> tuple[str, ...] | None:
    name = metric.removeprefix("recman_unimicro_")
    if name == metric:
        return None
    if name in GAUGES:
        return GAUGES[name].labels
    stem = re.sub(r"_(bucket|sum|count)$", "", name)
    # A histogram has no sample of its own name, and a counter is told by its whole name alone.
    return LABELS.get(stem) if (stem != name) != name.endswith("_total") else None


def _list_of_matchers(name: str, matchers: str, known: tuple[str, ...]) -> list[str]:
    faults = []
    if matchers and "".join(match[0] for match in re.finditer(_MATCHER, matchers)) != matchers:
        faults.append(matchers)
    for label, way, value in _MATCHER.findall(matchers):
        if label not in known:
            faults.append(f"{name}{{{label}}}")
            continue
        wanted = value.split("|") if way == "=~" else [value]
        faults += [one for one in wanted if not any(re.fullmatch(one, real) for real in VALUES[label])]
    return faults


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_the_service_tells(rule: dict[str, Any]) -> None:
    assert list_faults(rule["expr"]) == []
    assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert re.fullmatch(r"\d+[mhd]", rule.get("for", "1m"))
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "runbook"}
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert told <= {label for found in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in found.split(", ")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("recman_unimicro_workers", "recman_unimicro_worker"),
        ("documents_total", "documents"),
        ("request_seconds_bucket", "request_seconds"),
        ('state="stopped"', 'state="stoped"'),
        ('outcome="failed"', 'result="failed"'),
        ("by (tenant)", "by (tennant)"),
        ("failed|unusable", "failed|timeout"),
        ('status=~"5.."', 'status=~"6.."'),
        ("max(recman", "max recman)"),
    ],
)
def test_a_rule_that_would_never_ring_is_found(old: str, new: str) -> None:
    changed = [rule["expr"].replace(old, new) for rule in RULES if old in rule["expr"]]
    assert changed
    assert all(list_faults(expr) for expr in changed)


def test_each_alarm_has_a_name_of_its_own_and_stands_in_the_document() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    document = (ROOT / "docs" / "operating.md").read_text("utf-8")
    told = re.findall(r"^\| `(RecmanUnimicro\w+)` \|", document, re.MULTILINE)
    assert told == names


def test_prometheus_reads_the_rules() -> None:
    assert list_file_faults(FILE.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("max by (tenant) (", "max by tenant (", "expr"),
        ("[10m]", "[10x]", "duration"),
        ("increase(recman_unimicro_requests_answered_total{", "increase(({", "expr"),
        ("absent(", "absence(", "unknown function"),
        ("[10m]))", "))", "expected type"),
        ('status=~"5.."', 'status=~"5(."', "regex"),
        (" == 1\n", " == bool\n", "expr"),
        ("for: 10m", "for: 10 m", "10 m"),
        ("    rules:", "    rule:", "rule"),
        ("  - name: recman-unimicro", "  - name: recman-unimicro\n    interval: often", "often"),
        ("- alert: RecmanUnimicroAway", "- alert: RecmanUnimicroAway\n        alert: Away", "twice"),
        ("severity: page", "severity-level: page", "severity-level"),
        ("{{ $labels.tenant }}", "{{ $labels.tenant }", "template"),
        ("{{ $labels.tenant }}", "{{ labels.tenant }}", "template"),
    ],
)
def test_a_file_that_prometheus_would_not_load_is_found(old: str, new: str, fault: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    assert any(fault in one for one in list_file_faults(text.replace(old, new, 1)))
