"""An order turned into an invoice, by the API's action or by Unimicro's people.

Source: docs/facts/unimicro.md §3.4 (states, transfer-to-invoice with the chosen items [O]), §3.3 (OrderItemId), §0
(swagger: trace links of lines). Assumed: which fields are taken over (those both have), the states of lines, and the
names in a trace link.
"""

from datetime import date, timedelta
from decimal import Decimal

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.invoices import DRAFT, finish_draft
from app.sandbox.unimicro.orders import REGISTERED
from app.sandbox.unimicro.sale_switches import OrderLink
from app.sandbox.unimicro.schema import ENTITIES

PARTLY_TRANSFERRED, TRANSFERRED, ITEM_TRANSFERRED = 41003, 41004, 41103

_ORDER, _ITEM = "CustomerOrder", "CustomerOrderItem"
_ZERO = Decimal(0)
# Which routes have trace links below their records.
TRACED = {"invoiceitems": "CustomerInvoiceItem", "orderitems": _ITEM}


def create_invoice_of_order(books: Books, order_id: int, chosen: set[int] | None, day: date) -> int:
    """The id of a draft with the chosen lines of an order, or with all that are not transferred yet.

    Raises:
        AnswerError: 400 when the order is not registered, or no such line is left.
    """
    order = books.tables[_ORDER][order_id]
    if order["StatusCode"] not in {REGISTERED, PARTLY_TRANSFERRED}:
        raise refused("The transition is not legal.", entity=_ORDER, field="StatusCode", entity_id=order_id)
    left = [row for row in books.children(_ITEM, f"{_ORDER}ID", order_id) if row["StatusCode"] != ITEM_TRANSFERRED]
    taken = [row for row in left if chosen is None or row["ID"] in chosen]
    if not taken:
        raise refused("The order has no such lines left.", entity=_ORDER, field="Items", entity_id=order_id)
    invoice = books.insert("CustomerInvoice", _to_head(books, order, day))
    for item in taken:
        _transfer_item(books, item, invoice["ID"])
    state = TRANSFERRED if len(taken) == len(left) else PARTLY_TRANSFERRED
    books.update(_ORDER, order_id, {"StatusCode": state})
    finish_draft(books, invoice["ID"])
    return int(invoice["ID"])


def _to_head(books: Books, order: Record, day: date) -> Record:
    days = order["CreditDays"] or books.settings["CustomerCreditDays"] or 0
    own: Record = {"InvoiceDate": day.isoformat(), "PaymentDueDate": (day + timedelta(days=days)).isoformat()}
    own |= {"StatusCode": DRAFT, "InvoiceType": 0, "CreditedAmount": _ZERO, "CreditedAmountCurrency": _ZERO}
    if order["UpdateCurrencyOnToInvoice"]:
        own["CurrencyExchangeRate"] = None
    return _to_common(order, _ORDER, "CustomerInvoice") | own


def _to_common(record: Record, source: str, target: str) -> Record:
    """What of a record fits into another entity, without what the server sets."""
    fields = ENTITIES[target].fields
    names = ENTITIES[source].fields.keys() & fields.keys() - {"StatusCode"}
    return {name: record[name] for name in names if not fields[name].owned}


def _transfer_item(books: Books, item: Record, invoice_id: int) -> None:
    kind = books.switches.order_link
    values = _to_common(item, _ITEM, "CustomerInvoiceItem") | {"CustomerInvoiceID": invoice_id}
    if kind in {OrderLink.ITEMS, OrderLink.BOTH}:
        values["OrderItemId"] = item["ID"]
    made = books.insert("CustomerInvoiceItem", values)
    if kind in {OrderLink.TRACELINKS, OrderLink.BOTH}:
        link = {"Date": books.today().isoformat(), "SourceEntityName": _ITEM, "SourceInstanceID": item["ID"]}
        link |= {"DestinationEntityName": "CustomerInvoiceItem", "DestinationInstanceID": made["ID"]}
        books.insert("Tracelink", link)
    books.update(_ITEM, item["ID"], {"StatusCode": ITEM_TRANSFERRED})


def list_tracelinks(books: Books, entity: str, item_id: int) -> list[Record]:
    """The trace links that begin or end at a line."""
    ends = (("SourceEntityName", "SourceInstanceID"), ("DestinationEntityName", "DestinationInstanceID"))
    return [row for row in books.rows("Tracelink") if any((row[a], row[b]) == (entity, item_id) for a, b in ends)]
