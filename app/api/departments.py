"""RecMan's departments, and which key serves which."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.departments import (
    list_departments,
    load_department,
    record_departments,
    record_entered_department,
    record_serving_key,
)
from app.admin.keys import load_key
from app.admin.tenants import load_tenant
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.pages import Page, to_whole
from app.api.views import Name, Order, View, problems
from app.domain.dimensions import Department
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.engine.wakeup import wake_workers
from app.errors import ConflictError
from app.reading.records import open_client, to_departments
from app.tables import Department as DepartmentRow
from app.transfer.log import count_open
from app.transfer.orphans import follow_departments
from app.transfer.retry import retry_held

router = APIRouter(prefix="/v1/departments", tags=["departments"])


class DepartmentView(View):
    """A department of RecMan."""

    tenant_id: UUID
    recman_department_id: str = Field(examples=["7"])
    name: str = Field(examples=["Oslo"])
    number: str = Field(examples=["100"], description="Empty when neither RecMan nor a person gives one")
    recman_name: str | None = Field(description="As RecMan said last; null: RecMan never named it")
    recman_number: str | None = Field(description="As RecMan said last; null: RecMan never named it")
    entered_name: str | None = Field(description="Entered by hand before RecMan gave one: it stays in force")
    entered_number: str | None = Field(description="Entered by hand before RecMan gave one: it stays in force")
    key_id: UUID | None = Field(description="The key that serves it; null: see `state`")
    former_key_id: UUID | None = Field(
        description="The removed key that served it: it has none until one is chosen, and its documents are held"
    )
    state: Literal["own_key", "open_to_all", "unassigned"] = Field(
        description="Served by a key of its own; by the key open to all, if there is one; by none until one is chosen"
    )
    read_at: datetime


class MovedDepartment(DepartmentView):
    """A department after its key was changed, and what that means."""

    note: str = Field(examples=["Changes future documents only: what was begun stays with its key."])


class NewDepartment(Order):
    """A department entered by hand, where RecMan offers none to read."""

    recman_department_id: str = Field(pattern=r"^[1-9][0-9]{0,17}$", examples=["7"])
    name: Name = Field(examples=["Oslo"])
    number: str = Field("", max_length=50, examples=["100"])


class KeyChoice(Order):
    """Which key serves the department from now on; null: the key open to all."""

    key_id: UUID | None = Field(examples=["0d1f6c4e-7d0a-4d4e-9c59-7f5b8f1c2a3b"])


@router.get("")
async def list_all_departments(door: ViewerDoor) -> Page[DepartmentView, None]:
    """Every department that is known, and which key serves it."""
    return to_whole([_view(row) for row in await list_departments(door.session, tenant_id=door.tenant_id)])


def _view(row: DepartmentRow) -> DepartmentView:
    state = "open_to_all" if row.former_key_id is None else "unassigned"
    plain = {name: getattr(row, name) for name in DepartmentView.model_fields if name != "state"}
    return DepartmentView(**plain, state="own_key" if row.key_id is not None else state)


@router.post("/refresh", responses=problems(_409="no_recman_api_key", _502="RecMan's own trouble"))
async def refresh_departments(door: AdminDoor, resources: ResourcesDep) -> Page[DepartmentView, None]:
    """Read the departments from RecMan; which key serves which stays as it is."""
    tenant_id = door.tenant
    client = open_client(resources, await load_tenant(door.session, tenant_id))
    # No transaction is open while RecMan is asked.
    await door.session.commit()
    if client is None:
        cause = "There is no RecMan API key to read departments with"
        fix = "Enter one for the tenant, or enter the departments with POST /v1/departments."
        raise ConflictError(cause, fix=fix, code=Code.NO_RECMAN_API_KEY)
    departments = to_departments(await client.fetch_v1("department"))
    await record_departments(door.session, tenant_id=tenant_id, departments=departments)
    names = {one.recman_department_id: one.name for one in departments}
    await door.record("department.refresh", f"tenant:{tenant_id}", tenant_id=tenant_id, after=names)
    await door.session.commit()
    return await list_all_departments(door)


@router.post("", status_code=201)
async def enter_department(door: AdminDoor, new: NewDepartment) -> DepartmentView:
    """Enter a department by hand, or correct what was entered.

    What RecMan gave stays, and so does what was entered when RecMan is read: neither ever wipes the other. A department
    that is another one in Unimicro is a matter of the rules.
    """
    department = Department(**new.model_dump())
    await record_entered_department(door.session, tenant_id=door.tenant, department=department)
    row = await _load(door, new.recman_department_id)
    await _record(door, "department.enter", row, after=new.model_dump())
    await door.session.commit()
    return _view(row)


@router.put(
    "/{recman_department_id}/key",
    operation_id="choose_department_key",
    responses=problems(_404="department_unknown, not_found"),
)
async def choose_key(
    door: AdminDoor, resources: ResourcesDep, recman_department_id: str, choice: KeyChoice
) -> MovedDepartment:
    """Let another key serve the department. Changes future documents only: what was begun stays with its key.

    What waits with a removed key, or because there was none, follows its department.
    """
    if choice.key_id is not None:
        # Of this tenant: another's is not found. Locked before the department, as whoever removes a key takes them.
        await load_key(door.session, choice.key_id, lock=True)
    row = await _load(door, recman_department_id)
    before = row.key_id or row.former_key_id
    await record_serving_key(door.session, row, key_id=choice.key_id)
    note = await _explain(door, before)
    again = await retry_held(door.session, tenant_id=row.tenant_id, change=Change.DEPARTMENT_ASSIGNED)
    again += await follow_departments(door.session, tenant_id=row.tenant_id, department_ids=[recman_department_id])
    values = {"before": {"key_id": _text(before)}, "after": {"key_id": _text(row.key_id), "looked_at_again": again}}
    await _record(door, "department.key", row, **values)
    await door.session.commit()
    wake_workers(resources)
    return MovedDepartment(**_view(row).model_dump(), note=note)


async def _explain(door: Door, before: UUID | None) -> str:
    begun = 0 if before is None else await count_open(door.session, key_id=before)
    stay = f"; {begun} on their way with the key before may stay with it" if begun else ""
    return f"Changes future documents only: what was begun stays with its key{stay}."


async def _load(door: Door, recman_department_id: str) -> DepartmentRow:
    return await load_department(door.session, tenant_id=door.tenant, recman_department_id=recman_department_id)


async def _record(door: Door, action: str, row: DepartmentRow, **values: Any) -> None:
    await door.record(action, f"department:{row.recman_department_id}", tenant_id=row.tenant_id, **values)


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
