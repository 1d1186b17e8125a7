"""What is done with a lane: which carrier its scope has, and which fate an error means."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from app.admin.keys import is_removed, pause_key
from app.admin.proving import is_free, lock_key_first, record_place_left
from app.admin.series import is_turn
from app.admin.tenants import load_tenants
from app.clerk.carry_job import carry_job
from app.clerk.jobs import SCOPE as JOB
from app.clerk.jobs import record_job_trouble
from app.domain.reading import Purpose
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.series import SCOPE as TURN
from app.domain.states import BY_FILE, STOPPED, EventState, Proof
from app.engine.ends import release
from app.engine.inbox import Arrival, accept, dedupe_key, load_unseen
from app.engine.lanes import Lease, backoff_seconds, check_fence, lock_record, postpone, wait_for
from app.engine.loop import Work, run_loop
from app.errors import (
    AuthExpiredError,
    HoldError,
    KeyPausedError,
    ProvingError,
    RemoteError,
    RemoteMissingError,
    RemoteRejectedError,
    RemoteThrottledError,
    ServiceError,
    StaleLeaseError,
    System,
    WaitError,
)
from app.platform.db import Session, is_away, is_collision
from app.platform.figures import DOCUMENT_DELAY, DOCUMENT_SECONDS, DOCUMENTS, TROUBLES, begin_at_zero
from app.platform.logger import get_logger
from app.platform.resources import Resources
from app.reading.quota import REFUSED_KEY_SECONDS
from app.reading.records import open_reader
from app.sweep.run import carry_sweep
from app.sweep.sweeps import SCOPE as SWEEP
from app.sweep.sweeps import record_trouble as record_sweep_trouble
from app.tables import Event, Tenant, Transfer
from app.transfer.books import REST_SECONDS, open_books
from app.transfer.carry import carry_company, carry_document, carry_nothing, carry_project, hold
from app.transfer.context import Ending, Outcome, Run, to_candidate
from app.transfer.follow import SCOPE as FOLLOW
from app.transfer.follow import carry_follow
from app.transfer.log import find_transfer, is_begun
from app.transfer.trouble import record_trouble

# One run of a lane serves at most this many of its events.
_BATCH = 100
# Longer than the transaction that ends a record; whoever looks again afterwards sees what it said.
_LOOK_AGAIN_SECONDS = 1.0

_log = get_logger(__name__)
begin_at_zero(DOCUMENTS, Outcome)

Carry = Callable[[Run], Awaitable[None]]

_CARRIERS: dict[str, Carry] = {
    "invoice": carry_document,
    "company": carry_company,
    "project": carry_project,
    "product": carry_nothing,
    "department": carry_nothing,
    JOB: carry_job,
    SWEEP: carry_sweep,
    FOLLOW: carry_follow,
}


async def carry(run: Run) -> None:
    """Take one record as far as it goes now; afterwards `run.finished` unless an error says what to do.

    Raises:
        WaitError, KeyPausedError, RemoteError, StaleLeaseError: the worker decides what becomes of the lane.
    """
    try:
        await _CARRIERS[run.lease.scope](run)
    except HoldError as error:
        await hold(run, error.gaps)
    except RemoteRejectedError as error:
        if isinstance(error, RemoteMissingError) and run.asks_again:
            raise
        await hold(run, (error.reason,))


async def run_worker(resources: Resources, stop: asyncio.Event, *, carry_one: Carry = carry) -> None:
    """Work until `stop` is set, then finish what is in hand."""
    await run_loop(resources, stop, partial(prepare, resources, carry_one))


async def prepare(resources: Resources, carry_one: Carry, session: Session, leases: Sequence[Lease]) -> Sequence[Work]:
    """What is to be done with lanes just claimed: what they have heard is carried; an error becomes its fate."""
    unseen = await load_unseen(session, leases, limit=_BATCH)
    tenants = await load_tenants(session, {one.tenant_id for one in leases})
    return [
        partial(_work_on, resources, carry_one, one, tenants[one.tenant_id], unseen.get(one.lane_id, ()))
        for one in leases
    ]


async def _work_on(
    resources: Resources, carry_one: Carry, lease: Lease, tenant: Tenant, events: Sequence[Event]
) -> None:
    resources = resources.of_tenant(lease.tenant_id)
    if not events:
        # All that it had heard was withdrawn.
        await _release_empty(resources, lease)
        return
    heard_at = events[-1].received_at
    purpose = Purpose.SWEEPS if lease.scope == SWEEP else None
    run = Run(
        sessions=resources.sessions,
        lease=lease,
        events=events,
        reader=open_reader(resources, tenant, since=heard_at, purpose=purpose, about=(lease.scope, lease.record_id)),
        open_books=partial(open_books, resources, heard_at=heard_at),
        read_lag_seconds=resources.settings.unimicro_read_lag_seconds,
        resources=resources,
    )
    started = time.monotonic()
    try:
        await carry_one(run)
        if not run.finished:
            # A carrier that has nothing to say of what it did has done all that there was.
            await run.leave(state=EventState.DONE, note=run.note)
    except StaleLeaseError:
        raise
    except Exception as error:
        if is_away(error):
            raise
        if run.finished:
            _log.error("error_after_end", exc_info=error)
            return
        await settle_trouble(resources, run, error)
    _tell_ending(run, started)


def _tell_ending(run: Run, started: float) -> None:
    """Say how a document's run ended, once that is committed; what waits or is tried again has not ended."""
    if run.ending is not None and run.lease.scope == "invoice":
        seconds = time.monotonic() - started
        _log.info("document_ended", number=run.number, milliseconds=round(seconds * 1000), **asdict(run.ending))
        _count_ending(run, run.ending, seconds)


