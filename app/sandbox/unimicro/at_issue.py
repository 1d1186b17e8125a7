"""What an issued invoice has that its draft had not, and what goes out with it.

Source: docs/facts/unimicro.md §3.1 (InvoiceChargeID), §3.2 (CollectorStatusCode 42503 awaits factoring), §3.7
(UseFactoring), §4.2. Which of it happens by itself is unknown, so switches say it.
"""

from datetime import date, timedelta
from decimal import Decimal

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.lines import finish_lines
from app.sandbox.unimicro.sale_switches import AtIssue, StopFlags
from app.sandbox.unimicro.sub_accounts import load_main_account

AWAITS_FACTORING = 42503
FEE = Decimal(45)
_INVOICE = "CustomerInvoice"
_INCOME = 3000


def change_at_issue(books: Books, invoice: Record) -> Record:
    """The draft as it is about to be issued."""
    kind = books.switches.at_issue
    if kind is AtIssue.TODAY:
        return books.update(_INVOICE, invoice["ID"], {"InvoiceDate": books.today().isoformat()})
    if kind is AtIssue.DUE_MOVED:
        due = date.fromisoformat(invoice["InvoiceDate"][:10]) + timedelta(days=_to_credit_days(books, invoice))
        return books.update(_INVOICE, invoice["ID"], {"PaymentDueDate": due.isoformat()})
    if kind is AtIssue.FEE:
        account = load_main_account(books, _INCOME)
        product = books.rows("Product")[0]
        line = {
            "ItemText": "Fakturagebyr",
            "NumberOfItems": Decimal(1),
            "PriceExVat": FEE,
            "DiscountPercent": Decimal(0),
        }
        line |= {"ProductID": product["ID"], "AccountID": account["ID"], "VatTypeID": account["VatTypeID"]}
        books.insert(f"{_INVOICE}Item", line | {"CustomerInvoiceID": invoice["ID"], "SortIndex": 999})
        return books.update(_INVOICE, invoice["ID"], finish_lines(books, _INVOICE, invoice))
    return invoice


def _to_credit_days(books: Books, invoice: Record) -> int:
    customer = books.tables["Customer"][invoice["CustomerID"]]
    return int(customer["CreditDays"] or books.settings["CustomerCreditDays"] or 0)


def to_flags(books: Books, invoice: Record) -> Record:
    """The stops of reminders and factoring as the issued invoice has them, and whether factoring awaits it."""
    names = ("DontSendReminders", "DontUseFactoring")
    lost = books.switches.stop_flags is StopFlags.LOST
    flags: Record = dict.fromkeys(names, False) if lost else {name: invoice[name] for name in names}
    customer = books.tables["Customer"][invoice["CustomerID"]]
    if books.settings["UseFactoring"] and not flags["DontUseFactoring"] and not customer["DontUseFactoring"]:
        flags["CollectorStatusCode"] = AWAITS_FACTORING
    return flags
