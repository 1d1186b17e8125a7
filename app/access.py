"""Access tokens of keys: one refresh at a time over all replicas, saved before anybody uses what came of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.accounting.unimicro.auth import TokenSet, refresh
from app.accounting.unimicro.server_client import sign_in_server
from app.crypto import Vault
from app.db import locked
from app.errors import AuthExpiredError
from app.keys import identity_of, open_secret, open_server_client, save_tokens
from app.resources import Resources
from app.tables import Key

# A token is renewed this long before it ends, so that a call in flight does not outlive it.
_MARGIN = timedelta(seconds=60)


async def fresh_token(resources: Resources, key_id: UUID, *, refused: str | None) -> str:
    """An access token that is good for a minute at least, and not the one that Unimicro has `refused`.

    The refresh holds the key's row lock while it talks to the identity server: of all replicas one refreshes.

    Raises:
        AuthExpiredError: an administrator must sign in again.
        RemoteUnavailableError: the identity server does not answer.
    """
    async with resources.sessions() as session:
        seen = _find_good(resources.vault, await session.get_one(Key, key_id), refused)
    if seen is not None:
        return seen
    async with resources.sessions.begin() as session:
        key = (await session.scalars(locked(select(Key).where(Key.id == key_id)))).one()
        renewed = _find_good(resources.vault, key, refused)
        if renewed is not None:
            return renewed
        tokens = await _renew(resources, key)
        await save_tokens(session, resources.vault, key, tokens)
    return tokens.access_token


async def _renew(resources: Resources, key: Key) -> TokenSet:
    identity = identity_of(resources.settings)
    server = open_server_client(resources.vault, key)
    if server is not None:
        return await sign_in_server(resources.http, identity, server)
    old = open_secret(resources.vault, key, "refresh_token")
    if old is None or key.state == "removed":
        fix = "An administrator must sign in to Unimicro again."
        raise AuthExpiredError(f"Key “{key.name}” has no refresh token", fix=fix)
    return await refresh(resources.http, identity, old)


def _find_good(vault: Vault, key: Key, refused: str | None) -> str | None:
    ends = key.token_expires_at
    if ends is None or ends - _MARGIN <= datetime.now(UTC):
        return None
    token = open_secret(vault, key, "access_token")
    return token if token != refused else None
