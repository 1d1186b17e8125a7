"""The audit trail, for people."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from app.admin.audit import list_changes
from app.api.doors import ViewerDoor
from app.api.pages import Page, to_page
from app.api.views import Before, Limit, OwnerId, View

router = APIRouter(prefix="/v1/audit", tags=["audit"])


class ChangeView(View):
    """One change; secrets are shown as the beginning of their fingerprint."""

    id: int
    tenant_id: OwnerId
    at: datetime
    actor: str = Field(examples=["token:5b0e…:Kari at Nordlys"])
    action: str = Field(examples=["key.create"])
    subject: str = Field(examples=["key:0d1f…"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None


Subject = Annotated[str | None, Query(description="Only changes of this thing", examples=["key:0d1f…"])]


@router.get("", operation_id="list_audit")
async def list_all_changes(
    door: ViewerDoor, subject: Subject = None, before: Before = None, limit: Limit = 100
) -> Page[ChangeView, int]:
    """Who changed what and when, newest first. `recman-unimicro audit verify` proves that no row was tampered with."""
    session, tenant_id = door.session, door.tenant_id
    rows = await list_changes(session, tenant_id=tenant_id, subject=subject, before_id=before, limit=limit + 1)
    return to_page(rows, ChangeView.model_validate, limit=limit)
