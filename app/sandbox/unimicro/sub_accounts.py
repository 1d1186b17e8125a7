"""The sub-account that each customer has below the ledger account of customers.

Source: docs/facts/unimicro.md §12 [O]: a customer's account is a sub-account; which number it has is assumed (the
customer's, §4.4).
"""

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books

LEDGER_ACCOUNT = 1500


def load_sub_account(books: Books, customer_id: int) -> Record:
    """The customer's sub-account, opened where there is none yet."""
    found = books.children("Account", "CustomerID", customer_id)
    return found[0] if found else _open(books, customer_id)


def load_main_account(books: Books, number: int) -> Record:
    """The ledger account with this number; the seed has it."""
    return next(row for row in books.rows("Account") if row["AccountNumber"] == number and not row["CustomerID"])


def _open(books: Books, customer_id: int) -> Record:
    customer = books.tables["Customer"][customer_id]
    relation = books.find("BusinessRelation", customer["BusinessRelationID"]) or {}
    main = load_main_account(books, LEDGER_ACCOUNT)
    values = {"AccountNumber": customer["CustomerNumber"], "AccountName": relation.get("Name"), "UsePostPost": True}
    values |= {"AccountID": main["ID"], "CustomerID": customer_id, "VatTypeID": None}
    return books.insert("Account", values | {"Locked": False, "Visible": True, "Active": True})
