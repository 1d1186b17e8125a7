"""The number series in which a key's documents are issued in RecMan's order: name them, see where they stand, skip."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.key_check import open_key_target
from app.admin.keys import load_key
from app.admin.series import end_skip
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.key_views import FindingView
from app.api.series_items import MOST_SERIES, Number, SeriesOrderItem
from app.api.series_orders import examine, record_named, refuse, to_series
from app.api.views import Order, RowId, View, problems
from app.domain.findings import Finding, stops_nothing
from app.domain.reasons.rows import Change
from app.engine.wakeup import wake_workers
from app.errors import ConflictError, OutcomeUnknownError, RemoteError
from app.tables import Key
from app.transfer.retry import retry_held
from app.transfer.skip import Standing, begin_skip_to, list_standings, move_series

router = APIRouter(prefix="/v1/keys", tags=["number series"])


class SeriesOrderList(Order):
    """Every series of the key's company; what is not listed is let go."""

    series: list[SeriesOrderItem] = Field(
        min_length=1, max_length=MOST_SERIES, examples=[[{"series_id": 7, "next_number": 10045, "prefix": "10"}]]
    )


class SeriesView(View):
    """A series, and whose turn it is."""

    series_id: int
    name: str = Field(examples=["RecMan"])
    serves: str = Field(examples=["invoices and credit notes of department 7"])
    next_number: int = Field(description="RecMan's number that is issued next")
    standing: str = Field(
        description="How the document with that number stands",
        examples=["10045 is held: Product 4711 has no VAT type", "RecMan has told of no 10045 yet"],
    )
    waiting: int = Field(description="How many documents that RecMan has told of come behind it")
    skipping_to: int | None = Field(description="It is being set to this number; ask for it once more")


class SeriesListView(View):
    """The series of the key's company."""

    series: list[SeriesView]
    findings: list[FindingView] = Field(description="What a check has found, where one was made")


class SkipOrder(Order):
    """A number that RecMan has made and that comes next, past those that it never made."""

    number: Number = Field(description="The number that is issued next", examples=[10047])
    reason: str = Field(min_length=3, max_length=500, examples=["10045 and 10046 were deleted as drafts in RecMan"])


class SkippedView(View):
    """What was passed."""

    series_id: int
    from_number: int
    next_number: int
    was_set: bool = Field(description="Unimicro's series was set; false: it stood there already")


@router.get("/{key_id}/series", responses=problems(_404="not_found"))
async def show_series(door: ViewerDoor, key_id: UUID) -> SeriesListView:
    """Where every series stands: whose turn it is, and why it is not through yet."""
    key = await load_key(door.session, key_id)
    return await _view(door, key, ())


@router.put(
    "/{key_id}/series",
    responses=problems(
        _404="not_found",
        _409="series_missing, series_shared, series_overlaps, series_not_next, documents_under_way",
        _502="the codes of a call to Unimicro",
    ),
)
async def put_series(door: AdminDoor, resources: ResourcesDep, key_id: UUID, order: SeriesOrderList) -> SeriesListView:
    """Name the series in which documents are issued, each once it stands at RecMan's next number and is nobody else's.

    They hold for every key of the company that books by `series`.
    """
    key = await load_key(door.session, key_id)
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    wanted, findings = await examine(resources, open_key_target(resources, key), key, to_series(order.series))
    if not stops_nothing(findings):
        raise refuse(findings)
    key = await load_key(door.session, key_id, lock=True)
    # The lanes and transfers before the series, as whoever issues in one takes them.
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_CHANGED)
    await record_named(door, key, wanted)
    view = await _view(door, key, findings)
    await door.session.commit()
    wake_workers(resources)
    return view


async def _view(door: Door, key: Key, findings: Sequence[Finding]) -> SeriesListView:
    views = [_show(one) for one in await list_standings(door.session, key)]
    return SeriesListView(series=views, findings=[FindingView.model_validate(one) for one in findings])


def _show(one: Standing) -> SeriesView:
    series = one.series
    return SeriesView(
        series_id=series.series_id,
        name=series.name,
        serves=series.serves_what,
        next_number=series.next_number,
        standing=one.standing,
        waiting=one.waiting,
        skipping_to=series.skipping_to,
    )


@router.post(
    "/{key_id}/series/{series_id}/skip-to",
    operation_id="skip_series_numbers",
    responses=problems(
        _404="not_found", _409="skip_refused, documents_under_way", _502="the codes of a call to Unimicro"
    ),
)
async def skip_numbers(
    door: AdminDoor, resources: ResourcesDep, key_id: UUID, series_id: RowId, order: SkipOrder
) -> SkippedView:
    """Pass numbers that RecMan never made: Unimicro's series is set once, and the named number has its turn.

    Refused while one of those numbers is a document of RecMan's that is neither booked nor ignored.
    """
    key = await load_key(door.session, key_id)
    one = await begin_skip_to(door.session, key, series_id, number=order.number)
    # No transaction is open while Unimicro is asked; until it has answered, nothing is issued in the series.
    await door.session.commit()
    try:
        was_set = await move_series(open_key_target(resources, key), one, number=order.number)
    except OutcomeUnknownError:
        # It may have been set: to ask once more ends it either way.
        raise
    except (ConflictError, RemoteError):
        await end_skip(door.session, key, series_id, target=None)
        await door.session.commit()
        raise
    # The lanes and transfers before the series, as whoever issues in one takes them.
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_CHANGED)
    await end_skip(door.session, key, series_id, target=order.number)
    before = {"series_id": series_id, "next_number": one.next_number}
    after = {"series_id": series_id, "next_number": order.number, "reason": order.reason, "was_set": was_set}
    await door.record("key.skip_to", f"key:{key.id}", tenant_id=key.tenant_id, before=before, after=after)
    await door.session.commit()
    wake_workers(resources)
    return SkippedView(series_id=series_id, from_number=one.next_number, next_number=order.number, was_set=was_set)
