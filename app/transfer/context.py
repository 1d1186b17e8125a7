"""What one run of a lane carries along, and how it ends: events, transfer and lane in one commit."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from app.admin.proving import Candidate, record_place_left
from app.admin.series import wake_follower
from app.domain.booking import Booking
from app.domain.reasons.codes import Reason
from app.domain.states import BLOCKING, EventState
from app.engine.ends import End, end_lane, ender_of
from app.engine.lanes import Lease
from app.platform.db import Session, Sessions
from app.platform.logger import add_log_fields
from app.platform.resources import Resources
from app.reading.records import RecordReader
from app.tables import Event, Key
from app.transfer.books import Books, Terms
from app.transfer.log import Place

# What the other system says is missing is asked for in so many tries before a person is.
_TRIES = 3


class OpenBooks(Protocol):
    """Opens a key's books for a run."""

    def __call__(self, key: Key, *, terms: Terms | Booking | None = None) -> Awaitable[Books]:
        """The books, on terms that were read a moment ago, for this booking, or as the key books now."""


class Outcome(StrEnum):
    """What became of a document in a run that has ended, as the log tells it."""

    BOOKED = "booked"
    ORDERED = "ordered"
    DRAFTED = "drafted"
    COLLECTED = "collected"
    LINKED = "linked"
    HELD = "held"
    FAILED = "failed"
    IGNORED = "ignored"
    UNCHANGED = "unchanged"


# What the end of the events means where the last step says no more.
_OUTCOMES = {
    EventState.DONE: Outcome.UNCHANGED,
    EventState.HELD: Outcome.HELD,
    EventState.FAILED: Outcome.FAILED,
    EventState.IGNORED: Outcome.IGNORED,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; `codes` are those of the reasons, or of the warnings of what is booked."""

    outcome: Outcome
    codes: tuple[str, ...]
    remote_number: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A number in a series that is issued in RecMan's order."""

    series_id: int
    number: int


@dataclass(slots=True, kw_only=True)
class Run:
    """One lane being worked on: its lease, its events, its reader, the books it has open, and what became of it.

    `turn`: that of its document, where documents are issued in RecMan's order. `goes_alone`: its document goes while
    no other one of the key does (`admin.proving`).
    """

    sessions: Sessions
    lease: Lease
    events: Sequence[Event]
    reader: RecordReader
    open_books: OpenBooks
    read_lag_seconds: float
    resources: Resources | None = None
    books: Books | None = None
    transfer_id: int | None = None
    key_id: UUID | None = None
    note: str | None = None
    number: str = ""
    turn: Turn | None = None
    goes_alone: bool = False
    ending: Ending | None = None
    finished: bool = False

    @property
    def own_resources(self) -> Resources:
        """The process's resources, for work of our own that opens runs itself."""
        if self.resources is None:
            raise TypeError("this run was opened without resources")
        return self.resources

    @property
    def own_transfer_id(self) -> int:
        """The id of the document's own transfer, which is made before its plan runs."""
        if self.transfer_id is None:
            raise TypeError("a document's transfer is made before its plan runs")
        return self.transfer_id

    @property
    def asks_again(self) -> bool:
        """Whether a missing record is asked for in a later try first; nobody tries again beside the lanes."""
        return bool(self.events) and self.lease.tries < _TRIES

    @property
    def is_asked(self) -> bool:
        """Whether a person wished for this look, whatever RecMan has told of besides."""
        return any(event.source.startswith(("retry", "job:")) for event in self.events)

    def place(self, key_id: UUID | None, scope: str, record_id: str) -> Place:
        """Where a record's transfer stands, for this run's tenant."""
        return Place(tenant_id=self.lease.tenant_id, key_id=key_id, scope=scope, record_id=record_id)

    def show_transfer(self, transfer_id: int) -> None:
        """Note which transfer this run is about, here and on every further log line."""
        self.transfer_id = transfer_id
        add_log_fields(transfer=transfer_id)

    async def finish(
        self,
        session: Session,
        *,
        state: EventState,
        note: str | None = None,
        outcome: Outcome | None = None,
        reasons: Iterable[Reason] = (),
        remote_number: str | None = None,
    ) -> None:
        """End the events and give the lane back, in the caller's transaction; wake whoever waits for the record.

        `outcome` and what follows it are for the log; without one, `done` means that nothing was to be done.

        Raises:
            StaleLeaseError: another worker owns the lane; the caller's transaction must not commit.
        """
        await end_lane(session, self.lease, self.events, state=state, note=note, blocked=state in BLOCKING)
        if self.goes_alone and self.key_id is not None:
            await record_place_left(session, to_candidate(self, self.key_id))
        if self.turn is not None and self.books is not None and state in BLOCKING:
            # Whoever waits for its number is told why that takes so long.
            await wake_follower(session, self.books.key, self.turn.series_id, number=self.turn.number)
        self._note_end(state, outcome, reasons, remote_number or "")

    async def leave(self, *, state: EventState, note: str | None = None, reasons: Iterable[Reason] = ()) -> None:
        """End the events and give the lane back where nothing else is to be written, in one commit with other lanes'.

        Raises:
            StaleLeaseError: another worker owns the lane.
        """
        if self.resources is None or self.goes_alone or self.turn is not None:
            async with self.sessions.begin() as session:
                await self.finish(session, state=state, note=note, reasons=reasons)
            return
        blocked = state in BLOCKING
        await ender_of(self.resources).end(
            End(lease=self.lease, events=self.events, state=state, note=note, blocked=blocked)
        )
        self._note_end(state, None, reasons, "")

    def _note_end(
        self, state: EventState, outcome: Outcome | None, reasons: Iterable[Reason], remote_number: str
    ) -> None:
        codes = tuple(reason.code for reason in reasons)
        self.ending = Ending(outcome or _OUTCOMES[state], codes, remote_number)
        self.finished = True


def to_candidate(run: Run, key_id: UUID) -> Candidate:
    """The run's document as one that wants its key's one place."""
    lease = run.lease
    return Candidate(key_id=key_id, tenant_id=lease.tenant_id, record_id=lease.record_id, lane_token=lease.token)
