"""Tenants: one RecMan account each. For operators."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr

from app.admin.tenants import (
    create_tenant,
    list_tenants,
    load_tenant,
    record_recman_api_key,
    record_retention,
    record_tenant_state,
    rename_tenant,
    show_api_key,
)
from app.api.doors import OperatorDoor, ResourcesDep
from app.api.etags import SeenDep, to_etag
from app.api.pages import Page, to_whole
from app.api.views import Name, Order, View, problems
from app.domain.retention import Retention
from app.domain.states import TenantState
from app.engine.lanes import wake_tenant
from app.engine.wakeup import wake_workers
from app.errors import NotFoundError
from app.platform.crypto import Vault
from app.platform.resources import Resources
from app.reading.key_trial import try_api_key
from app.reading.quota import record_calls_made, record_pause_lifted
from app.tables import Tenant

router = APIRouter(prefix="/v1/tenants", tags=["tenants"])


_UNTRIED = Field(False, description="true: the RecMan API key is not tried before it is kept")
_TRIED = {"_422": "recman_key_refused", "_502": "remote_unavailable: RecMan does not answer"}


class TenantView(View):
    """A RecMan account."""

    id: UUID
    name: str = Field(examples=["Nordlys"])
    state: TenantState = Field(description="paused: webhooks are stored, nothing is sent")
    recman_reads: Literal["api", "payload"] = Field(description="Where records are read: RecMan's API, or the webhooks")
    recman_api_key: str | None = Field(description="The beginning of its fingerprint", examples=["3f1a90c2b7de"])
    retention: Retention = Field(description="How long what the service keeps is kept")
    created_at: datetime


class NewTenant(Order):
    """A RecMan account to serve."""

    name: Name = Field(examples=["Nordlys"])
    recman_api_key: SecretStr | None = Field(None, description="Without one, records are read from webhooks")
    untried: bool = _UNTRIED


class TenantChange(Order):
    """What is to change; what is left out stays."""

    name: Name | None = None
    state: Literal[TenantState.ACTIVE, TenantState.PAUSED] | None = None
    recman_api_key: SecretStr | None = Field(None, description="null takes it away: records come from webhooks then")
    untried: bool = _UNTRIED
    retention: Retention | None = Field(None, description="Whole: what is left out goes back to its default")


@router.post(
    "", status_code=201, responses=problems(_409="name_taken", **_TRIED | {"_422": f"tenant_named, {_TRIED['_422']}"})
)
async def make_tenant(door: OperatorDoor, resources: ResourcesDep, new: NewTenant) -> TenantView:
    """Add a RecMan account; its API key is tried with one call."""
    door.verify_for_all()
    calls = await _try_key(resources, new)
    tenant = await create_tenant(door.session, name=new.name)
    if new.recman_api_key is not None:
        api_key = new.recman_api_key.get_secret_value()
        await record_recman_api_key(door.session, resources.vault, tenant, api_key=api_key)
        await record_calls_made(door.session, tenant.id, calls=calls, zone=resources.settings.recman_day_zone)
    after = _show(resources.vault, tenant)
    await door.record("tenant.create", f"tenant:{tenant.id}", tenant_id=tenant.id, after=after)
    await door.session.commit()
    return _view(resources.vault, tenant)


@router.get("")
async def list_all_tenants(door: OperatorDoor, resources: ResourcesDep) -> Page[TenantView, None]:
    """Every RecMan account."""
    return to_whole([_view(resources.vault, tenant) for tenant in await list_tenants(door.session)])


@router.get("/{tenant_id}", responses=problems(_404="not_found"))
async def show_tenant(door: OperatorDoor, resources: ResourcesDep, response: Response, tenant_id: UUID) -> TenantView:
    """One RecMan account."""
    tenant = await _load(door, tenant_id)
    response.headers["ETag"] = to_etag(_show(resources.vault, tenant))
    return _view(resources.vault, tenant)


@router.patch(
    "/{tenant_id}", responses=problems(_404="not_found", _409="name_taken", _412="changed_meanwhile", **_TRIED)
)
async def change_tenant(
    door: OperatorDoor,
    resources: ResourcesDep,
    response: Response,
    seen: SeenDep,
    tenant_id: UUID,
    change: TenantChange,
) -> TenantView:
    """Rename, pause, resume, or give another RecMan API key, which is tried; what rested because of the old goes on."""
    calls = await _try_key(resources, change)
    tenant = await _load(door, tenant_id, lock=True)
    before = _show(resources.vault, tenant)
    seen.verify(to_etag(before))
    if change.name is not None:
        await rename_tenant(door.session, tenant, name=change.name)
    if change.state is not None:
        await record_tenant_state(door.session, tenant, state=change.state)
    if change.retention is not None:
        await record_retention(door.session, tenant, change.retention)
    if "recman_api_key" in change.model_fields_set:
        given = change.recman_api_key
        api_key = given.get_secret_value() if given is not None else None
        await record_recman_api_key(door.session, resources.vault, tenant, api_key=api_key)
        await record_calls_made(door.session, tenant.id, calls=calls, zone=resources.settings.recman_day_zone)
        await record_pause_lifted(door.session, tenant.id)
        await wake_tenant(door.session, tenant_id=tenant.id)
    after = _show(resources.vault, tenant)
    await door.record("tenant.change", f"tenant:{tenant.id}", tenant_id=tenant.id, before=before, after=after)
    await door.session.commit()
    wake_workers(resources)
    response.headers["ETag"] = to_etag(after)
    return _view(resources.vault, tenant)


async def _try_key(resources: Resources, order: NewTenant | TenantChange) -> int:
    """How many calls to RecMan it took to try the key; before anything is locked, for RecMan may take its time."""
    given = order.recman_api_key
    return 0 if given is None or order.untried else await try_api_key(resources, given.get_secret_value())


async def _load(door: OperatorDoor, tenant_id: UUID, *, lock: bool = False) -> Tenant:
    if door.tenant_id not in (None, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant_id} here", fix="Name the same tenant in path and query.")
    return await load_tenant(door.session, tenant_id, lock=lock)


def _show(vault: Vault, tenant: Tenant) -> dict[str, Any]:
    shown = {"name": tenant.name, "state": tenant.state, "recman_api_key": show_api_key(vault, tenant)}
    return shown | ({"retention": tenant.retention} if tenant.retention else {})


def _view(vault: Vault, tenant: Tenant) -> TenantView:
    return TenantView(
        id=tenant.id,
        name=tenant.name,
        state=tenant.state,
        recman_reads=tenant.recman_reads,
        recman_api_key=show_api_key(vault, tenant),
        retention=Retention.model_validate(tenant.retention),
        created_at=tenant.created_at,
    )
