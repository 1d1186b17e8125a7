"""Issuing in RecMan's order: whose turn it is, and whether Unimicro's series stands at RecMan's number."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, and_, case, cast, func, or_, select

from app.admin.series import claim_turn, end_turn, find_series, list_series, wake_behind
from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, RemoteDocument
from app.domain.series import SCOPE, InvoiceSeries, choose_series, name_turn, parse_numeral
from app.domain.states import AT_REST, LaneState, Proof, TransferState
from app.errors import HoldError, OutcomeUnknownError, RemoteError, System, WaitError
from app.platform.db import Session
from app.tables import Key, Lane, Transfer
from app.transfer.books import Books
from app.transfer.context import Run, Turn
from app.transfer.log import INVOICE
from app.transfer.plan.situation import Ahead, DocumentSituation, Past, SeriesView
from app.transfer.plan.steps import Issue
from app.transfer.proof import is_proven_alone, record_stop

# A series may show a moment later where it stands. Source: assumed (docs/facts/unimicro.md §9: read lags are unknown).
_PAUSES = (0.0, 0.3, 1.0)
# For so long an earlier call without an answer may be what has moved the series, though the document does not show it.
_LATE = timedelta(minutes=1)
# Another document with the same number is being issued: its end is seen at the next look.
_SAME_NUMBER_SECONDS = 5.0
_NUMERAL = cast(case((Transfer.number.regexp_match("^[1-9][0-9]{0,17}$"), Transfer.number)), BigInteger)
# Another process tells nobody here; a look at our own table costs little.
_LOOK_SECONDS = 0.2
# The number before wakes it; this is only the net below.
_TURN_SECONDS = 6 * 3600.0


async def look_at_series(run: Run, books: Books, document: Document | Gaps) -> SeriesView | None:
    """How the series stand that would number the document; None where the key issues in none."""
    key = books.key
    if books.booking is not Booking.SERIES or not isinstance(document, Document):
        return None
    async with run.sessions() as session:
        department_id, kind = document.recman_department_id, document.kind.value
        series = await list_series(session, key)
        fitting = choose_series(series, document.number, department_id=department_id, kind=kind)
        number = parse_numeral(document.number)
        ahead, is_near = None, False
        if len(fitting) == 1 and number is not None and number > fitting[0].next_number:
            ahead = await _find_ahead(session, key, series, fitting[0])
            # One that is proven goes alone; who made ready before it would keep its place from the one ahead.
            is_near = not is_proven_alone(key, document) and await _is_near(session, run, fitting[0], number)
    return SeriesView(key_id=str(key.id), company_key=key.company_key, fitting=fitting, ahead=ahead, is_near=is_near)


async def _is_near(session: Session, run: Run, series: InvoiceSeries, number: int) -> bool:
    """Whether every document ahead is in somebody's hands now: then this one is made ready meanwhile.

    What nobody works on may take days; a draft does not stand there for so long.
    """
    between = range(series.next_number, number)
    if run.resources is None or series.skipping_to is not None:
        return False
    if len(between) >= run.resources.settings.places_of_a_tenant:
        return False
    in_hand = (
        select(func.count(Transfer.number.distinct()))
        .join(Lane, and_(Lane.tenant_id == run.lease.tenant_id, Lane.id == Transfer.lane_id))
        .where(
            Transfer.tenant_id == run.lease.tenant_id,
            Transfer.scope == INVOICE,
            Transfer.number.in_([str(one) for one in between]),
            Transfer.booked_at.is_(None),
            Lane.state == LaneState.LEASED,
            Lane.leased_until > func.now(),
        )
    )
    return bool(await session.scalar(in_hand) == len(between))


def find_turn(situation: DocumentSituation) -> Turn | None:
    """The turn that the document has or waits for, where there is one."""
    view, number = situation.series, parse_numeral(situation.document.number)
    if view is None or len(view.fitting) != 1 or number is None:
        return None
    return Turn(series_id=view.fitting[0].series_id, number=number)


async def _find_ahead(session: Session, key: Key, series: Sequence[InvoiceSeries], ours: InvoiceSeries) -> Ahead | None:
    """How the document stands that has the series' next number; the one that is still open where two have it."""
    found = await list_numbered(session, key, series, ours, first=ours.next_number, last=ours.next_number)
    for transfer in sorted(found, key=lambda one: one.state in AT_REST):
        if transfer.state == TransferState.DONE:
            return Ahead(TransferState.DONE, f"in Unimicro as {transfer.remote_number or 'a draft'}")
        return Ahead(transfer.state, "; ".join(reason["cause"] for reason in transfer.reasons))
    return None


