"""Reminders of invoices that are overdue.

Source: docs/facts/unimicro.md §3.1 and §3.2 (DontSendReminders of customer and invoice), §0 (swagger) for the records.
Assumed: who is reminded, when, and that a fee is not added to the invoice.
"""

from datetime import date, timedelta
from decimal import Decimal

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.payments import OPEN_STATES

FEE = Decimal(35)
_DAYS = 14
_INVOICE = "CustomerInvoice"


def list_overdue(books: Books, day: date, *, with_stopped: bool = False) -> list[Record]:
    """The invoices that would be reminded of on that day."""
    rows = [row for row in books.rows(_INVOICE) if row["StatusCode"] in OPEN_STATES and (row["RestAmount"] or 0) > 0]
    late = [row for row in rows if row["PaymentDueDate"] and row["PaymentDueDate"][:10] < day.isoformat()]
    return [row for row in late if with_stopped or not _is_stopped(books, row)]


def _is_stopped(books: Books, invoice: Record) -> bool:
    customer = books.tables["Customer"][invoice["CustomerID"]]
    return bool(invoice["DontSendReminders"] or customer["DontSendReminders"])


def remind(books: Books, day: date) -> list[Record]:
    """The reminders that go out on that day."""
    return [_create_reminder(books, invoice, day) for invoice in list_overdue(books, day)]


def _create_reminder(books: Books, invoice: Record, day: date) -> Record:
    before = books.children("CustomerInvoiceReminder", f"{_INVOICE}ID", invoice["ID"])
    values = {f"{_INVOICE}ID": invoice["ID"], "ReminderNumber": len(before) + 1, "RemindedDate": day.isoformat()}
    values |= {"DueDate": (day + timedelta(days=_DAYS)).isoformat(), "EmailAddress": invoice["EmailAddress"]}
    values |= {name: invoice[name] for name in ("RestAmount", "RestAmountCurrency", "CurrencyCodeID")}
    values |= {"ReminderFee": FEE, "ReminderFeeCurrency": FEE, "Notified": True}
    return books.insert("CustomerInvoiceReminder", values)
