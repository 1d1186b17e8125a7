"""Admin tokens: the only owner of the tables `admin_token` and `token_hash`. Shown once, kept as SHA-256."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, text, update

from app.domain.reasons.codes import Code
from app.errors import ConflictError, NotFoundError
from app.platform.crypto import fingerprint, new_token
from app.platform.db import Session, locked
from app.tables import OPERATORS, AdminToken, TokenHash

# Writing down every use would turn each look into a write.
_USE_NOTED_EVERY = timedelta(minutes=1)
# Monitors of the whole installation are the operators' own, too, and let nobody in who could make a token.
_OF_OPERATORS = (AdminToken.tenant_id == OPERATORS, AdminToken.role == "operator")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: without a tenant (`tenant_id` None: operators, some monitors) every one is seen, else the own.

    `holder_id` stays when the token is rotated.
    """

    token_id: UUID
    holder_id: UUID
    name: str
    role: str
    tenant_id: UUID | None

    @property
    def actor(self) -> str:
        """The caller as the audit trail names it."""
        return f"token:{self.token_id}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to be made; an operator's has no tenant, a monitor's may have one, every other has one."""

    name: str
    role: str
    tenant_id: UUID | None = None
    expires_at: datetime | None = None
    secret: str = field(default_factory=lambda: new_token("rmu"), repr=False)


async def find_caller(session: Session, token: str) -> Caller | None:
    """Whoever holds this token; None when it is unknown, expired or revoked."""
    wanted = fingerprint(token)
    known = await session.get(TokenHash, wanted)
    if known is None:
        return None
    own = (AdminToken.tenant_id == known.tenant_id, AdminToken.id == known.token_id)
    row = (await session.scalars(select(AdminToken).where(*own, _is_live()))).one_or_none()
    # The index finds the row by its hash; what decides is a comparison whose time tells nothing.
    if row is None or not hmac.compare_digest(row.hash, wanted):
        return None
    await _record_use(session, row)
    tenant_id = None if row.tenant_id == OPERATORS else row.tenant_id
    return Caller(row.id, row.holder_id or row.id, row.name, row.role, tenant_id)


async def _record_use(session: Session, row: AdminToken) -> None:
    stale = or_(AdminToken.last_used_at.is_(None), AdminToken.last_used_at < func.now() - _USE_NOTED_EVERY)
    query = (
        update(AdminToken)
        .where(AdminToken.tenant_id == row.tenant_id, AdminToken.id == row.id, stale)
        .values(last_used_at=func.now())
    )
    await session.execute(query, execution_options={"synchronize_session": False})


def _is_live() -> ColumnElement[bool]:
    not_expired = or_(AdminToken.expires_at.is_(None), AdminToken.expires_at > func.now())
    return AdminToken.revoked_at.is_(None) & not_expired


async def ensure_operator(session: Session, given: str | None) -> str | None:
    """Make sure an operator token exists; a freshly made one is returned, to be shown this once.

    A `given` token from the settings is registered when it is new; otherwise one is made at the very first start.
    """
    if given is not None:
        if await session.get(TokenHash, fingerprint(given)) is None:
            await create_token(session, NewToken(name="bootstrap", role="operator", secret=given))
        return None
    if await session.scalar(select(AdminToken.id).where(*_OF_OPERATORS).limit(1)):
        return None
    made = NewToken(name="bootstrap", role="operator")
    await create_token(session, made)
    return made.secret


async def create_token(session: Session, new: NewToken) -> AdminToken:
    """The registered token; only the fingerprint of its secret is stored."""
    values = {
        "hash": fingerprint(new.secret),
        "role": new.role,
        "name": new.name,
        "tenant_id": new.tenant_id or OPERATORS,
        "expires_at": new.expires_at,
    }
    token = (await session.scalars(insert(AdminToken).values(values).returning(AdminToken))).one()
    known = {"hash": token.hash, "tenant_id": token.tenant_id, "token_id": token.id}
    await session.execute(insert(TokenHash).values(known))
    return token


async def list_tokens(session: Session, *, tenant_id: UUID | None) -> Sequence[AdminToken]:
    """Every token that is not revoked, newest first; of one tenant, or all."""
    query = (
        select(AdminToken).where(AdminToken.revoked_at.is_(None)).order_by(AdminToken.created_at.desc(), AdminToken.id)
    )
    if tenant_id is not None:
        query = query.where(AdminToken.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def load_token(session: Session, token_id: UUID) -> AdminToken:
    """The token, locked for a change.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(AdminToken).where(AdminToken.id == token_id, AdminToken.revoked_at.is_(None))
    token = (await session.scalars(locked(query))).one_or_none()
    if token is None:
        raise NotFoundError(f"There is no token {token_id}", fix="Take an id from GET /v1/tokens.")
    return token


async def revoke_token(session: Session, token: AdminToken) -> None:
    """The token lets nobody in from now on.

    Raises:
        ConflictError: it is the last operator token that does not run out; without it nobody could make another.
    """
    await _keep_an_operator(session, token)
    token.revoked_at = await session.scalar(select(func.now()))
    await session.flush()


async def rotate_token(session: Session, token: AdminToken, *, overlap: timedelta) -> tuple[AdminToken, str]:
    """A new token in place of this one, which still lets its holder in for `overlap`; the new secret is shown once.

    The new one lasts as long as the old one was meant to.

    Raises:
        ConflictError: it was rotated before, which promised its end and made its successor; or it has expired.
    """
    await _require_newest(session, token)
    new = NewToken(name=token.name, role=token.role, tenant_id=token.tenant_id, expires_at=token.expires_at)
    made = await create_token(session, new)
    made.holder_id = token.holder_id or token.id
    token.successor_id = made.id
    await session.flush()
    until = func.least(AdminToken.expires_at, func.now() + overlap)
    await session.execute(
        update(AdminToken)
        .where(AdminToken.tenant_id == token.tenant_id, AdminToken.id == token.id)
        .values(expires_at=until),
        execution_options={"synchronize_session": False},
    )
    return made, new.secret


async def _require_newest(session: Session, token: AdminToken) -> None:
    if token.successor_id is not None:
        raise ConflictError(
            f"The token was rotated already, into {token.successor_id}",
            fix="Rotate that one; to end this one before its time, DELETE it.",
            code=Code.TOKEN_ROTATED,
        )
    if not await session.scalar(select(_is_live()).where(AdminToken.id == token.id)):
        raise ConflictError("The token has expired", fix="Make a new one.", code=Code.TOKEN_EXPIRED)


async def list_tokens_of_holder(session: Session, token_id: UUID) -> set[UUID]:
    """The token with all that it was rotated from or into: one person has held them."""
    own = select(func.coalesce(AdminToken.holder_id, AdminToken.id)).where(AdminToken.id == token_id)
    query = select(AdminToken.id).where(func.coalesce(AdminToken.holder_id, AdminToken.id) == own.scalar_subquery())
    return {token_id, *await session.scalars(query)}


async def _keep_an_operator(session: Session, token: AdminToken) -> None:
    if token.role != "operator":
        return
    # Two operators who revoke each other's token at the same time must not both succeed.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('operator tokens'))"))
    lasting = select(func.count()).where(
        *_OF_OPERATORS, AdminToken.id != token.id, AdminToken.expires_at.is_(None), _is_live()
    )
    if not await session.scalar(lasting):
        raise ConflictError(
            "This is the last operator token that does not expire",
            fix="Make another operator token first.",
            code=Code.LAST_OPERATOR,
        )
