"""Sending: which plan a document has, what goes out when it is issued, and the log of deliveries.

Source: docs/facts/unimicro.md §4.2 (plan of the invoice, else its customer's, else the company's [o]; an empty plan
prevents sending; states of Sharing). Assumed: an e-mail without an address fails; what Type and To hold.
"""

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.sale_switches import AutoSending, SharingEnds

EMAIL = "Email"
INVOICE_MODEL = "Models.Sales.CustomerInvoice"
_INVOICE = "CustomerInvoice"
_PRINT_STATUS = {EMAIL: 100, "Print": 200, "EHF": 300}
_STATES = {SharingEnds.PENDING: 70000, SharingEnds.FAILED: 70002, SharingEnds.COMPLETED: 70003}
_PLAN = "CustomerInvoiceDistributionPlanID"


def send_at_issue(books: Books, invoice: Record) -> None:
    """Send an invoice that was just issued, where its company does so by itself."""
    if not books.settings["AutoDistributeInvoice"]:
        return
    plan_id = find_plan(books, invoice)
    kind = _to_kind(books, plan_id) if plan_id else None
    if plan_id is None and books.switches.auto_sending is AutoSending.ALWAYS:
        kind = EMAIL
    if kind:
        send(books, invoice, kind)


def find_plan(books: Books, invoice: Record) -> int | None:
    """The id of the document's plan: its own, its customer's, the company's; None where there is none."""
    customer = books.tables["Customer"][invoice["CustomerID"]]
    places = (customer["DefaultDistributionsID"], books.settings["DefaultDistributionsID"])
    plans = [(books.find("Distributions", place) or {}).get(_PLAN) for place in places]
    return next((plan for plan in (invoice["DistributionPlanID"], *plans) if plan), None)


def _to_kind(books: Books, plan_id: int) -> str | None:
    elements = books.children("DistributionPlanElement", "DistributionPlanID", plan_id)
    first = min(elements, key=lambda row: row["Priority"] or 0, default=None)
    kind = books.find("DistributionPlanElementType", first["DistributionPlanElementTypeID"]) if first else None
    return str(kind["Name"]) if kind else None


def send(books: Books, invoice: Record, kind: str) -> Record:
    """The delivery, written into the log."""
    address = invoice["EmailAddress"] or _find_address(books, invoice)
    ends = SharingEnds.FAILED if kind == EMAIL and not address else books.switches.sharing_ends
    values = {"EntityType": _INVOICE, "EntityID": invoice["ID"], "Type": kind, "To": address if kind == EMAIL else None}
    values |= {"Subject": f"Faktura {invoice['InvoiceNumber']}", "StatusCode": _STATES[ends]}
    if ends is SharingEnds.FAILED:
        values["ExternalMessage"] = "The delivery failed."
    else:
        books.update(_INVOICE, invoice["ID"], {"PrintStatus": _PRINT_STATUS.get(kind)})
    return books.insert("Sharing", values)


def _find_address(books: Books, invoice: Record) -> str | None:
    customer = books.tables["Customer"][invoice["CustomerID"]]
    relation = books.find("BusinessRelation", customer["BusinessRelationID"]) or {}
    email = books.find("Email", relation.get("DefaultEmailID")) or {}
    return email.get("EmailAddress")
