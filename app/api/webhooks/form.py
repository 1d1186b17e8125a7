"""A webhook as we publish what it should look like; the reader takes many others (recman/hook/webhook.py)."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

_EVENT = r"^(invoice|project|company|product|department)\.(created|updated|deleted)$"

_ONLY_ID = {"event": "invoice.updated", "id": 5001, "occurred_at": "2026-10-31T09:00:00Z"}
_INVOICE: dict[str, Any] = {
    "event": "invoice.created",
    "id": 5001,
    "occurred_at": "2026-10-31T09:00:00Z",
    "data": {
        "invoiceId": 5001,
        "invoiceNumber": "110001",
        "type": "invoice",
        "invoiceDate": "2026-10-31",
        "dueDate": "2026-11-14",
        "currency": "NOK",
        "companyId": 201,
        "departmentId": 1,
        "projectId": 301,
        "totalExVat": "16875.00",
        "vat": "4218.75",
        "totalIncVat": "21093.75",
        "lines": [
            {
                "productNumber": "1001",
                "description": "Konsulenttimer uke 41",
                "quantity": "37.5",
                "unit": "time",
                "unitPrice": "450.00",
                "vatRate": "25",
                "total": "16875.00",
            }
        ],
    },
}
_CREDIT_NOTE = {
    **_INVOICE,
    "id": 5002,
    "data": {
        **_INVOICE["data"],
        "invoiceId": 5002,
        "invoiceNumber": "110002",
        "type": "creditNote",
        "creditedInvoiceId": 5001,
    },
}
_COMPANY = {
    "event": "company.updated",
    "id": "201",
    "data": {
        "companyId": "201",
        "companyNumber": "100001",
        "name": "Ærfugl Bemanning AS",
        "vatNumber": "974760673",
        "invoiceEmail": "faktura@aerfugl.example",
        "creditTime": "14",
        "invoiceAddress": {"address1": "Gata 1", "postalCode": "0150", "city": "Oslo", "country": "Norge"},
    },
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "only the id": _ONLY_ID,
    "whole invoice": _INVOICE,
    "whole credit note": _CREDIT_NOTE,
    "whole company": _COMPANY,
    "ping": {"event": "ping"},
}


class RecordChanged(BaseModel):
    """A record of RecMan changed. `id` and `event` are enough: the record itself is then read from RecMan's API."""

    event: str = Field(pattern=f"{_EVENT}|^ping$", description="What it is and what happened to it")
    id: int | str | None = Field(None, description="The record's RecMan id")
    occurred_at: datetime | None = Field(None, description="When it happened; the order of arrival counts")
    data: dict[str, Any] | None = Field(
        None, description="The whole record, for accounts without an API key; amounts as texts with a point"
    )


form = APIRouter()


@form.post("record.changed", status_code=202)
async def record_changed(
    body: Annotated[RecordChanged, Body(openapi_examples={name: {"value": value} for name, value in EXAMPLES.items()})],
) -> None:
    """What RecMan, or a bridge in between, sends to `/webhooks/recman/{hook}` when a record was made or changed.

    Repeats and any order are welcome. 202 says that it is stored.
    """
