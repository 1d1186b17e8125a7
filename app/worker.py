"""The loop: claim lanes, carry their changes, and turn every error into a fate (retry, wait, pause, hold, fail)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from app.db import Session, is_away
from app.domain.reading import Purpose
from app.errors import (
    AuthExpiredError,
    KeyPausedError,
    Reason,
    RemoteThrottledError,
    ServiceError,
    StaleLeaseError,
    WaitError,
)
from app.inbox import Arrival, accept, dedupe_key, load_unseen
from app.keys import is_removed, pause_key
from app.lanes import Lease, backoff_seconds, check_fence, claim, lock_record, postpone, release, renew, wait_for
from app.log import get_logger
from app.quota import REFUSED_KEY_SECONDS
from app.resources import Resources
from app.sweeps import SCOPE as SWEEP
from app.tenants import load_tenant
from app.transfer.books import REST_SECONDS, open_books
from app.transfer.carry import carry
from app.transfer.context import Run
from app.transfer.log import find_transfer, is_begun
from app.transfer.records import open_reader
from app.transfer.trouble import record_trouble
from app.wakeup import listener

# One run of a lane serves at most this many of its events.
_BATCH = 100

_log = get_logger(__name__)

Carry = Callable[[Run], Awaitable[None]]


async def run_worker(resources: Resources, stop: asyncio.Event, *, carry_one: Carry = carry) -> None:
    """Work until `stop` is set, then finish what is in hand."""
    worker = Worker(resources, carry_one)
    async with listener(resources), worker.keep_leases():
        while not stop.is_set():
            await worker.turn()
        await worker.drain()


class Worker:
    """The lanes that one process has in hand."""

    def __init__(self, resources: Resources, carry_one: Carry) -> None:
        self._resources = resources
        self._carry = carry_one
        self._tasks: dict[asyncio.Task[None], Lease] = {}

    async def turn(self) -> None:
        """Claim what fits, then wait until a lane is done, work arrives or the poll is due."""
        settings = self._resources.settings
        self._resources.work_arrived.clear()
        free = settings.worker_concurrency - len(self._tasks)
        leases = await self._claim(free) if free > 0 else []
        for lease in leases:
            self._tasks[asyncio.create_task(self._work(lease))] = lease
        # With more in hand than asked for, a turn that waited for nothing would never let any of it go on.
        if len(leases) < free or free <= 0:
            await self._wait()

    async def _claim(self, most: int) -> list[Lease]:
        settings = self._resources.settings
        try:
            async with self._resources.sessions.begin() as session:
                return await claim(session, most=most, lease_seconds=settings.lease_seconds)
        except Exception as error:
            if not is_away(error):
                raise
            _log.warning("database_away", error=type(error).__name__)
            return []

    async def _wait(self) -> None:
        arrived = asyncio.create_task(self._resources.work_arrived.wait())
        timeout = self._resources.settings.poll_seconds
        await asyncio.wait({arrived, *self._tasks}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            task.result()

    async def drain(self) -> None:
        """Finish what is in hand."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    @asynccontextmanager
    async def keep_leases(self) -> AsyncIterator[None]:
        """While open, the leases in hand are renewed in time."""
        task = asyncio.create_task(self._renew_forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _renew_forever(self) -> None:
        seconds = self._resources.settings.lease_seconds
        while True:
            await asyncio.sleep(seconds / 3)
            tokens = [lease.token for lease in self._tasks.values()]
            if tokens:
                await self._renew(tokens, seconds)

    async def _renew(self, tokens: list[Any], seconds: float) -> None:
        try:
            async with self._resources.sessions.begin() as session:
                await renew(session, tokens, lease_seconds=seconds)
        except Exception as error:
            # The fence stops whatever outlives its lease, so a missed renewal costs time, not correctness.
            if not is_away(error):
                raise
            _log.warning("renewal_missed", error=type(error).__name__)

    async def _work(self, lease: Lease) -> None:
        started = time.monotonic()
        try:
            await self._work_on(lease)
        except StaleLeaseError:
            _log.warning("lease_lost", lane=lease.lane_id)
        except Exception as error:  # noqa: BLE001 - one lane's trouble must not stop its neighbours
            # The lane keeps its lease until it runs out and is then claimed again; nothing is lost.
            if not is_away(error):
                _log.exception("lane_stopped", lane=lease.lane_id)
            else:
                _log.warning("database_away", lane=lease.lane_id, error=type(error).__name__)
        _log.debug("lane_done", lane=lease.lane_id, milliseconds=round((time.monotonic() - started) * 1000))

    async def _work_on(self, lease: Lease) -> None:
        resources = self._resources
        async with resources.sessions() as session:
            events = await load_unseen(session, lane_id=lease.lane_id, after_seq=lease.seen_seq, limit=_BATCH)
            tenant = await load_tenant(session, lease.tenant_id)
        if not events:
            # A repeat that lost a race has raised the counter without leaving an event.
            await self._release_empty(lease)
            return
        heard_at = events[-1].received_at
        purpose = Purpose.SWEEPS if lease.scope == SWEEP else None
        run = Run(
            sessions=resources.sessions,
            lease=lease,
            events=events,
            reader=open_reader(resources, tenant, since=heard_at, purpose=purpose),
            open_books=lambda key: open_books(resources, key, heard_at=heard_at),
            read_lag_seconds=resources.settings.unimicro_read_lag_seconds,
        )
        try:
            await self._carry(run)
        except StaleLeaseError:
            raise
        except Exception as error:
            if is_away(error):
                raise
            await settle_trouble(resources, run, error)

    async def _release_empty(self, lease: Lease) -> None:
        async with self._resources.sessions.begin() as session:
            await check_fence(session, lease)
            await release(session, lease, seen_seq=lease.seq)


async def settle_trouble(resources: Resources, run: Run, error: Exception) -> None:
    """Give the lane back with the fate that the error means, and show the reason on the transfer."""
    if run.finished:
        _log.error("error_after_end", lane=run.lease.lane_id, error=repr(error))
        return
    match error:
        case WaitError():
            await _wait_for_record(resources, run, error)
        case KeyPausedError():
            await _postpone(resources, run, error, seconds=error.seconds)
        case RemoteThrottledError():
            await _pause_key(resources, run, error)
        case AuthExpiredError():
            await _rest(resources, run, error)
        case _:
            await _retry(resources, run, error)


async def _wait_for_record(resources: Resources, run: Run, error: WaitError) -> None:
    if not error.record_id:
        await _postpone(resources, run, error, seconds=error.seconds)
        return
    lease = run.lease
    async with resources.sessions.begin() as session:
        # Both rows that the other record's end will touch are locked first, so that its end and our decision to wait
        # cannot pass each other unseen.
        await lock_record(session, tenant_id=lease.tenant_id, scope=error.scope, record_id=error.record_id)
        await check_fence(session, lease)
        other = await find_transfer(session, run.place(run.key_id, error.scope, error.record_id), lock=True)
        reason = Reason(code=error.code, cause=error.cause, fix=error.fix)
        await record_trouble(session, run, reason)
        is_over = other is not None and (other.booked_at is not None or (error.while_open and not is_begun(other)))
        if is_over:
            await postpone(session, lease, seconds=0, spends_try=False)
        else:
            await wait_for(session, lease, scope=error.scope, record_id=error.record_id, seconds=error.seconds)
            if other is None and error.scope == "invoice":
                await _ask_for(session, lease, error)


async def _ask_for(session: Session, lease: Lease, error: WaitError) -> None:
    """Look at an invoice that is waited for and that nobody told us of: before our time, or its webhook was lost."""
    arrival = Arrival(
        tenant_id=lease.tenant_id,
        scope=error.scope,
        record_id=error.record_id,
        operation="unknown",
        source="waited for",
        dedupe=dedupe_key("waited for", error.scope, error.record_id),
    )
    await accept(session, arrival)


async def _pause_key(resources: Resources, run: Run, error: RemoteThrottledError) -> None:
    if error.system == "Unimicro" and run.key_id is not None:
        async with resources.sessions.begin() as session:
            await pause_key(session, run.key_id, seconds=error.retry_after, reason=error.cause)
    await _postpone(resources, run, error, seconds=error.retry_after)


async def _rest(resources: Resources, run: Run, error: AuthExpiredError) -> None:
    if error.system == "Unimicro" and run.key_id is not None:
        async with resources.sessions() as session:
            removed = await is_removed(session, run.key_id)
        if removed:
            # Nobody signs in with it again: the next look finds it removed and holds what is there.
            await _postpone(resources, run, error, seconds=0)
            return
    # Unimicro's key was marked by whoever asked for a token (`fresh_token`); a new sign-in wakes its lanes. RecMan is
    # not asked for so long; what comes later is told so, and until when, without a call.
    seconds = REST_SECONDS if error.system == "Unimicro" else REFUSED_KEY_SECONDS
    await _postpone(resources, run, error, seconds=seconds)


async def _postpone(resources: Resources, run: Run, error: ServiceError, *, seconds: float) -> None:
    async with resources.sessions.begin() as session:
        await check_fence(session, run.lease)
        await postpone(session, run.lease, seconds=seconds, spends_try=False)
        await record_trouble(session, run, Reason(code=error.code, cause=error.cause, fix=error.fix))


async def _retry(resources: Resources, run: Run, error: Exception) -> None:
    settings, lease = resources.settings, run.lease
    reason = _explain(error)
    if not isinstance(error, ServiceError):
        _log.exception("unexpected_error", lane=lease.lane_id, exc_info=error)
    seconds = backoff_seconds(lease.tries, first=settings.backoff_first_seconds, cap=settings.backoff_cap_seconds)
    async with resources.sessions.begin() as session:
        await check_fence(session, lease)
        if lease.failing_seconds > settings.give_up_hours * 3600:
            await record_trouble(session, run, reason, failed=True)
            await run.finish(session, state="failed", note=reason.cause)
            return
        await postpone(session, lease, seconds=seconds, spends_try=True)
        await record_trouble(session, run, reason)


def _explain(error: Exception) -> Reason:
    if isinstance(error, ServiceError):
        fix = error.fix or "Nothing to do: it is tried again by itself."
        return Reason(code=error.code, cause=error.cause, fix=fix)
    # The text of an unexpected error may hold anything; its type is all that is shown.
    cause = f"An unexpected error ({type(error).__name__}) stopped the transfer; it is tried again"
    return Reason(code="unexpected", cause=cause, fix="If it stays, give the operator this transfer's id.")
