"""Money that comes in, and claims that are given up.

Source: docs/facts/unimicro.md §11 rows 1, 2 and 8: a KID that matches nothing goes to an interim account; what is not
matched to an invoice stays as negative RestAmount on the customer's lines. Row 7 for write-offs. Assumed: of several
invoices with one KID the first open one is paid; the accounts.
"""

from decimal import Decimal

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.ledger import (
    ENTRY,
    INVOICED,
    LINE,
    PAID,
    PARTLY_PAID,
    find_claim,
    insert_line,
    number_entry,
    settle,
)
from app.sandbox.unimicro.sale_switches import WrittenOff
from app.sandbox.unimicro.sub_accounts import load_main_account, load_sub_account

BANK, INTERIM, LOSSES = 1920, 2996, 7830
OPEN_STATES = {INVOICED, PARTLY_PAID, 42007}

_INVOICE = "CustomerInvoice"


def find_by_kid(books: Books, kid: str) -> Record | None:
    """The first open invoice with this KID."""
    rows = (row for row in books.rows(_INVOICE) if row["PaymentID"] == kid and row["StatusCode"] in OPEN_STATES)
    return next(rows, None)


def pay(books: Books, amount: Decimal, day: str, *, invoice: Record | None, customer_id: int | None = None) -> Record:
    """The journal entry of a payment: to an invoice, to a customer's account, or to the interim account."""
    owner = invoice["CustomerID"] if invoice else customer_id
    entry = _create_entry(books, "Innbetaling", day)
    values = {"FinancialDate": day, "VatDate": day, "PaymentID": invoice["PaymentID"] if invoice else None}
    bank = {"AccountID": load_main_account(books, BANK)["ID"], "Amount": amount, "AmountCurrency": amount}
    insert_line(books, entry, values | bank)
    place = _to_place(books, owner) | {"Amount": -amount, "AmountCurrency": -amount}
    line = insert_line(books, entry, values | place)
    if invoice:
        settle(books, invoice, line)
    return entry


def write_off(books: Books, invoice: Record, day: str) -> Record:
    """The journal entry that gives up what is left of an invoice."""
    entry = _create_entry(books, f"Tap på faktura {invoice['InvoiceNumber']}", day)
    rest, in_currency = Decimal(invoice["RestAmount"]), Decimal(invoice["RestAmountCurrency"])
    values = {"FinancialDate": day, "VatDate": day, "InvoiceNumber": invoice["InvoiceNumber"]}
    loss = {"AccountID": load_main_account(books, LOSSES)["ID"], "Amount": rest, "AmountCurrency": in_currency}
    insert_line(books, entry, values | loss)
    place = _to_place(books, invoice["CustomerID"]) | {"Amount": -rest, "AmountCurrency": -in_currency}
    settle(books, invoice, insert_line(books, entry, values | place))
    changes = {"WriteoffJournalEntryID": entry["ID"], "LastPaymentDate": invoice["LastPaymentDate"]}
    kept = books.switches.written_off is WrittenOff.KEPT
    books.update(_INVOICE, invoice["ID"], changes | {"StatusCode": invoice["StatusCode"] if kept else PAID})
    return entry


def list_payments(books: Books, invoice: Record) -> list[Record]:
    """The lines that closed an invoice's claim; that get-payments answers these is assumed."""
    claim = find_claim(books, invoice)
    return [row for row in books.rows(LINE) if claim and row["PostPostJournalEntryLineID"] == claim["ID"]]


def _create_entry(books: Books, text: str, day: str) -> Record:
    return number_entry(books, books.insert(ENTRY, {"Description": text})["ID"], day)


def _to_place(books: Books, customer_id: int | None) -> Record:
    if customer_id is None:
        return {"AccountID": load_main_account(books, INTERIM)["ID"]}
    account = load_sub_account(books, customer_id)
    return {"AccountID": account["AccountID"], "SubAccountID": account["ID"]}
