"""The number of a draft, and the number an invoice is issued with, as the company's switches say.

Source: docs/facts/unimicro.md §4.3: the number comes from a series on issue; whether a client can name it is unknown.
"""

from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.ledger_switches import NumberPosted, PresetNumber
from app.sandbox.unimicro.series import INVOICE, take_invoice_number, verify_free


def keep_posted_number(books: Books, invoice_id: int, body: Record) -> None:
    """The draft with the number that the body names, or that its company gives drafts at once; mostly with none.

    Raises:
        AnswerError: 400 when numbers cannot be posted, or another invoice has this one.
    """
    invoice = books.tables[INVOICE][invoice_id]
    number = str(body.get("InvoiceNumber") or "")
    kind = _to_kind(books)
    if number and number != invoice["InvoiceNumber"] and kind is NumberPosted.REFUSED:
        raise refused("InvoiceNumber cannot be set.", entity=INVOICE, field="InvoiceNumber")
    if number and kind in {NumberPosted.TAKEN, NumberPosted.DRAFT_ONLY}:
        verify_free(books, number, invoice_id)
        books.update(INVOICE, invoice_id, {"InvoiceNumber": number})
    elif not invoice["InvoiceNumber"] and _is_preset(books, PresetNumber.AT_DRAFT):
        books.update(INVOICE, invoice_id, {"InvoiceNumber": take_invoice_number(books, invoice)})


def to_number_at_issue(books: Books, invoice: Record) -> str:
    """The draft's number where it keeps one, else the next of its series."""
    number = invoice["InvoiceNumber"]
    if not number or _to_kind(books) is NumberPosted.DRAFT_ONLY:
        return take_invoice_number(books, invoice)
    verify_free(books, number, invoice["ID"])
    return str(number)


def _to_kind(books: Books) -> NumberPosted:
    return NumberPosted.TAKEN if _is_preset(books, PresetNumber.POSTED) else books.switches.number_posted


def _is_preset(books: Books, kind: PresetNumber) -> bool:
    return bool(books.settings["PresetCustomerInvoiceNumber"]) and books.switches.preset_number is kind
