"""RecMan's side of a tenant: the day's calls, sweeps and backfills, how its records are spelled, and how it is read."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.admin.tenants import list_tenants, load_tenant, record_reading
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.etags import SeenDep, to_etag
from app.api.pages import Page, to_page, to_whole
from app.api.transfers import ReasonView
from app.api.views import Before, Limit, Order, RowId, View, pasted, problems
from app.domain.reading import Reading, SweptScope
from app.domain.states import SweepState
from app.engine.lanes import count_waiting, wake_tenant
from app.engine.wakeup import wake_workers
from app.platform.resources import Resources
from app.reading.quota import Standing, list_standings, record_pause_lifted
from app.settings import Settings
from app.sweep.listed import list_listed
from app.sweep.probe import probe_account
from app.sweep.profiles import list_profiles
from app.sweep.run import discard_changes, tell_changes
from app.sweep.sightings import count_changes
from app.sweep.sweeps import begin_backfill, begin_sweep, end_sweep, list_last_sweeps, list_sweeps, load_sweep
from app.tables import FieldProfile, Sweep, Tenant

router = APIRouter(prefix="/v1/recman", tags=["recman"])

_NO_KEY = "no_recman_api_key"


class QuotaView(View):
    """How today's calls to RecMan stand."""

    day: date
    daily_calls: int = Field(examples=[200])
    used: int = Field(examples=[37])
    by_purpose: dict[str, int] = Field(examples=[{"invoices": 20, "customers": 9, "sweeps": 8}])
    stops_at: dict[str, int] = Field(
        description="The number of calls at which each purpose stops",
        examples=[{"invoices": 200, "customers": 180, "projects": 160, "sweeps": 100}],
    )
    unshown: int = Field(description="So many of them went to ids that RecMan did not show, and never had")
    unshown_stops_at: int = Field(description="From this number on such ids are asked for once an hour", examples=[20])
    resets_at: datetime = Field(description="When the next day begins")
    paused_until: datetime | None = Field(description="RecMan itself refused: nothing is asked before then")
    pause_reason: str | None
    pause_fix: str | None = Field(description="What ends the pause earlier, if anything does")


class SweepView(View):
    """A sweep or backfill, and how far it is."""

    id: int
    tenant_id: UUID
    kind: Literal["sweep", "backfill"]
    state: SweepState
    wanted: dict[str, Any] = Field(examples=[{"dated_from": "2026-10-01", "dated_to": "2026-10-31", "dry_run": True}])
    scope: str = Field(description="What it reads now, or read last")
    page: int = Field(description="The page it reads next; 0: it is passing on what it found")
    counts: dict[str, dict[str, Any]] = Field(
        description="By scope. Sweep: pages, records, older (too old to pass on), told (passed on), held, refused. "
        "Backfill: pages, records, in_time, booked, to_send, undated, and before_go_live in a dry run",
        examples=[{"invoice": {"pages": 2, "records": 1312, "older": 1298, "told": 3, "held": 0}}],
    )
    trouble: ReasonView | None = Field(description="Why it waits")
    started_by: str
    started_at: datetime
    ended_at: datetime | None


class DriftView(View):
    """Something that is spelled differently from what the probe found."""

    what: str = Field(examples=["vatNumber is gone"])
    seen_at: datetime


class ProfileView(View):
    """How the account spells one scope: names and types, never values."""

    scope: str = Field(examples=["invoice"])
    outcome: Literal["readable", "empty", "refused"]
    detail: str
    by_id: bool | None = Field(description="Whether records can be asked for by id; None: not tried")
    records: int = Field(description="On the page that was read")
    fields: dict[str, Any] = Field(examples=[{"lines[].quantity": {"types": ["text"], "always": True}}])
    refused: list[str] = Field(description="Names and parameters that the account does not know")
    drift: list[DriftView]
    probed_at: datetime


class RecmanView(View):
    """RecMan as one tenant has it."""

    tenant_id: UUID
    recman_reads: Literal["api", "payload"]
    reading: Reading = Field(description="What was chosen; null: as the service's settings have it")
    quota: QuotaView
    lanes_waiting: int = Field(description="Records that wait for their turn, for calls, or for a time")
    last_sweep: SweepView | None
    held_changes: dict[str, int] = Field(
        description="Changes that sweeps found and held back, because they are so many",
        examples=[{"company": 535}],
    )
    profile: list[ProfileView] = Field(description="Empty: never probed")


class ReadingChange(Reading):
    """What is to change; what is left out stays, null goes back to the service's setting."""

    lift_pause: bool = Field(False, description="Ask RecMan again at once, although it wanted a pause")


