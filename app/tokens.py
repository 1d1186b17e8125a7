"""Admin tokens: the only owner of the table `admin_token`. Shown once, kept as SHA-256."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, or_, select

from app.crypto import fingerprint, new_token
from app.db import Session
from app.tables import AdminToken


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an operator sees every tenant (`tenant_id` None), the others their own."""

    token_id: UUID
    name: str
    role: str
    tenant_id: UUID | None

    @property
    def actor(self) -> str:
        """The caller as the audit trail names it."""
        return f"token:{self.token_id}:{self.name}"


async def find_caller(session: Session, token: str) -> Caller | None:
    """Whoever holds this token; None when it is unknown, expired or revoked.

    The look-up compares SHA-256 values of 256-bit secrets, so its timing tells nothing useful.
    """
    query = select(AdminToken).where(
        AdminToken.hash == fingerprint(token),
        AdminToken.revoked_at.is_(None),
        or_(AdminToken.expires_at.is_(None), AdminToken.expires_at > func.now()),
    )
    row = (await session.scalars(query)).one_or_none()
    return None if row is None else Caller(row.id, row.name, row.role, row.tenant_id)


async def ensure_operator(session: Session, given: str | None) -> str | None:
    """Make sure an operator token exists; a freshly made one is returned, to be shown this once.

    A `given` token from the settings is registered when it is new; otherwise one is made at the very first start.
    """
    if given is not None:
        known = await session.scalar(select(AdminToken.id).where(AdminToken.hash == fingerprint(given)))
        if known is None:
            await create_token(session, given, role="operator", name="bootstrap")
        return None
    if await session.scalar(select(AdminToken.id).where(AdminToken.role == "operator").limit(1)):
        return None
    made = new_token("rmu")
    await create_token(session, made, role="operator", name="bootstrap")
    return made


async def create_token(session: Session, token: str, *, role: str, name: str, tenant_id: UUID | None = None) -> None:
    """Register a token; only its fingerprint is stored."""
    await session.execute(insert(AdminToken).values(hash=fingerprint(token), role=role, name=name, tenant_id=tenant_id))
