"""Lists of a key without sign-in: products, VAT codes, customers and what else is sent as a file."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field

from app.admin.keys import load_key
from app.admin.listed_keys import require_lists
from app.admin.lists import find_list, list_lists, parse_list, record_list, show_kind
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.pages import Page, to_whole
from app.api.views import MOST, Limit, View, problems
from app.domain.lists import COLUMNS, NEEDED, ListKind
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.engine.lanes import wake_key
from app.engine.wakeup import wake_workers
from app.errors import NotFoundError
from app.tables import Key, KeyList
from app.transfer.books import KnownBooks
from app.transfer.retry import retry_held

router = APIRouter(prefix="/v1/keys/{key_id}/lists", tags=["keys"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (_XLSX, "text/csv")},
    }
}


class ColumnView(View):
    """A column of a list, and the headings that it may have."""

    name: str = Field(examples=["vat_code"])
    headings: list[str] = Field(examples=[["vat_code", "momskode", "mva-kode"]])
    needed: bool = Field(description="Every row must have it")


class ListView(View):
    """One list as it stands, or as it is missed."""

    kind: ListKind
    needed: bool = Field(description="Without it the key exports nothing")
    rows: int | None = Field(description="null: nobody has sent it", examples=[412])
    digest: str | None = Field(description="SHA-256 of the file that it was read from")
    made_by: str | None = Field(description="Who sent it", examples=["token:5b0e…:Kari at Nordlys"])
    made_at: datetime | None
    columns: list[ColumnView]


class ListRowsView(View):
    """Rows of a list, as they were read."""

    kind: ListKind
    count: int = Field(description="Of all rows")
    next: int | None = Field(description="Give it as `after` for the next page; null: this was the last")
    rows: list[dict[str, str]] = Field(examples=[[{"number": "4711", "name": "Timer", "account": "3000"}]])


@router.get("", operation_id="list_key_lists", responses=problems(_404="not_found", _409="key_is_signed_in"))
async def list_all_lists(door: ViewerDoor, key_id: UUID) -> Page[ListView, None]:
    """Every list that the key may have, with its columns: what was sent and when, what is still missing."""
    key = await _load(door, key_id)
    known = {row.kind: row for row in await list_lists(door.session, key)}
    return to_whole([_show(kind, known.get(kind)) for kind in ListKind])


@router.get("/{kind}", operation_id="show_key_list", responses=problems(_404="not_found", _409="key_is_signed_in"))
async def show_list(
    door: ViewerDoor,
    key_id: UUID,
    kind: ListKind,
    after: Annotated[int, Query(ge=0, le=MOST, description="So many rows are passed over")] = 0,
    limit: Limit = 100,
) -> ListRowsView:
    """A list's rows in the order of its file."""
    key = await _load(door, key_id)
    found = await find_list(door.session, key, kind)
    if found is None:
        fix = fix_for(Code.LISTS_MISSING, key_id=key_id, kind=kind)
        raise NotFoundError(f"Nobody has sent the list of {show_kind(kind)}", fix=fix)
    end = after + limit
    is_last = end >= found.count
    return ListRowsView(kind=kind, count=found.count, next=None if is_last else end, rows=found.rows[after:end])


@router.put(
    "/{kind}",
    operation_id="put_key_list",
    responses=problems(_404="not_found", _409="key_is_signed_in", _422="list_unreadable, list_unusable"),
    openapi_extra=_FILE,
)
async def put_list(
    door: AdminDoor,
    resources: ResourcesDep,
    request: Request,
    key_id: UUID,
    kind: ListKind,
    *,
    dry_run: Annotated[bool, Query(description="Only look whether it could be used")] = False,
) -> ListView:
    """Send a list as a file, .xlsx or .csv, in place of the one before; all that is wrong with it is told at once.

    Unimicro's own templates with the rows that are there are taken as they are. What waited for the list goes on.
    """
    key = await _load(door, key_id)
    content = await request.body()
    # A large file takes a while; others are answered meanwhile.
    new = await asyncio.to_thread(parse_list, kind, content)
    key = await load_key(door.session, key.id, lock=True)
    row = await record_list(door.session, key, new, actor=door.caller.actor)
    view = _show(kind, row)
    if dry_run:
        await door.session.rollback()
        return view
    await door.record("key.list", f"key:{key.id}", tenant_id=key.tenant_id, after=_tell(row))
    await wake_key(door.session, tenant_id=key.tenant_id, key_id=key.id)
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.KEY_CHANGED)
    await door.session.commit()
    resources.kept(KnownBooks).references.pop(key.id, None)
    wake_workers(resources)
    return view


async def _load(door: Door, key_id: UUID) -> Key:
    key = await load_key(door.session, key_id)
    require_lists(key)
    return key


def _tell(row: KeyList) -> dict[str, Any]:
    return {"kind": row.kind, "rows": row.count, "digest": row.digest}


def _show(kind: ListKind, row: KeyList | None) -> ListView:
    columns = [ColumnView(name=one.name, headings=list(one.headings), needed=one.needed) for one in COLUMNS[kind]]
    return ListView(
        kind=kind,
        needed=kind in NEEDED,
        rows=row and row.count,
        digest=row and row.digest,
        made_by=row and row.made_by,
        made_at=row and row.made_at,
        columns=columns,
    )