class BackfillOrder(Order):
    """Which documents to fetch: dated within these days, both included; none outside is touched."""

    model_config = pasted({"dated_from": "2026-10-01", "dated_to": "2026-10-31", "dry_run": True})

    dated_from: date = Field(examples=["2026-10-01"])
    dated_to: date = Field(examples=["2026-10-31"])
    dry_run: bool = Field(False, description="Only count and list them: GET /v1/recman/sweeps/{id}/documents")
    confirm: RowId | None = Field(
        None,
        description="The id of a dry run of the same days: what it listed is sent, also what is dated before the key's "
        "go_live. Everything else from before that day is held for a person",
        examples=[17],
    )


class ListedView(View):
    """A document on a dry run's list, as it was then."""

    record_id: str = Field(description="RecMan's id")
    number: str = Field(examples=["110001"])
    invoice_date: date
    currency: str = Field(examples=["NOK"])
    gross_amount: Decimal | None
    key_id: UUID | None = Field(description="The key of its department")
    before_go_live: bool = Field(description="Sent only by a backfill that confirms this list")


class ChangesOrder(Order):
    """What to do with the changes of one scope that wait for a person."""

    scope: SweptScope = Field(examples=["company"])
    tell: bool = Field(True, description="true: look at each of these records; false: take them as they are")


class ToldView(View):
    """What became of the held changes."""

    told: int = Field(description="Records that are looked at now")
    discarded: int


@router.get("")
async def show_recman(door: ViewerDoor, resources: ResourcesDep, response: Response) -> Page[RecmanView, None]:
    """Calls, sweeps, held changes and spelling of each tenant; the ETag is that of one tenant's settings."""
    tenants = (
        await list_tenants(door.session)
        if door.tenant_id is None
        else [await load_tenant(door.session, door.tenant_id)]
    )
    if door.tenant_id is not None:
        response.headers["ETag"] = to_etag(tenants[0].reading)
    return to_whole(await _view(door, resources.settings, tenants))


@router.patch("", responses=problems(_412="changed_meanwhile"))
async def change_recman(
    door: AdminDoor, resources: ResourcesDep, response: Response, seen: SeenDep, change: ReadingChange
) -> RecmanView:
    """Choose how RecMan is read; what waits for calls goes on if there are some now."""
    tenant = await load_tenant(door.session, door.tenant, lock=True)
    before = tenant.reading
    seen.verify(to_etag(before))
    chosen = change.model_dump(mode="json", exclude={"lift_pause"}, exclude_unset=True)
    await record_reading(door.session, tenant, Reading.model_validate({**before, **chosen}))
    if change.lift_pause:
        await record_pause_lifted(door.session, tenant.id)
    await wake_tenant(door.session, tenant_id=tenant.id)
    await door.record(
        "recman.change",
        f"tenant:{tenant.id}",
        tenant_id=tenant.id,
        before=before,
        after={**tenant.reading, "lift_pause": change.lift_pause},
    )
    (view,) = await _view(door, resources.settings, [tenant])
    await door.session.commit()
    wake_workers(resources)
    response.headers["ETag"] = to_etag(tenant.reading)
    return view


@router.post("/probe", responses=problems(_409=_NO_KEY, _502="RecMan's own trouble, recman_quota, recman_paused"))
async def probe_recman(door: AdminDoor, resources: ResourcesDep) -> Page[ProfileView, None]:
    """Learn in at most ten calls which scopes, names and filters the account has; kept for comparison."""
    tenant = await load_tenant(door.session, door.tenant)
    await door.record("recman.probe", f"tenant:{tenant.id}", tenant_id=tenant.id)
    # No transaction is open while RecMan is asked.
    await door.session.commit()
    await probe_account(resources, tenant)
    return to_whole([_view_profile(one) for one in await list_profiles(door.session, [tenant.id])])


@router.post("/sweep", status_code=202, responses=problems(_409=f"sweep_running, {_NO_KEY}"))
async def sweep_recman(door: AdminDoor, resources: ResourcesDep) -> SweepView:
    """Read all of RecMan now, and look at whatever has changed."""
    tenant = await load_tenant(door.session, door.tenant)
    sweep = await begin_sweep(door.session, tenant, started_by=door.caller.actor)
    return await _began(door, resources, sweep)


@router.post(
    "/backfill",
    status_code=202,
    responses=problems(_409=f"sweep_running, {_NO_KEY}", _422="preview_unknown, days_reversed"),
)
async def backfill_recman(door: AdminDoor, resources: ResourcesDep, order: BackfillOrder) -> SweepView:
    """Fetch older documents and send those that are not in Unimicro; doing it twice does no harm.

    What is dated before its key's go-live day passes only when `confirm` names the dry run that listed it.
    """
    tenant = await load_tenant(door.session, door.tenant)
    sweep = await begin_backfill(door.session, tenant, **order.model_dump(), started_by=door.caller.actor)
    return await _began(door, resources, sweep)


@router.get("/sweeps")
async def list_all_sweeps(door: ViewerDoor, before: Before = None, limit: Limit = 100) -> Page[SweepView, int]:
    """Sweeps and backfills, newest first."""
    rows = await list_sweeps(door.session, tenant_id=door.tenant_id, before_id=before, limit=limit + 1)
    return to_page(rows, SweepView.model_validate, limit=limit)


