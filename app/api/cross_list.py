"""The cross-list: every document's number, KID and voucher in RecMan and in the books, page by page or as a file."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import Field

from app.api.doors import ViewerDoor
from app.api.files import AS_FILE, Form, ListForm, to_file
from app.api.invoices import FilterQuery
from app.api.pages import Page
from app.api.views import Before, Limit, View, problems
from app.clerk.cross_list import list_cross, load_cross_sheet
from app.clerk.overview import InvoiceFilter
from app.domain.booking import Booking
from app.domain.documents import DocumentKind
from app.domain.states import InvoiceState

router = APIRouter(prefix="/v1", tags=["invoices"])


class CrossRowView(View):
    """A document in RecMan and in the books."""

    id: int = Field(description="As in GET /v1/invoices")
    tenant_id: UUID
    key_id: UUID | None
    number: str = Field(description="RecMan's number", examples=["110001"])
    kind: DocumentKind
    invoice_date: date | None
    customer_name: str
    currency: str = Field(examples=["NOK"])
    gross_amount: Decimal | None = Field(description="RecMan's sum")
    remote_gross_amount: Decimal | None = Field(description="Unimicro's sum")
    booking: Booking | None = Field(description="How it got into the books; null: nothing was sent")
    remote_number: str | None = Field(description="Unimicro's number", examples=["100012"])
    order_number: str | None = Field(description="The order that Unimicro made the invoice of", examples=["100044"])
    voucher_id: int | None = Field(description="The journal entry's id in Unimicro; null: not told", examples=[512])
    voucher_number: str | None = Field(
        description="The journal entry's number, as Unimicro tells it of vouchers", examples=["34-2026"]
    )
    kid: str | None = Field(description="RecMan's KID", examples=["1100017"])
    remote_kid: str | None = Field(description="Unimicro's KID", examples=["000506701000172"])
    state: InvoiceState


@router.get(
    "/invoices/cross-list",
    response_model=Page[CrossRowView, int],
    responses=AS_FILE | problems(_422="file_too_long"),
)
async def show_cross_list(
    door: ViewerDoor,
    wanted: Annotated[FilterQuery, Depends()],
    form: Form = ListForm.JSON,
    before: Before = None,
    limit: Limit = 100,
) -> Page[CrossRowView, int] | Response:
    """Each document's number, KID and voucher in RecMan and in Unimicro, whatever way it got into the books.

    `format=csv` is one file for a spreadsheet with everything that the filter finds: `before` and `limit` are for
    pages alone.
    """
    found = InvoiceFilter(tenant_id=door.tenant_id, **wanted.model_dump())
    if form is ListForm.CSV:
        return to_file("cross-list.csv", await load_cross_sheet(door.session, found))
    rows, following = await list_cross(door.session, found, before_id=before, limit=limit)
    return Page(rows=[CrossRowView.model_validate(row) for row in rows], next=following)
