"""A new key as it was ordered: of a sign-in, or with lists instead of one."""

from typing import Any

from app.admin.connect import KeyOrder, make_key
from app.admin.listed_keys import ListedKeyOrder, make_listed_key
from app.admin.sign_ins import load_sign_in
from app.api.doors import Door
from app.api.key_answers import say_words
from app.api.key_views import NewKeyOrder
from app.api.series_orders import examine_for_new, record_named
from app.domain.reasons.codes import Code
from app.errors import RequestError
from app.platform.resources import Resources
from app.tables import Key


async def make(door: Door, resources: Resources, new: NewKeyOrder) -> Key:
    """The key, in the request's transaction.

    Raises:
        RequestError: what the one kind of key or the other needs was not said; or see `make_key`, `make_listed_key`.
        ConflictError, NotFoundError: see there.
    """
    common: dict[str, Any] = {
        "name": new.name,
        "mode": new.mode,
        "sender": new.sender,
        "booking": new.booking,
        "go_live": new.go_live,
        "departments": None if new.departments == "all" else list(new.departments),
        **await say_words(door, new),
    }
    if new.pending_id is None:
        return await _make_listed(door, resources, new, common)
    order = KeyOrder(sign_in_id=new.pending_id, company_key=new.company_key, **common)
    series = await examine_for_new(door, resources, order, new.series)
    key = await make_key(door.session, resources, order)
    await record_named(door, key, series)
    return key


async def find_other_choice(door: Door, new: NewKeyOrder, key: Key) -> str | None:
    """A warning where another company was chosen at Unimicro than the order names; None: the same, or none was told."""
    if new.pending_id is None:
        return None
    sign_in = await load_sign_in(door.session, new.pending_id)
    if sign_in.company_key in (None, key.company_key):
        return None
    names = {one["key"]: one["name"] for one in sign_in.companies}
    chosen = names.get(sign_in.company_key, f"the company {sign_in.company_key}")
    return f"At Unimicro {chosen} was chosen, and this key books in {key.company_name}: if it should not, remove it now"


async def _make_listed(door: Door, resources: Resources, new: NewKeyOrder, common: dict[str, Any]) -> Key:
    if new.company_name is None:
        cause = "Neither a sign-in (`pending_id`) nor the name of a company (`company_name`) was given"
        fix = "Sign in first (POST /v1/keys/connect), or name the company of a key that only exports files."
        raise RequestError(cause, fix=fix, code=Code.NOTHING_NAMED)
    order = ListedKeyOrder(company_name=new.company_name, **common)
    return await make_listed_key(door.session, resources, order, tenant_id=door.tenant)
