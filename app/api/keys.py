"""Keys: sign in to Unimicro, choose the company, choose departments and mode, check, pause, remove."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from app.accounting.connections import revoke
from app.admin.departments import (
    record_departments_inherited,
    record_departments_orphaned,
    record_served_departments,
)
from app.admin.key_check import check_key
from app.admin.keys import (
    PROVEN,
    identity_of,
    list_keys,
    list_removed_keys,
    load_key,
    load_successor,
    open_secret,
    record_key_change,
    remove_key,
)
from app.admin.lists import prune_lists
from app.admin.proving import (
    Progress,
    list_progress,
    record_restart,
)
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.etags import SeenDep, to_etag
from app.api.key_answers import ANSWERS, answer_of, say_words
from app.api.key_making import find_other_choice, make
from app.api.key_shows import list_served, show_for_audit, to_view, view_key
from app.api.key_views import (
    CheckView,
    FindingView,
    FormerKeyView,
    KeyChange,
    KeyView,
    MadeKeyView,
    NewKeyOrder,
    RemainsView,
    RemovedKey,
    TakenOver,
    TakeOverOrder,
)
from app.api.pages import Page, to_whole
from app.api.series_orders import examine_for_change, record_named
from app.api.views import problems
from app.domain.findings import stops_nothing
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.domain.states import KeyState
from app.engine.lanes import wake_key
from app.engine.wakeup import wake_workers
from app.errors import ConflictError, RemoteError
from app.files.switch import record_switched
from app.platform.resources import Resources
from app.sweep.sightings import forget_untold
from app.tables import Key
from app.transfer.books import KnownBooks
from app.transfer.old_documents import look_again
from app.transfer.orphans import count_remains, follow_departments, record_remains_held, take_over
from app.transfer.retry import retry_held

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.post(
    "",
    status_code=201,
    responses=problems(
        _404="sign_in_unknown, department_unknown",
        _409="name_taken, open_to_all_taken, department_has_key, sign_in_open, sign_in_used, sign_in_expired, "
        "sign_in_failed, renumbered_unaccepted, booking_unproven, series_unset, series_missing, series_shared, "
        "series_overlaps, series_not_next, series_untold",
        _422="nothing_named, sender_missing, booking_unfit, company_unknown, key_without_sign_in",
        _502="the codes of a call to Unimicro, which bookings series and renumbered need",
    ),
)
async def create_key(door: AdminDoor, resources: ResourcesDep, new: NewKeyOrder) -> MadeKeyView:
    """Make a key of a sign-in that has come back; when this is refused, the sign-in can still be used.

    `warning` says so where another company was chosen at Unimicro.
    Without a sign-in the key is for files alone, and waits for its lists (`PUT /v1/keys/{key_id}/lists/{kind}`).
    """
    key = await make(door, resources, new)
    view = await view_key(door, key)
    served = () if new.departments == "all" else new.departments
    await follow_departments(door.session, tenant_id=key.tenant_id, department_ids=served)
    await forget_untold(door.session, tenant_id=key.tenant_id)
    await _go_on(door, key)
    await _record(door, "key.create", key, after=show_for_audit(view))
    warning = await find_other_choice(door, new, key)
    await door.session.commit()
    wake_workers(resources)
    return MadeKeyView(**view.model_dump(), warning=warning)


@router.get("")
async def list_all_keys(door: ViewerDoor) -> Page[KeyView, None]:
    """Every key that is in use."""
    keys = await list_keys(door.session, tenant_id=door.tenant_id)
    served = await list_served(door)
    progress = await list_progress(door.session, tenant_id=door.tenant_id)
    return to_whole([to_view(key, served.get(key.id, []), progress.get(key.id, Progress())) for key in keys])


@router.get("/removed", operation_id="list_removed_keys")
async def list_former_keys(door: ViewerDoor) -> Page[FormerKeyView, None]:
    """Every key that was removed, and what it left behind."""
    keys = await list_removed_keys(door.session, tenant_id=door.tenant_id)
    return to_whole([await _view_former(door, key) for key in keys])


async def _view_former(door: Door, key: Key) -> FormerKeyView:
    remains = RemainsView.model_validate(await count_remains(door.session, key.id))
    plain = {name: getattr(key, name) for name in FormerKeyView.model_fields if name != "remains"}
    return FormerKeyView(**plain, remains=remains)


@router.post(
    "/{key_id}/take-over", operation_id="take_over_from_key", responses=problems(_404="not_found", _409="key_in_use")
)
async def take_over_from(door: AdminDoor, resources: ResourcesDep, key_id: UUID, order: TakeOverOrder) -> TakenOver:
    """Let this key have what a removed one left waiting, and its departments; what was begun stays held."""
    key, former = await load_successor(door.session, key_id, former_id=order.from_key_id)
    departments = [] if order.ids is not None else await record_departments_inherited(door.session, key, former=former)
    await follow_departments(door.session, tenant_id=key.tenant_id, department_ids=departments)
    handed = await take_over(door.session, key=key, former=former, ids=order.ids)
    taken = TakenOver(documents=handed.documents, departments=departments, left=handed.left)
    after = {**taken.model_dump(), "from_key_id": str(former.id), "ids": order.ids}
    await _record(door, "key.take_over", key, after=after)
    await door.session.commit()
    wake_workers(resources)
    return taken


@router.get("/{key_id}", responses=problems(_404="not_found"))
async def show_key(door: ViewerDoor, response: Response, key_id: UUID) -> KeyView:
    """One key."""
    view = await view_key(door, await load_key(door.session, key_id))
    response.headers["ETag"] = to_etag(show_for_audit(view))
    return view


@router.patch(
    "/{key_id}",
    operation_id="change_key",
    responses=problems(
        _404="not_found, department_unknown",
        _409="name_taken, open_to_all_taken, department_has_key, documents_under_way, sign_in_again, "
        "renumbered_unaccepted, booking_unproven, series_unset, series_missing, series_shared, series_overlaps, "
        "series_not_next, series_untold, key_without_sign_in",
        _412="changed_meanwhile",
        _422="sender_missing, booking_unfit, layout_unusable, range_reversed",
        _502="the codes of a call to Unimicro, which bookings series and renumbered need",
    ),
)
async def change(
    door: AdminDoor,
    resources: ResourcesDep,
    response: Response,
    seen: SeenDep,
    key_id: UUID,
    wish: KeyChange,
) -> KeyView:
    """Rename, change mode, sender, booking, departments, first day or settings, pause or resume.

    Another booking is that of new documents: what is under way keeps its own. Proving starts again. With another mode
    `under_way` says what becomes of documents that wait or are ready for a file; what is in a file stays there.
    """
    series = await examine_for_change(door, resources, key_id, wish)
    key = await load_key(door.session, key_id, lock=True)
    before = await view_key(door, key)
    seen.verify(to_etag(show_for_audit(before)))
    values = wish.model_dump(exclude_none=True, include={"name", "mode", "sender", "booking", "go_live"})
    values |= await say_words(door, wish)
    values |= await answer_of(door, key, values)
    if wish.settings is not None:
        values["settings"] = wish.settings.model_dump(exclude_none=True)
    if wish.state is not None:
        values |= _change_state(key, wish.state)
    if wish.departments is not None:
        values["open_to_all"] = wish.departments == "all"
    is_restarted = await _record_values(door, key, wish, values)
    if wish.departments is not None:
        served = [] if wish.departments == "all" else wish.departments
        await record_served_departments(door.session, key, served)
        await follow_departments(door.session, tenant_id=key.tenant_id, department_ids=served)
    if wish.go_live is not None:
        await forget_untold(door.session, tenant_id=key.tenant_id)
        await look_again(door.session, key)
    # Looking again costs RecMan's quota, so a new name alone wakes nobody.
    if wish.model_fields_set & {"mode", "booking", "series", "departments", "settings", "state", *ANSWERS}:
        await _go_on(door, key)
    # The key, lanes and transfers, what is kept of its proving, its series: in this order, as workers take them.
    if is_restarted:
        await record_restart(door.session, key)
    await record_named(door, key, series)
    after = await view_key(door, key)
    await _record(door, "key.change", key, before=show_for_audit(before), after=show_for_audit(after))
    await door.session.commit()
    wake_workers(resources)
    response.headers["ETag"] = to_etag(show_for_audit(after))
    return after


async def _record_values(door: Door, key: Key, wish: KeyChange, values: dict[str, Any]) -> bool:
    """Set what is wished for; whether the key is proven from the beginning, with another mode or booking."""
    switches: bool = values.get("mode", key.mode) != key.mode
    is_restarted = any(values.get(name, getattr(key, name)) != getattr(key, name) for name in PROVEN)
    await record_key_change(door.session, key, values, has_choice=wish.under_way is not None)
    if switches:
        await record_switched(door.session, key, wish.under_way)
    return is_restarted


def _change_state(key: Key, state: str) -> dict[str, Any]:
    if key.state == KeyState.SIGN_IN_AGAIN:
        raise ConflictError(
            f"Key “{key.name}” waits for a sign-in", fix=fix_for(Code.SIGN_IN_AGAIN), code=Code.SIGN_IN_AGAIN
        )
    reason = "paused by an administrator" if state is KeyState.PAUSED else None
    return {"state": state, "paused_until": None, "pause_reason": reason}


@router.post("/{key_id}/check", operation_id="check_key", responses=problems(_404="not_found"))
async def check(door: AdminDoor, resources: ResourcesDep, key_id: UUID) -> CheckView:
    """Look for everything that would stop or falsify a first invoice: sign-in, rights, VAT, accounts, settings, series.

    What Unimicro does not say is "not known", which is never "fine". What is held because numbers met is looked at
    again where they are apart by now.
    """
    key = await load_key(door.session, key_id)
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    findings = await check_key(resources, key)
    if any(one.code == Code.SERIES_OVERLAPS and one.ok for one in findings):
        await retry_held(door.session, tenant_id=key.tenant_id, change=Change.NUMBERS_APART)
        await door.session.commit()
        wake_workers(resources)
    views = [FindingView.model_validate(finding) for finding in findings]
    return CheckView(ok=stops_nothing(findings), findings=views)


@router.delete(
    "/{key_id}",
    operation_id="remove_key",
    responses=problems(_404="not_found", _409="documents_under_way", _412="changed_meanwhile"),
)
async def remove(door: AdminDoor, resources: ResourcesDep, seen: SeenDep, key_id: UUID) -> RemovedKey:
    """Take a key out of use and revoke its sign-in at Unimicro; everything that was sent with it stays on record.

    What waits with it is held, and its departments are unassigned, until a person says which key has them.
    """
    key = await load_key(door.session, key_id, lock=True)
    before = await view_key(door, key)
    seen.verify(to_etag(show_for_audit(before)))
    refresh_token = open_secret(resources.vault, key, "refresh_token")
    await remove_key(door.session, key)
    await prune_lists(door.session, key)
    departments = await record_departments_orphaned(door.session, key)
    await wake_key(door.session, tenant_id=key.tenant_id, key_id=key.id)
    await record_remains_held(door.session, key)
    remains = RemainsView.model_validate(await count_remains(door.session, key.id))
    after = {"remains": remains.model_dump(), "departments": departments}
    await _record(door, "key.remove", key, before=show_for_audit(before), after=after)
    await door.session.commit()
    resources.kept(KnownBooks).references.pop(key.id, None)
    wake_workers(resources)
    revoked, note = await _revoke(resources, refresh_token)
    return RemovedKey(revoked=revoked, note=note, remains=remains, departments=departments)


async def _revoke(resources: Resources, refresh_token: str | None) -> tuple[bool, str]:
    if refresh_token is None:
        return False, "There was no lasting sign-in to revoke."
    try:
        revoked = await revoke(resources.http, identity_of(resources.settings), refresh_token)
    except RemoteError as error:
        note = f"{error.cause}. The key is removed all the same; its sign-in is forgotten here and ends by itself."
        return False, note
    offered = "Unimicro has revoked the sign-in." if revoked else "Unimicro offers no revocation; it ends by itself."
    return revoked, offered


async def _go_on(door: Door, key: Key) -> None:
    """What rested with the key, or lacked one, is looked at again."""
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_CHANGED)
    await wake_key(door.session, tenant_id=key.tenant_id, key_id=key.id)


async def _record(door: Door, action: str, key: Key, **values: Any) -> None:
    await door.record(action, f"key:{key.id}", tenant_id=key.tenant_id, **values)