def _count_ending(run: Run, ending: Ending, seconds: float) -> None:
    DOCUMENTS.labels(ending.outcome).inc()
    DOCUMENT_SECONDS.labels(ending.outcome).observe(seconds)
    if run.lease.claimed_at is not None:
        # Both moments are the database's; this process's clock may be wrong.
        waited = (run.lease.claimed_at - run.events[0].received_at).total_seconds()
        DOCUMENT_DELAY.labels(ending.outcome).observe(waited + seconds)


async def _release_empty(resources: Resources, lease: Lease) -> None:
    async with resources.sessions.begin() as session:
        await check_fence(session, lease)
        await release(session, lease, seen_seq=lease.seq)


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
        # Nothing goes on by itself where the other record needs a person.
        needs_person = other is not None and other.state in STOPPED and not error.has_own_fix
        fix = fix_for(Code.WAITS, "held") if needs_person else error.fix
        await _record_trouble(session, run, Reason(code=error.code, cause=error.cause, fix=fix))
        has_turn = error.scope == TURN and await is_turn(session, tenant_id=lease.tenant_id, turn=error.record_id)
        is_over = has_turn or (
            other is not None
            and (other.booked_at is not None or other.state in BY_FILE or (error.while_open and not is_begun(other)))
        )
        if is_over:
            await postpone(session, lease, seconds=0, spends_try=False)
        elif needs_person and _has_just_ended(other, lease):
            await postpone(session, lease, seconds=_LOOK_AGAIN_SECONDS, spends_try=False)
        else:
            await wait_for(session, lease, scope=error.scope, record_id=error.record_id, seconds=error.seconds)
            if other is None and error.scope == "invoice":
                await _ask_for(session, lease, error)


async def _wait_for_place(resources: Resources, run: Run, error: ProvingError) -> None:
    """Wait until the document that goes alone has ended; its end and our decision cannot pass each other unseen."""
    # Whoever opened the key since we looked has woken those alone that waited by then.
    lease, key_id, books = run.lease, UUID(error.record_id), run.books
    async with resources.sessions.begin() as session:
        proof = await lock_key_first(session, tenant_id=lease.tenant_id, key_id=key_id)
        await check_fence(session, lease)
        await _record_trouble(session, run, error.reason)
        is_opened = proof == Proof.OPEN and books is not None and books.key.proof != Proof.OPEN
        if is_opened or await is_free(session, to_candidate(run, key_id)):
            await postpone(session, lease, seconds=0, spends_try=False)
        else:
            await wait_for(session, lease, scope=error.scope, record_id=error.record_id, seconds=error.seconds)


def _has_just_ended(other: Transfer | None, lease: Lease) -> bool:
    """Whether it was stopped while we looked, so that we have not seen why; a transaction's time is its beginning's."""
    margin = timedelta(seconds=_LOOK_AGAIN_SECONDS)
    return other is not None and lease.claimed_at is not None and other.updated_at > lease.claimed_at - margin


async def _ask_for(session: Session, lease: Lease, error: WaitError) -> None:
    """Look at an invoice that is waited for and that no hint has named: before our time, or its webhook was lost."""
    arrival = Arrival(
        tenant_id=lease.tenant_id,
        scope=error.scope,
        record_id=error.record_id,
        operation="unknown",
        source="waited for",
        dedupe=dedupe_key("waited for", error.scope, error.record_id),
    )
    await accept(session, arrival)


async def _rest(resources: Resources, run: Run, error: KeyPausedError) -> None:
    await _postpone(resources, run, error, seconds=error.seconds)


async def _pause_key(resources: Resources, run: Run, error: RemoteThrottledError) -> None:
    if run.key_id is not None:
        async with resources.sessions.begin() as session:
            await pause_key(session, run.key_id, seconds=error.retry_after, reason=error.cause)
    await _postpone(resources, run, error, seconds=error.retry_after)


async def _rest_with_recman(resources: Resources, run: Run, error: RemoteThrottledError) -> None:
    # The tenant's RecMan was paused by the gate that the refused call had passed (`reading/quota.py`).
    await _postpone(resources, run, error, seconds=error.retry_after)


