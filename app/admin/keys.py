"""Keys: named access to Unimicro companies, their sealed secrets, their pauses. The only owner of the table `key`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from app.accounting.connections import Identity, ServerClient, TokenSet
from app.domain.money import dump_json, parse_json
from app.domain.reasons.codes import Code
from app.domain.states import UNCLEAR, UNDER_WAY, KeyState, Mode, Proof, TransferState
from app.errors import ConflictError, NotFoundError
from app.platform.crypto import Vault
from app.platform.db import Session, locked
from app.settings import Settings
from app.tables import Key, Transfer

# Something of it is in Unimicro, whatever it waits for: it goes on as it was begun.
_IS_BEGUN = and_(Transfer.state.in_(UNDER_WAY), Transfer.remote_id.is_not(None), Transfer.booked_at.is_(None))
_SECRETS = ("access_token", "refresh_token", "credentials")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a sign-in gave: tokens, where files are kept, and the server client when it was one that signed in."""

    tokens: TokenSet
    server: ServerClient | None = None
    files_base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be made."""

    tenant_id: UUID
    name: str
    company_key: str
    company_name: str
    go_live: date
    grant: Grant = field(repr=False)
    mode: str = "full"
    sender: str | None = None
    booking: str = "renumbered"
    acceptance: Mapping[str, Any] | None = None
    kid_acceptance: Mapping[str, Any] | None = None
    open_to_all: bool = False


def to_unmade_key(*, tenant_id: UUID, name: str, company_key: str, go_live: date) -> Key:
    """A key as it would be made: for whoever looks into its company before anything is kept."""
    return Key(tenant_id=tenant_id, name=name, company_key=company_key, go_live=go_live)


async def create_key(session: Session, vault: Vault, new: NewKey) -> Key:
    """The new key, its secrets sealed with the row's identity.

    Raises:
        ConflictError: the name is taken, or another key is open to all departments.
    """
    query = insert(Key).values(
        tenant_id=new.tenant_id,
        name=new.name,
        company_key=new.company_key,
        company_name=new.company_name,
        mode=new.mode,
        sender=new.sender,
        booking=new.booking,
        acceptance=new.acceptance,
        kid_acceptance=new.kid_acceptance,
        open_to_all=new.open_to_all,
        go_live=new.go_live,
        api_base=new.grant.tokens.api_base,
    )
    try:
        key = (await session.scalars(query.returning(Key))).one()
    except IntegrityError as error:
        raise _to_conflict(error, new.name) from error
    await record_grant(session, vault, key, new.grant)
    return key


async def record_key_change(session: Session, key: Key, values: Mapping[str, Any], *, has_choice: bool = False) -> None:
    """Set columns that people may set; `has_choice`: somebody has said what becomes of what waits with the key.

    Raises:
        ConflictError: as `create_key`; or documents are under way while the mode is to change.
    """
    if values.get("mode", key.mode) != key.mode:
        states = UNCLEAR if has_choice or key.mode == Mode.FILE else UNDER_WAY
        await _require_nothing_under_way(
            session, key, states, wish="its mode cannot change now", besides=_IS_BEGUN if has_choice else false()
        )
        # What an import has proven is no word about what is sent, nor the other way round.
        values = {**values, "proof": Proof.PROVING, "credits_proven": False}
    if values.get("booking", key.booking) != key.booking:
        # What is under way keeps the booking that it was begun with; what is new is proven from the beginning.
        values = {**values, "proof": Proof.PROVING, "credits_proven": False}
    name = str(values.get("name", key.name))
    for column, value in values.items():
        setattr(key, column, value)
    try:
        await session.flush()
    except IntegrityError as error:
        raise _to_conflict(error, name) from error


async def remove_key(session: Session, key: Key) -> None:
    """Take the key out of use and forget its secrets; its row and history stay.

    Raises:
        ConflictError: a write to Unimicro is under way.
    """
    await _require_nothing_under_way(session, key, UNCLEAR, wish="it cannot be removed now")
    key.state, key.open_to_all = KeyState.REMOVED, False
    key.access_token = key.refresh_token = key.credentials = key.token_expires_at = None
    await session.flush()


async def _require_nothing_under_way(
    session: Session,
    key: Key,
    states: Collection[TransferState],
    *,
    wish: str,
    besides: ColumnElement[bool] = false(),  # noqa: B008 - a constant of SQL
) -> None:
    query = select(func.count()).where(Transfer.key_id == key.id, or_(Transfer.state.in_(states), besides))
    count = await session.scalar(query)
    if count:
        raise ConflictError(
            f"{count} documents of key “{key.name}” are under way, so {wish}",
            fix="Wait until they are through (a key that waits for a sign-in must be signed in first), or ignore those "
            "that wait; then try again. With a new mode, `under_way` says what becomes of what only waits.",
            code=Code.DOCUMENTS_UNDER_WAY,
        )


def _to_conflict(error: IntegrityError, name: str) -> ConflictError:
    if "uq_key_open_to_all" in str(error.orig):
        return ConflictError(
            "Another key is open to all departments already",
            fix="Give this key a list of departments, or take “all” from the other one first.",
            code=Code.OPEN_TO_ALL_TAKEN,
        )
    return ConflictError(f"There is a key “{name}” already", fix="Choose another name.", code=Code.NAME_TAKEN)


async def load_key(session: Session, key_id: UUID, *, lock: bool = False) -> Key:
    """The key, unless it was removed.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(Key).where(Key.id == key_id, Key.state != KeyState.REMOVED)
    key = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if key is None:
        raise NotFoundError(f"There is no key {key_id}", fix="Take an id from GET /v1/keys.")
    return key


