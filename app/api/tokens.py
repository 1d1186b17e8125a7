"""Admin tokens: who may come in, and as what."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from app.admin.tokens import NewToken, create_token, list_tokens, load_token, revoke_token, rotate_token
from app.api.doors import AdminDoor, Door
from app.api.pages import Page, to_whole
from app.api.views import Name, Order, OverlapHours, OwnerId, View, problems, shown_once
from app.domain.reasons.codes import Code
from app.errors import ForbiddenError, RequestError
from app.tables import AdminToken

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])

Role = Literal["operator", "admin", "viewer", "monitor"]


class TokenView(View):
    """A token without its secret."""

    id: UUID
    tenant_id: OwnerId = Field(description="None: for every tenant, an operator's or a monitor's")
    name: str = Field(examples=["Kari at Nordlys"])
    role: Role
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute")


class MadeToken(TokenView):
    """A new token with its secret, shown this once."""

    token: str = shown_once(examples=["rmu_3sDxkG0…"])


class TokenOrder(Order):
    """A token to be made."""

    name: Name = Field(examples=["Kari at Nordlys"])
    role: Role = Field(
        examples=["viewer"],
        description="monitor: health and metrics alone, of a tenant, or made by an operator who names none of all; "
        "viewer: look; admin: look and change; operator: everything, over all tenants",
    )
    expires_at: AwareDatetime | None = Field(None, examples=["2027-11-23T00:00:00Z"])


class TokenRotation(Order):
    """How to change over to a new secret."""

    overlap_hours: OverlapHours = 24


@router.post(
    "", status_code=201, responses=problems(_403="forbidden", _422="tenant_missing, tenant_named, expiry_past")
)
async def make_token(door: AdminDoor, order: TokenOrder) -> MadeToken:
    """Make a token. The answer holds its secret; it cannot be shown again."""
    _may_give(door, order.role)
    if order.expires_at is not None and order.expires_at <= datetime.now(UTC):
        raise RequestError("The token would have expired already", fix="Name a later moment.", code=Code.EXPIRY_PAST)
    tenant_id = _choose_tenant(door, order.role)
    new = NewToken(name=order.name, role=order.role, tenant_id=tenant_id, expires_at=order.expires_at)
    token = await create_token(door.session, new)
    await _record(door, "token.create", token, after=_show(token))
    await door.session.commit()
    return _made(token, new.secret)


@router.get("")
async def list_all_tokens(door: AdminDoor) -> Page[TokenView, None]:
    """Every token that is not revoked."""
    tokens = await list_tokens(door.session, tenant_id=door.tenant_id)
    return to_whole([TokenView.model_validate(token) for token in tokens])


@router.delete(
    "/{token_id}",
    operation_id="revoke_token",
    status_code=204,
    responses=problems(_404="not_found", _409="last_operator"),
)
async def end_token(door: AdminDoor, token_id: UUID) -> None:
    """Revoke a token: it lets nobody in from now on."""
    token = await load_token(door.session, token_id)
    await revoke_token(door.session, token)
    await _record(door, "token.revoke", token, before=_show(token))
    await door.session.commit()


@router.post(
    "/{token_id}/rotate",
    operation_id="rotate_token",
    status_code=201,
    responses=problems(_404="not_found", _409="token_rotated, token_expired"),
)
async def change_secret(door: AdminDoor, token_id: UUID, rotation: TokenRotation) -> MadeToken:
    """Make a token like this one; the old one stays good for the overlap, so that nobody is locked out."""
    token = await load_token(door.session, token_id)
    _may_give(door, token.role)
    overlap = timedelta(hours=rotation.overlap_hours)
    made, secret = await rotate_token(door.session, token, overlap=overlap)
    after = {**_show(made), "overlap_hours": rotation.overlap_hours, "in_place_of": str(token.id)}
    await _record(door, "token.rotate", made, before=_show(token), after=after)
    await door.session.commit()
    return _made(made, secret)


def _choose_tenant(door: Door, role: str) -> UUID | None:
    """Whose token it is; None: it is for every tenant."""
    if role == "monitor":
        return door.tenant_id
    if role == "operator":
        door.verify_for_all()
        return None
    return door.tenant


def _may_give(door: Door, role: str) -> None:
    if role == "operator" and door.caller.role != "operator":
        raise ForbiddenError(
            "Only an operator may make operator tokens", fix="Choose the role admin, viewer or monitor."
        )


async def _record(door: Door, action: str, token: AdminToken, **values: Any) -> None:
    await door.record(action, f"token:{token.id}", tenant_id=token.tenant_id, **values)


def _show(token: AdminToken) -> dict[str, Any]:
    expires_at = token.expires_at.isoformat() if token.expires_at is not None else None
    return {"name": token.name, "role": token.role, "expires_at": expires_at, "secret": token.hash.hex()[:12]}


def _made(token: AdminToken, secret: str) -> MadeToken:
    return MadeToken(**TokenView.model_validate(token).model_dump(), token=secret)
