"""First contact: what a hook's deliveries look like, and the confirmation that lets them have effects."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.hook_headers import list_headers
from app.admin.hook_shapes import list_shapes, record_counts
from app.admin.hooks import load_hook, record_hook_change
from app.api.doors import AdminDoor, ResourcesDep, ViewerDoor
from app.api.views import Order, View, problems
from app.api.webhooks.known import KnownHooks
from app.domain.states import EventState
from app.engine.inbox import PART, RELEASED, list_deliveries
from app.engine.recorded import count_recorded, discard_recorded, release_recorded
from app.engine.wakeup import wake_workers
from app.recman.hook.contact import Delivery, describe_deliveries, without_quotes

router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

_MOST_DELIVERIES = 500


class Counted(View):
    """Something that was seen, and how often."""

    what: str = Field(examples=["{data: {<id>: {invoiceId: number}}, event: text}"])
    count: int


class HeaderNames(View):
    """Header names that came together."""

    names: list[str] = Field(examples=[["content-length", "content-type", "x-recman-event"]])
    first_at: datetime


class ContactView(View):
    """What the newest thousand records and deliveries of a hook look like: names, types and sizes, never values."""

    hook_id: UUID
    record_first: bool
    recorded: int = Field(description="Records that have no effects until a person confirms them")
    deliveries: int
    first_at: datetime | None
    last_at: datetime | None
    header_names: list[HeaderNames]
    content_types: list[Counted]
    least_size: int = Field(description="Bytes")
    median_size: int = Field(description="Bytes")
    largest_size: int = Field(description="Bytes")
    shapes: list[Counted] = Field(description="As they came, of all so far; of a hook that is sent much, of some")
    events: list[Counted] = Field(description="How they are read: scope and operation")
    without_effect: list[Counted] = Field(description="Why deliveries ask for nothing")


class Word(Order):
    """What becomes of what was recorded."""

    release: bool = Field(True, description="true: it has its effects now; false: it never has any", examples=[True])


class ConfirmedView(View):
    """A hook whose deliveries have effects from now on."""

    hook_id: UUID
    released: int
    discarded: int


@router.get("/{hook_id}/contact", responses=problems(_404="not_found"))
async def show_contact(door: ViewerDoor, resources: ResourcesDep, hook_id: UUID) -> ContactView:
    """What came to the hook so far: header names, content types, sizes, shapes and events."""
    hook = await load_hook(door.session, hook_id, lock=False)
    await record_counts(resources, hook)
    rows = await list_deliveries(door.session, hook_id, limit=_MOST_DELIVERIES)
    sizes = {event: size for event, size in rows if event.source != RELEASED}
    events = list(sizes)
    whole = [event for event in events if event.source != PART]
    found = describe_deliveries([Delivery(sizes[event], event.content_type or "") for event in whole])
    read_as = Counter(f"{event.scope} {event.operation}" for event in events if event.record_id)
    split = {event.id for event in whole if (event.note or "").startswith("holds ")}
    idle = [
        event
        for event in whole
        if event.state == EventState.IGNORED and event.record_id is None and event.id not in split
    ]
    return ContactView(
        hook_id=hook.id,
        record_first=hook.record_first,
        recorded=await count_recorded(door.session, hook_id),
        deliveries=len(whole),
        first_at=whole[-1].received_at if whole else None,
        last_at=whole[0].received_at if whole else None,
        header_names=[HeaderNames.model_validate(row) for row in await list_headers(door.session, hook_id)],
        content_types=_list(found.content_types),
        least_size=found.least_size,
        median_size=found.median_size,
        largest_size=found.largest_size,
        shapes=[Counted(what=row.shape, count=row.count) for row in await list_shapes(door.session, hook_id)],
        events=_list(read_as.most_common()),
        without_effect=_list(Counter(without_quotes(event.note or "") for event in idle).most_common()),
    )


def _list(rows: list[tuple[str, int]]) -> list[Counted]:
    return [Counted(what=what, count=count) for what, count in rows]


@router.post("/{hook_id}/confirm", responses=problems(_404="not_found"))
async def confirm_hook(door: AdminDoor, resources: ResourcesDep, hook_id: UUID, word: Word) -> ConfirmedView:
    """Say that deliveries are read rightly: what was recorded, and what comes, has effects from now on."""
    hook = await load_hook(door.session, hook_id)
    await record_hook_change(door.session, hook, record_first=False)
    discarded = 0
    if not word.release:
        discarded = await discard_recorded(door.session, hook_id, actor=door.caller.actor)
    after = {"release": word.release, "discarded": discarded}
    await door.record("hook.confirm", f"hook:{hook.id}", tenant_id=hook.tenant_id, after=after)
    await door.session.commit()
    resources.kept(KnownHooks).by_address.clear()
    released = 0
    if word.release:
        released = await release_recorded(resources.of_tenant(hook.tenant_id).sessions, [hook_id])
    wake_workers(resources)
    return ConfirmedView(hook_id=hook_id, released=released, discarded=discarded)
