"""What Unimicro's people do in its own screens: doors of the stand-in, no part of the API.

Each deed is `POST /sandbox/companies/{key}/people/{deed}` with a JSON object; it answers the record it made or changed.
In brackets what holds where a member is left out; a record is named by its visible number, or by `ID`:

* invoice-order: `OrderNumber`; `Items` ids of lines (all), `InvoiceDate` (today), `changes` of the draft, `issue`
  (true; false leaves a draft).
* make-invoice: `invoice`, a draft as the API takes it; `issue` (true).
* issue, delete-draft: `ID` of the draft. credit: `InvoiceNumber`; `changes` of the credit draft, `issue` (true).
* pay: `Amount`, `PaymentDate` (today), and `PaymentID` (the KID), `InvoiceNumber` or `CustomerNumber`; a KID that no
  open invoice has goes to the interim account. write-off: `InvoiceNumber`, `PaymentDate` (today).
* remind: `day` (today); answers the reminders. sell: `InvoiceNumber`, to the factoring company. send: `InvoiceNumber`,
  `Type` (Email). make-series: of invoices; `DisplayName`, `FromNumber`, `ToNumber`.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from app.sandbox.unimicro.answers import Record, not_found
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.calls import load
from app.sandbox.unimicro.invoices import (
    GENERIC_DRAFT,
    create_credit_draft,
    create_invoice,
    delete_invoice,
    issue_invoice,
    update_invoice,
)
from app.sandbox.unimicro.order_invoices import create_invoice_of_order
from app.sandbox.unimicro.payments import find_by_kid, pay, write_off
from app.sandbox.unimicro.reminders import remind
from app.sandbox.unimicro.sending import EMAIL, send
from app.sandbox.unimicro.series import create_series
from app.sandbox.unimicro.series_numbers import find_series

SOLD = 42005  # Source: docs/facts/unimicro.md §4.1 [O]
_INVOICE = "CustomerInvoice"
Deed = Callable[[Books, Record], Any]


def _invoice_order(books: Books, order: Record) -> Any:
    found = _find(books, "CustomerOrder", order, "OrderNumber")
    chosen = {int(item_id) for item_id in order["Items"]} if order.get("Items") else None
    draft_id = create_invoice_of_order(books, found["ID"], chosen, _to_day(books, order, "InvoiceDate"))
    return _finish(books, draft_id, order)


def _make_invoice(books: Books, order: Record) -> Any:
    return _finish(books, create_invoice(books, order["invoice"] | {"StatusCode": GENERIC_DRAFT}), order)


def _credit(books: Books, order: Record) -> Any:
    found = _find(books, _INVOICE, order, "InvoiceNumber")
    return _finish(books, create_credit_draft(books, found["ID"]), order)


def _finish(books: Books, draft_id: int, order: Record) -> Record:
    if order.get("changes"):
        update_invoice(books, draft_id, order["changes"])
    if order.get("issue", True):
        issue_invoice(books, draft_id)
    return load(books, _INVOICE, draft_id)


def _issue(books: Books, order: Record) -> Any:
    found = load(books, _INVOICE, order.get("ID", 0))
    issue_invoice(books, found["ID"])
    return load(books, _INVOICE, found["ID"])


def _delete_draft(books: Books, order: Record) -> Any:
    found = load(books, _INVOICE, order.get("ID", 0))
    delete_invoice(books, found["ID"])
    return books.tables[_INVOICE][found["ID"]]


def _pay(books: Books, order: Record) -> Any:
    day = _to_day(books, order, "PaymentDate").isoformat()
    amount, invoice, customer_id = Decimal(order["Amount"]), None, None
    if order.get("CustomerNumber"):
        customer_id = _find(books, "Customer", order, "CustomerNumber")["ID"]
    elif order.get("PaymentID"):
        invoice = find_by_kid(books, str(order["PaymentID"]))
    else:
        invoice = _find(books, _INVOICE, order, "InvoiceNumber")
    return pay(books, amount, day, invoice=invoice, customer_id=customer_id)


def _write_off(books: Books, order: Record) -> Any:
    found = _find(books, _INVOICE, order, "InvoiceNumber")
    write_off(books, found, _to_day(books, order, "PaymentDate").isoformat())
    return load(books, _INVOICE, found["ID"])


def _remind(books: Books, order: Record) -> Any:
    return remind(books, _to_day(books, order, "day"))


def _sell(books: Books, order: Record) -> Any:
    return books.update(_INVOICE, _find(books, _INVOICE, order, "InvoiceNumber")["ID"], {"StatusCode": SOLD})


def _send(books: Books, order: Record) -> Any:
    return send(books, _find(books, _INVOICE, order, "InvoiceNumber"), str(order.get("Type") or EMAIL))


def _make_series(books: Books, order: Record) -> Any:
    kinds = ("NumberSeriesTaskID", "NumberSeriesTypeID")
    like = {name: find_series(books, _INVOICE)[name] for name in kinds}
    return load(books, "NumberSeries", create_series(books, order | like | {"Name": order["DisplayName"]}))


def _find(books: Books, entity: str, order: Record, field: str) -> Record:
    """The record by its id or its visible number; the last one where several have it."""
    if order.get("ID"):
        return load(books, entity, order["ID"])
    rows = [row for row in books.rows(entity) if str(row[field]) == str(order.get(field))]
    if not rows:
        raise not_found()
    return rows[-1]


def _to_day(books: Books, order: Record, field: str) -> date:
    return date.fromisoformat(order[field][:10]) if order.get(field) else books.today()


DEEDS: dict[str, Deed] = {
    "invoice-order": _invoice_order,
    "make-invoice": _make_invoice,
    "issue": _issue,
    "delete-draft": _delete_draft,
    "credit": _credit,
    "pay": _pay,
    "write-off": _write_off,
    "remind": _remind,
    "sell": _sell,
    "send": _send,
    "make-series": _make_series,
}
