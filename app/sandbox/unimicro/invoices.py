"""The life of an invoice: drafts, issuing with number and KID, credit notes.

Source: docs/facts/unimicro.md §4.1 (states, actions [o/O]). Assumed where marked.
"""

from decimal import Decimal

from app.sandbox.unimicro.amounts import SUMS
from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.at_issue import change_at_issue, to_flags
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kid import to_issued_kid
from app.sandbox.unimicro.ledger import book_invoice, close_line, find_claim, number_entry
from app.sandbox.unimicro.ledger_switches import CreditSeries
from app.sandbox.unimicro.lines import finish_lines
from app.sandbox.unimicro.numbers import keep_posted_number, to_number_at_issue
from app.sandbox.unimicro.periods import to_booking_day, verify_open_period
from app.sandbox.unimicro.save import save_body
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.sending import send_at_issue
from app.sandbox.unimicro.series import load_credit_series
from app.sandbox.unimicro.switches import CreditRate, LineVat

GENERIC_DRAFT = 10001
DRAFT, INVOICED, CREDITED, PARTLY_CREDITED = 42001, 42002, 42006, 42007
ITEM_INVOICED = 41302  # 41301/41302 exist (§3.3); that they mean draft/invoiced is assumed
CREDIT_NOTE = 1

_INVOICE = ENTITIES["CustomerInvoice"]
_ZERO = Decimal(0)
# What a credit draft takes over; own references and guids are not among them (assumed, §4.1).
_NOT_CREDITED = {
    "ID",
    "InvoiceNumber",
    "PaymentID",
    "ExternalReference",
    "StatusCode",
    "JournalEntryID",
    "CreditedAmount",
    "Credited",
    "PrintStatus",
    "LastPaymentDate",
    "CollectorStatusCode",
    "CreatedFromJournalEntry",
    "WriteoffJournalEntryID",
    "WriteoffPaymentJournalEntryID",
}
_NOT_CREDITED |= {"CreditedAmountCurrency", "CreatedAt", "CreatedBy", "UpdatedAt", "UpdatedBy", "Deleted"}
_GROSS = "TaxInclusiveAmount"
_CREDITED = ("CreditedAmount", "TaxInclusiveAmount")
_CREDITED_IN_CURRENCY = ("CreditedAmountCurrency", "TaxInclusiveAmountCurrency")
_NEGATED = ("NumberOfItems", "Discount", "DiscountCurrency", *SUMS, *(f"{name}Currency" for name in SUMS))


def create_invoice(books: Books, body: Record) -> int:
    """The id of the stored invoice: issued at once without a StatusCode, a draft with 10001.

    The single most dangerous fact (§4.1 [o]). Any other StatusCode, and a plain POST of a credit note, is refused
    (assumed: §9 rows 8 and 13).
    """
    status = body.get("StatusCode")
    if status not in (None, 0, GENERIC_DRAFT):
        raise refused("StatusCode cannot be set.", entity=_INVOICE.name, field="StatusCode")
    if body.get("InvoiceType") == CREDIT_NOTE:
        raise refused("Use create-credit-draft-invoice.", entity=_INVOICE.name, field="InvoiceType")
    invoice_id = save_body(books, _INVOICE, body | {"ID": 0})
    defaults = {"StatusCode": DRAFT, "InvoiceType": body.get("InvoiceType") or 0, "CreditedAmount": _ZERO}
    books.update(_INVOICE.name, invoice_id, defaults | {"CreditedAmountCurrency": _ZERO})
    keep_posted_number(books, invoice_id, body)
    finish_draft(books, invoice_id)
    if not (status and books.options.honour_draft_status):
        issue_invoice(books, invoice_id)
    return invoice_id


def update_invoice(books: Books, invoice_id: int, body: Record) -> None:
    """A changed draft; an issued invoice is refused (assumed: wholly)."""
    if books.tables[_INVOICE.name][invoice_id]["StatusCode"] != DRAFT:
        raise refused("The invoice is issued and cannot be changed.", entity=_INVOICE.name, entity_id=invoice_id)
    save_body(books, _INVOICE, body | {"ID": invoice_id})
    keep_posted_number(books, invoice_id, body)
    finish_draft(books, invoice_id)


def delete_invoice(books: Books, invoice_id: int) -> None:
    """A deleted draft; only a draft can be deleted (§4.1 [o])."""
    if books.tables[_INVOICE.name][invoice_id]["StatusCode"] != DRAFT:
        raise refused("Only drafts can be deleted.", entity=_INVOICE.name, entity_id=invoice_id)
    books.update(_INVOICE.name, invoice_id, {"Deleted": True})


def finish_draft(books: Books, invoice_id: int) -> None:
    """The draft with its currency, period check and sums."""
    invoice = books.tables[_INVOICE.name][invoice_id]
    verify_open_period(books, invoice, issuing=False)
    books.update(_INVOICE.name, invoice_id, finish_lines(books, _INVOICE.name, invoice))


def issue_invoice(books: Books, invoice_id: int) -> None:
    """The invoice numbered, booked and in state 42002; the credited invoice is marked.

    Raises:
        AnswerError: 400 when it is no draft, has no lines (assumed), is in a locked period, or credits too much.
    """
    invoice = books.tables[_INVOICE.name][invoice_id]
    if invoice["StatusCode"] != DRAFT:
        raise refused("The transition is not legal.", entity=_INVOICE.name, field="StatusCode", entity_id=invoice_id)
    if not _load_items(books, invoice_id):
        raise refused("The invoice has no lines.", entity=_INVOICE.name, field="Items", entity_id=invoice_id)
    verify_open_period(books, invoice, issuing=True)
    if books.switches.line_vat is LineVat.PRODUCT_AT_ISSUE:
        invoice = books.update(_INVOICE.name, invoice_id, finish_lines(books, _INVOICE.name, invoice, is_issued=True))
    if invoice["InvoiceType"] != CREDIT_NOTE:
        invoice = change_at_issue(books, invoice)
    else:
        _mark_credited(books, invoice)
    issued = books.update(_INVOICE.name, invoice_id, _to_issued(books, invoice))
    if issued["InvoiceType"] == CREDIT_NOTE:
        _close_credited(books, issued)
    for item in _load_items(books, invoice_id):
        books.update("CustomerInvoiceItem", item["ID"], {"StatusCode": ITEM_INVOICED})
    send_at_issue(books, issued)


