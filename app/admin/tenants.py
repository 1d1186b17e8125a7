"""RecMan accounts: the only owner of the table `tenant`."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.domain.reading import Reading
from app.domain.reasons.codes import Code
from app.domain.retention import Retention
from app.errors import ConflictError, NotFoundError
from app.platform.crypto import Vault, show_fingerprint
from app.platform.db import Session, locked
from app.tables import OPERATORS, Tenant


async def create_tenant(session: Session, *, name: str) -> Tenant:
    """The new tenant; it reads records from webhook bodies until a RecMan API key is set.

    Raises:
        ConflictError: the name is taken.
    """
    try:
        return (await session.scalars(insert(Tenant).values(name=name).returning(Tenant))).one()
    except IntegrityError as error:
        raise _name_taken(name) from error


async def rename_tenant(session: Session, tenant: Tenant, *, name: str) -> None:
    """Give the tenant another name.

    Raises:
        ConflictError: the name is taken.
    """
    tenant.name = name
    try:
        await session.flush()
    except IntegrityError as error:
        raise _name_taken(name) from error


def _name_taken(name: str) -> ConflictError:
    return ConflictError(f"There is a tenant “{name}” already", fix="Choose another name.", code=Code.NAME_TAKEN)


async def list_tenants(session: Session) -> Sequence[Tenant]:
    """Every tenant by name."""
    return (await session.scalars(select(Tenant).where(Tenant.id != OPERATORS).order_by(Tenant.name))).all()


async def load_tenants(session: Session, tenant_ids: Collection[UUID]) -> Mapping[UUID, Tenant]:
    """These tenants by id; one that is gone is left out."""
    query = select(Tenant).where(Tenant.id.in_(tenant_ids), Tenant.id != OPERATORS)
    return {one.id: one for one in await session.scalars(query)}


async def load_tenant(session: Session, tenant_id: UUID, *, lock: bool = False) -> Tenant:
    """The tenant.

    Raises:
        NotFoundError: there is none with this id.
    """
    query = select(Tenant).where(Tenant.id == tenant_id, Tenant.id != OPERATORS)
    tenant = (await session.scalars(locked(query) if lock else query)).one_or_none()
    if tenant is None:
        raise NotFoundError(f"There is no tenant {tenant_id}", fix="List the tenants and take an id from there.")
    return tenant


async def record_tenant_state(session: Session, tenant: Tenant, *, state: str) -> None:
    """Pause or resume the tenant: a paused one's webhooks are stored, its lanes wait."""
    tenant.state = state
    await session.flush()


async def record_reading(session: Session, tenant: Tenant, reading: Reading) -> None:
    """Keep how the tenant's RecMan is read; what is left at its default is not stored."""
    tenant.reading = reading.model_dump(mode="json", exclude_defaults=True)
    await session.flush()


async def record_retention(session: Session, tenant: Tenant, retention: Retention) -> None:
    """Keep how long the tenant's data are kept; what is left at its default is not stored."""
    tenant.retention = retention.model_dump(mode="json", exclude_defaults=True)
    await session.flush()


async def record_recman_api_key(session: Session, vault: Vault, tenant: Tenant, *, api_key: str | None) -> None:
    """Store the RecMan API key sealed, so that records are read by API; None goes back to webhook bodies."""
    tenant.recman_api_key = None if api_key is None else vault.seal(api_key, owner=_owner(tenant.id))
    tenant.recman_reads = "payload" if api_key is None else "api"
    await session.flush()


def open_recman_api_key(vault: Vault, tenant: Tenant) -> str | None:
    """The RecMan API key, or None when records come from webhook bodies."""
    if tenant.recman_reads != "api" or tenant.recman_api_key is None:
        return None
    return vault.open(tenant.recman_api_key, owner=_owner(tenant.id))


async def verify_tenant_secrets(session: Session, vault: Vault) -> None:
    """Make sure that the newest tenant's RecMan API key can be opened.

    Raises:
        SecretUnreadableError: it was sealed with another encryption key.
    """
    query = select(Tenant).where(Tenant.recman_api_key.is_not(None)).order_by(Tenant.created_at.desc()).limit(1)
    for tenant in await session.scalars(query):
        open_recman_api_key(vault, tenant)


def show_api_key(vault: Vault, tenant: Tenant) -> str | None:
    """The RecMan API key as people may see it: the beginning of its fingerprint."""
    api_key = open_recman_api_key(vault, tenant)
    return None if api_key is None else show_fingerprint(api_key)


async def reseal_tenants(session: Session, vault: Vault) -> int:
    """Seal every RecMan API key with the newest encryption key; how many there were."""
    query = select(Tenant).where(Tenant.recman_api_key.is_not(None))
    rows = (await session.scalars(locked(query))).all()
    for row in rows:
        row.recman_api_key = vault.reseal(row.recman_api_key or b"")
    return len(rows)


def _owner(tenant_id: UUID) -> str:
    return f"tenant:{tenant_id}:recman_api_key"