async def find_key_in_use(session: Session, *, tenant_id: UUID, key_id: UUID) -> Key | None:
    """The key, where it is signed in and neither paused nor removed."""
    query = select(Key).where(Key.tenant_id == tenant_id, Key.id == key_id, Key.state == KeyState.ACTIVE)
    return (await session.scalars(query)).one_or_none()


async def load_successor(session: Session, key_id: UUID, *, former_id: UUID) -> tuple[Key, Key]:
    """A key in use and a removed one of the same tenant, both locked, in the order of their ids.

    Raises:
        NotFoundError: one of them is none that this session may see.
        ConflictError: the former key was not removed.
    """
    query = locked(select(Key).where(Key.id.in_((key_id, former_id))).order_by(Key.id))
    found = {key.id: key for key in (await session.scalars(query)).all()}
    key, former = found.get(key_id), found.get(former_id)
    if key is None or key.state == KeyState.REMOVED:
        raise NotFoundError(f"There is no key {key_id}", fix="Take an id from GET /v1/keys.")
    if former is None or former.tenant_id != key.tenant_id:
        raise NotFoundError(f"There was no key {former_id}", fix="Take an id from GET /v1/keys/removed.")
    if former.state != KeyState.REMOVED:
        fix = "Move departments one by one (PUT /v1/departments/{id}/key), or remove the key first."
        raise ConflictError(f"Key “{former.name}” is in use", fix=fix, code=Code.KEY_IN_USE)
    return key, former


async def lock_in_use(session: Session, key_id: UUID) -> bool:
    """Whether the key was not removed; it stays so until this transaction ends."""
    query = locked(select(Key.state).where(Key.id == key_id), shared=True)
    return await session.scalar(query) not in {None, KeyState.REMOVED}


async def lock_for_files(session: Session, key_id: UUID) -> bool:
    """Whether the key makes files and was not removed; it stays so until this transaction ends."""
    query = locked(select(Key.mode).where(Key.id == key_id, Key.state != KeyState.REMOVED), shared=True)
    return await session.scalar(query) == Mode.FILE


async def is_removed(session: Session, key_id: UUID) -> bool:
    """Whether the key was removed by now."""
    return bool(await session.scalar(select(Key.state == KeyState.REMOVED).where(Key.id == key_id)))


