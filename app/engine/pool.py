"""Bare driver connections for the one statement that must be fast: the acknowledging of a webhook."""

import asyncio
from dataclasses import dataclass, field

import asyncpg

from app.platform.db import ACQUIRE_SECONDS, Pool, connect_options, to_driver_url, url_of
from app.platform.resources import Resources


@dataclass(slots=True)
class OpenedPool:
    """The pool of this process, once somebody has asked for it."""

    pool: Pool | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def close(self) -> None:
        """Close every connection, each when it is given back."""
        if self.pool is not None:
            await self.pool.close()


async def pool_of(resources: Resources) -> Pool:
    """This process's pool; a session would cost several times the insert itself."""
    opened = resources.kept(OpenedPool)
    if opened.pool is None:
        async with opened.opening:
            opened.pool = opened.pool or await _create_pool(resources)
    return opened.pool


def _create_pool(resources: Resources) -> Pool:
    """Connections are opened on first use.

    Each lease runs one statement in its own transaction and changes no session state, so the round trip that would
    reset the connection between leases is left out.
    """
    settings = resources.settings
    return asyncpg.create_pool(
        to_driver_url(url_of(resources.sessions)),
        min_size=0,
        max_size=settings.webhook_connections,
        command_timeout=10,
        reset=_leave_as_it_is,
        **connect_options(pooled=settings.database_pooled) | {"timeout": ACQUIRE_SECONDS},
    )


async def _leave_as_it_is(_connection: object) -> None:
    return