async def list_numbered(
    session: Session, key: Key, series: Iterable[InvoiceSeries], ours: InvoiceSeries, *, first: int, last: int
) -> list[Transfer]:
    """RecMan's documents with these numbers that the series would number, as far as RecMan has told of them."""
    at_company = select(Key.id).where(Key.tenant_id == key.tenant_id, Key.company_key == key.company_key)
    wanted = (
        Transfer.tenant_id == key.tenant_id,
        Transfer.scope == INVOICE,
        or_(Transfer.key_id.is_(None), Transfer.key_id.in_(at_company)),
    )
    # The index finds one number; a gap is looked through once, when a person passes it.
    is_within = Transfer.number == str(first) if first == last else _NUMERAL.between(first, last)
    query = select(Transfer).where(*wanted, is_within).order_by(Transfer.id)
    known = list(series)
    return [
        one
        for one in await session.scalars(query)
        if choose_series(known, one.number, department_id=one.recman_department_id, kind=one.kind) == (ours,)
    ]


def is_in_series(remote: RemoteDocument, situation: DocumentSituation) -> bool:
    """Whether a draft is in the series that numbers it now, as far as it says so."""
    view = situation.series
    if view is None or len(view.fitting) != 1 or remote.state is not DocumentState.DRAFT:
        return True
    return remote.series_id in (None, view.fitting[0].series_id)


@dataclass(slots=True)
class Bell:
    """Rings for whoever waits for a turn; `is_issued`: the document ahead has its number, which is being recorded."""

    rung: asyncio.Event = field(default_factory=asyncio.Event)
    is_issued: bool = False


@dataclass(slots=True)
class TurnBells:
    """What rings in this process when a turn comes, by its name."""

    bells: dict[str, Bell] = field(default_factory=dict)


async def wait_for_turn(run: Run, books: Books, step: Issue) -> bool:
    """Return once the document's number has its turn; those ahead are being issued right now, so that takes a moment.

    True: the series was read meanwhile, after the one ahead was issued, and stands at the document's number.

    Raises:
        WaitError: the key was stopped; or somebody ahead has stopped, and nobody knows for how long.
    """
    series, number = step.series, parse_numeral(step.document.number)
    if series is None or number is None:
        return False
    bells, turn = run.own_resources.kept(TurnBells).bells, name_turn(books.key.company_key, series.series_id, number)
    bell = bells.setdefault(turn, Bell())
    following: int | None = None
    try:
        while not await _has_turn(run, books, series.series_id, number):
            with suppress(TimeoutError):
                await asyncio.wait_for(bell.rung.wait(), _LOOK_SECONDS)
            bell.rung.clear()
            if bell.is_issued and following is None:
                # The one ahead is recorded in the meantime. What could not be read is read again.
                with suppress(RemoteError):
                    following = await books.target.fetch_next_number(series.series_id)
    finally:
        bells.pop(turn, None)
    return following == number


async def _has_turn(run: Run, books: Books, series_id: int, number: int) -> bool:
    async with run.sessions() as session:
        now = await find_series(session, books.key, series_id)
        if now is None or (number <= now.next_number and now.skipping_to is None):
            await _require_not_stopped(session, books.key)
            return True
        if await _is_near(session, run, now, number):
            return False
        since = await find_series(session, books.key, series_id)
    if since != now:
        # Whoever was ahead has just ended.
        return False
    turn = name_turn(books.key.company_key, series_id, number)
    cause = f"waits for number {now.next_number}, which comes first in {now.name}"
    raise WaitError(cause, scope=SCOPE, record_id=turn, seconds=_TURN_SECONDS)


async def _require_not_stopped(session: Session, key: Key) -> None:
    """Whoever was ahead may have stopped the key: what it did to the series is nothing to look into now."""
    query = select(Key.proof).where(Key.tenant_id == key.tenant_id, Key.id == key.id)
    if await session.scalar(query) == Proof.STOPPED:
        raise WaitError(f"key “{key.name}” was stopped just now", scope="", record_id="", seconds=0)


