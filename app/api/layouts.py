"""Layouts of files: what of each is assumed, and who has accepted that for a key; how a key's files stand."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.keys import load_key
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.key_answers import sign
from app.api.key_views import AcceptanceView, Who, Words
from app.api.pages import Page, to_whole
from app.api.transfers import ReasonView
from app.api.views import Order, View, problems
from app.files.accepted import list_accepted, list_good, record_accepted
from app.files.exports import load_standing
from app.files.layouts import Format, Layout, load_layout, load_layouts
from app.tables import Key

router = APIRouter(prefix="/v1/keys", tags=["exports"])


class LayoutView(View):
    """A layout, as a key may use it."""

    name: str = Field(examples=["unistd"])
    version: str
    title: str
    format: Format
    is_assumed: bool = Field(description="Some of its fields are assumed: an administrator must have accepted it")
    assumed: list[str] = Field(description="The fields, and what else nobody has told us")
    accepted: AcceptanceView | None = Field(description="Who has accepted it for this key, maybe in another version")
    is_good: bool = Field(description="A file of it can be made: nothing is assumed, or it was accepted as it is now")


class LayoutWord(Order):
    """Who lets a key's files have fields that are assumed, and why."""

    name: Who
    reason: Words = Field(examples=["Compared with a file that Unimicro took in October"])


class KeyFilesView(View):
    """How a key's files stand."""

    ready: int = Field(description="Documents that are ready for the next file")
    in_file: int = Field(description="Documents in a file of which nobody has said yet what became of it")
    open_exports: list[UUID] = Field(description="Exports with such documents, oldest first")
    last_number: int = Field(description="The running number of the last file; 0: there is none")
    trouble: ReasonView | None = Field(description="Why the clock could not make the next file")
    tried_at: datetime | None


@router.get("/{key_id}/files", operation_id="show_key_files", responses=problems(_404="not_found"))
async def show_files(door: ViewerDoor, key_id: UUID) -> KeyFilesView:
    """What is ready for a key's next file, and what is in one."""
    return KeyFilesView.model_validate(await load_standing(door.session, await load_key(door.session, key_id)))


@router.get("/{key_id}/layouts", responses=problems(_404="not_found", _422="layout_unusable"))
async def list_layouts(door: ViewerDoor, resources: ResourcesDep, key_id: UUID) -> Page[LayoutView, None]:
    """Every layout, what of it is assumed, and whether a file of it can be made for this key."""
    key = await load_key(door.session, key_id)
    return to_whole(await _view(door, key, list(load_layouts(resources.settings.layouts_dir).values())))


@router.post("/{key_id}/layouts/{name}/accept", responses=problems(_404="not_found", _422="layout_unusable"))
async def accept_layout(
    door: AdminDoor, resources: ResourcesDep, key_id: UUID, name: str, word: LayoutWord
) -> LayoutView:
    """Let the key's files have this layout's assumed fields, in the version of now; another one is asked for anew."""
    key = await load_key(door.session, key_id, lock=True)
    layout = load_layout(name, resources.settings.layouts_dir)
    signed = await sign(door, word)
    await record_accepted(door.session, key, layout, signed)
    after = {"version": layout.version, "sha256": layout.digest, "word": signed, "assumed": list(layout.assumed_fields)}
    subject = f"key:{key.id}"
    await door.record("layout.accept", subject, tenant_id=key.tenant_id, after={"layout": name, **after})
    (view,) = await _view(door, key, [layout])
    await door.session.commit()
    return view


async def _view(door: Door, key: Key, layouts: list[Layout]) -> list[LayoutView]:
    accepted = {one.layout: one for one in await list_accepted(door.session, key)}
    good = await list_good(door.session, key, layouts)
    return [
        LayoutView(
            name=one.name,
            version=one.version,
            title=one.title,
            format=one.format,
            is_assumed=one.is_assumed,
            assumed=[*one.assumed_fields, *one.assumptions],
            accepted=None if one.name not in accepted else AcceptanceView.model_validate(accepted[one.name].word),
            is_good=not one.is_assumed or one.name in good,
        )
        for one in layouts
    ]
