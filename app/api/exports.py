"""Exports: files of documents that people import in Unimicro, and what became of each document there."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from app.admin.keys import load_key
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.export_views import (
    AgainOrder,
    Confirmed,
    ConfirmOrder,
    ExportDetail,
    ExportDocumentView,
    ExportFileView,
    ExportRequest,
    ExportView,
    FoundView,
    Freed,
    MadeExport,
    PlannedFileView,
    SumsView,
)
from app.api.pages import Page, to_page
from app.api.views import Limit, problems
from app.clerk.overview import state_of
from app.domain.documents import DocumentKind
from app.domain.reasons.codes import Code
from app.engine.wakeup import wake_workers
from app.errors import RequestError
from app.files.bundle import Download, load_download, load_sheet
from app.files.choose import Wanted
from app.files.drop import to_change
from app.files.exports import (
    ExportOrder,
    count_states,
    create_export,
    list_documents,
    list_exports,
    list_files,
    load_export,
)
from app.files.make import Draft, draft_export
from app.files.settle import Said, record_again, record_confirmation
from app.tables import Export, ExportDocument, Transfer

router = APIRouter(prefix="/v1", tags=["exports"])

_BYTES: dict[str, Any] = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_AfterPosition = Annotated[int, Query(ge=0, le=2**31 - 1, description="The last position of the page before")]


@router.post(
    "/exports",
    operation_id="make_export",
    status_code=201,
    responses={
        200: {"model": MadeExport, "description": "A dry run: nothing was made"},
        **problems(
            _404="not_found",
            _409="key_not_for_files, key_paused, key_stopped, key_proving, nothing_ready, document_not_ready, "
            "export_unfit, key_unproven",
            _422="nothing_named, layout_unfit, layout_unusable",
        ),
    },
)
async def make_export(door: AdminDoor, resources: ResourcesDep, order: ExportRequest, response: Response) -> MadeExport:
    """Put documents that are ready into a file: those that are named, those of a filter, or all.

    Each goes into one file, whoever else makes one at the same moment. Everything that keeps the file from being made
    is told at once, and nothing of it is made; with `dry_run` nothing is made anyway.
    """
    wanted = _to_wanted(order)
    key = await load_key(door.session, order.key_id)
    folder = resources.settings.layouts_dir
    if order.dry_run:
        response.status_code = 200
        return _to_made(await draft_export(door.session, key, wanted, layout=order.layout, folder=folder), None)
    wish = ExportOrder(wanted=wanted, made_by=door.caller.actor, layout=order.layout)
    export, draft = await create_export(door.session, key, wish, folder=folder)
    change = to_change(export, actor=door.caller.actor)
    await door.record(change.action, change.subject, tenant_id=export.tenant_id, after=change.after)
    made = _to_made(draft, await _to_detail(door, export))
    await door.session.commit()
    return made


def _to_wanted(order: ExportRequest) -> Wanted:
    named = order.model_dump(include={"ids", "dated_from", "dated_to", "department", "customer"}, exclude_none=True)
    if not named and not order.everything:
        fix = "Name ids or a filter, or say `everything: true`."
        raise RequestError("Nothing was named", fix=fix, code=Code.NOTHING_NAMED)
    return Wanted(**named)


def _to_made(draft: Draft, export: ExportDetail | None) -> MadeExport:
    told = draft.tally.show()
    files = [
        PlannedFileView(
            layout=one.layout.name,
            year=one.year,
            imported_first=one.is_first,
            assumed=[*one.layout.assumed_fields, *one.layout.assumptions],
        )
        for one in draft.shapes
    ]
    return MadeExport(
        dry_run=export is None,
        export=export,
        documents=len(draft.chosen),
        left=draft.left,
        sums={currency: SumsView.model_validate(sums) for currency, sums in told["sums"].items()},
        files=files,
        faults=[FoundView.of(one) for one in draft.faults],
        notes=[FoundView.of(one) for one in draft.notes],
    )


@router.get("/exports", operation_id="list_exports", responses=problems(_404="not_found"))
async def list_all_exports(
    door: ViewerDoor, key_id: UUID | None = None, before: UUID | None = None, limit: Limit = 100
) -> Page[ExportView, UUID]:
    """Exports, newest first."""
    rows = await list_exports(door.session, tenant_id=door.tenant_id, key_id=key_id, before=before, limit=limit + 1)
    states = await count_states(door.session, rows)
    return to_page(rows, lambda row: _to_view(row, states.get(row.id, {})), limit=limit)


def _to_view(export: Export, states: Mapping[str, int]) -> ExportView:
    plain = {name: getattr(export, name) for name in ExportView.model_fields if name != "states"}
    return ExportView(**plain, states=dict(states))


async def _to_detail(door: Door, export: Export) -> ExportDetail:
    states = (await count_states(door.session, [export])).get(export.id, {})
    files = [ExportFileView.model_validate(one) for one in await list_files(door.session, export)]
    return ExportDetail(**_to_view(export, states).model_dump(), files=files)


@router.get("/exports/{export_id}", operation_id="show_export", responses=problems(_404="not_found"))
async def show_export(door: ViewerDoor, export_id: UUID) -> ExportDetail:
    """One export and its files, in the order in which they are imported."""
    return await _to_detail(door, await load_export(door.session, export_id))


@router.get(
    "/exports/{export_id}/documents", operation_id="list_export_documents", responses=problems(_404="not_found")
)
async def list_its_documents(
    door: ViewerDoor, export_id: UUID, after: _AfterPosition = 0, limit: Limit = 100
) -> Page[ExportDocumentView, int]:
    """The documents of an export in the file's order, and what became of each."""
    export = await load_export(door.session, export_id)
    rows = await list_documents(door.session, export, after=after, limit=limit + 1)
    return to_page(rows, lambda row: _to_document(*row), limit=limit, mark=lambda row: row[0].position)


