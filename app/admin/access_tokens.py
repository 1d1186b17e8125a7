"""Access tokens of keys: one refresh at a time over all replicas, saved before anybody uses what came of it."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cachetools import TTLCache
from sqlalchemy import select

from app.accounting.connections import SIGN_IN_AGAIN, TokenSet, refresh, sign_in_server, to_token_refused
from app.admin.keys import identity_of, open_secret, open_server_client, record_sign_in_lost, record_tokens
from app.domain.states import KeyState
from app.errors import AuthExpiredError, RemoteError, System
from app.platform.crypto import Vault
from app.platform.db import Session, locked
from app.platform.figures import REFRESHES, Refresh
from app.platform.logger import get_logger
from app.platform.resources import Resources
from app.tables import Key

# A token is renewed this long before it ends, so that a call in flight does not outlive it.
_MARGIN = timedelta(seconds=60)

_log = get_logger(__name__)


_RENEWED_SECONDS = 30
_MOST_KEYS = 10_000


@dataclass(slots=True)
class RenewedKeys:
    """Keys whose token was refused and renewed a moment ago."""

    by_id: MutableMapping[UUID, bool] = field(default_factory=lambda: TTLCache(_MOST_KEYS, ttl=_RENEWED_SECONDS))


async def fresh_token(resources: Resources, key_id: UUID, *, refused: str | None) -> str:
    """An access token that is good for a minute at least, and not the one that Unimicro has `refused`.

    Raises:
        AuthExpiredError: an administrator must sign in again.
        RemoteThrottledError: what is refused is itself in the place of a token refused a moment ago; or too many calls.
        RemoteUnavailableError: the identity server does not answer.
    """
    async with resources.sessions() as session:
        seen = _find_good(resources.vault, await _load(session, key_id), refused)
    return seen if seen is not None else await _renew_alone(resources, key_id, refused=refused)


def tokens_for(resources: Resources, key: Key) -> Callable[[str | None], Awaitable[str]]:
    """Gives the access tokens for a piece of work: the one that came with the key, for as long as it is good.

    Only then, or when Unimicro has refused one, is the key looked at again, as in `fresh_token`.
    """
    must_look = False

    async def token(refused: str | None) -> str:
        nonlocal must_look
        must_look = must_look or refused is not None
        held = None if must_look else _find_good(resources.vault, key, None)
        return held or await fresh_token(resources, key.id, refused=refused)

    return token


async def renew_token(resources: Resources, key_id: UUID) -> None:
    """Renew the token of a key although it may be good: a sign-in that is gone shows now.

    Raises:
        AuthExpiredError, RemoteUnavailableError: as `fresh_token`.
    """
    resources.kept(RenewedKeys).by_id.pop(key_id, None)
    async with resources.sessions() as session:
        held = open_secret(resources.vault, await _load(session, key_id), "access_token")
    await _renew_alone(resources, key_id, refused=held)


async def _renew_alone(resources: Resources, key_id: UUID, *, refused: str | None) -> str:
    """Renew under the key's row lock, held while the identity server is asked: of all replicas one refreshes.

    When the sign-in turns out to be gone that is noted under the same lock: nobody who waited for it asks again.
    """
    async with resources.sessions.begin() as session:
        key = await _load(session, key_id, lock=True)
        renewed = _find_good(resources.vault, key, refused)
        if renewed is not None:
            return renewed
        if refused is not None and key_id in resources.kept(RenewedKeys).by_id:
            raise to_token_refused("it was renewed a moment ago")
        try:
            tokens = await _renew_counted(resources, key)
        except AuthExpiredError as error:
            gone = error
            first = await record_sign_in_lost(session, key, reason=error.cause)
        else:
            await record_tokens(session, resources.vault, key, tokens)
            if refused is not None:
                resources.kept(RenewedKeys).by_id[key_id] = True
            return tokens.access_token
    # Only now, for the note must be committed.
    if first:
        _log.error("sign_in_again", key=str(key_id))
    raise gone


async def _load(session: Session, key_id: UUID, *, lock: bool = False) -> Key:
    query = select(Key).where(Key.id == key_id)
    return (await session.scalars(locked(query) if lock else query)).one()


async def _renew_counted(resources: Resources, key: Key) -> TokenSet:
    try:
        tokens = await _renew(resources, key)
    except RemoteError as error:
        REFRESHES.labels(Refresh.SIGN_IN_LOST if isinstance(error, AuthExpiredError) else Refresh.FAILED).inc()
        raise
    REFRESHES.labels(Refresh.RENEWED).inc()
    return tokens


async def _renew(resources: Resources, key: Key) -> TokenSet:
    # A token that does not say where its API is belongs to the platform that was chosen at the sign-in.
    identity = replace(identity_of(resources.settings), default_api_base=key.api_base)
    gone = AuthExpiredError(
        f"The sign-in of key “{key.name}” is no longer good", system=System.UNIMICRO, fix=SIGN_IN_AGAIN
    )
    if key.state in {KeyState.SIGN_IN_AGAIN, KeyState.REMOVED}:
        raise gone
    server = open_server_client(resources.vault, key)
    if server is not None:
        return await sign_in_server(resources.http, identity, server)
    old = open_secret(resources.vault, key, "refresh_token")
    if old is None:
        raise gone
    return await refresh(resources.http, identity, old)


def _find_good(vault: Vault, key: Key, refused: str | None) -> str | None:
    ends = key.token_expires_at
    if ends is None or ends - _MARGIN <= datetime.now(UTC):
        return None
    token = open_secret(vault, key, "access_token")
    return token if token != refused else None
