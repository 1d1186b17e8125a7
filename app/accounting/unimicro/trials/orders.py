"""The trial of an order that becomes an invoice; both are taken back.

Source: docs/facts/unimicro.md §3.4 [O]: `transfer-to-invoice` answers the new invoice; its state is to be looked at.
"""

from functools import partial
from typing import Any

from app.accounting.unimicro.follow import find_invoice_ids
from app.accounting.unimicro.payloads import INVOICE_DRAFT
from app.accounting.unimicro.translate_orders import to_order
from app.accounting.unimicro.trials.bench import Bench
from app.accounting.unimicro.trials.drafts import Told
from app.domain.answers import Question, Way
from app.errors import OutcomeUnknownError, RemoteRejectedError, System


async def try_order(bench: Bench) -> Told:
    """What an order becomes when it is invoiced, and whether the invoice's lines name the order's."""
    thing = await bench.notebook.note("orders", "order")
    thing = await bench.send(thing, to_order(await bench.to_draft(thing)))
    await bench.client.act("POST", f"orders/{thing.remote_id}", "register")
    order = await bench.look(f"orders/{thing.remote_id}", expand="Items")
    invoice = await bench.notebook.note("invoices", "invoice of the order")
    try:
        async with bench.noting(invoice):
            row = await bench.client.put_action(f"orders/{thing.remote_id}", "transfer-to-invoice", order)
    except RemoteRejectedError:
        return {Question.ORDER_INVOICED_AS: Way.REFUSED}
    if not isinstance(row, dict) or not isinstance(row.get("ID"), int):
        raise OutcomeUnknownError("Unimicro invoiced the order but did not say where", system=System.UNIMICRO)
    await bench.notebook.found(invoice, remote_id=row["ID"])
    made = await bench.look(f"invoices/{row['ID']}", expand="Items")
    is_draft = (made.get("StatusCode") or 0) <= INVOICE_DRAFT
    return {
        Question.ORDER_INVOICED_AS: Way.DRAFT if is_draft else Way.ISSUED,
        Question.ORDER_LINES_NAMED: await _tell_lines(bench, made, order),
    }


async def _tell_lines(bench: Bench, invoice: dict[str, Any], order: dict[str, Any]) -> Way:
    if _names(invoice, order):
        return Way.YES
    ids = {item["ID"] for item in order.get("Items") or ()}
    found = await bench.look_patiently(partial(find_invoice_ids, bench.client, ids))
    return Way.LINKED if found == {invoice["ID"]} else Way.NO


def _names(invoice: dict[str, Any], order: dict[str, Any]) -> bool:
    """Whether every line of the invoice names a line of the order. Source: §3.3 (`OrderItemId`)."""
    ids = {item["ID"] for item in order.get("Items") or ()}
    named = [item.get("OrderItemId") for item in invoice.get("Items") or ()]
    return bool(named) and set(named) <= ids
