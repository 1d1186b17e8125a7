"""Secret webhook addresses: the only owner of the tables `hook` and `hook_address`.

An address is shown once and never stored. After a rotation the old address or secret is good for as long as was
promised then, whatever is rotated meanwhile, so that no webhook is lost while RecMan is changed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text

from app.domain.money import dump_json, parse_json
from app.domain.reasons.codes import Code
from app.errors import ConflictError, NotFoundError
from app.platform.crypto import Vault, fingerprint, new_token
from app.platform.db import Session, load_now, locked
from app.tables import Hook, HookAddress

T = TypeVar("T")

# Every webhook is compared with every secret that is good.
_MOST_OVERLAPS = 5
_HEARD = text("""
    UPDATE hook SET heard_at = greatest(heard_at, now() - make_interval(secs => heard.ago))
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:hooks AS uuid[]), CAST(:ago AS float[])) AS heard (of, place, ago)
    WHERE hook.tenant_id = heard.of AND hook.id = heard.place
""")


@dataclass(frozen=True, slots=True)
class MadeHook:
    """A hook and what is shown this once: the secret part of its address."""

    hook: Hook
    address: str = field(repr=False)


@dataclass(slots=True)
class HeardHooks:
    """When hooks were heard in this process, by its own clock, until that is written: a delivery itself writes none."""

    moments: dict[tuple[UUID, UUID], float] = field(default_factory=dict)

    def note(self, hook: Hook) -> None:
        """It was heard now."""
        self.moments[hook.tenant_id, hook.id] = time.monotonic()

    def take(self) -> dict[tuple[UUID, UUID], float]:
        """How many seconds ago each was heard since this was asked last, by tenant and hook."""
        now, moments = time.monotonic(), self.moments
        self.moments = {}
        return {key: now - moment for key, moment in moments.items()}


async def create_hook(
    session: Session,
    vault: Vault,
    *,
    tenant_id: UUID,
    name: str,
    verification: Mapping[str, Any] | None = None,
    secrets: Sequence[str] = (),
) -> MadeHook:
    """A new hook; give its address to RecMan, it cannot be shown again."""
    address = new_token("hook")
    query = insert(Hook).values(
        tenant_id=tenant_id,
        name=name,
        address_hash=fingerprint(address),
        verification=dict(verification or {"kind": "path"}),
    )
    hook = (await session.scalars(query.returning(Hook))).one()
    await _record_address(session, hook)
    _record_secrets(vault, hook, [(secret, None) for secret in secrets])
    await session.flush()
    return MadeHook(hook, address)


async def find_hook(session: Session, address: str) -> Hook | None:
    """The live hook behind an address, if there is one."""
    wanted = fingerprint(address)
    known = await session.get(HookAddress, wanted)
    if known is None:
        return None
    own = (Hook.tenant_id == known.tenant_id, Hook.id == known.hook_id)
    row = (await session.execute(select(Hook, func.now()).where(*own, Hook.disabled_at.is_(None)))).one_or_none()
    if row is None:
        return None
    hook, now = row
    is_good = hook.address_hash == wanted or any(old == wanted for old, _ in list_old_addresses(hook, now))
    return hook if is_good else None


def list_old_addresses(hook: Hook, now: datetime) -> list[tuple[bytes, datetime]]:
    """The hashes of the addresses that were rotated away and are good still, each with its end."""
    pairs = [(bytes.fromhex(old), datetime.fromisoformat(until)) for old, until in hook.old_addresses]
    return [(old, until) for old, until in pairs if until > now]


async def list_hooks(session: Session, *, tenant_id: UUID | None) -> Sequence[Hook]:
    """Every hook, newest first; of one tenant, or all."""
    query = select(Hook).order_by(Hook.created_at.desc(), Hook.id)
    if tenant_id is not None:
        query = query.where(Hook.tenant_id == tenant_id)
    return (await session.scalars(query)).all()


async def list_live_hooks(session: Session) -> Sequence[UUID]:
    """The ids of the tenant's hooks whose deliveries have effects."""
    return (await session.scalars(select(Hook.id).where(Hook.record_first.is_(False)))).all()


async def load_hook(session: Session, hook_id: UUID, *, lock: bool = True) -> Hook:
    """The hook, locked for a change unless the caller only looks.

    Raises:
        NotFoundError: there is none that this session may see.
    """
    query = select(Hook).where(Hook.id == hook_id)
    hook = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if hook is None:
        raise NotFoundError(f"There is no hook {hook_id}", fix="Take an id from GET /v1/hooks.")
    return hook