def ring_next(run: Run, books: Books, step: Issue, *, is_over: bool) -> None:
    """Tell whoever comes next in this process that the document is issued; `is_over`: and that it is recorded."""
    number = parse_numeral(step.document.number)
    if step.series is not None and number is not None:
        turn = name_turn(books.key.company_key, step.series.series_id, number + 1)
        bell = run.own_resources.kept(TurnBells).bells.get(turn)
        if bell is not None:
            bell.is_issued = bell.is_issued or not is_over
            bell.rung.set()


async def require_next(
    run: Run, books: Books, step: Issue, remote: RemoteDocument, situation: DocumentSituation, *, is_at_number: bool
) -> None:
    """Make sure that the draft is in its series, and that this gives it RecMan's number; else nothing goes any more.

    `is_at_number`: the series was read while the one ahead was recorded (`wait_for_turn`).

    Raises:
        HoldError: it is not, or would not; the key is stopped.
        WaitError: another document has stopped the key meanwhile.
        OutcomeUnknownError: an earlier call of ours may be what has moved the series.
    """
    series = step.series
    if series is None or remote.state is not DocumentState.DRAFT:
        return
    if remote.series_id not in (None, series.series_id):
        cause = f"The draft of {step.document.number} was sent with series {series.series_id} ({series.name}), but "
        cause += f"Unimicro has it in {remote.series_id or 'its own'}"
        await _stop(run, books, Reason(code=Code.SERIES_NOT_TAKEN, cause=cause, fix=fix_for(Code.SERIES_NOT_TAKEN)))
    if is_at_number:
        return
    following = await _read_next(books, series, remote, situation.past, wanted=step.document.number)
    if following is not None:
        cause = f"{series.name} would give number {following}; RecMan's is {step.document.number}"
        fix = fix_for(Code.SERIES_OUT_OF_STEP, key_id=books.key.id, series_id=series.series_id)
        await _stop(run, books, Reason(code=Code.SERIES_OUT_OF_STEP, cause=cause, fix=fix))


async def _read_next(
    books: Books, series: InvoiceSeries, remote: RemoteDocument, past: Past | None, *, wanted: str
) -> int | None:
    """The number that the series gives next where it is another one than is wanted; None: all is well."""
    for pause in _PAUSES:
        await asyncio.sleep(pause)
        following = await books.target.fetch_next_number(series.series_id)
        if str(following) == wanted:
            return None
        shown = await books.target.fetch_document(remote.remote_id)
        if shown.state is not DocumentState.DRAFT:
            # Issued by an earlier call of ours: to issue it again does nothing.
            return None
    sent_at = None if past is None or not past.unclear else past.sent_at
    if sent_at is not None and datetime.now(UTC) - sent_at < _LATE:
        cause = f"{series.name} has moved on; whether document {remote.remote_id} has its number is not certain yet"
        raise OutcomeUnknownError(cause, system=System.UNIMICRO)
    return following


async def _stop(run: Run, books: Books, reason: Reason) -> None:
    async with run.sessions.begin() as session:
        is_first = await record_stop(session, run, books, reason)
    if not is_first:
        # Another document has stopped it while this one was made ready: what is wrong is known.
        raise WaitError("the key was stopped", scope="", record_id="", seconds=0)
    raise HoldError((reason,))


async def begin_turn(session: Session, run: Run, books: Books, step: Issue) -> None:
    """Take the turn for as long as the document is being issued; whoever comes behind makes ready meanwhile.

    Raises:
        WaitError: it is another one's.
    """
    series, number = step.series, parse_numeral(step.document.number)
    if series is None or number is None:
        return
    series_id, transfer_id = series.series_id, run.own_transfer_id
    if await claim_turn(session, books.key, series_id, number=number, transfer_id=transfer_id):
        most = run.own_resources.settings.places_of_a_tenant
        await wake_behind(session, books.key, series_id, number=number, most=most)
        return
    now = await find_series(session, books.key, series_id)
    if now is not None and now.next_number == number and now.skipping_to is None:
        cause = f"another document with number {number} is being issued"
        raise WaitError(cause, scope="", record_id="", seconds=_SAME_NUMBER_SECONDS)
    turn = name_turn(books.key.company_key, series_id, number)
    cause = f"{series.name} is not at {number} any more"
    raise WaitError(cause, scope=SCOPE, record_id=turn, seconds=_TURN_SECONDS)


async def finish_turn(session: Session, books: Books, step: Issue) -> None:
    """The document is issued: the next number has its turn; where this one got another, the key was stopped."""
    number = parse_numeral(step.document.number)
    if step.series is not None and number is not None:
        await end_turn(session, books.key, step.series.series_id, number=number)
