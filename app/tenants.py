"""RecMan accounts: the only owner of the table `tenant`."""

from uuid import UUID

from sqlalchemy import insert, select, update

from app.crypto import Vault
from app.db import Session
from app.errors import NotFoundError
from app.tables import Tenant


async def create_tenant(session: Session, *, name: str) -> UUID:
    """The new tenant's id; it reads records from webhook bodies until a RecMan API key is set."""
    found = await session.scalar(insert(Tenant).values(name=name).returning(Tenant.id))
    return UUID(str(found))


async def find_tenant(session: Session, name: str) -> Tenant | None:
    """The tenant of this name, if there is one."""
    return (await session.scalars(select(Tenant).where(Tenant.name == name))).one_or_none()


async def load_tenant(session: Session, tenant_id: UUID) -> Tenant:
    """The tenant.

    Raises:
        NotFoundError: there is none with this id.
    """
    tenant = await session.get(Tenant, tenant_id)
    if tenant is None:
        raise NotFoundError(f"There is no tenant {tenant_id}", fix="List the tenants and take an id from there.")
    return tenant


async def set_recman_api_key(session: Session, vault: Vault, *, tenant_id: UUID, api_key: str) -> None:
    """Store the RecMan API key sealed; from now on records are read by API."""
    sealed = vault.seal(api_key, owner=_owner(tenant_id))
    values = {"recman_api_key": sealed, "recman_reads": "api"}
    await session.execute(update(Tenant).where(Tenant.id == tenant_id).values(values))


def open_recman_api_key(vault: Vault, tenant: Tenant) -> str | None:
    """The RecMan API key, or None when records come from webhook bodies."""
    if tenant.recman_reads != "api" or tenant.recman_api_key is None:
        return None
    return vault.open(tenant.recman_api_key, owner=_owner(tenant.id))


def _owner(tenant_id: UUID) -> str:
    return f"tenant:{tenant_id}:recman_api_key"
