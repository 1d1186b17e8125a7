"""Actions on orders, deliveries, payments and reminders.

Source: docs/facts/unimicro.md §3.2, §3.4, §4.2, §0 (swagger). Bodies of answers that none of these names are assumed.
"""

from decimal import Decimal

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.calls import NO_CONTENT, Action, ActionCall, Answer, load, to_flag, to_id
from app.sandbox.unimicro.invoices import issue_invoice
from app.sandbox.unimicro.order_invoices import TRANSFERRED, create_invoice_of_order
from app.sandbox.unimicro.orders import REGISTERED
from app.sandbox.unimicro.payments import list_payments, pay
from app.sandbox.unimicro.reminders import list_overdue
from app.sandbox.unimicro.sale_switches import OrderTransfer
from app.sandbox.unimicro.sending import EMAIL, INVOICE_MODEL, send

_INVOICE = "CustomerInvoice"


def _transfer(call: ActionCall) -> Answer:
    """The new invoice; the items of the body are those chosen."""
    order = load(call.books, "CustomerOrder", call.record_id)
    items = call.body.get("Items") if isinstance(call.body, dict) else None
    chosen = {item["ID"] for item in items} if items else None
    invoice_id = create_invoice_of_order(call.books, order["ID"], chosen, call.books.today())
    if call.books.switches.order_transfer is OrderTransfer.ISSUED:
        issue_invoice(call.books, invoice_id)
    return Answer(body=load(call.books, _INVOICE, invoice_id))


def _mark_transferred(call: ActionCall) -> Answer:
    """The bare transition: no invoice is made (§3.4)."""
    order = load(call.books, "CustomerOrder", call.record_id)
    if order["StatusCode"] != REGISTERED:
        raise refused("The transition is not legal.", entity="CustomerOrder", field="StatusCode")
    call.books.update("CustomerOrder", order["ID"], {"StatusCode": TRANSFERRED})
    return Answer(status=NO_CONTENT)


def _distribute(call: ActionCall) -> Answer:
    invoice = load(call.books, _INVOICE, to_id(call.query, "id"))
    kind = call.query.get("distributiontype") or EMAIL
    return Answer(body=send(call.books, invoice, kind))


def _list_plans(call: ActionCall) -> Answer:
    wanted = call.query.get("entityType", INVOICE_MODEL)
    return Answer(body=[row for row in call.books.rows("DistributionPlan") if row["EntityType"] == wanted])


def _pay(call: ActionCall) -> Answer:
    invoice = load(call.books, _INVOICE, call.record_id)
    body: Record = call.body if isinstance(call.body, dict) else {}
    day = str(body.get("PaymentDate") or call.books.today().isoformat())[:10]
    return Answer(body=pay(call.books, Decimal(body.get("Amount") or invoice["RestAmount"]), day, invoice=invoice))


def _list_payments(call: ActionCall) -> Answer:
    return Answer(body=list_payments(call.books, load(call.books, _INVOICE, call.record_id)))


def _toggle_reminders(call: ActionCall) -> Answer:
    invoice = load(call.books, _INVOICE, call.record_id)
    changes = {"DontSendReminders": not invoice["DontSendReminders"]}
    return Answer(body=call.books.update(_INVOICE, invoice["ID"], changes))


def _list_overdue(call: ActionCall) -> Answer:
    stopped = to_flag(call.query, "includeInvoiceWithReminderStop")
    return Answer(body=list_overdue(call.books, call.books.today(), with_stopped=stopped))


SALE_ACTIONS: dict[tuple[str, str, str], Action] = {
    ("PUT", "orders", "transfer-to-invoice"): _transfer,
    ("POST", "orders", "transferToInvoice"): _mark_transferred,
    ("PUT", "distributions", "distribute"): _distribute,
    ("PUT", "distributions", "distribute-with-type"): _distribute,
    ("GET", "distributions", "get-entitytype-distributionplans"): _list_plans,
    ("PUT", "invoices", "payInvoice"): _pay,
    ("GET", "invoices", "get-payments"): _list_payments,
    ("PUT", "invoices", "toggle-reminder-stop"): _toggle_reminders,
    ("GET", "invoicereminders", "get-customer-invoices-ready-for-reminding"): _list_overdue,
}
