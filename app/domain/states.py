"""Every state that is stored, once: what it means, which ones go together, which may follow which. Pure.

A line says what may follow a state, besides itself; tests/unit/test_states.py reads the lines.

The life of a transfer (`TRANSFER_MOVES`); what waits, is being sent or is unclear goes on by itself:

    waiting ──▶ sending                  a write is begun
    waiting ──▶ collected                it is ready for its key's next file
    waiting ──▶ done                     nothing need be written: it is there already
    waiting ──▶ held, failed, ignored    a person must decide; the tries are used up; it is not to be sent
    sending ──▶ done                     the last step is answered
    sending ──▶ waiting                  the next step comes, or surely nothing was stored
    sending ──▶ unknown                  no answer: looked for before anything is sent again
    sending ──▶ held, failed             refused; the tries are used up
    unknown ──▶ sending, done            it is not there, and is sent again; it is there
    unknown ──▶ held, failed             a person must say what became of it; the tries are used up
    held    ──▶ waiting, sending, done   retried, or linked by hand; what it lacked is there
    held    ──▶ collected, exported      what it lacked for a file is there; it stands as it was exported
    held    ──▶ failed, ignored          looked at again, it cannot be sent; it is not to be sent
    failed  ──▶ waiting, sending, done   as from held
    failed  ──▶ collected, exported      as from held
    failed  ──▶ held, ignored            looked at again, a person must decide; it is not to be sent
    ignored ──▶ waiting, sending         it is to be sent after all, or is linked by hand
    ignored ──▶ failed                   looked at again, it cannot be sent
    done    ──▶ sending                  a customer or a project is updated
    done    ──▶ held, failed             an alarm: it is not what it was; an update does not get through
    done    ──▶ waiting                  a document of a removed key is linked in another company
    collected ──▶ exported                 it is in a file
    collected ──▶ waiting, sending         its key sends from now on; it is linked by hand
    collected ──▶ held, failed, ignored    as from waiting
    exported  ──▶ done                     a person says that the file was imported; it was found there
    exported  ──▶ waiting                  a person says that it is to go into another file
    exported  ──▶ held, failed             refused at the import, or an alarm; it could not be looked at

The life of a lane (`LANE_MOVES`):

    idle    ──▶ ready                    a hint
    ready   ──▶ leased                   a worker takes it
    leased  ──▶ idle, blocked            nothing is left to do; its transfer needs a person
    leased  ──▶ ready                    more came, or it waits
    blocked ──▶ ready                    a new hint, or a person's word
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.booking import IN_BOOKS, Booking


class TransferState(StrEnum):
    """How far a record has come on its way to one key."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    DONE = "done"
    HELD = "held"
    FAILED = "failed"
    IGNORED = "ignored"
    COLLECTED = "collected"
    EXPORTED = "exported"


# A write was begun, and what became of it was not recorded.
UNCLEAR = frozenset({TransferState.SENDING, TransferState.UNKNOWN})
# It goes on by itself.
UNDER_WAY = frozenset({TransferState.WAITING, *UNCLEAR})
# It goes by a file: into the next one, or it is in one of which nobody has said yet what became of it.
BY_FILE = frozenset({TransferState.COLLECTED, TransferState.EXPORTED})
# It goes on when a person says so.
STOPPED = frozenset({TransferState.HELD, TransferState.FAILED})
# Neither goes on, nor needs anybody.
AT_REST = frozenset({TransferState.DONE, TransferState.IGNORED})

# What may follow what, besides itself; a database trigger holds every test to it (tests/world/moves.py).
TRANSFER_MOVES: Mapping[TransferState, frozenset[TransferState]] = {
    TransferState.WAITING: frozenset({TransferState.SENDING, TransferState.COLLECTED, *AT_REST}) | STOPPED,
    TransferState.SENDING: frozenset({TransferState.WAITING, TransferState.UNKNOWN, TransferState.DONE}) | STOPPED,
    TransferState.UNKNOWN: frozenset({TransferState.SENDING, TransferState.DONE}) | STOPPED,
    TransferState.DONE: frozenset({TransferState.SENDING, TransferState.WAITING}) | STOPPED,
    TransferState.HELD: frozenset({TransferState.WAITING, TransferState.SENDING, TransferState.FAILED})
    | AT_REST
    | BY_FILE,
    TransferState.FAILED: frozenset({TransferState.WAITING, TransferState.SENDING, TransferState.HELD})
    | AT_REST
    | BY_FILE,
    TransferState.IGNORED: frozenset({TransferState.WAITING, TransferState.SENDING, TransferState.FAILED}),
    TransferState.COLLECTED: frozenset(
        {TransferState.WAITING, TransferState.SENDING, TransferState.EXPORTED, TransferState.IGNORED}
    )
    | STOPPED,
    TransferState.EXPORTED: frozenset({TransferState.DONE, TransferState.WAITING}) | STOPPED,
}


class LaneState(StrEnum):
    """What the queue of one record does."""

    IDLE = "idle"
    READY = "ready"
    LEASED = "leased"
    BLOCKED = "blocked"


LANE_MOVES: Mapping[LaneState, frozenset[LaneState]] = {
    LaneState.IDLE: frozenset({LaneState.READY}),
    LaneState.READY: frozenset({LaneState.LEASED}),
    LaneState.LEASED: frozenset({LaneState.IDLE, LaneState.BLOCKED, LaneState.READY}),
    LaneState.BLOCKED: frozenset({LaneState.READY}),
}


