"""What the facts mean to monitoring: each trouble is seen, named with cause and fix, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.reasons.codes import Code
from app.domain.states import KeyState, Proof, SweepState, TenantState
from app.monitoring.facts import Facts, TenantFacts
from app.monitoring.gauges import GAUGES, to_gauges
from app.monitoring.health import Part, Status, judge, judge_away
from app.platform.heartbeats import ALIVE_SECONDS, Life
from app.reading.quota import Standing
from app.tables import Hook, Key, Sweep, Tenant

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TENANT = UUID(int=1)
SOON, LONG_AGO = NOW + timedelta(minutes=5), NOW - timedelta(days=9)


def life(**values: Any) -> Life:
    plain = {"role": "worker", "place": "a/1", "version": "1", "started_at": NOW, "seen_seconds": 3.0}
    return Life(**{**plain, "works_seconds": 3.0, **values})


def standing(**values: Any) -> Standing:
    plain: dict[str, Any] = {"tenant_id": TENANT, "day": date(2026, 11, 26), "used": 7, "by_purpose": {"invoices": 7}}
    plain |= {"resets_at": SOON, "paused_until": None, "pause_reason": None, "pause_fix": None, "now": NOW}
    return Standing(**{**plain, **values})


def key(**values: Any) -> Key:
    plain = {"id": UUID(int=2), "tenant_id": TENANT, "name": "Nordlys", "state": KeyState.ACTIVE, "proof": Proof.OPEN}
    return Key(**{**plain, **values})


def sweep(**values: Any) -> Sweep:
    plain = {"id": 1, "state": SweepState.DONE, "started_at": NOW - timedelta(hours=5), "trouble": None}
    return Sweep(**{**plain, **values})


def tenant(**values: Any) -> TenantFacts:
    plain: dict[str, Any] = {
        "tenant": Tenant(id=TENANT, name="Nordlys", state=TenantState.ACTIVE, created_at=LONG_AGO),
        "lanes_waiting": 3,
        "oldest_due_seconds": 2.0,
        "keys": [key()],
        "hooks": [Hook(id=UUID(int=3), name="RecMan", heard_at=NOW)],
        "standing": standing(),
        "stops_at": {"invoices": 200, "sweeps": 100},
        "unshown_stops_at": 20,
        "sweep_hours": 24.0,
        "sweep": sweep(),
        "changes": {},
    }
    return TenantFacts(**{**plain, **values})


def facts(one: TenantFacts | None = None, **values: Any) -> Facts:
    plain: dict[str, Any] = {"now": NOW, "lives": [life()], "clock_goes": True, "tenants": [one or tenant()]}
    return Facts(**{**plain, **values})


def test_a_service_of_which_nothing_is_the_matter_is_ok() -> None:
    health = judge(facts())
    assert (health.status, health.troubles) == (Status.OK, [])
    assert set(health.parts.values()) == {Status.OK}


BAD: list[tuple[Part, Code, Facts]] = [
    (Part.CLOCK, Code.CLOCK_STOPPED, facts(clock_goes=False)),
    (Part.LANES, Code.LANE_LATE, facts(tenant(oldest_due_seconds=601.0))),
    (Part.KEYS, Code.SIGN_IN_AGAIN, facts(tenant(keys=[key(), key(state=KeyState.SIGN_IN_AGAIN)]))),
    (Part.KEYS, Code.KEY_STOPPED, facts(tenant(keys=[key(proof=Proof.STOPPED)]))),
    (Part.KEYS, Code.KEY_PAUSED, facts(tenant(keys=[key(paused_until=SOON, pause_reason="refused")]))),
    (Part.RECMAN, Code.RECMAN_PAUSED, facts(tenant(standing=standing(paused_until=SOON, pause_reason="no")))),
    (Part.RECMAN, Code.RECMAN_QUOTA, facts(tenant(standing=standing(used=200)))),
    (Part.RECMAN, Code.RECMAN_UNSHOWN, facts(tenant(standing=standing(unshown=20)))),
    (Part.SWEEPS, Code.SWEEP_LATE, facts(tenant(sweep=sweep(state=SweepState.FAILED, trouble={"cause": "gone"})))),
    (Part.SWEEPS, Code.SWEEP_LATE, facts(tenant(sweep=sweep(started_at=NOW - timedelta(hours=49))))),
    (Part.SWEEPS, Code.SWEEP_LATE, facts(tenant(sweep=sweep(started_at=LONG_AGO, state=SweepState.RUNNING)))),
    (Part.SWEEPS, Code.SWEEP_LATE, facts(tenant(sweep=None))),
    (Part.SWEEPS, Code.CHANGES_HELD, facts(tenant(changes={"invoice": 501}))),
]


@pytest.mark.parametrize(("part", "code", "found"), BAD)
def test_what_somebody_must_see_to_degrades_its_part_alone_and_says_what_to_do(
    part: Part, code: Code, found: Facts
) -> None:
    health = judge(found)
    (trouble,) = health.troubles
    assert (trouble.part, trouble.code, health.status) == (part, code, Status.DEGRADED)
    assert trouble.cause
    assert len(trouble.fix) > 20
    assert [one for one, status in health.parts.items() if status is not Status.OK] == [part]
    assert trouble.tenant_id == (None if part is Part.CLOCK else TENANT)
    # A tenant that somebody has paused rests because it shall.
    asleep = [replace(one, tenant=Tenant(name="x", state=TenantState.PAUSED)) for one in found.tenants]
    assert judge(replace(found, tenants=asleep)).status is (Status.DEGRADED if part is Part.CLOCK else Status.OK)


FINE: list[TenantFacts] = [
    tenant(keys=[key(state=KeyState.PAUSED), key(proof=Proof.PROVING), key(paused_until=LONG_AGO)]),
    tenant(hooks=[Hook(id=UUID(int=3), name="RecMan")]),
    tenant(sweep=None, sweep_hours=0.0),
    tenant(sweep=sweep(state=SweepState.RUNNING), changes={"invoice": 900}),
    tenant(lanes_waiting=10_000, oldest_due_seconds=599.0),
    tenant(keys=[]),
]


@pytest.mark.parametrize("one", FINE)
def test_what_shall_be_so_or_passes_in_a_moment_alarms_nobody(one: TenantFacts) -> None:
    assert judge(facts(one)).troubles == []


@pytest.mark.parametrize(
    "lives",
    [[], [life(works_seconds=None)], [life(seen_seconds=ALIVE_SECONDS + 1)], [life(works_seconds=ALIVE_SECONDS + 1)]],
    ids=["none", "serves only", "not seen", "seen, but its loop stands"],
)
def test_without_a_worker_nothing_goes(lives: list[Life]) -> None:
    health = judge(facts(lives=lives))
    assert (health.status, health.parts[Part.WORKERS]) == (Status.DOWN, Status.DOWN)
    assert [one.code for one in health.troubles] == [Code.WORKER_MISSING]


def test_the_worst_trouble_comes_first_and_is_the_status_of_all() -> None:
    health = judge(facts(tenant(oldest_due_seconds=9999.0), lives=[]))
    assert [one.status for one in health.troubles] == [Status.DOWN, Status.DEGRADED]
    assert judge_away("The database does not answer", "Wait.").status is Status.DOWN


def by_name(found: Facts, *, whole: bool = True) -> Callable[..., float | None]:
    told = {
        (sample.name.removeprefix("recman_unimicro_"), *sample.labels.values()): sample.value
        for metric in to_gauges(found, whole=whole)
        for sample in metric.samples
    }
    return lambda *key: told.get(key)


def test_gauges_tell_the_same_as_health() -> None:
    keys = [key(), key(proof=Proof.PROVING), key(proof=Proof.STOPPED, state=KeyState.SIGN_IN_AGAIN)]
    value = by_name(
        facts(tenant(keys=keys, oldest_due_seconds=700.0), lives=[life(), life(role="serve", works_seconds=None)])
    )
    assert [value("health_status", status) for status in ("ok", "degraded", "down")] == [0, 1, 0]
    assert [value("processes", role) for role in ("up", "serve", "worker")] == [0, 1, 1]
    assert (value("workers"), value("clock_goes")) == (1, 1)
    states = {state: value("keys", str(TENANT), state) for state in (*KeyState, *Proof) if state != KeyState.REMOVED}
    assert states == {"active": None, "paused": 0, "sign_in_again": 1, "proving": 1, "open": 1, "stopped": 0}
    assert value("lane_oldest_due_seconds", str(TENANT)) == 700
    assert value("hook_heard_timestamp_seconds", str(TENANT), str(UUID(int=3))) == NOW.timestamp()
    assert (value("recman_calls_left", str(TENANT)), value("recman_calls", str(TENANT), "invoices")) == (193, 7)


def test_a_hook_that_was_never_heard_is_as_old_as_it_is_and_a_disabled_one_is_not_waited_for() -> None:
    # Without a figure no alarm would ever tell that an address was not entered in RecMan.
    made_at = NOW - timedelta(days=9)
    waiting = Hook(id=UUID(int=3), name="RecMan", created_at=made_at)
    off = Hook(id=UUID(int=3), name="RecMan", created_at=made_at, disabled_at=NOW)
    of = [by_name(facts(tenant(hooks=[one]))) for one in (waiting, off)]
    told = [value("hook_heard_timestamp_seconds", str(TENANT), str(UUID(int=3))) for value in of]
    assert told == [made_at.timestamp(), None]


def test_a_tenant_is_not_told_of_what_all_share() -> None:
    value = by_name(facts(), whole=False)
    assert value("workers") is value("health_status", "ok") is None
    assert value("lanes_waiting", str(TENANT)) == 3
    assert len(GAUGES) == len(to_gauges(facts(), whole=False))
