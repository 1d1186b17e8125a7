"""One remote write: record `sending`, commit; call; record the outcome, commit. A crash between the two is seen."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TypeVar

from app.domain.states import TransferState
from app.engine.lanes import check_fence
from app.errors import (
    AlreadyStoredError,
    OutcomeUnknownError,
    RemoteError,
    RemoteMissingError,
    RemoteRejectedError,
    WaitError,
)
from app.platform.db import Session
from app.platform.masks import mask
from app.transfer.books import Books
from app.transfer.claims import Claim, claim_sending
from app.transfer.context import Run
from app.transfer.log import (
    record_attempt,
    record_guid_spent,
    record_held,
    record_unknown,
    record_values,
)

T = TypeVar("T")
Settle = Callable[[Session, T], Awaitable[None]]
Prepare = Callable[[Session], Awaitable[None]]


async def attempt(  # noqa: PLR0913 - one write, and all that belongs to it
    run: Run,
    books: Books,
    transfer_id: int,
    *,
    step: str,
    call: Callable[[], Awaitable[T]],
    settle: Settle[T],
    claims: Prepare | None = None,
    prepare: Prepare | None = None,
    opens: Settle[T] | None = None,
) -> T:
    """The answer of one remote write; begun and ended in commits of their own, so that a crash between is seen.

    `claims` makes sure, with the beginning, that the document may go at all; `prepare` records what a look-up needs if
    the answer is lost; what they raise keeps the write from being begun. `opens` locks what settling the answer needs
    before the lane.

    Raises:
        WaitError: another lane is at the same transfer, or it was handed to another key.
        RemoteError: as the call raised it, after the attempt was recorded.
        StaleLeaseError: another worker owns the lane.
    """
    claim = await _begin(run, books, transfer_id, step, claims, prepare)
    books.exchanges.clear()
    started = time.monotonic()
    try:
        answer = await call()
    except RemoteError as error:
        # What an earlier write left open stays open, whatever became of this one.
        clears = not claim.was_unclear and not isinstance(error, OutcomeUnknownError)
        await _record_failed(run, books, transfer_id, step=step, error=error, started=started, clears=clears)
        raise
    async with run.sessions.begin() as session:
        if opens is not None:
            await opens(session, answer)
        await check_fence(session, run.lease)
        await record_outcome(
            session, books, transfer_id, step=step, outcome="done", detail="", started=started, clears=True
        )
        await settle(session, answer)
    return answer


async def _record_failed(  # noqa: PLR0913 - what one failed write tells
    run: Run, books: Books, transfer_id: int, *, step: str, error: RemoteError, started: float, clears: bool
) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        await _record_failure(session, run, transfer_id, step=step, error=error)
        await record_outcome(
            session,
            books,
            transfer_id,
            step=step,
            outcome=error.code,
            detail=error.cause,
            started=started,
            clears=clears,
        )


@asynccontextmanager
async def missing_is_unclear() -> AsyncIterator[None]:
    """A write about a document that Unimicro says it does not have: one weak sign, so the next look must tell."""
    try:
        yield
    except RemoteMissingError as error:
        raise OutcomeUnknownError(
            f"Whether the document is there is not certain: {error.cause}", system=error.system
        ) from error


async def _begin(
    run: Run, books: Books, transfer_id: int, step: str, claims: Prepare | None, prepare: Prepare | None
) -> Claim:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if claims is not None:
            # Before it is marked: what is begun claims nothing any more.
            await claims(session)
        claim = await claim_sending(session, transfer_id, run.lease, key_id=books.key.id, step=step)
        if claim is None:
            raise WaitError(f"transfer {transfer_id} is being sent right now", scope="", record_id="", seconds=1)
        if prepare is not None:
            await prepare(session)
    return claim


async def _record_failure(session: Session, run: Run, transfer_id: int, *, step: str, error: RemoteError) -> None:
    """What this write may have left."""
    if isinstance(error, OutcomeUnknownError):
        await record_unknown(session, transfer_id, error.cause)
        if isinstance(error, AlreadyStoredError) and step == "create":
            await record_guid_spent(session, transfer_id, seconds=run.read_lag_seconds)
        return
    is_believed = not isinstance(error, RemoteMissingError) or not run.asks_again
    if isinstance(error, RemoteRejectedError) and transfer_id != run.transfer_id and is_believed:
        await record_held(session, transfer_id, (error.reason,))
    else:
        # Surely nothing was stored of this write: the next run may send without looking for it. The lane's own document
        # is held by `carry`, once what was made of it is taken back.
        await record_values(session, transfer_id, state=TransferState.WAITING, lane_token=None)


async def record_outcome(  # noqa: PLR0913 - what one row of the log tells
    session: Session,
    books: Books,
    transfer_id: int,
    *,
    step: str,
    outcome: str,
    detail: str,
    started: float,
    clears: bool = False,
) -> None:
    """Append the attempt with what was said since it began, secrets and persons masked; `clears`: see the log."""
    await record_attempt(
        session,
        transfer_id,
        step=step,
        outcome=outcome,
        detail=detail,
        exchanges=[mask(asdict(exchange)) for exchange in books.exchanges],
        rules_version=books.rules_version,
        milliseconds=round((time.monotonic() - started) * 1000),
        clears=clears,
    )