class EventState(StrEnum):
    """What became of one hint."""

    WAITING = "waiting"
    DONE = "done"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"
    HELD = "held"
    FAILED = "failed"
    RECORDED = "recorded"


# A lane whose run ends so is blocked: nothing but a person, or a new hint, moves it.
BLOCKING = frozenset({EventState.HELD, EventState.FAILED})


class KeyState(StrEnum):
    """Whether a key can be used."""

    ACTIVE = "active"
    PAUSED = "paused"
    SIGN_IN_AGAIN = "sign_in_again"
    REMOVED = "removed"


class Mode(StrEnum):
    """What becomes of a key's documents: sent to Unimicro, or put into files that people import there."""

    FULL = "full"
    FILE = "file"


class Proof(StrEnum):
    """How far a key's documents are trusted: one at a time and compared, at once, or not until a person says so."""

    PROVING = "proving"
    OPEN = "open"
    STOPPED = "stopped"


class SignInState(StrEnum):
    """How far a sign-in has come; told from its row, not stored."""

    OPEN = "open"
    UNCONFIRMED = "unconfirmed"
    RETURNED = "returned"
    USED = "used"
    FAILED = "failed"
    EXPIRED = "expired"


class TenantState(StrEnum):
    """Whether a tenant's lanes are worked on."""

    ACTIVE = "active"
    PAUSED = "paused"


class JobState(StrEnum):
    """How far a job is; one that is being cancelled ends when what was under way has ended."""

    PREVIEWING = "previewing"
    PREVIEWED = "previewed"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class JobKind(StrEnum):
    """What a job does with its documents: both look at them again; a replay shows first what would come of it."""

    SEND = "send"
    REPLAY = "replay"


class SweepState(StrEnum):
    """Whether a sweep or a backfill goes on."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FileState(StrEnum):
    """What became of a document in a file: nobody has said, imported, refused, or free to go into another file."""

    IN_FILE = "in_file"
    TAKEN = "taken"
    REFUSED = "not_taken"
    FREED = "freed"


# No other file may have a document that is in one so.
IN_A_FILE = frozenset({FileState.IN_FILE, FileState.TAKEN, FileState.REFUSED})


class CheckState(StrEnum):
    """How a comparison of all customers stands."""

    RUNNING = "running"
    GREEN = "green"
    FINDINGS = "findings"
    ACCEPTED = "accepted"
    FAILED = "failed"


# The key may send.
CLEAR = frozenset({CheckState.GREEN, CheckState.ACCEPTED})


class InvoiceState(StrEnum):
    """Where an invoice is, in an accountant's words; told from its transfer, not stored."""

    WAITING = "waiting"
    IN_UNIMICRO = "in Unimicro"
    WITH_WARNINGS = "in Unimicro with warnings"
    DRAFT = "draft, not booked"
    ORDER = "order, not invoiced"
    HELD = "held"
    BEFORE_GO_LIVE = "before go-live"
    FAILED = "failed"
    IGNORED = "ignored"
    UNKNOWN = "unknown"
    READY_FOR_FILE = "ready for a file"
    IN_FILE = "in a file, not imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Which transfers an accountant sees under one word; what is None does not matter."""

    stored: Collection[TransferState]
    has_warnings: bool | None = None
    is_old: bool | None = None
    bookings: Collection[Booking] | None = None


INVOICE_STATES: Mapping[InvoiceState, Seen] = {
    InvoiceState.WAITING: Seen(stored={TransferState.WAITING, TransferState.SENDING}),
    InvoiceState.IN_UNIMICRO: Seen(stored={TransferState.DONE}, has_warnings=False, bookings=IN_BOOKS),
    InvoiceState.WITH_WARNINGS: Seen(stored={TransferState.DONE}, has_warnings=True, bookings=IN_BOOKS),
    InvoiceState.DRAFT: Seen(stored={TransferState.DONE}, bookings={Booking.DRAFT}),
    InvoiceState.ORDER: Seen(stored={TransferState.DONE}, bookings={Booking.ORDER}),
    InvoiceState.HELD: Seen(stored={TransferState.HELD}, is_old=False),
    InvoiceState.BEFORE_GO_LIVE: Seen(stored={TransferState.HELD}, is_old=True),
    InvoiceState.FAILED: Seen(stored={TransferState.FAILED}),
    InvoiceState.IGNORED: Seen(stored={TransferState.IGNORED}),
    InvoiceState.UNKNOWN: Seen(stored={TransferState.UNKNOWN}),
    InvoiceState.READY_FOR_FILE: Seen(stored={TransferState.COLLECTED}),
    InvoiceState.IN_FILE: Seen(stored={TransferState.EXPORTED}),
}


def show_invoice_state(stored: str, *, has_warnings: bool, is_old: bool, booking: Booking) -> InvoiceState:
    """The word for a stored state; exactly one row says so. `booking` is how what is done stands in the books."""
    (word,) = (
        word
        for word, seen in INVOICE_STATES.items()
        if stored in seen.stored
        and seen.has_warnings in (None, has_warnings)
        and seen.is_old in (None, is_old)
        and (seen.bookings is None or booking in seen.bookings)
    )
    return word
