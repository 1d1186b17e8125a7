"""Whose turn it is in a company's number series. The only owner of the tables `series_order` and `series_claim`.

A number is issued by one document at a time and moves on in the commit that records it; so a dead worker leaves the
turn where it was, and whoever comes next looks what became of it first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.series import SCOPE, InvoiceSeries, name_turn, parse_numeral, parse_turn
from app.engine.lanes import wake_all, wake_any, wake_waiting
from app.platform.db import Session, locked
from app.tables import Key, SeriesClaim, SeriesOrder, Transfer

_PLACE = "tenant_id = :tenant_id AND company_key = :company_key AND series_id = :series_id"
_CONFLICT = ("tenant_id", "company_key", "series_id")

# Two documents of RecMan's may have one number: as long as the one may have been issued with it, the other may not be.
_CLAIM = text(f"""
    UPDATE series_order SET holder_id = :transfer_id
    WHERE {_PLACE} AND next_number = :number AND skipping_to IS NULL
      AND (holder_id IS NULL OR holder_id = :transfer_id OR NOT EXISTS (
          SELECT FROM transfer WHERE transfer.tenant_id = :tenant_id AND transfer.id = holder_id AND transfer.unclear))
    RETURNING next_number
""")  # noqa: S608 - built from constants

_END = text(f"""
    UPDATE series_order SET next_number = next_number + 1, holder_id = NULL
    WHERE {_PLACE} AND next_number = :number
    RETURNING next_number
""")  # noqa: S608 - built from constants

# A document that was linked by hand has its number in the books without having had a turn.
_PASS_BOOKED = text(f"""
    UPDATE series_order SET next_number = next_number + 1, holder_id = NULL
    WHERE {_PLACE} AND skipping_to IS NULL AND EXISTS (
        SELECT FROM transfer WHERE transfer.tenant_id = :tenant_id AND scope = 'invoice'
          AND number = next_number::text AND remote_number = number
          AND transfer.company_key = series_order.company_key AND booked_at IS NOT NULL)
    RETURNING next_number
""")  # noqa: S608 - built from constants

_IS_ISSUING = text("""
    SELECT EXISTS (
        SELECT FROM series_order AS series JOIN transfer ON transfer.tenant_id = :tenant_id AND transfer.id = holder_id
        WHERE series.tenant_id = :tenant_id AND series.company_key = :company_key AND series.series_id = :series_id
          AND transfer.unclear)
""")


def to_series(row: SeriesOrder) -> InvoiceSeries:
    """A stored order as the plan knows it."""
    return InvoiceSeries(
        series_id=row.series_id,
        name=row.name,
        next_number=row.next_number,
        prefix=row.prefix,
        departments=tuple(row.departments),
        kind=row.kind,
        skipping_to=row.skipping_to,
    )


async def list_series(session: Session, key: Key) -> list[InvoiceSeries]:
    """The series in which documents of the key's company are issued, by id."""
    query = select(SeriesOrder).where(
        SeriesOrder.tenant_id == key.tenant_id, SeriesOrder.company_key == key.company_key
    )
    rows = await session.scalars(query.order_by(SeriesOrder.series_id), execution_options={"populate_existing": True})
    return [to_series(row) for row in rows]


async def find_series(session: Session, key: Key, series_id: int, *, lock: bool = False) -> InvoiceSeries | None:
    """One of them; locked until the transaction ends where that is asked for."""
    query = select(SeriesOrder).where(*_own(key.tenant_id, key.company_key, series_id))
    query = locked(query) if lock else query
    row = (await session.scalars(query, execution_options={"populate_existing": True})).one_or_none()
    return None if row is None else to_series(row)


async def is_issuing(session: Session, key: Key, series_id: int) -> bool:
    """Whether a document may have been issued in the series without our knowing it yet."""
    return bool(await session.scalar(_IS_ISSUING, _place(key.tenant_id, key.company_key, series_id)))


async def claim_turn(session: Session, key: Key, series_id: int, *, number: int, transfer_id: int) -> bool:
    """Whether this transfer alone may be issued now, with this number."""
    values = {**_place(key.tenant_id, key.company_key, series_id), "number": number, "transfer_id": transfer_id}
    return await session.scalar(_CLAIM, values) is not None


