"""Series that an administrator names: looked into before anything is kept, with a key or by themselves."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.accounting.targets import Target
from app.admin.connect import KeyOrder, look_ahead
from app.admin.key_check import open_key_target
from app.admin.keys import load_key
from app.admin.numbers_check import find_beside, require_apart
from app.admin.series import claim_series, is_issuing, list_series, record_series
from app.admin.series_check import examine_series, fetch_series_facts
from app.api.doors import Door
from app.api.key_answers import answer_of, say_words
from app.api.key_views import KeyChange
from app.api.series_items import SeriesOrderItem
from app.domain.booking import Booking
from app.domain.findings import Finding, stops_nothing
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.series import InvoiceSeries
from app.errors import ConflictError, RequestError
from app.platform.resources import Resources
from app.tables import Key

Items = Sequence[SeriesOrderItem]


async def examine_for_new(
    door: Door, resources: Resources, order: KeyOrder, items: Items | None
) -> Sequence[InvoiceSeries]:
    """The series to keep once the key is made; what is refused leaves the sign-in as it was.

    Raises:
        RequestError: series are named, and the key would not book by them; or see `look_ahead`.
        ConflictError: no series is named, or one of them would not give RecMan's numbers.
    """
    if order.mode == "full" and order.booking == Booking.RENUMBERED:
        prospect = await look_ahead(door.session, resources, order)
        await _require_apart(door, resources, prospect.target, prospect.key, order.acceptance)
    if order.booking != Booking.SERIES or order.mode != "full":
        _require_none(items)
        return ()
    prospect = await look_ahead(door.session, resources, order)
    return await _require_green(door, resources, prospect.target, prospect.key, items)


async def examine_for_change(
    door: Door, resources: Resources, key_id: UUID, wish: KeyChange
) -> Sequence[InvoiceSeries]:
    """The series to keep with the change; looked into also where they were named before and are to be used now.

    Raises:
        RequestError, ConflictError: see `examine_for_new` and `answer_of`.
    """
    key = await load_key(door.session, key_id)
    booking, mode = wish.booking or key.booking, wish.mode or key.mode
    said = wish.model_dump(exclude_none=True, include={"mode", "sender", "booking"})
    if mode == "full" and booking == Booking.RENUMBERED and (said or wish.acceptance):
        words = await say_words(door, wish)
        await answer_of(door, key, said | words)
        target = open_key_target(resources, key)
        await _require_apart(door, resources, target, key, words.get("acceptance", key.acceptance))
    if booking != Booking.SERIES or mode != "full":
        _require_none(wish.series)
        return ()
    if wish.series is None and (key.booking, key.mode) == (booking, mode):
        return ()
    await answer_of(door, key, said | await say_words(door, wish))
    return await _require_green(door, resources, open_key_target(resources, key), key, wish.series)


async def _require_apart(
    door: Door, resources: Resources, target: Target, key: Key, acceptance: Mapping[str, Any] | None
) -> None:
    """Make sure that the books give no number that RecMan has, before they number documents otherwise."""
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    there = await target.fetch_invoice_series(year=datetime.now(UTC).year)
    async with resources.of_tenant(key.tenant_id).sessions() as session:
        beside = await find_beside(session, key, there)
    require_apart(beside, acceptance)


def _require_none(items: Items | None) -> None:
    if items:
        cause = "Series are named, and the key's documents are not booked by `series`"
        fix = "Say `booking` series with `mode` full, or leave `series` out."
        raise RequestError(cause, fix=fix, code=Code.BOOKING_UNFIT)


async def _require_green(
    door: Door, resources: Resources, target: Target, key: Key, items: Items | None
) -> Sequence[InvoiceSeries]:
    """The named series to keep; none where those that the company has already give RecMan's numbers."""
    known = await list_series(door.session, key)
    for one in known:
        if await is_issuing(door.session, key, one.series_id):
            raise under_way(one)
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    wanted, findings = await examine(resources, target, key, known if items is None else to_series(items))
    if not stops_nothing(findings):
        raise refuse(findings)
    return () if items is None else wanted


def to_series(items: Items) -> list[InvoiceSeries]:
    """The series as they were named."""
    return [
        InvoiceSeries(
            series_id=one.series_id,
            name=f"series {one.series_id}",
            next_number=one.next_number,
            prefix=one.prefix,
            departments=tuple(one.departments),
            kind=None if one.kind is None else one.kind.value,
        )
        for one in items
    ]


async def examine(
    resources: Resources, target: Target, key: Key, wanted: Sequence[InvoiceSeries]
) -> tuple[list[InvoiceSeries], list[Finding]]:
    """The series by their names in Unimicro, and everything that was found about them."""
    facts = await fetch_series_facts(resources.sessions, target, key, wanted, year=datetime.now(UTC).year)
    named = [facts.name(one) for one in wanted]
    return named, examine_series(named, facts)


async def record_named(door: Door, key: Key, wanted: Sequence[InvoiceSeries]) -> None:
    """These are the series of the key's company from now on, in the caller's transaction and on the audit trail.

    None: they stay as they are.

    Raises:
        ConflictError: something is being issued in one now, or another RecMan account has taken one meanwhile.
    """
    if not wanted:
        return
    before = await list_series(door.session, key)
    for one in before:
        if await is_issuing(door.session, key, one.series_id):
            raise under_way(one)
    for one in wanted:
        if not await claim_series(door.session, key, one.series_id):
            raise _taken(one)
    await record_series(door.session, key, wanted, actor=door.caller.actor)
    await door.record("key.series", f"key:{key.id}", tenant_id=key.tenant_id, before=_tell(before), after=_tell(wanted))


def _tell(series: Sequence[InvoiceSeries]) -> dict[str, str]:
    return {str(one.series_id): f"{one.serves_what}, next {one.next_number}" for one in series}


def _taken(one: InvoiceSeries) -> ConflictError:
    cause = f"Another RecMan account issues in {one.name} already"
    return ConflictError(cause, fix=fix_for(Code.SERIES_SHARED), code=Code.SERIES_SHARED)


def refuse(findings: Sequence[Finding]) -> ConflictError:
    """Everything that is not as it must be, in one refusal."""
    alarms = [finding for finding in findings if not finding.ok]
    fixes = dict.fromkeys(finding.fix for finding in alarms)
    return ConflictError("; ".join(one.cause for one in alarms), fix=" ".join(fixes), code=alarms[0].code)


def under_way(one: InvoiceSeries) -> ConflictError:
    """The refusal while nobody knows whether the series' next number is issued."""
    cause = f"Number {one.next_number} of {one.name} may be being issued now"
    return ConflictError(cause, fix="Wait until that has ended.", code=Code.DOCUMENTS_UNDER_WAY)