@router.get("/sweeps/{sweep_id}", responses=problems(_404="not_found"))
async def show_sweep(door: ViewerDoor, sweep_id: RowId) -> SweepView:
    """How far it is."""
    return SweepView.model_validate(await load_sweep(door.session, sweep_id))


@router.get("/sweeps/{sweep_id}/documents", operation_id="list_sweep_documents", responses=problems(_404="not_found"))
async def list_documents(
    door: ViewerDoor, sweep_id: RowId, after: str = "", limit: Limit = 100
) -> Page[ListedView, str]:
    """What a backfill's dry run would send, by RecMan's id; `after` continues the list."""
    sweep = await load_sweep(door.session, sweep_id)
    rows = await list_listed(door.session, sweep, after=after, limit=limit + 1)
    return to_page(rows, ListedView.model_validate, limit=limit, mark=attrgetter("record_id"))


@router.post("/sweeps/{sweep_id}/cancel", responses=problems(_404="not_found", _409="sweep_over"))
async def cancel_sweep(door: AdminDoor, sweep_id: RowId) -> SweepView:
    """Read no further; what was passed on goes on."""
    sweep = await load_sweep(door.session, sweep_id, lock=True)
    await end_sweep(door.session, sweep, state=SweepState.CANCELLED)
    view = SweepView.model_validate(sweep)
    await door.record("recman.cancel", f"sweep:{sweep.id}", tenant_id=sweep.tenant_id, after={"page": sweep.page})
    await door.session.commit()
    return view


@router.post("/changes")
async def release_changes(door: AdminDoor, resources: ResourcesDep, order: ChangesOrder) -> ToldView:
    """Say what becomes of changes that a sweep held back because they were so many."""
    tenant_id = door.tenant
    after = {"scope": order.scope, "tell": order.tell}
    await door.record("recman.changes", f"tenant:{tenant_id}", tenant_id=tenant_id, after=after)
    await door.session.commit()
    if not order.tell:
        return ToldView(told=0, discarded=await discard_changes(resources.sessions, tenant_id, order.scope))
    source = f"sweep:{door.caller.actor}"
    told = await tell_changes(resources.sessions, tenant_id, order.scope, source=source)
    wake_workers(resources)
    return ToldView(told=told, discarded=0)


async def _began(door: Door, resources: Resources, sweep: Sweep) -> SweepView:
    view = SweepView.model_validate(sweep)
    after = {"sweep": sweep.id, **sweep.wanted}
    await door.record(f"recman.{sweep.kind}", f"sweep:{sweep.id}", tenant_id=sweep.tenant_id, after=after)
    await door.session.commit()
    wake_workers(resources)
    return view


async def _view(door: Door, settings: Settings, tenants: Sequence[Tenant]) -> list[RecmanView]:
    session, ids = door.session, [tenant.id for tenant in tenants]
    standings = {one.tenant_id: one for one in await list_standings(session, ids, zone=settings.recman_day_zone)}
    changes, waiting = await count_changes(session, ids), await count_waiting(session, ids)
    sweeps = {sweep.tenant_id: sweep for sweep in await list_last_sweeps(session, ids)}
    profiles = await list_profiles(session, ids)
    return [
        RecmanView(
            tenant_id=tenant.id,
            recman_reads=tenant.recman_reads,
            reading=Reading.model_validate(tenant.reading),
            quota=view_quota(standings[tenant.id], tenant, settings),
            lanes_waiting=waiting.get(tenant.id, 0),
            last_sweep=SweepView.model_validate(sweeps[tenant.id]) if tenant.id in sweeps else None,
            held_changes={scope: count for (owner, scope), count in changes.items() if owner == tenant.id},
            profile=[_view_profile(one) for one in profiles if one.tenant_id == tenant.id],
        )
        for tenant in tenants
    ]


def view_quota(standing: Standing, tenant: Tenant, settings: Settings) -> QuotaView:
    """The day's calls with the tenant's own limits."""
    limits = Reading.model_validate(tenant.reading)
    daily_calls = limits.daily_calls or settings.recman_daily_calls
    return QuotaView(
        day=standing.day,
        daily_calls=daily_calls,
        used=standing.used,
        by_purpose=dict(standing.by_purpose),
        stops_at=limits.list_limits(daily_calls=daily_calls),
        unshown=standing.unshown,
        unshown_stops_at=limits.most_unshown(daily_calls=daily_calls),
        resets_at=standing.resets_at,
        paused_until=standing.paused_until,
        pause_reason=standing.pause_reason if standing.paused_until is not None else None,
        pause_fix=standing.pause_fix if standing.paused_until is not None else None,
    )


def _view_profile(row: FieldProfile) -> ProfileView:
    return ProfileView.model_validate(row)
