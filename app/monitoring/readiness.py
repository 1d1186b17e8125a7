"""Whether this process can do its work: everything that it needs is tried, and all that is missing told at once."""

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from app.admin.hooks import verify_hook_secrets
from app.admin.keys import verify_key_secrets
from app.admin.tenants import verify_tenant_secrets
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.engine.pool import lease_connection
from app.errors import NotReadyError, SecretUnreadableError, ServiceError, StartError
from app.platform.db import BARE_ERRORS, check_schema, look_at_all, translate_away
from app.platform.resources import Resources

_READS_ONLY = text("SELECT current_setting('transaction_read_only') = 'on'")


async def verify_ready(resources: Resources) -> None:
    """Try everything that a process with the API needs.

    Raises:
        DatabaseAwayError: Postgres does not answer, or has another schema.
        NotReadyError: it does, and something else is missing; the cause names each thing.
    """
    async with translate_away():
        await check_schema(resources.engine)
        missing = [error for verify in (_verify_writable, verify_secrets) if (error := await _try(verify, resources))]
    # Webhooks have connections of their own, which may be used up while others are left.
    missing += filter(None, [await _try(_verify_pool, resources)])
    if missing:
        raise NotReadyError("; ".join(one.cause for one in missing), fix=" ".join(one.fix for one in missing))


async def _try(verify: Callable[[Resources], Awaitable[None]], resources: Resources) -> ServiceError | None:
    try:
        await verify(resources)
    except ServiceError as error:
        return error
    return None


async def _verify_writable(resources: Resources) -> None:
    async with resources.sessions() as session:
        if (await session.execute(_READS_ONLY)).scalar_one():
            cause = "The database can only be read"
            raise StartError(cause, fix=fix_for(Code.CANNOT_START, "read_only"))


async def verify_secrets(resources: Resources) -> None:
    """Make sure that what is sealed can be opened.

    Raises:
        SecretUnreadableError: something cannot.
    """
    async with resources.sessions() as session:
        look_at_all(session)
        try:
            for verify in (verify_tenant_secrets, verify_hook_secrets, verify_key_secrets):
                await verify(session, resources.vault)
        except SecretUnreadableError as error:
            # Anybody may ask, and need not know whose secret it is.
            cause = "Stored secrets cannot be read with the present encryption keys"
            raise SecretUnreadableError(cause, fix=fix_for(Code.SECRET_UNREADABLE)) from error


async def _verify_pool(resources: Resources) -> None:
    try:
        async with lease_connection(resources) as connection:
            await connection.fetchval("SELECT 1")
    except (*BARE_ERRORS, TimeoutError) as error:
        cause = f"No connection is free to store a webhook ({type(error).__name__})"
        raise StartError(cause, fix=fix_for(Code.CANNOT_START, "connections")) from error
