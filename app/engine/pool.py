"""Bare driver connections for the one statement that must be fast: the acknowledging of a webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from app.platform.db import Pool, connect_options, to_driver_url, url_of
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


@asynccontextmanager
async def lease_connection(resources: Resources) -> AsyncIterator[Any]:
    """A bare connection of this process's pool; a session would cost several times an insert itself.

    Raises:
        TimeoutError, and `BARE_ERRORS`: there is none.
    """
    pool = await pool_of(resources)
    async with pool.acquire(timeout=resources.settings.connection_wait_seconds) as connection:
        yield connection


async def pool_of(resources: Resources) -> Pool:
    """The pool of this process, opened when it is first asked for."""
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
        command_timeout=2 * settings.connection_wait_seconds,
        reset=_leave_as_it_is,
        **connect_options(pooled=settings.database_pooled, wait_seconds=settings.connection_wait_seconds),
    )


async def _leave_as_it_is(_connection: object) -> None:
    return
