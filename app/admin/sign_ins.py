"""Sign-ins to Unimicro that were begun: the only owner of the tables `sign_in` and `sign_in_hash`.

What must come back is kept sealed and works once; the state is kept as its SHA-256 only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from app.accounting.connections import Authorization, Company, ServerClient, TokenSet
from app.admin.keys import Grant
from app.domain.money import dump_json, parse_json
from app.domain.reasons.codes import Code
from app.domain.states import SignInState
from app.errors import ConflictError, NotFoundError, RequestError
from app.platform.crypto import Vault, fingerprint, new_token
from app.platform.db import Session, load_now, locked
from app.tables import SignIn, SignInHash

_BEGUN_FOR = timedelta(minutes=10)
# Then the administrator has chosen the company, or starts again.
_RETURNED_FOR = timedelta(minutes=30)
_KEPT_FOR = timedelta(days=1)
_START_AGAIN = "Start the sign-in again: POST /v1/keys/connect."


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Who begins a sign-in, for whom; `key_id` when an existing key is signed in again."""

    tenant_id: UUID
    actor: str
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What a sign-in gave, and the companies it reaches."""

    grant: Grant = field(repr=False)
    companies: tuple[Company, ...]


async def record_beginning(session: Session, vault: Vault, beginning: Beginning, begun: Authorization) -> SignIn:
    """A sign-in that waits for the administrator to come back, for ten minutes."""
    await _end_old(session, beginning.tenant_id)
    sign_in = await _create(session, beginning, state=begun.state)
    sign_in.begun = vault.seal(dump_json(asdict(begun)), owner=_owner(sign_in.id, "begun"))
    await session.flush()
    return sign_in


async def record_server_sign_in(session: Session, vault: Vault, beginning: Beginning, signed_in: SignedIn) -> SignIn:
    """A sign-in of a server client: it is over as soon as it begins."""
    sign_in = await _create(session, beginning, state=new_token("server"))
    sign_in.returned_at = await load_now(session)
    await record_return(session, vault, sign_in, signed_in)
    return sign_in


async def _end_old(session: Session, tenant_id: UUID) -> None:
    old = (SignIn.tenant_id == tenant_id, SignIn.created_at < func.now() - _KEPT_FOR)
    states = (await session.scalars(delete(SignIn).where(*old).returning(SignIn.state_hash))).all()
    await session.execute(delete(SignInHash).where(SignInHash.hash.in_(states)))


async def _create(session: Session, beginning: Beginning, *, state: str) -> SignIn:
    query = insert(SignIn).values(
        tenant_id=beginning.tenant_id,
        key_id=beginning.key_id,
        begun_by=beginning.actor,
        state_hash=fingerprint(state),
        expires_at=func.now() + _BEGUN_FOR,
    )
    sign_in = (await session.scalars(query.returning(SignIn))).one()
    known = {"hash": sign_in.state_hash, "tenant_id": sign_in.tenant_id, "sign_in_id": sign_in.id}
    await session.execute(insert(SignInHash).values(known))
    return sign_in


async def take_return(session: Session, vault: Vault, state: str) -> tuple[SignIn, Authorization]:
    """The sign-in that this state began; it can be taken once.

    Raises:
        RequestError: the state is unknown, used or expired.
    """
    known = await session.get(SignInHash, fingerprint(state))
    if known is None:
        raise RequestError("This sign-in did not start here", fix=_START_AGAIN, code=Code.STATE_UNKNOWN)
    query = select(SignIn).where(SignIn.tenant_id == known.tenant_id, SignIn.id == known.sign_in_id)
    sign_in = (await session.scalars(locked(query))).one()
    if sign_in.returned_at is not None or sign_in.begun is None:
        raise RequestError("This sign-in has come back already", fix=_START_AGAIN, code=Code.STATE_USED)
    now = await load_now(session)
    if sign_in.expires_at < now:
        raise RequestError("This sign-in took longer than ten minutes", fix=_START_AGAIN, code=Code.STATE_EXPIRED)
    begun = Authorization(**parse_json(vault.open(sign_in.begun, owner=_owner(sign_in.id, "begun"))))
    sign_in.returned_at, sign_in.begun = now, None
    await session.flush()
    return sign_in, begun


async def record_return(session: Session, vault: Vault, sign_in: SignIn, signed_in: SignedIn) -> None:
    """Keep what the sign-in gave until the company is chosen, for half an hour."""
    owner = _owner(sign_in.id, "granted")
    sign_in.granted = vault.seal(dump_json(_show_grant(signed_in.grant)), owner=owner)
    sign_in.companies = [asdict(company) for company in signed_in.companies]
    sign_in.expires_at = await load_now(session) + _RETURNED_FOR
    await session.flush()


async def record_sign_in_failure(session: Session, sign_in: SignIn, cause: str) -> None:
    """Keep why the sign-in gave nothing."""
    sign_in.failure = cause
    await session.flush()


async def load_sign_in(session: Session, sign_in_id: UUID, *, lock: bool = False) -> SignIn:
    """The sign-in.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(SignIn).where(SignIn.id == sign_in_id)
    sign_in = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if sign_in is None:
        raise NotFoundError(f"There is no sign-in {sign_in_id}", fix=_START_AGAIN, code=Code.SIGN_IN_UNKNOWN)
    return sign_in


