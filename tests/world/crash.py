"""A worker that dies at the n-th boundary: before a commit, before a write leaves, or after it was carried out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from app.engine.wakeup import bells_of
from app.platform.http import httpx
from app.worker import run_worker
from tests.world.workers import PATIENCE, Shift, at_work, list_lanes
from tests.world.world import World

# Reads change nothing: a crash around one leaves what a crash at the next commit or write leaves.
_READS = {"GET", "HEAD"}


class Boundaries:
    """Counts what a worker does that stays, and kills it at the chosen one; the dead do nothing more."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.seen: list[str] = []
        self.dies_at = 0
        self._bystander: asyncio.Task[Any] | None = None

    @property
    def dead(self) -> bool:
        """Whether the chosen boundary was reached."""
        return 0 < self.dies_at <= len(self.seen)

    @contextmanager
    def watch(self, *, dies_at: int = 0) -> Iterator[None]:
        """Count from 1; die at the named one, never at 0."""
        engine, http = self._world.resources.engine.sync_engine, self._world.resources.http
        self.seen, self.dies_at, hooks = [], dies_at, http.event_hooks
        # Who watches uses the same engine, and lives.
        self._bystander = asyncio.current_task()
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
        self._stop_if_dead()
        # Without a change there is nothing that a crash could take back.
        if not statement.lstrip().upper().startswith("SELECT") and cursor.rowcount != 0:
            connection.info["changed"] = True

    def _on_commit(self, connection: Any) -> None:
        if connection.info.pop("changed", False):
            self._pass("before commit")

    async def _on_request(self, request: httpx.Request) -> None:
        if request.method not in _READS:
            self._pass(f"before {request.method} {request.url.raw_path.decode()}")
        self._stop_if_dead()

    async def _on_response(self, response: httpx.Response) -> None:
        request = response.request
        if request.method not in _READS:
            self._pass(f"after {request.method} {request.url.raw_path.decode()}")

    def _pass(self, boundary: str) -> None:
        if not self.dead:
            self.seen.append(boundary)
        self._stop_if_dead()

    def _stop_if_dead(self) -> None:
        if self.dead and asyncio.current_task() is not self._bystander:
            raise asyncio.CancelledError


async def work_until_dead(world: World, boundaries: Boundaries, *, dies_at: int) -> bool:
    """Whether the worker died before it was through; its lanes die with it and everything lies as it lies."""
    before, stop = asyncio.all_tasks(), asyncio.Event()
    with boundaries.watch(dies_at=dies_at):
        shift = Shift()
        worker = asyncio.create_task(run_worker(world.resources, stop, carry_one=shift.carry))
        async with asyncio.timeout(PATIENCE):
            while not await _is_dead_or_through(world, boundaries):
                await shift.rest()
        died = boundaries.dead
        tasks = [worker, *list_lanes(before)]
        for task in tasks if died else ():
            task.cancel()
        stop.set()
        bells_of(world.resources).arrived.set()
        await asyncio.gather(*tasks, return_exceptions=True)
    return died


async def work_on_the_others(world: World) -> None:
    """A fresh worker does what it can while the dead one's leases still run; then their time has passed."""
    async with world.resources.engine.connect() as connection:
        rows = await connection.execute(text("SELECT token FROM lane WHERE state = 'leased'"))
        dead = [str(token) for token in rows.scalars()]
    async with asyncio.timeout(PATIENCE), at_work(world.resources) as shift:
        while not await _has_none_but(world, dead):
            await shift.rest()
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE lane SET leased_until = now() WHERE state = 'leased'")


async def _is_dead_or_through(world: World, boundaries: Boundaries) -> bool:
    query = "SELECT count(*) FROM lane WHERE state IN ('ready', 'leased')"
    return boundaries.dead or await world.count(query) == 0


async def _has_none_but(world: World, dead: list[str]) -> bool:
    tokens = ", ".join(f"'{token}'" for token in dead) or "NULL"
    others = f"state = 'leased' AND token::text NOT IN ({tokens})" if dead else "state = 'leased'"
    query = f"SELECT count(*) FROM lane WHERE ({others}) OR (state = 'ready' AND run_at <= now())"  # noqa: S608
    return await world.count(query) == 0
