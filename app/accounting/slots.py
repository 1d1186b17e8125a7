"""At most so many calls at a time to one company, over all replicas: a call holds one of its slots in Postgres.

A slot is an advisory lock on a connection of its own, so a dead process gives its slots back by itself.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.platform.db import to_driver_url, url_of
from app.platform.logger import get_logger
from app.platform.resources import Resources

# Told apart from the other advisory locks by this first number.
_SPACE = 0x534C4F54
_PAUSE_SECONDS = 0.02

_log = get_logger(__name__)


class Slots:
    """The slots of one process; opened on first use."""

    def __init__(self, url: str, *, most: int) -> None:
        self._url = url
        self._most = most
        self._connection: Any = None
        self._statement = asyncio.Lock()
        self._here: dict[str, asyncio.Semaphore] = {}
        self._held: set[int] = set()
        self._is_over = False

    @asynccontextmanager
    async def hold(self, company_key: str) -> AsyncIterator[None]:
        """A slot of the company for as long as the block runs; waits for one.

        Raises:
            OSError, asyncpg.PostgresError: Postgres does not answer.
        """
        async with self._here.setdefault(company_key, asyncio.Semaphore(self._most)):
            slot = await self._take(company_key)
            try:
                yield
            finally:
                await self._give_back(slot)

    async def close(self) -> None:
        """Give everything back; who still asks for a slot gets none."""
        self._is_over = True
        if self._connection is not None:
            await self._connection.close()

    async def _take(self, company_key: str) -> int:
        while True:
            for slot in (_to_slot(company_key, number) for number in range(self._most)):
                # The same connection may take the same lock twice, so this process looks at its own first.
                if slot not in self._held and await self._try(slot):
                    return slot
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _try(self, slot: int) -> bool:
        self._held.add(slot)
        taken = False
        try:
            taken = await self._ask("SELECT pg_try_advisory_lock($1, $2)", slot)
        finally:
            if not taken:
                self._held.discard(slot)
        return taken

    async def _give_back(self, slot: int) -> None:
        try:
            # The lock ended with its connection; another one would be opened for nothing.
            if self._connection is not None and not self._connection.is_closed():
                await self._ask("SELECT pg_advisory_unlock($1, $2)", slot)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # The call itself is over, and what came of it must not be lost; the lock went with the connection.
            _log.warning("slot_lost", error=type(error).__name__)
        finally:
            self._held.discard(slot)

    async def _ask(self, statement: str, slot: int) -> bool:
        async with self._statement:
            if self._is_over:
                raise asyncpg.InterfaceError("the slots of this process are closed")
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(to_driver_url(self._url), timeout=5, command_timeout=10)
            try:
                return bool(await self._connection.fetchval(statement, _SPACE, slot))
            except BaseException:
                # Whether the lock was taken is unknown. Without the connection there is none; the calls that are under
                # way at this moment are the only ones that are not counted.
                self._connection.terminate()
                raise


def slots_of(resources: Resources) -> Slots:
    """The slots of this process."""
    most = resources.settings.unimicro_parallel_calls
    return resources.kept(Slots, lambda: Slots(url_of(resources.sessions), most=most))


def _to_slot(company_key: str, number: int) -> int:
    digest = hashlib.sha256(f"{company_key.lower()}/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big", signed=True)
