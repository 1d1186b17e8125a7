"""The KID as Unimicro makes it.

Source: docs/facts/unimicro.md §11 row 1 [O]: 7 digits invoice number, 7 digits customer number, check digit; the
example there has a MOD10 one. What a number of more digits comes to is assumed.
"""

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.ledger_switches import Kid

_DIGITS = 7


def to_kid(invoice_number: str, customer_number: int) -> str | None:
    """The KID of an invoice; None where its number is no number."""
    if not invoice_number.isdigit():
        return None
    return to_checked(f"{invoice_number:0>{_DIGITS}}{customer_number:0>{_DIGITS}}")


def to_checked(digits: str) -> str:
    """The digits with their MOD10 check digit."""
    doubled = (int(digit) * (2 - index % 2) for index, digit in enumerate(reversed(digits)))
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def to_issued_kid(books: Books, invoice: Record, number: str) -> str | None:
    """What PaymentID an invoice has once it is issued under this number."""
    kind, given = books.switches.kid, invoice["PaymentID"]
    if kind is Kid.NONE:
        return None
    if kind is Kid.KEPT_ONLY or (kind is Kid.KEPT and given):
        return str(given) if given else None
    return to_kid(number, books.tables["Customer"][invoice["CustomerID"]]["CustomerNumber"])
