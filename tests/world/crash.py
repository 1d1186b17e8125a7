"""What a worker leaves that dies at any boundary: before a commit, before a write leaves, or after it was carried out.

A death is looked at from outside: what is committed and what stands in the two systems at that moment is all that is
left. So one calm run tells of every possible death, and each is put back and lived with, without the way to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from app.platform.http import httpx
from tests.world.moments import Moment, put_moment, take_moment
from tests.world.today import choose_for_today
from tests.world.workers import PATIENCE, at_work
from tests.world.world import World

# Reads change nothing: a crash around one leaves what a crash at the next commit or write leaves.
_READS = {"GET", "HEAD"}
# What is compared of a world after a crash.
Look = Callable[[World], Awaitable[dict[str, Any]]]


class Boundaries:
    """Keeps what lies there whenever a worker is about to do something that stays, or has just done it elsewhere."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.deaths: list[tuple[str, Moment]] = []

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Keep a death for each boundary that is passed inside."""
        engine, http = self._world.resources.engine.sync_engine, self._world.resources.http
        hooks = http.event_hooks
        event.listen(engine, "after_cursor_execute", self._on_statement)
        event.listen(engine, "commit", self._on_commit)
        http.event_hooks = {"request": [self._on_request], "response": [self._on_response]}
        try:
            yield
        finally:
            event.remove(engine, "after_cursor_execute", self._on_statement)
            event.remove(engine, "commit", self._on_commit)
            http.event_hooks = hooks

    def _on_statement(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        # Without a change there is nothing that a crash could take back.
        if not statement.lstrip().upper().startswith("SELECT") and cursor.rowcount != 0:
            connection.info["changed"] = True

    def _on_commit(self, connection: Any) -> None:
        if connection.info.pop("changed", False):
            # Nothing goes on in this connection while others read what it has not committed yet.
            connection.connection.dbapi_connection.run_async(lambda _: self._pass("before commit"))

    async def _on_request(self, request: httpx.Request) -> None:
        if request.method not in _READS:
            await self._pass(f"before {request.method} {request.url.raw_path.decode()}")

    async def _on_response(self, response: httpx.Response) -> None:
        request = response.request
        if request.method not in _READS:
            await self._pass(f"after {request.method} {request.url.raw_path.decode()}")

    async def _pass(self, boundary: str) -> None:
        self.deaths.append((boundary, await take_moment(self._world)))


async def work_and_keep_deaths(world: World) -> list[tuple[str, Moment]]:
    """Work until all is done; what would lie there had the worker died, at each boundary with its name."""
    boundaries = Boundaries(world)
    with boundaries.watch():
        async with asyncio.timeout(PATIENCE), at_work(world.resources) as shift:
            while await world.count("SELECT count(*) FROM lane WHERE state IN ('ready', 'leased')"):
                await shift.rest()
    return boundaries.deaths


def choose_deaths(deaths: Sequence[tuple[str, Moment]]) -> Sequence[tuple[int, tuple[str, Moment]]]:
    """Those of today, each with its number: all of them would take a quarter of the time of all tests."""
    return choose_for_today(list(enumerate(deaths, start=1)))


async def find_troubles(world: World, deaths: Sequence[tuple[str, Moment]], look: Look) -> dict[str, Any]:
    """What is otherwise than it is now once the worker has died at one of today's boundaries and another has settled.

    Shape: by the boundary's number and name, each part that `look` sees otherwise: as it is then, and in the calm run.
    """
    calm = await look(world)
    troubles = {}
    for number, (boundary, moment) in choose_deaths(deaths):
        trouble = await _settle_after(world, moment, calm, look)
        if trouble:
            troubles[f"{number} of {len(deaths)}, {boundary}"] = trouble
    return troubles


async def _settle_after(world: World, moment: Moment, calm: dict[str, Any], look: Look) -> dict[str, Any]:
    try:
        await live_on_after(world, moment)
        await world.settle()
    except TimeoutError:
        return {"not settled": await world.transfers()}
    found = await look(world)
    return {name: (found[name], calm[name]) for name in calm if found[name] != calm[name]}


async def live_on_after(world: World, moment: Moment) -> None:
    """A fresh worker does what it can while the dead one's leases still run; then their time has passed."""
    await put_moment(world, moment)
    async with world.resources.engine.begin() as connection:
        # The dead one had its lanes in hand a moment ago, and asked for a minute.
        rows = await connection.execute(
            text("UPDATE lane SET leased_until = now() + interval '1 minute' WHERE state = 'leased' RETURNING token")
        )
        dead = [str(token) for token in rows.scalars()]
    async with asyncio.timeout(PATIENCE), at_work(world.resources) as shift:
        while not await _has_none_but(world, dead):
            await shift.rest()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE lane SET leased_until = now() WHERE state = 'leased'")


async def _has_none_but(world: World, dead: list[str]) -> bool:
    tokens = ", ".join(f"'{token}'" for token in dead) or "NULL"
    others = f"state = 'leased' AND token::text NOT IN ({tokens})" if dead else "state = 'leased'"
    query = f"SELECT count(*) FROM lane WHERE ({others}) OR (state = 'ready' AND run_at <= now())"  # noqa: S608
    return await world.count(query) == 0
