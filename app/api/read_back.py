"""Read-back: looking in Unimicro for what went out in a file."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.doors import AdminDoor, ResourcesDep
from app.api.views import MOST, View, problems
from app.engine.wakeup import wake_workers
from app.files.back_compare import Outcome
from app.files.exports import load_export
from app.files.read_back import read_back

router = APIRouter(prefix="/v1/exports", tags=["exports"])


class SeenView(View):
    """What Unimicro has of one document."""

    transfer_id: int
    position: int = Field(description="Its place in the file")
    number: str = Field(examples=["210002"])
    outcome: Outcome = Field(description="different: it is there, and not as the file had it")
    remote_number: str = Field(examples=["210002"])
    cause: str = Field(examples=["KID: 2100021 in the file, none in Unimicro"])


class ReadBackView(View):
    """What was found of the documents that were looked for."""

    rows: list[SeenView]
    next: int | None = Field(description="Give it as `after` to go on; null: that was all")
    counts: dict[Outcome, int] = Field(examples=[{"found": 40, "missing": 2}])


@router.post(
    "/{export_id}/read-back",
    operation_id="check_export",
    responses=problems(
        _404="not_found", _409="key_without_sign_in", _502="the codes of a call to Unimicro; what was found is recorded"
    ),
)
async def look_for_documents(
    door: AdminDoor,
    resources: ResourcesDep,
    export_id: UUID,
    after: Annotated[int, Query(ge=0, le=MOST, description="Go on behind this position of the file")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Look for so many at most")] = 200,
) -> ReadBackView:
    """Look in Unimicro for each document of the file: by number, customer, amount and KID; its state says so then.

    What is found as it was exported is in Unimicro, whether or not anybody has confirmed it. What is found otherwise
    is held, and stops the key as if it had been sent. What somebody has confirmed and is not there is held, too.
    """
    export = await load_export(door.session, export_id)
    tenant_id = export.tenant_id
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    report = await read_back(resources, export_id, tenant_id=tenant_id, after=after, most=limit)
    told = {"counts": report.counts, "after": after}
    await door.record("export.read_back", f"export:{export_id}", tenant_id=tenant_id, after=told)
    await door.session.commit()
    wake_workers(resources)
    rows = [SeenView.model_validate(one) for one in report.seen]
    return ReadBackView(rows=rows, next=report.after, counts=report.counts)
