"""RecMan's departments and which key serves them: the only owner of the table `department`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.db import Session
from app.domain.dimensions import Department
from app.errors import HoldError, Reason
from app.tables import Department as DepartmentRow
from app.tables import Key


async def find_department(session: Session, *, tenant_id: UUID, recman_department_id: str) -> Department | None:
    """The department as last read from RecMan."""
    row = await session.get(DepartmentRow, (tenant_id, recman_department_id))
    if row is None:
        return None
    return Department(recman_department_id=row.recman_department_id, name=row.name, number=row.number)


async def record_departments(session: Session, *, tenant_id: UUID, departments: Sequence[Department]) -> None:
    """Keep what RecMan says; which key serves a department stays as it is."""
    for department in departments:
        values = {"name": department.name, "number": department.number, "read_at": func.now()}
        query = upsert(DepartmentRow).values(
            tenant_id=tenant_id, recman_department_id=department.recman_department_id, **values
        )
        await session.execute(
            query.on_conflict_do_update(index_elements=["tenant_id", "recman_department_id"], set_=values)
        )


async def route_department(session: Session, *, tenant_id: UUID, recman_department_id: str | None) -> Key:
    """The key for documents of a department: its own, else the one open to all.

    Raises:
        HoldError: no key serves the department.
    """
    if recman_department_id is not None:
        row = await session.get(DepartmentRow, (tenant_id, recman_department_id))
        if row is not None and row.key_id is not None:
            return await session.get_one(Key, row.key_id)
    query = select(Key).where(Key.tenant_id == tenant_id, Key.open_to_all)
    key = (await session.scalars(query)).one_or_none()
    if key is None:
        name = recman_department_id or "(none)"
        cause = f"No key for department {name}"
        fix = "Sign in to Unimicro for the department, or open a key to all departments, then retry."
        raise HoldError((Reason(code="no_key", cause=cause, fix=fix),))
    return key
