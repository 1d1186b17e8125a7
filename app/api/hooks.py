"""Hooks: the secret addresses that RecMan sends its webhooks to, and how they are verified."""

import base64
import binascii
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, SecretStr

from app.admin.hooks import (
    create_hook,
    list_hooks,
    list_old_addresses,
    load_hook,
    open_secrets,
    record_hook_change,
    rotate_address,
    rotate_secret,
)
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.etags import SeenDep, to_etag
from app.api.pages import Page, to_whole
from app.api.views import Name, Order, OverlapHours, View, pasted, problems, shown_once
from app.api.webhooks.known import KnownHooks
from app.domain.reasons.codes import Code
from app.errors import RequestError
from app.platform.crypto import Vault, new_token, show_fingerprint
from app.platform.resources import Resources
from app.tables import Hook

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

_STANDARD_PREFIX = "whsec_"
_LEAST_SECRET_BYTES = 24

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]


class Verification(Order):
    """How a delivery proves that it comes from RecMan; the secret address alone is the default."""

    kind: Literal["path", "header", "hmac", "standard", "stamped"] = Field(
        "path",
        description="path: the address is the secret; header: a header equals a secret; hmac: a header holds the "
        "body's HMAC; standard: Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature, or svix-…); "
        "stamped: a header `t=<Unix seconds>,v1=<HMAC in hex of <t>.<body>>`, five minutes off at most",
    )
    header: HeaderName | None = Field(None, description="For header, hmac and stamped", examples=["X-Signature"])
    algorithm: Literal["sha1", "sha256", "sha512"] | None = Field(
        None, description="For hmac and stamped; sha256 by default"
    )
    encoding: Literal["hex", "base64"] | None = Field(None, description="For hmac; hex by default")
    prefix: str | None = Field(None, max_length=50, description="For hmac: stands before it", examples=["sha256="])
    timestamp_header: HeaderName | None = Field(
        None, description="For hmac: holds Unix seconds, five minutes off at most, signed as `<timestamp>.<body>`"
    )


class HookView(View):
    """A hook without its secrets."""

    id: UUID
    tenant_id: UUID
    name: str = Field(examples=["RecMan"])
    verification: Verification
    enabled: bool
    record_first: bool = Field(description="Deliveries are stored without effects until somebody confirms")
    old_addresses_until: list[datetime] = Field(description="Addresses that were rotated away are good until then")
    created_at: datetime


class MadeHook(HookView):
    """A hook with what is shown this once: its address, its secret."""

    address: str | None = shown_once(None, examples=["https://example.com/webhooks/recman/hook_9fK2…"])
    secret: str | None = shown_once(
        None, description="To be entered at the sender; none when the address is the secret"
    )


class NewHook(Order):
    """A hook to be made."""

    model_config = pasted({"name": "RecMan"})

    name: Name = Field(examples=["RecMan"])
    verification: Verification = Verification()
    record_first: bool = Field(False, description="Store deliveries without effects until you have seen the report")
    secret: SecretStr | None = Field(None, description="Left out: one is made where one is needed")


class HookChange(Order):
    """What is to change; what is left out stays."""

    model_config = pasted({"enabled": True})

    name: Name | None = Field(None, examples=["RecMan"])
    enabled: bool | None = Field(None, description="false: the address answers 404")
    record_first: Literal[True] | None = Field(
        None, description="true: store deliveries without effects from now on; POST …/confirm ends it"
    )


class HookRotation(Order):
    """What gets a successor."""

    model_config = pasted({"what": "address", "overlap_hours": 24})

    what: Literal["address", "secret"]
    overlap_hours: OverlapHours = 24
    end_older: bool = Field(
        False, description="true: older ones that are good still end now, whatever was promised: one has become known"
    )
    secret: SecretStr | None = Field(None, description="The new secret; left out: one is made")


class _Ends(TypedDict):
    overlap: timedelta
    ends_older: bool


@router.post("", status_code=201, responses=problems(_422="header_missing, secret_not_needed, secret_unusable"))
async def make_hook(door: AdminDoor, resources: ResourcesDep, new: NewHook) -> MadeHook:
    """Make a hook. The answer holds its whole address and its secret; neither can be shown again."""
    verification = new.verification.model_dump(exclude_none=True)
    secret = _choose_secret(new.verification, new.secret)
    made = await create_hook(
        door.session,
        resources.vault,
        tenant_id=door.tenant,
        name=new.name,
        verification=verification,
        secrets=[secret] if secret is not None else [],
    )
    await record_hook_change(door.session, made.hook, record_first=new.record_first)
    await _record(door, "hook.create", made.hook, after=_show(resources.vault, made.hook))
    await door.session.commit()
    return _made(resources, made.hook, address=made.address, secret=secret)


@router.get("")
async def list_all_hooks(door: ViewerDoor) -> Page[HookView, None]:
    """Every hook."""
    return to_whole([_view(hook) for hook in await list_hooks(door.session, tenant_id=door.tenant_id)])