async def _wait_for_sign_in(resources: Resources, run: Run, error: AuthExpiredError) -> None:
    # The key was marked by whoever asked for a token (`fresh_token`); a new sign-in wakes its lanes.
    seconds = REST_SECONDS
    if run.key_id is not None:
        async with resources.sessions() as session:
            if await is_removed(session, run.key_id):
                # Nobody signs in with it again: the next look finds it removed and holds what is there.
                seconds = 0
    await _postpone(resources, run, error, seconds=seconds)


async def _wait_for_api_key(resources: Resources, run: Run, error: AuthExpiredError) -> None:
    await _postpone(resources, run, error, seconds=REFUSED_KEY_SECONDS)  # what comes later is told so without a call


async def _postpone(resources: Resources, run: Run, error: ServiceError, *, seconds: float) -> None:
    async with resources.sessions.begin() as session:
        await check_fence(session, run.lease)
        await postpone(session, run.lease, seconds=seconds, spends_try=False)
        await _record_trouble(session, run, error.reason)


async def _begin_again(resources: Resources, run: Run, error: Exception) -> None:
    """Postgres has undone what was begun for the sake of another transaction: nothing is wrong, and nobody is told."""
    _log.warning("run_collided", exc_info=error)
    async with resources.sessions.begin() as session:
        await check_fence(session, run.lease)
        await postpone(session, run.lease, seconds=0, spends_try=False)


async def _retry(resources: Resources, run: Run, error: Exception) -> None:
    settings, lease = resources.settings, run.lease
    reason = _explain(error)
    if not isinstance(error, ServiceError):
        _log.error("unexpected_error", exc_info=error)
    seconds = backoff_seconds(lease.tries, first=settings.backoff_first_seconds, cap=settings.backoff_cap_seconds)
    async with resources.sessions.begin() as session:
        await check_fence(session, lease)
        if lease.failing_seconds > settings.give_up_hours * 3600:
            await _record_trouble(session, run, reason, failed=True)
            await run.finish(session, state=EventState.FAILED, note=reason.cause, reasons=(reason,))
            return
        await postpone(session, lease, seconds=seconds, spends_try=True)
        await _record_trouble(session, run, reason)


def _explain(error: Exception) -> Reason:
    if isinstance(error, ServiceError):
        fix = error.fix or fix_for(Code.REMOTE_UNAVAILABLE)
        return Reason(code=error.code, cause=error.cause, fix=fix)
    # The text of an unexpected error may hold anything; its type is all that is shown.
    cause = f"An unexpected error ({type(error).__name__}) stopped the transfer; it is tried again"
    return Reason(code=Code.UNEXPECTED, cause=cause, fix=fix_for(Code.UNEXPECTED))


async def _record_trouble(session: Session, run: Run, reason: Reason, *, failed: bool = False) -> None:
    """Show why it is not through yet, on the sweep, on the job or on the transfer."""
    if run.lease.scope == SWEEP:
        await record_sweep_trouble(session, int(run.lease.record_id), reason, failed=failed)
    if run.lease.scope == JOB:
        await record_job_trouble(session, UUID(run.lease.record_id), reason, failed=failed)
    await record_trouble(session, run, reason, failed=failed)


Fate = Callable[[Resources, Run, Any], Awaitable[None]]

# Which error, whose, and what becomes of the lane: the first line that fits counts. Not here: what a person must decide
# was held by `carry`; a lost lease and a database that is away leave the lane to whoever claims it next.
_FATES: tuple[tuple[type[Exception], System | None, Fate], ...] = (
    (ProvingError, None, _wait_for_place),
    (WaitError, None, _wait_for_record),
    (KeyPausedError, None, _rest),
    (RemoteThrottledError, System.UNIMICRO, _pause_key),
    (RemoteThrottledError, System.RECMAN, _rest_with_recman),
    (AuthExpiredError, System.UNIMICRO, _wait_for_sign_in),
    (AuthExpiredError, System.RECMAN, _wait_for_api_key),
    (Exception, None, _retry),
)


async def settle_trouble(resources: Resources, run: Run, error: Exception) -> None:
    """Give the lane back with the fate that the error means, and show the reason on the transfer."""
    if not is_collision(error):
        TROUBLES.labels(error.code if isinstance(error, ServiceError) else Code.UNEXPECTED).inc()
    await _choose_fate(error)(resources, run, error)
    if run.goes_alone and run.key_id is not None and not run.finished and not isinstance(error, ProvingError):
        # Its turn is the next one's as long as nothing of it is begun.
        async with resources.sessions.begin() as session:
            await record_place_left(session, to_candidate(run, run.key_id))


def _choose_fate(error: Exception) -> Fate:
    if is_collision(error):
        return _begin_again
    whose = error.system if isinstance(error, RemoteError) else None
    return next(fate for kind, system, fate in _FATES if isinstance(error, kind) and system in (None, whose))