async def rotate_address(session: Session, hook: Hook, *, overlap: timedelta, ends_older: bool = False) -> str:
    """The hook's new address; the old one is good for `overlap` longer, older ones as long as they were promised.

    `ends_older`: they end now, for one of them has become known.

    Raises:
        ConflictError: so many are good still that no promise can be added.
    """
    address, now = new_token("hook"), await load_now(session)
    older = [] if ends_older else list_old_addresses(hook, now)
    good = _limit_overlaps([*older, (hook.address_hash, now + overlap)])
    gone = {bytes.fromhex(old) for old, _ in hook.old_addresses} - {old for old, _ in good}
    await session.execute(delete(HookAddress).where(HookAddress.hash.in_(gone)))
    hook.old_addresses = [[old.hex(), until.isoformat()] for old, until in good]
    hook.address_hash = fingerprint(address)
    await session.flush()
    await _record_address(session, hook)
    return address


async def rotate_secret(
    session: Session, vault: Vault, hook: Hook, *, secret: str, overlap: timedelta, ends_older: bool = False
) -> None:
    """Put a secret in place of the newest one, which stays good for `overlap`; older ones as in `rotate_address`.

    Raises:
        ConflictError: so many are good still that no promise can be added.
    """
    now = await load_now(session)
    pairs = [(old, now + overlap if end is None else end) for old, end in _load_secrets(vault, hook)]
    older = [] if ends_older else [(old, end) for old, end in pairs[1:] if end > now]
    _record_secrets(vault, hook, [(secret, None), *_limit_overlaps([*pairs[:1], *older])])
    await session.flush()


def _limit_overlaps(good: list[T]) -> list[T]:
    if len(good) > _MOST_OVERLAPS:
        raise ConflictError(
            f"{_MOST_OVERLAPS} older ones of this hook are good still, as was promised when they were rotated",
            fix="Wait until one of them ends, or end them all with `end_older: true`.",
            code=Code.OVERLAPS_OPEN,
        )
    return good


async def record_hook_change(
    session: Session,
    hook: Hook,
    *,
    name: str | None = None,
    enabled: bool | None = None,
    record_first: bool | None = None,
) -> None:
    """Change what is not None; a disabled hook answers 404, as if it had never been."""
    if name is not None:
        hook.name = name
    if enabled is not None:
        hook.disabled_at = None if enabled else await load_now(session)
    if record_first is not None:
        hook.record_first = record_first
    await session.flush()


async def record_heard(session: Session, heard: Mapping[tuple[UUID, UUID], float]) -> None:
    """Write down how many seconds ago hooks were heard, unless something later is known."""
    rows = sorted(heard.items())
    values = {"tenants": [tenant for (tenant, _), _ in rows], "hooks": [hook for (_, hook), _ in rows]}
    await session.execute(_HEARD, values | {"ago": [ago for _, ago in rows]})


async def _record_address(session: Session, hook: Hook) -> None:
    known = {"hash": hook.address_hash, "tenant_id": hook.tenant_id, "hook_id": hook.id}
    await session.execute(insert(HookAddress).values(known))


def open_secrets(vault: Vault, hook: Hook) -> tuple[str, ...]:
    """The hook's live secrets; none when the address is the only secret."""
    now = datetime.now(UTC)
    return tuple(secret for secret, until in _load_secrets(vault, hook) if until is None or until > now)


async def verify_hook_secrets(session: Session, vault: Vault) -> None:
    """Make sure that the newest hook's secrets can be opened.

    Raises:
        SecretUnreadableError: they were sealed with another encryption key.
    """
    query = select(Hook).where(Hook.secrets.is_not(None)).order_by(Hook.created_at.desc()).limit(1)
    for hook in await session.scalars(query):
        open_secrets(vault, hook)


async def reseal_hooks(session: Session, vault: Vault) -> int:
    """Seal every hook's secrets with the newest encryption key; how many there were."""
    rows = (await session.scalars(locked(select(Hook).where(Hook.secrets.is_not(None))))).all()
    for row in rows:
        row.secrets = vault.reseal(row.secrets or b"")
    return len(rows)


def _load_secrets(vault: Vault, hook: Hook) -> list[tuple[str, datetime | None]]:
    if hook.secrets is None:
        return []
    pairs = parse_json(vault.open(hook.secrets, owner=_owner(hook.id)))
    return [(secret, datetime.fromisoformat(until) if until else None) for secret, until in pairs]


def _record_secrets(vault: Vault, hook: Hook, secrets: Sequence[tuple[str, datetime | None]]) -> None:
    pairs = [[secret, until.isoformat() if until else None] for secret, until in secrets]
    hook.secrets = vault.seal(dump_json(pairs), owner=_owner(hook.id)) if pairs else None


def _owner(hook_id: UUID) -> str:
    return f"hook:{hook_id}:secrets"
