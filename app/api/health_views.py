"""How health is shown: processes, and tenant by tenant; no secret, no person, no address of a hook."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from app.domain.reasons.codes import Code
from app.domain.states import KeyState, Proof, SweepState, TenantState
from app.monitoring.facts import Facts, TenantFacts
from app.monitoring.health import LATE_SECONDS, Health, Part, Status, Trouble
from app.platform.heartbeats import Life
from app.tables import Hook, Key, Sweep


class HealthReasonView(BaseModel):
    """Why a part is not ok, and what to do about it."""

    part: Part
    status: Status
    code: Code
    cause: str = Field(examples=["No worker has shown itself for 120 seconds"])
    fix: str = Field(examples=["An operator starts a worker."])
    tenant_id: UUID | None = Field(description="null: it is everybody's")


class ProcessView(BaseModel):
    """A process of the service, as its heartbeat tells it."""

    role: str = Field(examples=["worker"])
    place: str = Field(description="Machine and process number", examples=["app-7c9/12"])
    version: str
    started_at: datetime
    seen_seconds: float = Field(description="How long ago it showed itself")
    alive: bool
    works: bool = Field(description="It takes up records")


class KeyHealth(BaseModel):
    """How a key stands."""

    id: UUID
    name: str
    state: KeyState
    signed_in: bool
    proof: Proof = Field(description="proving: one document at a time; stopped: none until a person says so")
    rests_until: datetime | None = Field(description="It goes on by itself then")


class HookHealth(BaseModel):
    """How a hook stands."""

    id: UUID
    name: str
    enabled: bool
    record_first: bool = Field(description="Deliveries are stored without effects until somebody confirms")
    last_delivery_at: datetime | None = Field(description="When one was stored last, to some seconds")


class RecmanHealth(BaseModel):
    """How the day's calls to RecMan stand."""

    used: int
    left: int = Field(description="For invoices; other purposes stop earlier")
    stops_at: dict[str, int]
    paused_until: datetime | None = Field(description="RecMan wants no calls until then")


class SweepHealth(BaseModel):
    """The newest sweep."""

    id: int
    state: SweepState
    started_at: datetime
    ended_at: datetime | None
    waits_for: str | None = Field(description="The code of what it waits for, or of why it has failed")


class TenantHealth(BaseModel):
    """How one tenant stands."""

    id: UUID
    name: str
    state: TenantState
    lanes_waiting: int = Field(description="Records that wait for their turn")
    oldest_due_seconds: float = Field(
        description=f"How long the record has been due that is due longest; over {LATE_SECONDS:.0f} is too long"
    )
    keys: list[KeyHealth]
    hooks: list[HookHealth]
    recman: RecmanHealth
    last_sweep: SweepHealth | None
    held_changes: dict[str, int]


class HealthView(BaseModel):
    """How the service stands; only whoever may know is told why, and of which tenants."""

    status: Status = Field(description="ok; degraded: somebody has something to do; down: nothing is carried")
    parts: dict[Part, Status] = Field(description="Each part on its own")
    version: str | None = Field(None, description="With a token")
    at: datetime | None = Field(None, description="With a token: now, by the database's clock")
    reasons: list[HealthReasonView] | None = Field(None, description="With a token: everything that is the matter")
    processes: list[ProcessView] | None = Field(None, description="With a token for all tenants")
    tenants: list[TenantHealth] | None = Field(None, description="With a token: those that it may see")


def view_for_anybody(health: Health) -> HealthView:
    """How the service stands, and nothing of whom or why."""
    return HealthView(status=health.status, parts=dict(health.parts))


def view_whole(health: Health, facts: Facts, *, version: str, with_processes: bool) -> HealthView:
    """All that is known."""
    return HealthView(
        status=health.status,
        parts=dict(health.parts),
        version=version,
        at=facts.now,
        reasons=[_view_trouble(one) for one in health.troubles],
        processes=[_view_process(one) for one in facts.lives] if with_processes else None,
        tenants=[_view_tenant(one, facts) for one in facts.tenants],
    )


def _view_trouble(one: Trouble) -> HealthReasonView:
    return HealthReasonView(
        part=one.part, status=one.status, code=one.code, cause=one.cause, fix=one.fix, tenant_id=one.tenant_id
    )


def _view_process(life: Life) -> ProcessView:
    return ProcessView(
        role=life.role,
        place=life.place,
        version=life.version,
        started_at=life.started_at,
        seen_seconds=life.seen_seconds,
        alive=life.is_alive,
        works=life.works,
    )


def _view_tenant(one: TenantFacts, facts: Facts) -> TenantHealth:
    return TenantHealth(
        id=one.tenant.id,
        name=one.tenant.name,
        state=TenantState(one.tenant.state),
        lanes_waiting=one.lanes_waiting,
        oldest_due_seconds=one.oldest_due_seconds,
        keys=[_view_key(key, facts) for key in one.keys],
        hooks=[_view_hook(hook) for hook in one.hooks],
        recman=RecmanHealth(
            used=one.standing.used,
            left=one.calls_left,
            stops_at=dict(one.stops_at),
            paused_until=one.standing.paused_until,
        ),
        last_sweep=None if one.sweep is None else _view_sweep(one.sweep),
        held_changes=dict(one.changes),
    )


def _view_key(key: Key, facts: Facts) -> KeyHealth:
    rests = key.paused_until is not None and key.paused_until > facts.now
    return KeyHealth(
        id=key.id,
        name=key.name,
        state=KeyState(key.state),
        signed_in=key.state != KeyState.SIGN_IN_AGAIN,
        proof=Proof(key.proof),
        rests_until=key.paused_until if rests else None,
    )


def _view_hook(hook: Hook) -> HookHealth:
    return HookHealth(
        id=hook.id,
        name=hook.name,
        enabled=hook.disabled_at is None,
        record_first=hook.record_first,
        last_delivery_at=hook.heard_at,
    )


def _view_sweep(sweep: Sweep) -> SweepHealth:
    return SweepHealth(
        id=sweep.id,
        state=SweepState(sweep.state),
        started_at=sweep.started_at,
        ended_at=sweep.ended_at,
        waits_for=(sweep.trouble or {}).get("code"),
    )
