"""Sign-ins to Unimicro that were begun: the only owner of the tables `sign_in` and `sign_in_hash`.

What must come back is kept sealed and works once; the state, the ticket that begins it in a browser, and the browser's
cookie are kept as their SHA-256 only.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from app.accounting.connections import Authorization, Company, ServerClient, TokenSet
from app.admin.keys import Grant
from app.admin.tenants import load_tenant
from app.domain.money import dump_json, parse_json
from app.domain.reasons.codes import Code
from app.domain.states import SignInState
from app.errors import ConflictError, NotFoundError, RequestError, StateUsedError
from app.platform.crypto import Vault, fingerprint, new_token
from app.platform.db import Session, load_now, locked
from app.tables import SignIn, SignInHash

_BEGUN_FOR = timedelta(minutes=10)
# Then the administrator has chosen the company, or starts again.
_RETURNED_FOR = timedelta(minutes=30)
_KEPT_FOR = timedelta(days=1)
_MOST_OPEN = 20
_SAY_YES = "See who came back (GET /v1/sign-ins/{pending_id}); if that is right: POST …/confirm."
_START_AGAIN = "Start the sign-in again: POST /v1/keys/connect."


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Who begins a sign-in, for whom; `key_id` when an existing key is signed in again."""

    tenant_id: UUID
    actor: str
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What a sign-in gave, the companies it reaches, who it was and which company he chose at Unimicro."""

    grant: Grant = field(repr=False)
    companies: tuple[Company, ...]
    person: str = ""
    company_key: str | None = None


async def record_beginning(
    session: Session, vault: Vault, beginning: Beginning, begun: Authorization
) -> tuple[SignIn, str]:
    """A sign-in that waits for the administrator to come back, for ten minutes; and the ticket that begins it.

    Raises:
        ConflictError: too many of the tenant's have begun and not ended.
    """
    await _end_old(session, beginning.tenant_id)
    sign_in, ticket = await _create(session, beginning, state=begun.state), new_token("ticket")
    sign_in.begun = vault.seal(dump_json(asdict(begun)), owner=_owner(sign_in.id, "begun"))
    await session.flush()
    await _record_hash(session, sign_in, fingerprint(ticket))
    return sign_in, ticket


async def record_server_sign_in(session: Session, vault: Vault, beginning: Beginning, signed_in: SignedIn) -> SignIn:
    """A sign-in of a server client: it is over as soon as it begins.

    Raises:
        ConflictError: too many of the tenant's have begun and not ended.
    """
    sign_in = await _create(session, beginning, state=new_token("server"))
    sign_in.returned_at = await load_now(session)
    await record_return(session, vault, sign_in, signed_in)
    return sign_in


async def _end_old(session: Session, tenant_id: UUID) -> None:
    # What gave a grant that nobody has used stays until that is revoked.
    old = (SignIn.tenant_id == tenant_id, SignIn.created_at < func.now() - _KEPT_FOR, SignIn.granted.is_(None))
    gone = (await session.scalars(delete(SignIn).where(*old).returning(SignIn.id))).all()
    known = (SignInHash.tenant_id == tenant_id, SignInHash.sign_in_id.in_(gone))
    await session.execute(delete(SignInHash).where(*known))


async def _require_few(session: Session, tenant_id: UUID) -> None:
    # Two that begin at once count one after the other.
    await load_tenant(session, tenant_id, lock=True)
    is_open = (SignIn.used_at.is_(None), SignIn.failure.is_(None), SignIn.expires_at > func.now())
    count = await session.scalar(select(func.count()).where(SignIn.tenant_id == tenant_id, *is_open))
    if (count or 0) >= _MOST_OPEN:
        raise ConflictError(
            f"{_MOST_OPEN} sign-ins have begun and not ended",
            fix="End one of them, or wait: each is over after ten minutes, one that came back after half an hour.",
            code=Code.SIGN_INS_OPEN,
        )


async def _create(session: Session, beginning: Beginning, *, state: str) -> SignIn:
    await _require_few(session, beginning.tenant_id)
    query = insert(SignIn).values(
        tenant_id=beginning.tenant_id,
        key_id=beginning.key_id,
        begun_by=beginning.actor,
        state_hash=fingerprint(state),
        expires_at=func.now() + _BEGUN_FOR,
    )
    sign_in = (await session.scalars(query.returning(SignIn))).one()
    await _record_hash(session, sign_in, sign_in.state_hash)
    return sign_in


async def _record_hash(session: Session, sign_in: SignIn, known_as: bytes) -> None:
    known = {"hash": known_as, "tenant_id": sign_in.tenant_id, "sign_in_id": sign_in.id}
    await session.execute(insert(SignInHash).values(known))


async def _find_known(session: Session, known_as: str) -> SignIn | None:
    known = await session.get(SignInHash, fingerprint(known_as))
    if known is None:
        return None
    query = select(SignIn).where(SignIn.tenant_id == known.tenant_id, SignIn.id == known.sign_in_id)
    return (await session.scalars(locked(query))).one()


def _unknown() -> RequestError:
    return RequestError("This sign-in did not start here", fix=_START_AGAIN, code=Code.STATE_UNKNOWN)


async def take_ticket(session: Session, vault: Vault, ticket: str, browser: str) -> str:
    """Where to send the browser that opens our address; the first one to do so is the one to come back.

    Raises:
        RequestError: there is no such sign-in, or it is over.
    """
    sign_in = await _find_known(session, ticket)
    # A state is no ticket: others have seen it.
    if sign_in is None or hmac.compare_digest(sign_in.state_hash, fingerprint(ticket)):
        raise _unknown()
    begun = await _open_begun(session, vault, sign_in)
    if sign_in.browser_hash is None:
        sign_in.browser_hash = fingerprint(browser)
        await session.flush()
    return begun.url


def is_own_browser(sign_in: SignIn, browser: str | None) -> bool:
    """Whether this browser is the one that was sent to Unimicro from here."""
    expected = sign_in.browser_hash
    return expected is not None and browser is not None and hmac.compare_digest(expected, fingerprint(browser))


async def find_returned(session: Session, state: str) -> SignIn | None:
    """The sign-in that has come back with this state, for a page that is loaded again; None: none has."""
    sign_in = await _find_known(session, state)
    if sign_in is None or sign_in.returned_at is None or sign_in.state_hash != fingerprint(state):
        return None
    return sign_in


async def take_return(session: Session, vault: Vault, state: str) -> tuple[SignIn, Authorization]:
    """The sign-in that this state began; it can be taken once.

    Raises:
        RequestError: the state is unknown, used or expired.
    """
    sign_in = await _find_known(session, state)
    if sign_in is None or not hmac.compare_digest(sign_in.state_hash, fingerprint(state)):
        raise _unknown()
    begun = await _open_begun(session, vault, sign_in)
    sign_in.returned_at, sign_in.begun = await load_now(session), None
    await session.flush()
    return sign_in, begun


async def _open_begun(session: Session, vault: Vault, sign_in: SignIn) -> Authorization:
    if sign_in.returned_at is not None or sign_in.begun is None:
        raise StateUsedError("This sign-in has come back already", fix=_START_AGAIN)
    if sign_in.expires_at < await load_now(session):
        raise RequestError("This sign-in took longer than ten minutes", fix=_START_AGAIN, code=Code.STATE_EXPIRED)
    return Authorization(**parse_json(vault.open(sign_in.begun, owner=_owner(sign_in.id, "begun"))))


async def record_return(
    session: Session, vault: Vault, sign_in: SignIn, signed_in: SignedIn, *, unconfirmed: bool = False
) -> None:
    """Keep what the sign-in gave until the company is chosen, for half an hour.

    `unconfirmed`: it came back in another browser, so an administrator must say first that it is the right one.
    """
    owner = _owner(sign_in.id, "granted")
    sign_in.granted = vault.seal(dump_json(_show_grant(signed_in.grant)), owner=owner)
    sign_in.companies = [asdict(company) for company in signed_in.companies]
    sign_in.person, sign_in.company_key = signed_in.person, signed_in.company_key
    sign_in.unconfirmed = unconfirmed
    sign_in.expires_at = await load_now(session) + _RETURNED_FOR
    await session.flush()


async def record_confirmed(session: Session, sign_in: SignIn) -> None:
    """An administrator has said that whoever came back in another browser is the right one.

    Raises:
        ConflictError: nobody waits for that.
    """
    state = await tell_state(session, sign_in)
    if state is not SignInState.UNCONFIRMED:
        fix = "Look how far it is: GET /v1/sign-ins/{pending_id}."
        raise ConflictError(f"Nobody needs to say yes to it: it is {state}", fix=fix, code=Code.SIGN_IN_CONFIRMED)
    sign_in.unconfirmed = False
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
    if sign_in.granted is None:
        return SignInState.OPEN
    return SignInState.UNCONFIRMED if sign_in.unconfirmed else SignInState.RETURNED


_UNUSABLE = {
    SignInState.OPEN: Code.SIGN_IN_OPEN,
    SignInState.UNCONFIRMED: Code.SIGN_IN_UNCONFIRMED,
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
        fix = _SAY_YES if state is SignInState.UNCONFIRMED else _START_AGAIN
        raise ConflictError(cause, fix=fix, code=_UNUSABLE[state])
    stored = parse_json(vault.open(sign_in.granted, owner=_owner(sign_in.id, "granted")))
    return SignedIn(
        grant=_read_grant(stored),
        companies=tuple(Company(**row) for row in sign_in.companies),
        person=sign_in.person,
        company_key=sign_in.company_key,
    )


async def list_unused(session: Session) -> Sequence[SignIn]:
    """The sign-ins whose grant nobody has used for a day."""
    return (
        await session.scalars(
            select(SignIn).where(SignIn.granted.is_not(None), SignIn.returned_at < func.now() - _KEPT_FOR)
        )
    ).all()


def open_unused(vault: Vault, sign_in: SignIn) -> Grant:
    """The grant that nobody has used, and that nobody can use any more: its time is over."""
    return _read_grant(parse_json(vault.open(sign_in.granted or b"", owner=_owner(sign_in.id, "granted"))))


async def record_forgotten(session: Session, sign_in_id: UUID) -> None:
    """Forget the grant that nobody has used."""
    sign_in = await load_sign_in(session, sign_in_id, lock=True)
    sign_in.granted = None
    await session.flush()


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
