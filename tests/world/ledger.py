"""Unimicro's side of a world: the books behind the stand-in's door, and what a person enters there by hand."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from app.sandbox.unimicro.books import Books
from tests.world.names import COMPANY

INVOICE, CREDIT_NOTE = 0, 1
_DRAFT = 42001
_ORDER_DRAFT = 41001


@dataclass(frozen=True, slots=True)
class Ledger:
    """The books of the sandbox Unimicro's companies; those of the key's company unless another is named."""

    app: FastAPI

    @property
    def identity(self) -> Any:
        """Who signs in there, and the tokens that were given."""
        return self.app.state.world.identity

    def books(self, company: str = COMPANY) -> Books:
        """The tables of one company."""
        found: Books = self.app.state.world.company(company).books
        return found

    def documents(self, company: str = COMPANY, *, kind: int | None = None) -> list[dict[str, Any]]:
        """Invoices and credit notes, or one of the kinds."""
        rows = self.books(company).rows("CustomerInvoice")
        return [dict(row) for row in rows if kind is None or row["InvoiceType"] == kind]

    def credits(self) -> list[dict[str, Any]]:
        """The credit notes."""
        return self.documents(kind=CREDIT_NOTE)

    def lines_of(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines of an invoice or credit note."""
        rows = self.books().children("CustomerInvoiceItem", "CustomerInvoiceID", document["ID"])
        return [dict(row) for row in rows]

    def orders(self) -> list[dict[str, Any]]:
        """The orders."""
        return [dict(row) for row in self.books().rows("CustomerOrder")]

    def list_drafts(self) -> list[int]:
        """The ids of what was made and not issued, orders too."""
        drafts = [row["ID"] for row in self.documents() if row["StatusCode"] == _DRAFT]
        return [*drafts, *(row["ID"] for row in self.orders() if row["StatusCode"] == _ORDER_DRAFT)]

    def book_by_hand(self, **changes: Any) -> int:
        """The id of an invoice that a clerk made: the only one's twin, without our reference."""
        (invoice,) = self.books().rows("CustomerInvoice")
        left_out = {"ID", "_createguid", "ExternalReference"}
        values = {name: value for name, value in invoice.items() if name not in left_out}
        return int(self.books().insert("CustomerInvoice", values | changes)["ID"])

    def draft_by_hand(self, **changes: Any) -> int:
        """The id of a person's own credit draft of the only invoice."""
        (invoice,) = self.documents(kind=INVOICE)
        left_out = {"ID", "ExternalReference", "InvoiceNumber"}
        kept = {name: value for name, value in invoice.items() if name not in left_out}
        money = {name: -kept[name] for name in kept if name.startswith(("Tax", "VatTotals")) and kept[name] is not None}
        named = {"InvoiceType": CREDIT_NOTE, "InvoiceReferenceID": invoice["ID"], "StatusCode": _DRAFT}
        made = self.books().insert("CustomerInvoice", kept | money | named | changes)
        if "CreatedAt" in changes:
            self.books().update("CustomerInvoice", made["ID"], {"CreatedAt": changes["CreatedAt"]})
        return int(made["ID"])

    def put_customer(self, number: int, name: str, org_number: str = "") -> None:
        """A customer that a person entered."""
        relation = self.books().insert("BusinessRelation", {"Name": name})
        values = {"CustomerNumber": number, "OrgNumber": org_number or None, "BusinessRelationID": relation["ID"]}
        self.books().insert("Customer", values)

    def forget_references(self) -> None:
        """No document names us any more."""
        self.books().guids.clear()
        for row in self.books().rows("CustomerInvoice"):
            self.books().update("CustomerInvoice", row["ID"], {"ExternalReference": None})