@router.get("/{hook_id}", responses=problems(_404="not_found"))
async def show_hook(door: ViewerDoor, resources: ResourcesDep, response: Response, hook_id: UUID) -> HookView:
    """One hook."""
    hook = await load_hook(door.session, hook_id, lock=False)
    response.headers["ETag"] = to_etag(_show(resources.vault, hook))
    return _view(hook)


@router.patch("/{hook_id}", responses=problems(_404="not_found", _412="changed_meanwhile"))
async def change_hook(
    door: AdminDoor,
    resources: ResourcesDep,
    response: Response,
    seen: SeenDep,
    hook_id: UUID,
    change: HookChange,
) -> HookView:
    """Rename, disable or enable a hook; a change is noticed by every process within the hook cache's seconds."""
    hook = await load_hook(door.session, hook_id)
    before = _show(resources.vault, hook)
    seen.verify(to_etag(before))
    await record_hook_change(
        door.session, hook, name=change.name, enabled=change.enabled, record_first=change.record_first
    )
    after = _show(resources.vault, hook)
    await _record(door, "hook.change", hook, before=before, after=after)
    await _commit(door, resources)
    response.headers["ETag"] = to_etag(after)
    return _view(hook)


@router.post(
    "/{hook_id}/rotate",
    status_code=201,
    responses=problems(_404="not_found", _409="overlaps_open", _422="secret_not_needed"),
)
async def rotate_hook(door: AdminDoor, resources: ResourcesDep, hook_id: UUID, rotation: HookRotation) -> MadeHook:
    """Give the hook a new address or a new secret; the old one stays good for the overlap, and so do older ones."""
    hook = await load_hook(door.session, hook_id)
    before = _show(resources.vault, hook)
    ends: _Ends = {"overlap": timedelta(hours=rotation.overlap_hours), "ends_older": rotation.end_older}
    address = secret = None
    if rotation.what == "address":
        address = await rotate_address(door.session, hook, **ends)
    else:
        secret = _choose_secret(Verification(**hook.verification), rotation.secret)
        if secret is None:
            raise _not_needed()
        await rotate_secret(door.session, resources.vault, hook, secret=secret, **ends)
    await _record(door, f"hook.rotate_{rotation.what}", hook, before=before, after=_show(resources.vault, hook))
    await _commit(door, resources)
    return _made(resources, hook, address=address, secret=secret)


async def _commit(door: Door, resources: Resources) -> None:
    await door.session.commit()
    resources.kept(KnownHooks).by_address.clear()


def _choose_secret(verification: Verification, given: SecretStr | None) -> str | None:
    if verification.kind in {"header", "hmac", "stamped"} and verification.header is None:
        fix = "Name the header that RecMan sends it in."
        raise RequestError("The verification names no header", fix=fix, code=Code.HEADER_MISSING)
    if verification.kind == "path":
        if given is not None:
            raise _not_needed()
        return None
    secret = given.get_secret_value() if given is not None else _make_secret(verification.kind)
    _check_secret(verification.kind, secret)
    return secret


def _make_secret(kind: str) -> str:
    if kind == "standard":
        return _STANDARD_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    return new_token("sign")


def _check_secret(kind: str, secret: str) -> None:
    size = len(secret.encode())
    if kind == "standard":
        try:
            size = len(base64.b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True))
        except (ValueError, binascii.Error):
            size = 0
    if size < _LEAST_SECRET_BYTES:
        fix = f"Leave it out to have one made; a Standard Webhooks secret is {_STANDARD_PREFIX}<base64>."
        cause = f"The secret has less than {_LEAST_SECRET_BYTES} bytes, or cannot be decoded"
        raise RequestError(cause, fix=fix, code=Code.SECRET_UNUSABLE)


def _not_needed() -> RequestError:
    fix = "Rotate the address, or make a hook with another kind of verification."
    return RequestError("This hook has no secret: its address is the secret", fix=fix, code=Code.SECRET_NOT_NEEDED)


async def _record(door: Door, action: str, hook: Hook, **values: Any) -> None:
    await door.record(action, f"hook:{hook.id}", tenant_id=hook.tenant_id, **values)


def _show(vault: Vault, hook: Hook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "enabled": hook.disabled_at is None,
        "record_first": hook.record_first,
        "verification": hook.verification,
        "address": hook.address_hash.hex()[:12],
        "secrets": [show_fingerprint(secret) for secret in open_secrets(vault, hook)],
    }


def _view(hook: Hook) -> HookView:
    return HookView(
        id=hook.id,
        tenant_id=hook.tenant_id,
        name=hook.name,
        verification=Verification(**hook.verification),
        enabled=hook.disabled_at is None,
        record_first=hook.record_first,
        old_addresses_until=[until for _, until in list_old_addresses(hook, datetime.now(UTC))],
        created_at=hook.created_at,
    )


def _made(resources: Resources, hook: Hook, *, address: str | None, secret: str | None) -> MadeHook:
    base = resources.settings.public_url.rstrip("/")
    whole = f"{base}/webhooks/recman/{address}" if address is not None else None
    return MadeHook(**_view(hook).model_dump(), address=whole, secret=secret)