async def end_turn(session: Session, key: Key, series_id: int, *, number: int) -> None:
    """Let the next number have its turn, and whoever waits for it; nothing where the turn has moved on already."""
    place = _place(key.tenant_id, key.company_key, series_id)
    following = await session.scalar(_END, {**place, "number": number})
    if following is not None:
        following = await _record_passed(session, place) or following
        await _wake(session, key.tenant_id, key.company_key, series_id, following)


async def wake_follower(session: Session, key: Key, series_id: int, *, number: int) -> None:
    """Let whoever comes behind this number look again how the number stands."""
    await _wake(session, key.tenant_id, key.company_key, series_id, number + 1)


async def record_number_booked(session: Session, key: Key, number: str) -> None:
    """A document with this number is in the books without its turn: the series that stands there moves on."""
    for one in await list_series(session, key):
        place = _place(key.tenant_id, key.company_key, one.series_id)
        passed = await _record_passed(session, place) if one.next_number == parse_numeral(number) else None
        if passed is not None:
            await _wake(session, key.tenant_id, key.company_key, one.series_id, passed)


async def wake_behind_number(session: Session, key: Key, number: str) -> None:
    """Let whoever waits for a document with this number look again how it stands: a person has decided about it."""
    for one in await list_series(session, key):
        if one.next_number == parse_numeral(number):
            await wake_follower(session, key, one.series_id, number=one.next_number)


async def wake_behind(session: Session, key: Key, series_id: int, *, number: int, most: int) -> None:
    """Let those look who come next behind this number, which is being issued: so many at most."""
    turns = [name_turn(key.company_key, series_id, number + one) for one in range(1, most)]
    await wake_any(session, tenant_id=key.tenant_id, scope=SCOPE, record_ids=turns)


async def is_turn(session: Session, *, tenant_id: UUID, turn: str) -> bool:
    """Whether a number's turn has come, be it over, as `name_turn` names it.

    It cannot move until the caller's transaction ends: its coming and a decision to wait for it cannot pass each other.
    """
    company_key, series_id, number = parse_turn(turn)
    query = select(SeriesOrder.next_number).where(*_own(tenant_id, company_key, series_id))
    following = await session.scalar(locked(query))
    if following is None:
        return True
    passed = await _record_passed(session, _place(tenant_id, company_key, series_id))
    if passed is not None:
        await _wake(session, tenant_id, company_key, series_id, passed)
    return number <= (passed or following)


async def _record_passed(session: Session, place: Mapping[str, Any]) -> int | None:
    """The next number, once those were passed that are in the books already; None where it is as it was."""
    passed: int | None = None
    while (following := await session.scalar(_PASS_BOOKED, place)) is not None:
        passed = following
    return passed


async def _wake(session: Session, tenant_id: UUID, company_key: str, series_id: int, number: int) -> None:
    await wake_waiting(session, tenant_id=tenant_id, scope=SCOPE, record_id=name_turn(company_key, series_id, number))


def _place(tenant_id: UUID, company_key: str, series_id: int) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "company_key": company_key, "series_id": series_id}


def _own(tenant_id: UUID, company_key: str, series_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        SeriesOrder.tenant_id == tenant_id,
        SeriesOrder.company_key == company_key,
        SeriesOrder.series_id == series_id,
    )


async def claim_series(session: Session, key: Key, series_id: int) -> bool:
    """Whether the series is this RecMan account's alone, from now on; another account's it stays."""
    row = _place(key.tenant_id, key.company_key, series_id)
    await session.execute(upsert(SeriesClaim).values(row).on_conflict_do_nothing())
    query = select(SeriesClaim.tenant_id).where(
        SeriesClaim.company_key == key.company_key,
        SeriesClaim.series_id == series_id,
        SeriesClaim.tenant_id == key.tenant_id,
    )
    return await session.scalar(query) is not None


