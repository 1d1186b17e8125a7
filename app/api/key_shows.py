"""A key as the doors show it, and what of it the audit trail keeps."""

from typing import Any
from uuid import UUID

from app.admin.departments import list_departments
from app.admin.proving import WANTED, WANTED_IMPORTS, Progress, load_progress
from app.api.doors import Door
from app.api.key_answers import ANSWERS
from app.api.key_views import AcceptanceView, Departments, KeySettings, KeyView, ProofView, StopView
from app.domain.states import Proof
from app.tables import Key


async def list_served(door: Door) -> dict[UUID, list[str]]:
    """RecMan's ids of the departments that each key serves."""
    served: dict[UUID, list[str]] = {}
    for row in await list_departments(door.session, tenant_id=door.tenant_id):
        if row.key_id is not None:
            served.setdefault(row.key_id, []).append(row.recman_department_id)
    return served


async def view_key(door: Door, key: Key) -> KeyView:
    """The key with all that is shown of it."""
    served = (await list_served(door)).get(key.id, [])
    return to_view(key, served, await load_progress(door.session, key))


def to_view(key: Key, served: list[str], progress: Progress) -> KeyView:
    """The key as it is shown, with the departments that it serves and how far it is proven."""
    made = {"departments", "settings", "proof"}
    plain = {name: getattr(key, name) for name in KeyView.model_fields if name not in made}
    departments: Departments = "all" if key.open_to_all else served
    settings = KeySettings(**key.settings)
    return KeyView(**plain, departments=departments, settings=settings, proof=_show_proof(key, progress))


def _show_proof(key: Key, progress: Progress) -> ProofView:
    wanted = WANTED if key.mode == "full" else WANTED_IMPORTS
    return ProofView(
        state=Proof(key.proof),
        equal=progress.equal,
        wanted=wanted,
        missing=max(wanted - progress.equal, 0),
        credits_proven=key.credits_proven,
        under_way=progress.place,
        stopped=progress.stopped and StopView(**progress.stopped),
        opened=progress.opened and AcceptanceView(**progress.opened),
    )


def show_for_audit(view: KeyView) -> dict[str, Any]:
    """What of a key the audit trail keeps."""
    names = {"name", "company_name", "company_key", "mode", "client", "departments", "settings", "state", "go_live"}
    return view.model_dump(mode="json", include=names | ANSWERS)
