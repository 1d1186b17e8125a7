"""At most so many calls at a time to one company, over all replicas: a call holds one of its slots in Postgres.

A slot is a lease as a row, renewed for as long as the call takes; a dead process renews nothing, so its slots are free
again when their time is over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from app.platform.db import BARE_ERRORS, connect_bare, is_away, url_of
from app.platform.leases import GIVE_BACK, RENEW, TAKE
from app.platform.logger import get_logger
from app.platform.places import standing_in
from app.platform.resources import Resources

# Between two looks for a free slot; who waits for long looks less often.
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.1

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """One of a company's slots, in this process's hands."""

    company_key: str
    number: int
    token: UUID

    @property
    def name(self) -> str:
        """The company's name among the leases."""
        return f"company {self.company_key.lower()}"


@dataclass(slots=True)
class _Line:
    """Those of this process who call one company: as many as may, and one of them looks for a slot at a time."""

    inside: asyncio.Semaphore
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Slots:
    """The slots of one process; opened on first use.

    `seconds`: how long a slot stays taken when nobody renews it.
    """

    def __init__(self, url: str, *, most: int, seconds: float = 15, pooled: bool = False) -> None:
        self._url = url
        self._most = most
        self._seconds = seconds
        self._pooled = pooled
        self._connection: Any = None
        self._statement = asyncio.Lock()
        self._lines: dict[str, _Line] = {}
        self._held: set[Slot] = set()
        self._renewing: asyncio.Task[None] | None = None
        self._is_over = False

    @asynccontextmanager
    async def hold(self, company_key: str) -> AsyncIterator[None]:
        """A slot of the company for as long as the block runs; waits for one.

        Raises:
            OSError, asyncpg.PostgresError: Postgres does not answer.
        """
        line = self._lines.setdefault(company_key.lower(), _Line(asyncio.Semaphore(self._most)))
        async with AsyncExitStack() as stack:
            with standing_in(company_key):
                await stack.enter_async_context(line.inside)
                async with line.looking:
                    slot = await self._take(company_key)
            stack.push_async_callback(self._give_back, slot)
            yield

    async def close(self) -> None:
        """Give everything back; who still asks for a slot gets none."""
        for slot in list(self._held):
            await self._give_back(slot)
        self._is_over = True
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
        if self._connection is not None:
            await self._connection.close()

    async def _take(self, company_key: str) -> Slot:
        pause, token = _FIRST_PAUSE_SECONDS, uuid4()
        name = Slot(company_key, 0, token).name
        while True:
            number = await self._ask(TAKE, name, token, self._most, self._seconds)
            if number is not None:
                slot = Slot(company_key, number, token)
                self._held.add(slot)
                self._keep_renewing()
                return slot
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _give_back(self, slot: Slot) -> None:
        self._held.discard(slot)
        try:
            await self._ask(GIVE_BACK, slot.name, slot.number, slot.token)
        except BARE_ERRORS as error:
            # The call itself is over, and what came of it must not be lost; the slot is free when its time is over.
            _log.warning("slot_kept", error=type(error).__name__)

    def _keep_renewing(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew_in_time())

    async def _renew_in_time(self) -> None:
        while self._held:
            await asyncio.sleep(self._seconds / 3)
            try:
                await self._renew(list(self._held))
            except Exception as error:
                # Whoever takes a slot over meanwhile makes one call too many; no call is broken off for that.
                if not is_away(error):
                    raise
                _log.warning("renewal_missed", error=type(error).__name__)

    async def _renew(self, slots: list[Slot]) -> None:
        names, numbers = [one.name for one in slots], [one.number for one in slots]
        tokens = [one.token for one in slots]
        rows = await self._ask_all(RENEW, names, numbers, tokens, self._seconds)
        kept = {row["token"] for row in rows}
        for slot in self._held.intersection(slots):
            if slot.token not in kept:
                # Its time was over before it could be renewed, and another call has it by now.
                self._held.discard(slot)
                _log.warning("slot_lost")

    async def _ask(self, statement: str, *values: Any) -> Any:
        rows = await self._ask_all(statement, *values)
        return rows[0][0] if rows else None

    async def _ask_all(self, statement: str, *values: Any) -> Any:
        async with self._statement:
            if self._is_over:
                raise OSError("the slots of this process are closed")
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect_bare(self._url, pooled=self._pooled, command_timeout=10)
            try:
                return await self._connection.fetch(statement, *values)
            except BaseException:
                # What is still under way on it must not answer the next question.
                self._connection.terminate()
                raise


def slots_of(resources: Resources) -> Slots:
    """The slots of this process."""
    settings = resources.settings
    most, seconds, pooled = settings.unimicro_parallel_calls, settings.lease_seconds, settings.database_pooled
    return resources.kept(Slots, lambda: Slots(url_of(resources.sessions), most=most, seconds=seconds, pooled=pooled))
