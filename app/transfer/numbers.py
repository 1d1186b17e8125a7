"""RecMan's numbers beside Unimicro's series, for documents that get other numbers in the books."""

from dataclasses import dataclass, field
from uuid import UUID

from app.admin.numbers_check import find_beside, is_vouched
from app.admin.series import list_series
from app.domain.booking import Booking
from app.domain.reference import Reference
from app.platform.db import Session
from app.tables import Key
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.plan.situation import NumbersView


@dataclass(frozen=True, slots=True)
class _Met:
    """What was found beside the series of a key's company, as they were read at one time."""

    reference: Reference
    recmans: frozenset[int]
    numbers: tuple[int, ...]


@dataclass(slots=True)
class MetNumbers:
    """What this process remembers of it, by key: it is looked up as often as the series are read, not per document."""

    by_key: dict[UUID, _Met] = field(default_factory=dict)


async def look_at_numbers(run: Run, books: Books) -> NumbersView | None:
    """How RecMan's numbers lie beside Unimicro's series; None where the books keep RecMan's."""
    key = books.key
    if books.booking is not Booking.RENUMBERED or key.mode != "full":
        return None
    known = {} if run.resources is None else run.resources.kept(MetNumbers).by_key
    met = known.get(key.id)
    if met is None or met.reference is not books.reference:
        async with run.sessions() as session:
            met = await _load_met(session, key, books.reference)
        known[key.id] = met
    vouched = is_vouched(key.acceptance)
    return NumbersView(key_id=str(key.id), recmans=met.recmans, met=met.numbers, is_vouched=vouched)


async def _load_met(session: Session, key: Key, reference: Reference) -> _Met:
    recmans = frozenset(one.series_id for one in await list_series(session, key))
    beside = await find_beside(session, key, reference.invoice_series) or ()
    ends = {number for one in beside for number in (one.lowest, one.newest) if number is not None}
    return _Met(reference, recmans, tuple(sorted(ends)))