async def tell_state(session: Session, sign_in: SignIn) -> SignInState:
    """How far it has come."""
    if sign_in.used_at is not None:
        return SignInState.USED
    if sign_in.failure is not None:
        return SignInState.FAILED
    if sign_in.expires_at < await load_now(session):
        return SignInState.EXPIRED
    return SignInState.OPEN if sign_in.granted is None else SignInState.RETURNED


_UNUSABLE = {
    SignInState.OPEN: Code.SIGN_IN_OPEN,
    SignInState.RETURNED: Code.SIGN_IN_OPEN,
    SignInState.USED: Code.SIGN_IN_USED,
    SignInState.FAILED: Code.SIGN_IN_FAILED,
    SignInState.EXPIRED: Code.SIGN_IN_EXPIRED,
}


async def use_sign_in(session: Session, vault: Vault, sign_in_id: UUID) -> SignedIn:
    """What the sign-in gave; it can be used once.

    Raises:
        NotFoundError: there is none that this session may see.
        ConflictError: it has not come back, has failed, expired, or was used.
    """
    sign_in = await load_sign_in(session, sign_in_id, lock=True)
    signed_in = await read_sign_in(session, vault, sign_in)
    sign_in.used_at, sign_in.granted = await load_now(session), None
    await session.flush()
    return signed_in


async def read_sign_in(session: Session, vault: Vault, sign_in: SignIn) -> SignedIn:
    """What the sign-in gave, which can still be used.

    Raises:
        ConflictError: it has not come back, has failed, expired, or was used.
    """
    state = await tell_state(session, sign_in)
    if state is not SignInState.RETURNED or sign_in.granted is None:
        cause = f"The sign-in cannot be used: it is {state}" + (f" ({sign_in.failure})" if sign_in.failure else "")
        raise ConflictError(cause, fix=_START_AGAIN, code=_UNUSABLE[state])
    stored = parse_json(vault.open(sign_in.granted, owner=_owner(sign_in.id, "granted")))
    return SignedIn(grant=_read_grant(stored), companies=tuple(Company(**row) for row in sign_in.companies))


async def reseal_sign_ins(session: Session, vault: Vault) -> int:
    """Seal everything kept with the newest encryption key; how much there was."""
    count = 0
    for sign_in in (await session.scalars(locked(select(SignIn)))).all():
        for column in ("begun", "granted"):
            sealed = getattr(sign_in, column)
            if sealed is not None:
                setattr(sign_in, column, vault.reseal(sealed))
                count += 1
    return count


def _show_grant(grant: Grant) -> dict[str, Any]:
    shown = asdict(grant)
    shown["tokens"]["expires_at"] = grant.tokens.expires_at.isoformat()
    return shown


def _read_grant(stored: Mapping[str, Any]) -> Grant:
    tokens, server = stored["tokens"], stored["server"]
    return Grant(
        tokens=TokenSet(**{**tokens, "expires_at": datetime.fromisoformat(tokens["expires_at"])}),
        server=None if server is None else ServerClient(**server),
        files_base=stored["files_base"],
    )


def _owner(sign_in_id: UUID, column: str) -> str:
    return f"sign_in:{sign_in_id}:{column}"
