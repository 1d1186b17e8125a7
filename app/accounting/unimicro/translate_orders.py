"""Orders to Unimicro's JSON and back. Pure.

An order's head has no `ExternalReference`, its lines do: they are what an order is found again by.
Source: docs/facts/unimicro.md §3.4 [O]; that a line's may be as long as an invoice's is assumed.
"""

from collections.abc import Mapping
from typing import Any

from app.accounting.unimicro.payloads import ORDER_DRAFT, to_text
from app.accounting.unimicro.translate_documents import from_day
from app.accounting.unimicro.translate_sums import from_sums
from app.domain.documents import DocumentKind
from app.domain.reference import DocumentState, RemoteDocument

_NOT_IN_ORDER = frozenset({"InvoiceType", "InvoiceDate", "PaymentDueDate", "PaymentID", "ExternalReference"})
_NOT_IN_ORDER_LINE = frozenset({"InvoicePeriodStartDate", "InvoicePeriodEndDate"})


def to_order(invoice: Mapping[str, Any]) -> dict[str, Any]:
    """An order's payload from an invoice's: without what comes with issuing, the reference on every line.

    Source: §3.4, swagger.
    """
    kept = {name: value for name, value in invoice.items() if name not in _NOT_IN_ORDER}
    reference = {"ExternalReference": invoice["ExternalReference"]}
    items = [
        {name: value for name, value in item.items() if name not in _NOT_IN_ORDER_LINE} | reference
        for item in invoice["Items"]
    ]
    return {**kept, "OrderDate": invoice.get("InvoiceDate"), "Items": items}


def from_order(row: Mapping[str, Any]) -> RemoteDocument:
    """An order; sums in its own currency, its reference as its lines tell it where they are shown."""
    number = to_text(row.get("OrderNumber"))
    status = row.get("StatusCode") or (ORDER_DRAFT + 1 if number else ORDER_DRAFT)
    return RemoteDocument(
        remote_id=row["ID"],
        kind=DocumentKind.INVOICE,
        state=DocumentState.DRAFT if status <= ORDER_DRAFT else DocumentState.ISSUED,
        number=number,
        external_reference=_read_reference(row),
        customer_id=row.get("CustomerID"),
        invoice_date=from_day(row.get("OrderDate")),
        **from_sums(row, sign=1),
    )


def _read_reference(row: Mapping[str, Any]) -> str:
    """The one reference that the lines carry; lines that a person added have none. Several: it is no one's for sure."""
    found = {to_text(item.get("ExternalReference")) for item in row.get("Items") or () if not item.get("Deleted")}
    found.discard("")
    return found.pop() if len(found) == 1 else ""