def _to_document(one: ExportDocument, transfer: Transfer) -> ExportDocumentView:
    return ExportDocumentView(
        transfer_id=one.transfer_id,
        position=one.position,
        number=str(one.content["number"]),
        kind=DocumentKind(one.content["kind"]),
        customer_number=str(one.content["customer"]["number"]),
        currency=str(one.content["currency"]),
        gross_amount=Decimal(one.content["gross_amount"]),
        state=one.state,
        said=one.said,
        said_by=one.said_by,
        said_at=one.said_at,
        invoice_state=state_of(transfer),
    )


@router.get(
    "/exports/{export_id}/file",
    operation_id="take_export_file",
    response_class=Response,
    responses={200: _BYTES, **problems(_404="not_found")},
)
async def download_file(
    door: ViewerDoor,
    export_id: UUID,
    name: Annotated[
        str | None, Query(max_length=200, description="One of its files; without: all, as an archive")
    ] = None,
) -> Response:
    """The export's file, the same bytes as ever; of several one archive."""
    return _answer(await load_download(door.session, await load_export(door.session, export_id), name))


@router.get(
    "/exports/{export_id}/list",
    operation_id="take_export_list",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **problems(_404="not_found")},
)
async def download_list(door: ViewerDoor, export_id: UUID) -> Response:
    """What stands in the export's files as a list for people, for a spreadsheet."""
    return _answer(await load_sheet(door.session, await load_export(door.session, export_id)))


def _answer(file: Download) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "X-Content-Type-Options": "nosniff"}
    return Response(file.content, media_type=file.media_type, headers=headers)


@router.get(
    "/exports/{export_id}/manifest",
    operation_id="show_export_manifest",
    response_model=dict[str, Any],
    responses=problems(_404="not_found"),
)
async def show_manifest(door: ViewerDoor, export_id: UUID) -> Response:
    """What the files hold: documents, sums, VAT by code, SHA-256, layouts and what is assumed of them."""
    return JSONResponse((await load_export(door.session, export_id)).manifest)


@router.post(
    "/exports/{export_id}/confirm",
    operation_id="confirm_export",
    responses=problems(_404="not_found", _409="not_in_export, booked", _422="nothing_named"),
)
async def confirm_export(door: AdminDoor, resources: ResourcesDep, export_id: UUID, order: ConfirmOrder) -> Confirmed:
    """Say after the import which documents were taken, and which refused and why.

    What was taken is in Unimicro from now on; what was refused is held. A word may be taken back by another one, unless
    the document was found in Unimicro.
    """
    if order.taken is None and not order.refused:
        fix = 'Name what was taken ("all", or ids), or what was refused.'
        raise RequestError("Nothing was named", fix=fix, code=Code.NOTHING_NAMED)
    export = await load_export(door.session, export_id, lock=True)
    refused = {one.id: one.because for one in order.refused}
    said = Said(refused=refused, taken=None if order.taken == "all" else list(order.taken or []))
    taken, not_taken = await record_confirmation(door.session, export, said, actor=door.caller.actor)
    after = {
        "taken": "all" if said.taken is None else list(said.taken),
        "refused": {str(k): v for k, v in refused.items()},
    }
    await door.record("export.confirm", f"export:{export.id}", tenant_id=export.tenant_id, after=after)
    detail = await _to_detail(door, export)
    await door.session.commit()
    wake_workers(resources)
    return Confirmed(taken=taken, refused=not_taken, export=detail)


@router.post(
    "/exports/{export_id}/again",
    operation_id="release_export_documents",
    status_code=202,
    responses=problems(_404="not_found", _409="not_in_export, booked, export_taken, export_unconfirmed"),
)
async def export_again(door: AdminDoor, resources: ResourcesDep, export_id: UUID, order: AgainOrder) -> Freed:
    """Let documents of this file go into another one, as they are in RecMan now; who says so says why.

    Whoever imports both files has them twice in the books: look in Unimicro first.
    """
    export = await load_export(door.session, export_id, lock=True)
    ids = None if order.ids == "all" else order.ids
    freed = await record_again(door.session, export, ids, reason=order.reason, actor=door.caller.actor)
    after = {"ids": freed, "reason": order.reason}
    await door.record("export.again", f"export:{export.id}", tenant_id=export.tenant_id, after=after)
    detail = await _to_detail(door, export)
    await door.session.commit()
    wake_workers(resources)
    return Freed(freed=len(freed), export=detail)
