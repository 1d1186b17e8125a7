"""What the facts mean: `ok`, `degraded` (somebody has something to do) or `down` (nothing goes), with every reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.states import KeyState, Proof, SweepState
from app.monitoring.facts import Facts, TenantFacts
from app.tables import Key

# A record that is due is taken up within a second; who is busy for longer than this is not busy but stuck.
LATE_SECONDS = 600.0
# What is begun by the clock may be late by as much again before anybody is told.
_SWEEPS_MISSED = 2


class Status(StrEnum):
    """How a part stands, the best first."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Part(StrEnum):
    """A part of the service that is looked at."""

    DATABASE = "database"
    WORKERS = "workers"
    CLOCK = "clock"
    LANES = "lanes"
    KEYS = "keys"
    RECMAN = "recman"
    SWEEPS = "sweeps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a part is not ok, and what to do about it; `tenant_id` None: it is everybody's."""

    part: Part
    status: Status
    code: Code
    cause: str
    fix: str
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All parts, and every reason why one is not ok, the worst first."""

    troubles: Sequence[Trouble]

    @property
    def status(self) -> Status:
        """That of the part that stands worst."""
        return _worst(self.troubles)

    @property
    def parts(self) -> Mapping[Part, Status]:
        """Each part on its own."""
        return {part: _worst([one for one in self.troubles if one.part is part]) for part in Part}


def _worst(troubles: Sequence[Trouble]) -> Status:
    return max((one.status for one in troubles), key=list(Status).index, default=Status.OK)


def judge(facts: Facts) -> Health:
    """What the facts mean."""
    troubles = [*_judge_processes(facts)]
    for one in facts.tenants:
        # A tenant that somebody has paused rests because it shall.
        if one.is_active:
            troubles += [*_judge_lanes(one), *_judge_keys(facts, one), *_judge_recman(one), *_judge_sweeps(facts, one)]
    return Health(troubles=sorted(troubles, key=lambda one: -list(Status).index(one.status)))


def judge_away(cause: str, fix: str) -> Health:
    """What it means that the database cannot be used."""
    trouble = Trouble(part=Part.DATABASE, status=Status.DOWN, code=Code.DATABASE_AWAY, cause=cause, fix=fix)
    return Health(troubles=[trouble])


def _judge_processes(facts: Facts) -> Iterator[Trouble]:
    if not any(life.works for life in facts.lives):
        seen = [life for life in facts.lives if life.works_seconds is not None]
        last = min((life.works_seconds or 0.0 for life in seen), default=None)
        cause = "No worker has shown itself" + ("" if last is None else f" for {last:.0f} seconds")
        yield _trouble(Part.WORKERS, Code.WORKER_MISSING, cause, status=Status.DOWN)
    elif not facts.clock_goes:
        yield _trouble(Part.CLOCK, Code.CLOCK_STOPPED, "Workers run, but none of them looks at the clock")


def _judge_lanes(one: TenantFacts) -> Iterator[Trouble]:
    if one.oldest_due_seconds > LATE_SECONDS:
        cause = f"A record of {one.tenant.name} has been due for {one.oldest_due_seconds / 60:.0f} minutes"
        yield _trouble(Part.LANES, Code.LANE_LATE, cause, one)


def _judge_keys(facts: Facts, one: TenantFacts) -> Iterator[Trouble]:
    for key in one.keys:
        if key.state == KeyState.SIGN_IN_AGAIN:
            cause = f"The sign-in of key “{key.name}” of {one.tenant.name} is no longer good"
            yield _trouble(Part.KEYS, Code.SIGN_IN_AGAIN, cause, one)
        if key.proof == Proof.STOPPED:
            cause = f"Key “{key.name}” of {one.tenant.name} was stopped: a document stands otherwise in Unimicro"
            yield _trouble(Part.KEYS, Code.KEY_STOPPED, cause, one, key_id=key.id)
        if is_resting(key, facts):
            cause = f"Key “{key.name}” of {one.tenant.name} rests: {key.pause_reason}"
            yield _trouble(Part.KEYS, Code.KEY_PAUSED, cause, one, case="for_a_while")


def is_resting(key: Key, facts: Facts) -> bool:
    """Whether a key of which nothing else is the matter goes on by itself, but not yet."""
    return key.state == KeyState.ACTIVE and key.paused_until is not None and key.paused_until > facts.now


def _judge_recman(one: TenantFacts) -> Iterator[Trouble]:
    standing = one.standing
    if standing.paused_until is not None:
        until = standing.paused_until.isoformat(sep=" ", timespec="minutes")
        cause = f"RecMan of {one.tenant.name} wants no calls until {until}: {standing.pause_reason}"
        fix = standing.pause_fix or fix_for(Code.RECMAN_PAUSED)
        yield Trouble(
            part=Part.RECMAN,
            status=Status.DEGRADED,
            code=Code.RECMAN_PAUSED,
            cause=cause,
            fix=fix,
            tenant_id=one.tenant.id,
        )
    elif not one.calls_left:
        cause = f"All {standing.used} calls to RecMan that {one.tenant.name} has today are made"
        yield _trouble(Part.RECMAN, Code.RECMAN_QUOTA, cause, one)
    if standing.unshown >= one.unshown_stops_at:
        cause = f"{standing.unshown} calls of {one.tenant.name} went to ids that RecMan never showed; such ids wait"
        yield _trouble(Part.RECMAN, Code.RECMAN_UNSHOWN, cause, one)
    for scope, count in one.changes.items():
        if one.sweep is not None and one.sweep.state != SweepState.RUNNING:
            cause = f"{count} changes of {scope} records of {one.tenant.name} wait for a person's approval"
            yield _trouble(Part.SWEEPS, Code.CHANGES_HELD, cause, one)


def _judge_sweeps(facts: Facts, one: TenantFacts) -> Iterator[Trouble]:
    if not one.sweep_hours:
        return
    sweep, late = one.sweep, timedelta(hours=one.sweep_hours * _SWEEPS_MISSED)
    name = one.tenant.name
    if sweep is not None and sweep.state == SweepState.FAILED:
        why = (sweep.trouble or {}).get("cause", "nobody knows why")
        yield _trouble(Part.SWEEPS, Code.SWEEP_LATE, f"The last sweep of {name} has failed: {why}", one)
    elif facts.now - (sweep.started_at if sweep is not None else one.tenant.created_at) > late:
        what = f"The last sweep of {name} began" if sweep is not None else f"{name} was never swept; it was made"
        cause = f"{what} over {one.sweep_hours * _SWEEPS_MISSED:g} hours ago"
        yield _trouble(Part.SWEEPS, Code.SWEEP_LATE, cause, one)


def _trouble(
    part: Part,
    code: Code,
    cause: str,
    one: TenantFacts | None = None,
    *,
    status: Status = Status.DEGRADED,
    case: str = "",
    **values: object,
) -> Trouble:
    tenant_id = None if one is None else one.tenant.id
    fix = fix_for(code, case, **values)
    return Trouble(part=part, status=status, code=code, cause=cause, fix=fix, tenant_id=tenant_id)
