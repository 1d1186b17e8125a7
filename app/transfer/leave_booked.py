"""A booked document that its lane comes to again: looked for where that is due, settled when it stands as it was."""

from typing import Any

from app.domain.booking import Booking
from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.domain.reasons.codes import Reason
from app.engine.lanes import check_fence
from app.errors import HoldError
from app.transfer.booked import show_look, show_missing, show_notes, show_place
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.drift import Sight, list_alarms, look_for_drift
from app.transfer.log import record_settled, record_values
from app.transfer.plan.situation import Past


async def leave_booked(
    run: Run, books: Books, document: Document | Gaps, past: Past, notes: tuple[Reason, ...]
) -> None:
    """Leave it as it is, with what is to be noted of it.

    Raises:
        HoldError: it does not stand as it was booked.
        RemoteError: Unimicro could not be read.
    """
    sight = await _look(run, books, document, past)
    await settle_again(run, past.warnings, notes, **show_missing(past, document), **show_look(sight))
    await _read_number(run, books, past, sight)


async def settle_again(run: Run, told: tuple[Reason, ...], notes: tuple[Reason, ...], **values: Any) -> None:
    """A booked document that was held for an alarm, and stands as it was booked after all, is done again.

    `told` are the warnings that it has; of those `notes` replaces what was said of an earlier change.
    """
    if run.transfer_id is not None:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_settled(session, run.transfer_id, **values, **show_notes(told, notes))


async def _look(run: Run, books: Books, document: Document | Gaps, past: Past) -> Sight | None:
    """What is found of a booked document; None: not looked.

    RecMan's repeats cost one call a day at most; an alarm, or a person's wish to look again, is always worth one.

    Raises:
        HoldError: it does not stand as it was booked.
    """
    is_worth_it = run.is_asked or past.is_drift_due or bool(list_alarms(past))
    if not isinstance(document, Document) or not is_worth_it:
        return None
    sight = await look_for_drift(run, books, document, past)
    if sight.drift is not None:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_values(session, past.transfer_id, **show_look(sight))
        raise HoldError((sight.drift,))
    return sight


async def _read_number(run: Run, books: Books, past: Past, sight: Sight | None) -> None:
    """A document that was booked before it had its number gets it now; so does a draft that a person has issued."""
    if past.remote_number or past.remote_id is None:
        return
    remote = None if sight is None else sight.remote
    if remote is None:
        if past.booking == Booking.DRAFT:
            return
        remote = await books.target.fetch_document(past.remote_id)
    if remote.number and remote.external_reference == past.external_reference:
        async with run.sessions.begin() as session:
            await check_fence(session, run.lease)
            await record_values(session, past.transfer_id, **show_place(remote))