def create_credit_draft(books: Books, invoice_id: int) -> int:
    """The id of a credit-note draft over all lines, with negative numbers (§4.1 [O]).

    Raises:
        AnswerError: 400 for a draft, a credit note, or an invoice that is credited already.
    """
    invoice = books.tables[_INVOICE.name][invoice_id]
    if invoice["StatusCode"] in (DRAFT, CREDITED) or invoice["InvoiceType"] == CREDIT_NOTE:
        raise refused("The invoice cannot be credited.", entity=_INVOICE.name, entity_id=invoice_id)
    today = books.options.clock().date().isoformat()
    kept = {"ExternalReference"} if books.switches.credit_references else set()
    values = {name: value for name, value in invoice.items() if name not in _NOT_CREDITED - kept}
    values |= {"InvoiceType": CREDIT_NOTE, "InvoiceReferenceID": invoice_id, "StatusCode": DRAFT}
    values |= {"InvoiceDate": today, "PaymentDueDate": today, "CreditedAmount": _ZERO, "CreditedAmountCurrency": _ZERO}
    values["InvoiceNumberSeriesID"] = _to_credit_series(books, invoice)
    new_rate = books.switches.credit_rate is CreditRate.OF_DAY
    draft = books.insert(_INVOICE.name, values | ({"CurrencyExchangeRate": None} if new_rate else {}))
    for item in _load_items(books, invoice_id):
        copy = {name: value for name, value in item.items() if name not in _NOT_CREDITED}
        copy |= {name: -item[name] for name in _NEGATED if item[name] is not None}
        copy |= {"PriceExVat": None} if new_rate else {}
        books.insert("CustomerInvoiceItem", copy | {"CustomerInvoiceID": draft["ID"]})
    finish_draft(books, draft["ID"])
    return int(draft["ID"])


def _load_items(books: Books, invoice_id: int) -> list[Record]:
    return books.children("CustomerInvoiceItem", "CustomerInvoiceID", invoice_id)


def _mark_credited(books: Books, credit: Record) -> None:
    """The credited invoice with what is left of it; whether all is credited its own currency tells (assumed)."""
    original = books.tables[_INVOICE.name][credit["InvoiceReferenceID"]]
    changes = {name: original[name] - credit[gross] for name, gross in (_CREDITED, _CREDITED_IN_CURRENCY)}
    left = original[f"{_GROSS}Currency"] - changes["CreditedAmountCurrency"]
    if left < 0:
        raise refused("More than the original cannot be credited.", entity=_INVOICE.name, field=_GROSS)
    for suffix, rounding in (("Currency", "PayableRoundingCurrencyAmount"), ("", "PayableRoundingAmount")):
        before = original[f"{_GROSS}{suffix}"] - original[f"CreditedAmount{suffix}"]
        paid = _to_rest(books, before, original[rounding]) - original[f"RestAmount{suffix}"]
        after = original[f"{_GROSS}{suffix}"] - changes[f"CreditedAmount{suffix}"] if left else _ZERO
        changes[f"RestAmount{suffix}"] = max(_to_rest(books, after, original[rounding]) - paid, _ZERO)
    changes["Credited"] = not left
    changes["StatusCode"] = PARTLY_CREDITED if left else CREDITED
    books.update(_INVOICE.name, original["ID"], changes)


def _to_rest(books: Books, uncredited: Decimal, rounding: Decimal) -> Decimal:
    """What is left to pay: with the rounding where the gross does not hold it, until all is credited."""
    return uncredited + rounding if uncredited and not books.switches.gross_with_rounding else uncredited


def _to_issued(books: Books, invoice: Record) -> Record:
    number = to_number_at_issue(books, invoice)
    entry = books.insert("JournalEntry", {"Description": f"Faktura {number}"})
    entry = number_entry(books, entry["ID"], to_booking_day(books, invoice))
    issued = {"InvoiceNumber": number, "StatusCode": INVOICED, "JournalEntryID": entry["ID"]}
    issued |= to_flags(books, invoice)
    if invoice["InvoiceType"] != CREDIT_NOTE:
        issued["PaymentID"] = to_issued_kid(books, invoice, number)
    book_invoice(books, invoice | issued, entry)
    return issued


def _close_credited(books: Books, credit: Record) -> None:
    """The ledger's lines of a credit note and of what it credits, set against each other."""
    original = books.tables[_INVOICE.name][credit["InvoiceReferenceID"]]
    claim, line = find_claim(books, original), find_claim(books, credit)
    if claim and line:
        closed = [claim[name] - original[name] for name in ("RestAmount", "RestAmountCurrency")]
        close_line(books, line, line["Amount"] + closed[0], line["AmountCurrency"] + closed[1], against=claim)
        close_line(books, claim, original["RestAmount"], original["RestAmountCurrency"], against=line)


def _to_credit_series(books: Books, invoice: Record) -> int | None:
    kind = books.switches.credit_series
    if kind is CreditSeries.OWN:
        return int(load_credit_series(books)["ID"])
    return invoice["InvoiceNumberSeriesID"] if kind is CreditSeries.COPIED else None