async def record_series(session: Session, key: Key, wanted: Sequence[InvoiceSeries], *, actor: str) -> None:
    """These are the company's series from now on, each at its next number; others are let go."""
    own = (SeriesOrder.tenant_id == key.tenant_id, SeriesOrder.company_key == key.company_key)
    kept = [one.series_id for one in wanted]
    await session.execute(delete(SeriesOrder).where(*own, SeriesOrder.series_id.not_in(kept)))
    claims = (SeriesClaim.tenant_id == key.tenant_id, SeriesClaim.company_key == key.company_key)
    await session.execute(delete(SeriesClaim).where(*claims, SeriesClaim.series_id.not_in(kept)))
    for one in wanted:
        values = {
            "name": one.name,
            "next_number": one.next_number,
            "prefix": one.prefix,
            "departments": list(one.departments),
            "kind": one.kind,
            "started_by": actor,
            "holder_id": None,
            "skipping_to": None,
        }
        row = {**_place(key.tenant_id, key.company_key, one.series_id), **values}
        query = upsert(SeriesOrder).values(row)
        await session.execute(query.on_conflict_do_update(index_elements=_CONFLICT, set_=values))
    # Whoever waits in a series that is not one any more, or begins elsewhere now, looks again.
    await wake_all(session, tenant_id=key.tenant_id, scope=SCOPE, beginning=f"{key.company_key}/")


async def begin_skip(session: Session, key: Key, series_id: int, *, target: int) -> None:
    """Let nothing be issued in the series until it stands at this number; the caller has locked the order."""
    own = _own(key.tenant_id, key.company_key, series_id)
    await session.execute(update(SeriesOrder).where(*own).values(skipping_to=target))


async def end_skip(session: Session, key: Key, series_id: int, *, target: int | None) -> None:
    """The series stands at this number, whose document is woken. None: it stands as it stood."""
    own = _own(key.tenant_id, key.company_key, series_id)
    values: dict[str, Any] = {"skipping_to": None}
    values |= {} if target is None else {"next_number": target, "holder_id": None}
    await session.execute(update(SeriesOrder).where(*own).values(values))
    if target is not None:
        await _wake(session, key.tenant_id, key.company_key, series_id, target)


_NUMBERED = text(r"""
    SELECT number, recman_department_id, kind, booked_at IS NOT NULL AS is_booked FROM transfer
    WHERE tenant_id = :tenant_id AND scope = 'invoice'
      AND (key_id IS NULL OR key_id IN (SELECT id FROM key WHERE tenant_id = :tenant_id AND company_key = :company_key))
      AND CASE WHEN number ~ '^[1-9][0-9]{0,17}$' THEN
            CASE WHEN booked_at IS NOT NULL THEN number::bigint >= :number
                 ELSE number::bigint < :number AND state <> 'ignored' AND invoice_date >= :go_live END
          ELSE false END
    ORDER BY number::bigint LIMIT 1000
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OddNumbers:
    """RecMan's documents that a series' next number does not fit to: `booked` ones from it on, `open` ones below it."""

    booked: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


async def find_odd_numbers(session: Session, key: Key, one: InvoiceSeries) -> OddNumbers:
    """What our log knows of RecMan's documents that contradicts the series' next number; empty: nothing."""
    values = {"tenant_id": key.tenant_id, "company_key": key.company_key, "go_live": key.go_live}
    rows = (await session.execute(_NUMBERED, {**values, "number": one.next_number})).all()
    served = [row for row in rows if one.serves(row.number, department_id=row.recman_department_id, kind=row.kind)]
    return OddNumbers(
        booked=tuple(row.number for row in served if row.is_booked),
        open=tuple(row.number for row in served if not row.is_booked),
    )


async def list_own_ids(session: Session, key: Key, remote_ids: Sequence[int]) -> set[int]:
    """Of these documents in the key's company those that are RecMan's."""
    query = select(Transfer.remote_id).where(
        Transfer.tenant_id == key.tenant_id,
        Transfer.company_key == key.company_key,
        Transfer.scope == "invoice",
        Transfer.remote_type == "invoice",
        Transfer.remote_id.in_(remote_ids),
    )
    return {one for one in await session.scalars(query) if one is not None}


async def list_taken(session: Session, key: Key, series_ids: Sequence[int]) -> frozenset[int]:
    """Of these series of the company those that another RecMan account of ours issues in."""
    query = select(SeriesClaim.series_id).where(
        SeriesClaim.company_key == key.company_key,
        SeriesClaim.series_id.in_(series_ids),
        SeriesClaim.tenant_id != key.tenant_id,
    )
    return frozenset(await session.scalars(query))
