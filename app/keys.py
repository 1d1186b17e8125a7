"""Keys: named access to Unimicro companies, their sealed tokens and their pauses. The only owner of the table `key`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from app.accounting.unimicro.auth import Identity, TokenSet, refresh
from app.crypto import Vault
from app.db import Session
from app.errors import AuthExpiredError
from app.resources import Resources
from app.settings import Settings
from app.tables import Key, Transfer

# A token is renewed this long before it ends, so that a call in flight does not outlive it.
_MARGIN = timedelta(seconds=60)


def identity_of(settings: Settings) -> Identity:
    """Our client at Unimicro's identity server."""
    return Identity(
        issuer=settings.unimicro_issuer,
        client_id=settings.unimicro_client_id,
        client_secret=settings.unimicro_client_secret.get_secret_value(),
        redirect_uri=settings.redirect_uri,
        default_api_base=settings.unimicro_api_base,
        allowed_hosts=settings.allowed_hosts,
    )


async def create_key(  # noqa: PLR0913 - the columns of one row
    session: Session,
    vault: Vault,
    *,
    tenant_id: UUID,
    name: str,
    company_key: str,
    company_name: str,
    tokens: TokenSet,
    open_to_all: bool,
) -> UUID:
    """The id of a new key in mode `full`, its tokens sealed with the row's identity."""
    query = insert(Key).values(
        tenant_id=tenant_id,
        name=name,
        company_key=company_key,
        company_name=company_name,
        api_base=tokens.api_base,
        open_to_all=open_to_all,
    )
    key_id = (await session.execute(query.returning(Key.id))).scalar_one()
    await _save_tokens(session, vault, key_id, tokens)
    return key_id


async def list_keys_for_record(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> list[Key]:
    """The keys that a customer or project concerns: those that know it, and the one open to all departments."""
    known = select(Transfer.key_id).where(
        Transfer.tenant_id == tenant_id, Transfer.scope == scope, Transfer.record_id == record_id
    )
    query = select(Key).where(Key.tenant_id == tenant_id, Key.open_to_all | Key.id.in_(known)).order_by(Key.created_at)
    return list((await session.scalars(query)).all())


async def pause_key(session: Session, key_id: UUID, *, seconds: float, reason: str) -> None:
    """Let the key rest; a longer pause that is already running stays."""
    until = func.now() + text("make_interval(secs => :s)").bindparams(s=seconds)
    values = {"paused_until": func.greatest(Key.paused_until, until), "pause_reason": reason}
    await session.execute(update(Key).where(Key.id == key_id).values(values))


async def require_sign_in(session: Session, key_id: UUID, *, reason: str) -> bool:
    """Mark the sign-in as gone; True for the first to notice, so that there is one alert."""
    query = update(Key).where(Key.id == key_id, Key.state == "active")
    marked = await session.execute(query.values(state="sign_in_again", pause_reason=reason).returning(Key.id))
    return marked.scalar() is not None


async def fresh_token(resources: Resources, key_id: UUID, *, refused: bool) -> str:
    """An access token that is good for a minute at least; `refused` says that the present one was not taken.

    The refresh holds the key's row lock while it talks to the identity server: of all replicas one refreshes, and the
    new refresh token is saved before anybody uses what came with it.

    Raises:
        AuthExpiredError: an administrator must sign in again.
        RemoteUnavailableError: the identity server does not answer.
    """
    async with resources.sessions() as session:
        seen = await session.get_one(Key, key_id)
    if not refused and _is_good(seen):
        return _open(resources.vault, seen)
    async with resources.sessions.begin() as session:
        locked = (await session.scalars(select(Key).where(Key.id == key_id).with_for_update())).one()
        renewed_meanwhile = locked.token_expires_at != seen.token_expires_at
        if _is_good(locked) and (renewed_meanwhile or not refused):
            return _open(resources.vault, locked)
        tokens = await _refresh(resources, locked)
        await _save_tokens(session, resources.vault, key_id, tokens)
    return tokens.access_token


async def _refresh(resources: Resources, key: Key) -> TokenSet:
    if key.refresh_token is None:
        raise AuthExpiredError(
            f"Key “{key.name}” has no refresh token", fix="An administrator must sign in to Unimicro again."
        )
    old = resources.vault.open(key.refresh_token, owner=_owner(key.id, "refresh_token"))
    return await refresh(resources.http, identity_of(resources.settings), old)


async def _save_tokens(session: Session, vault: Vault, key_id: UUID, tokens: TokenSet) -> None:
    values = {
        "access_token": vault.seal(tokens.access_token, owner=_owner(key_id, "access_token")),
        "refresh_token": vault.seal(tokens.refresh_token, owner=_owner(key_id, "refresh_token")),
        "token_expires_at": tokens.expires_at,
        "api_base": tokens.api_base,
    }
    await session.execute(update(Key).where(Key.id == key_id).values(values))


def _is_good(key: Key) -> bool:
    return (
        key.access_token is not None
        and key.token_expires_at is not None
        and key.token_expires_at - _MARGIN > datetime.now(UTC)
    )


def _open(vault: Vault, key: Key) -> str:
    return vault.open(key.access_token or b"", owner=_owner(key.id, "access_token"))


def _owner(key_id: UUID, column: str) -> str:
    return f"key:{key_id}:{column}"
