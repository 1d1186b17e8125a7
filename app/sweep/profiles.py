"""How a tenant's RecMan spells its records, as a probe found it: the only owner of the table `field_profile`.

Names and types only, never values.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.platform.db import Session, load_now
from app.tables import FieldProfile

_MOST_DRIFTS = 50


async def record_profile(session: Session, *, tenant_id: UUID, scope: str, **values: Any) -> None:
    """What a probe found of a scope, in place of what an older one found; drift starts again from nothing."""
    row = {"tenant_id": tenant_id, "scope": scope, **values}
    query = insert(FieldProfile).values(row)
    changes = {**values, "drift": [], "probed_at": func.now()}
    await session.execute(query.on_conflict_do_update(index_elements=["tenant_id", "scope"], set_=changes))


async def list_profiles(session: Session, tenant_ids: Sequence[UUID]) -> Sequence[FieldProfile]:
    """Every profile of these tenants, by scope."""
    query = select(FieldProfile).where(FieldProfile.tenant_id.in_(tenant_ids))
    return (await session.scalars(query.order_by(FieldProfile.tenant_id, FieldProfile.scope))).all()


async def find_profile(session: Session, *, tenant_id: UUID, scope: str) -> FieldProfile | None:
    """The profile of a scope, if it was probed."""
    return await session.get(FieldProfile, (tenant_id, scope))


async def record_drift(session: Session, profile: FieldProfile, fields: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Note what records spell differently from what the probe found; what is new of it, in words."""
    known = {one["what"] for one in profile.drift}
    found = [what for what in compare_fields(profile.fields, fields) if what not in known]
    fresh = found[: _MOST_DRIFTS - len(profile.drift)]
    if fresh:
        seen_at = (await load_now(session)).isoformat(timespec="seconds")
        profile.drift = [*profile.drift, *({"what": what, "seen_at": seen_at} for what in fresh)]
        await session.flush()
    return fresh


def compare_fields(expected: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What differs, one sentence each: a name that is new, that is nowhere any more, or of another type.

    Shape: both map a name to `{"types": [...], "always": bool}`; empty values fit every type.
    """
    said = [f"{name} is new" for name in found if name not in expected]
    said += [f"{name} is gone" for name, one in expected.items() if one["always"] and name not in found]
    for name in expected.keys() & found.keys():
        was, now = set(expected[name]["types"]), set(found[name]["types"])
        other = now - was - {"null", "empty"}
        if other and was - {"null", "empty"}:
            said.append(f"{name} is {' or '.join(sorted(other))}, not {' or '.join(sorted(was - {'null', 'empty'}))}")
    return sorted(said)
