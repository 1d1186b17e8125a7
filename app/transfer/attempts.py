"""One remote write: record `sending`, commit; call; record the outcome, commit. A crash between the two is seen."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from app.db import Session
from app.errors import OutcomeUnknownError, Reason, RemoteError, RemoteRejectedError, WaitError
from app.lanes import check_fence
from app.log import mask
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import claim_sending, record_attempt, record_held, record_unknown, record_values

T = TypeVar("T")
Settle = Callable[[Session, T], Awaitable[None]]


async def attempt(  # noqa: PLR0913 - one write, and all that belongs to it
    run: Run,
    books: Books,
    transfer_id: int,
    *,
    step: str,
    call: Callable[[], Awaitable[T]],
    settle: Settle[T],
    before: Mapping[str, Any] | None = None,
) -> T:
    """The answer of one remote write; begun and ended in commits of their own, so that a crash between is seen.

    `before` are columns of the transfer that a look-up needs if the answer is lost.

    Raises:
        WaitError: another lane is at the same transfer, or it was handed to another key.
        RemoteError: as the call raised it, after the attempt was recorded.
        StaleLeaseError: another worker owns the lane.
    """
    await _begin(run, books, transfer_id, step, before or {})
    books.exchanges.clear()
    started = time.monotonic()
    try:
        answer = await call()
    except RemoteError as error:
        await _record_failure(run, books, transfer_id, step=step, error=error, started=started)
        raise
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        await record_outcome(session, books, transfer_id, step=step, outcome="done", detail="", started=started)
        await record_values(session, transfer_id, unclear=False)
        await settle(session, answer)
    return answer


async def _begin(run: Run, books: Books, transfer_id: int, step: str, before: Mapping[str, Any]) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        claimed = await claim_sending(session, transfer_id, run.lease, key_id=books.key.id, step=step)
        if claimed and before:
            await record_values(session, transfer_id, **before)
    if not claimed:
        raise WaitError(f"transfer {transfer_id} is being sent right now", scope="", record_id="", seconds=1)


async def _record_failure(
    run: Run, books: Books, transfer_id: int, *, step: str, error: RemoteError, started: float
) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if isinstance(error, OutcomeUnknownError):
            await record_unknown(session, transfer_id, error.cause)
        elif isinstance(error, RemoteRejectedError):
            gap = Reason(code=error.code, cause=error.cause, fix=error.fix)
            await record_held(session, transfer_id, (gap,), unclear=False)
        else:
            # Surely nothing was stored: the next run may send without looking.
            await record_values(session, transfer_id, state="waiting", lane_token=None, unclear=False)
        await record_outcome(
            session, books, transfer_id, step=step, outcome=error.code, detail=error.cause, started=started
        )


async def record_outcome(  # noqa: PLR0913 - what one row of the log tells
    session: Session, books: Books, transfer_id: int, *, step: str, outcome: str, detail: str, started: float
) -> None:
    """Append the attempt with what was said since it began, secrets and persons masked."""
    await record_attempt(
        session,
        transfer_id,
        step=step,
        outcome=outcome,
        detail=detail,
        exchanges=[mask(asdict(exchange)) for exchange in books.exchanges],
        rules_version=books.rules_version,
        milliseconds=round((time.monotonic() - started) * 1000),
    )
