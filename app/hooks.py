"""Secret webhook addresses: the only owner of the table `hook`. The address itself is shown once and never stored."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.crypto import Vault, fingerprint, new_token
from app.db import Session
from app.domain.money import dump_json, parse_json
from app.tables import Hook


async def create_hook(
    session: Session,
    vault: Vault,
    *,
    tenant_id: UUID,
    name: str,
    verification: Mapping[str, Any] | None = None,
    secrets: Sequence[str] = (),
) -> str:
    """The hook's secret address part; give it to RecMan, it cannot be shown again."""
    address = new_token("hook")
    query = insert(Hook).values(
        tenant_id=tenant_id,
        name=name,
        address_hash=fingerprint(address),
        verification=dict(verification or {"kind": "path"}),
    )
    hook_id = await session.scalar(query.returning(Hook.id))
    if secrets:
        hook = await session.get_one(Hook, hook_id)
        hook.secrets = vault.seal(dump_json(list(secrets)), owner=_owner(hook.id))
        await session.flush()
    return address


async def find_hook(session: Session, address: str) -> Hook | None:
    """The live hook behind an address, if there is one."""
    query = select(Hook).where(Hook.address_hash == fingerprint(address), Hook.disabled_at.is_(None))
    return (await session.scalars(query)).one_or_none()


def open_secrets(vault: Vault, hook: Hook) -> tuple[str, ...]:
    """The hook's live secrets; none when the address is the only secret."""
    if hook.secrets is None:
        return ()
    return tuple(parse_json(vault.open(hook.secrets, owner=_owner(hook.id))))


def _owner(hook_id: UUID) -> str:
    return f"hook:{hook_id}:secrets"
