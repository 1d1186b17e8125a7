"""RecMan's departments and which key serves them: the only owner of the table `department`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.dimensions import Department
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.states import KeyState
from app.errors import ConflictError, HoldError, NotFoundError
from app.platform.db import Session, locked
from app.tables import Department as DepartmentRow
from app.tables import Key

_OWN = ["tenant_id", "recman_department_id"]


async def find_department(session: Session, *, tenant_id: UUID, recman_department_id: str) -> Department | None:
    """The department, as RecMan gave it and a person completed it."""
    row = await session.get(DepartmentRow, (tenant_id, recman_department_id))
    if row is None:
        return None
    return Department(recman_department_id=row.recman_department_id, name=row.name, number=row.number)


async def list_departments(session: Session, *, tenant_id: UUID | None) -> Sequence[DepartmentRow]:
    """Every department that is known, by name; of one tenant, or all."""
    query = select(DepartmentRow).order_by(DepartmentRow.name, DepartmentRow.recman_department_id)
    if tenant_id is not None:
        query = query.where(DepartmentRow.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def load_department(session: Session, *, tenant_id: UUID, recman_department_id: str) -> DepartmentRow:
    """The department, locked for a change.

    Raises:
        NotFoundError: it is not known (to this tenant).
    """
    own = DepartmentRow.tenant_id == tenant_id
    query = select(DepartmentRow).where(own, DepartmentRow.recman_department_id == recman_department_id)
    row = (await session.scalars(locked(query))).one_or_none()
    if row is None:
        raise _unknown([recman_department_id])
    return row


async def record_departments(session: Session, *, tenant_id: UUID, departments: Sequence[Department]) -> None:
    """Keep what RecMan says; what a person entered, and which key serves a department, stays as it is."""
    for department in departments:
        told = {"recman_name": department.name, "recman_number": department.number, "read_at": func.now()}
        query = upsert(DepartmentRow).values(_place(tenant_id, department) | told)
        in_force = {
            "name": func.coalesce(DepartmentRow.entered_name, department.name),
            "number": func.coalesce(DepartmentRow.entered_number, department.number),
        }
        await session.execute(query.on_conflict_do_update(index_elements=_OWN, set_=told | in_force))


async def record_entered_department(session: Session, *, tenant_id: UUID, department: Department) -> None:
    """Keep what a person enters, where RecMan has given nothing or a person was first; an empty number says nothing."""
    number = department.number or None
    query = upsert(DepartmentRow).values(
        _place(tenant_id, department) | {"entered_name": department.name, "entered_number": number}
    )
    row = DepartmentRow
    names_it = or_(row.recman_name.is_(None), row.entered_name.is_not(None))
    numbers_it = and_(
        literal(number is not None), or_(func.coalesce(row.recman_number, "") == "", row.entered_number.is_not(None))
    )
    entered = {
        "entered_name": case((names_it, department.name), else_=row.entered_name),
        "name": case((names_it, department.name), else_=row.name),
        "entered_number": case((numbers_it, number), else_=row.entered_number),
        "number": case((numbers_it, department.number), else_=row.number),
    }
    await session.execute(query.on_conflict_do_update(index_elements=_OWN, set_=entered))


def _place(tenant_id: UUID, department: Department) -> dict[str, Any]:
    """A new row, where nothing else is known of the department."""
    place = {"tenant_id": tenant_id, "recman_department_id": department.recman_department_id}
    return place | {"name": department.name, "number": department.number}


async def record_served_departments(session: Session, key: Key, department_ids: Sequence[str]) -> None:
    """Let the key serve exactly these departments; the caller has locked the key, so that it cannot be removed now.

    Raises:
        NotFoundError: one is not known (to this tenant).
        ConflictError: one is served by another key.
    """
    own = DepartmentRow.tenant_id == key.tenant_id
    query = select(DepartmentRow).where(own, DepartmentRow.recman_department_id.in_(department_ids))
    # In one order, so that two callers cannot wait for each other.
    query = query.order_by(DepartmentRow.recman_department_id)
    rows = {row.recman_department_id: row for row in (await session.scalars(locked(query))).all()}
    unknown = [one for one in department_ids if one not in rows]
    if unknown:
        raise _unknown(unknown)
    taken = [row.name for row in rows.values() if row.key_id not in (None, key.id)]
    if taken:
        raise ConflictError(
            f"Another key serves {', '.join(taken)} already",
            fix="Leave them out, or move each with PUT /v1/departments/{id}/key.",
            code=Code.DEPARTMENT_HAS_KEY,
        )
    await release_departments(session, key)
    for row in rows.values():
        row.key_id, row.former_key_id = key.id, None
    await session.flush()


async def record_serving_key(session: Session, row: DepartmentRow, *, key_id: UUID | None) -> None:
    """Let this key serve the department from now on; None: the key open to all."""
    row.key_id, row.former_key_id = key_id, None
    await session.flush()


async def release_departments(session: Session, key: Key) -> None:
    """Let the key serve no department by name."""
    await session.execute(update(DepartmentRow).where(DepartmentRow.key_id == key.id).values(key_id=None))


async def record_departments_orphaned(session: Session, key: Key) -> list[str]:
    """Leave the departments of a key that is being removed to nobody, until a person says which key serves them."""
    query = update(DepartmentRow).where(DepartmentRow.key_id == key.id).values(key_id=None, former_key_id=key.id)
    return sorted(await session.scalars(query.returning(DepartmentRow.recman_department_id)))


async def record_departments_inherited(session: Session, key: Key, *, former: Key) -> list[str]:
    """Let the key serve what a removed one served and nobody was given since."""
    query = update(DepartmentRow).where(DepartmentRow.former_key_id == former.id)
    query = query.values(key_id=key.id, former_key_id=None)
    return sorted(await session.scalars(query.returning(DepartmentRow.recman_department_id)))


def _unknown(department_ids: Sequence[str]) -> NotFoundError:
    return NotFoundError(
        f"There is no department {', '.join(department_ids)}",
        fix="Read them again with POST /v1/departments/refresh, or enter them with POST /v1/departments.",
        code=Code.DEPARTMENT_UNKNOWN,
    )


def _unassigned(row: DepartmentRow, former: Key) -> Reason:
    return Reason(
        code=Code.KEY_REMOVED,
        cause=f"Key “{former.name}”, which served department {row.name}, was removed, and no other was named since",
        fix=fix_for(Code.KEY_REMOVED, "department", department_id=row.recman_department_id, former_id=former.id),
    )


async def _find_route(
    session: Session, *, tenant_id: UUID, recman_department_id: str | None
) -> tuple[DepartmentRow | None, Key | None]:
    """The department, if it is known, with the key that serves it or served it, else with the key open to all."""
    own = (DepartmentRow.tenant_id == tenant_id, DepartmentRow.recman_department_id == recman_department_id)
    named = func.coalesce(DepartmentRow.key_id, DepartmentRow.former_key_id)
    is_open = and_(named.is_(None), Key.open_to_all, Key.state != KeyState.REMOVED)
    # One row also where the department is not known, or no key serves it.
    asked = select(literal(1).label("one")).subquery()
    query = select(DepartmentRow, Key).select_from(asked).outerjoin(DepartmentRow, and_(*own))
    query = query.outerjoin(Key, and_(Key.tenant_id == tenant_id, or_(Key.id == named, is_open)))
    row, key = (await session.execute(query)).one()
    return row, key


async def route_department(session: Session, *, tenant_id: UUID, recman_department_id: str | None) -> Key:
    """The key for documents of a department: its own, else the one open to all.

    Raises:
        HoldError: no key serves the department, or its key was removed and nobody has named another one.
    """
    row, key = await _find_route(session, tenant_id=tenant_id, recman_department_id=recman_department_id)
    if row is not None and key is not None and row.key_id is None and row.former_key_id is not None:
        raise HoldError((_unassigned(row, key),))
    if key is None:
        name = recman_department_id or "(none)"
        cause = f"No key for department {name}"
        raise HoldError((Reason(code=Code.NO_KEY, cause=cause, fix=fix_for(Code.NO_KEY)),))
    return key
