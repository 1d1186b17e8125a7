"""The number series in which a key's documents are issued in RecMan's order: name them, see where they stand, skip."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.key_check import open_key_target
from app.admin.keys import load_key
from app.admin.series import claim_series, end_skip, is_issuing, list_series, record_series
from app.admin.series_check import examine_series, fetch_series_facts
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.key_views import FindingView
from app.api.views import Order, View, problems
from app.domain.documents import DocumentKind
from app.domain.findings import Finding, stops_nothing
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.domain.series import InvoiceSeries
from app.engine.wakeup import wake_workers
from app.errors import ConflictError, OutcomeUnknownError, RemoteError
from app.platform.resources import Resources
from app.tables import Key
from app.transfer.retry import retry_held
from app.transfer.skip import Standing, begin_skip_to, list_standings, move_series

router = APIRouter(prefix="/v1/keys", tags=["number series"])

Number = Annotated[int, Field(ge=1, lt=10**18)]
Digits = Annotated[str, Field(pattern="^[0-9]{0,17}$")]


class SeriesOrderItem(Order):
    """An invoice series of Unimicro's, and which of RecMan's documents it numbers; what is left out does not matter."""

    series_id: int = Field(description="Id of an invoice series in Unimicro that nobody else uses", examples=[7])
    next_number: Number = Field(
        description="RecMan's next number: the one behind its last document. RecMan has no door that tells it",
        examples=[10045],
    )
    prefix: Digits = Field("", description="First digits of RecMan's numbers in this series", examples=["10"])
    departments: list[str] = Field(default_factory=list, description="RecMan department ids", examples=[["7"]])
    kind: DocumentKind | None = Field(None, description="Where credit notes have numbers of their own")


class SeriesOrderList(Order):
    """Every series of the key's company; what is not listed is let go."""

    series: list[SeriesOrderItem] = Field(
        min_length=1, examples=[[{"series_id": 7, "next_number": 10045, "prefix": "10"}]]
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
    wanted, findings = await _examine(resources, key, order.series)
    if not stops_nothing(findings):
        raise _refuse(findings)
    key = await load_key(door.session, key_id, lock=True)
    before = await list_series(door.session, key)
    for one in before:
        if await is_issuing(door.session, key, one.series_id):
            raise _under_way(one)
    for one in wanted:
        if not await claim_series(door.session, key, one.series_id):
            raise _taken(one)
    await record_series(door.session, key, wanted, actor=door.caller.actor)
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_CHANGED)
    view = await _view(door, key, findings)
    after = {str(one.series_id): f"{one.serves_what}, next {one.next_number}" for one in wanted}
    was = {str(one.series_id): f"{one.serves_what}, next {one.next_number}" for one in before}
    await door.record("key.series", f"key:{key.id}", tenant_id=key.tenant_id, before=was, after=after)
    await door.session.commit()
    wake_workers(resources)
    return view


async def _examine(
    resources: Resources, key: Key, items: Sequence[SeriesOrderItem]
) -> tuple[list[InvoiceSeries], list[Finding]]:
    wanted = [
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
    target, year = open_key_target(resources, key), datetime.now(UTC).year
    facts = await fetch_series_facts(resources.sessions, target, key, wanted, year=year)
    return [facts.name(one) for one in wanted], examine_series(wanted, facts)


def _taken(one: InvoiceSeries) -> ConflictError:
    cause = f"Another RecMan account issues in {one.name} already"
    return ConflictError(cause, fix=fix_for(Code.SERIES_SHARED), code=Code.SERIES_SHARED)


def _refuse(findings: Sequence[Finding]) -> ConflictError:
    alarms = [finding for finding in findings if not finding.ok]
    fixes = dict.fromkeys(finding.fix for finding in alarms)
    return ConflictError("; ".join(one.cause for one in alarms), fix=" ".join(fixes), code=alarms[0].code)


def _under_way(one: InvoiceSeries) -> ConflictError:
    cause = f"Number {one.next_number} of {one.name} may be being issued now"
    return ConflictError(cause, fix="Wait until that has ended.", code=Code.DOCUMENTS_UNDER_WAY)


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
    responses=problems(
        _404="not_found", _409="skip_refused, documents_under_way", _502="the codes of a call to Unimicro"
    ),
)
async def skip_numbers(
    door: AdminDoor, resources: ResourcesDep, key_id: UUID, series_id: int, order: SkipOrder
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
    await end_skip(door.session, key, series_id, target=order.number)
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_CHANGED)
    before = {"series_id": series_id, "next_number": one.next_number}
    after = {"series_id": series_id, "next_number": order.number, "reason": order.reason, "was_set": was_set}
    await door.record("key.skip_to", f"key:{key.id}", tenant_id=key.tenant_id, before=before, after=after)
    await door.session.commit()
    wake_workers(resources)
    return SkippedView(series_id=series_id, from_number=one.next_number, next_number=order.number, was_set=was_set)