async def list_removed_keys(session: Session, *, tenant_id: UUID | None) -> Sequence[Key]:
    """Every key that was taken out of use, by name; of one tenant, or all."""
    query = select(Key).where(Key.state == KeyState.REMOVED).order_by(Key.name, Key.created_at)
    if tenant_id is not None:
        query = query.where(Key.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def list_keys(session: Session, *, tenant_id: UUID | None) -> Sequence[Key]:
    """Every key that is in use, by name; of one tenant, or all."""
    query = select(Key).where(Key.state != KeyState.REMOVED).order_by(Key.name, Key.id)
    if tenant_id is not None:
        query = query.where(Key.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def list_keys_for_record(session: Session, *, tenant_id: UUID, scope: str, record_id: str) -> list[Key]:
    """The keys that a customer or project concerns: those that know it, and the one open to all departments.

    None for files: its next one has the customer as he is then.
    """
    known = select(Transfer.key_id).where(
        Transfer.tenant_id == tenant_id, Transfer.scope == scope, Transfer.record_id == record_id
    )
    concerned = Key.open_to_all | Key.id.in_(known)
    sends = (Key.tenant_id == tenant_id, Key.state != KeyState.REMOVED, Key.mode == Mode.FULL)
    return list((await session.scalars(select(Key).where(*sends, concerned).order_by(Key.created_at))).all())


async def find_first_go_live(session: Session, *, tenant_id: UUID) -> date | None:
    """The earliest first day of a tenant's keys; None when it has no key."""
    query = select(func.min(Key.go_live)).where(Key.tenant_id == tenant_id, Key.state != KeyState.REMOVED)
    return await session.scalar(query)


async def pause_key(session: Session, key_id: UUID, *, seconds: float, reason: str) -> None:
    """Let the key rest; a longer pause that is already running stays."""
    until = func.now() + text("make_interval(secs => :s)").bindparams(s=seconds)
    values = {"paused_until": func.greatest(Key.paused_until, until), "pause_reason": reason}
    await session.execute(update(Key).where(Key.id == key_id).values(values))


async def record_sign_in_lost(session: Session, key: Key, *, reason: str) -> bool:
    """Mark the locked key's sign-in as gone; True for the first to notice, so that there is one alert.

    A key that a person has paused stays so; without its refresh token it asks for a sign-in as soon as it is resumed.
    """
    key.refresh_token = None
    first = key.state == KeyState.ACTIVE
    if first:
        key.state, key.pause_reason = KeyState.SIGN_IN_AGAIN, reason
    await session.flush()
    return first


async def record_proof(session: Session, key_id: UUID, *, tenant_id: UUID, booking: str, **values: Any) -> bool:
    """Set how far the key's documents are trusted (`proof`, `credits_proven`); False: it books otherwise by now."""
    own = [Key.tenant_id == tenant_id, Key.id == key_id, Key.booking == booking]
    if values.get("proof") == Proof.STOPPED:
        own.append(Key.proof != Proof.STOPPED)
    return await session.scalar(update(Key).where(*own).values(values).returning(Key.id)) is not None


async def record_signed_in(session: Session, key: Key) -> None:
    """A key that waited for a sign-in goes on; one that a person has paused stays so."""
    if key.state == KeyState.SIGN_IN_AGAIN:
        key.state, key.pause_reason, key.paused_until = KeyState.ACTIVE, None, None
        await session.flush()


async def record_grant(session: Session, vault: Vault, key: Key, grant: Grant) -> None:
    """Keep what a sign-in gave."""
    server = grant.server
    key.client = "web" if server is None else "server"
    key.credentials = None if server is None else _seal(vault, key, "credentials", dump_json(asdict(server)))
    key.files_base = grant.files_base
    await record_tokens(session, vault, key, grant.tokens)


async def record_tokens(session: Session, vault: Vault, key: Key, tokens: TokenSet) -> None:
    """Keep new tokens; the old ones are forgotten."""
    renewable = tokens.refresh_token
    key.access_token = _seal(vault, key, "access_token", tokens.access_token)
    key.refresh_token = _seal(vault, key, "refresh_token", renewable) if renewable else None
    key.token_expires_at = tokens.expires_at
    key.api_base = tokens.api_base
    await session.flush()


def open_secret(vault: Vault, key: Key, column: str) -> str | None:
    """One of the key's secrets: `access_token`, `refresh_token` or `credentials`; None when it has none."""
    sealed: bytes | None = getattr(key, column)
    return None if sealed is None else vault.open(sealed, owner=_owner(key, column))


async def verify_key_secrets(session: Session, vault: Vault) -> None:
    """Make sure that the newest key's secrets can be opened.

    Raises:
        SecretUnreadableError: they were sealed with another encryption key.
    """
    query = select(Key).where(Key.access_token.is_not(None)).order_by(Key.created_at.desc()).limit(1)
    for key in await session.scalars(query):
        open_secret(vault, key, "access_token")


def open_server_client(vault: Vault, key: Key) -> ServerClient | None:
    """The server client that signs in for this key, if it is one."""
    found = open_secret(vault, key, "credentials")
    return None if found is None else ServerClient(**parse_json(found))


async def reseal_keys(session: Session, vault: Vault) -> int:
    """Seal every secret of every key with the newest encryption key; how many there were."""
    count = 0
    for key in (await session.scalars(locked(select(Key)))).all():
        for column in _SECRETS:
            sealed = getattr(key, column)
            if sealed is not None:
                setattr(key, column, vault.reseal(sealed))
                count += 1
    return count


def _seal(vault: Vault, key: Key, column: str, secret: str) -> bytes:
    return vault.seal(secret, owner=_owner(key, column))


def _owner(key: Key, column: str) -> str:
    return f"key:{key.id}:{column}"
