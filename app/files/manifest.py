"""What a file holds, to be compared with what was imported: documents, sums, VAT codes, and what is assumed of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.domain.file_documents import FileDocument
from app.domain.money import ZERO, show_money
from app.files.layouts import Layout


@dataclass(slots=True)
class _Sums:
    """Sums of one currency; credit notes count with a minus."""

    documents: int = 0
    net_amount: Decimal = ZERO
    vat_amount: Decimal = ZERO
    gross_amount: Decimal = ZERO
    codes: dict[str, list[Decimal]] = field(default_factory=dict)

    def add(self, document: FileDocument) -> None:
        sign = -1 if document.is_credit_note else 1
        self.documents += 1
        self.net_amount += sign * document.net_amount
        self.vat_amount += sign * document.vat_amount
        self.gross_amount += sign * document.gross_amount
        for one in document.vat_by_code:
            sums = self.codes.setdefault(one.code, [ZERO, ZERO])
            sums[0] += sign * one.net_amount
            sums[1] += sign * one.vat_amount

    def show(self) -> dict[str, Any]:
        return {
            "documents": self.documents,
            "net_amount": show_money(self.net_amount),
            "vat_amount": show_money(self.vat_amount),
            "gross_amount": show_money(self.gross_amount),
            "vat_by_code": [
                {"code": code, "net_amount": show_money(net), "vat_amount": show_money(vat)}
                for code, (net, vat) in sorted(self.codes.items())
            ],
        }


class Tally:
    """Counts and sums of the documents that were added, by currency.

    Units: the document's currency; a credit note counts with a minus.
    """

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}
        self._claims: dict[str, Decimal] = {}
        self._listed: list[dict[str, str]] = []
        self.credit_notes = 0

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self._listed)

    def add(self, document: FileDocument) -> None:
        """Count it in."""
        self.credit_notes += document.is_credit_note
        self._sums.setdefault(document.currency, _Sums()).add(document)
        claim = sum((one.amount for one in document.entries if one.customer_number), ZERO)
        if document.entries:
            self._claims[document.base_currency] = self._claims.get(document.base_currency, ZERO) + claim
        sign = -1 if document.is_credit_note else 1
        self._listed.append(
            {
                "transfer_id": document.transfer_id,
                "kind": document.kind.value,
                "number": document.number,
                "currency": document.currency,
                "gross_amount": show_money(sign * document.gross_amount),
            }
        )

    def show(self) -> dict[str, Any]:
        """The sums by currency; what customers owe more by vouchers, in the company's; each document by itself."""
        return {
            "documents": self.documents,
            "credit_notes": self.credit_notes,
            "sums": {currency: sums.show() for currency, sums in sorted(self._sums.items())},
            "claims": {currency: show_money(claim) for currency, claim in sorted(self._claims.items())},
            "listed": self._listed,
        }


def to_manifest(
    layout: Layout, tally: Tally, *, file_name: str, sha256: str, number: int, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The manifest of a file, ready for JSON; `number` is the file's running number, `more` the caller's own facts.

    Units: amounts are texts with two decimals; credit notes count with a minus.
    """
    return {
        "number": number,
        "file": file_name,
        "sha256": sha256,
        "layout": {
            "name": layout.name,
            "version": layout.version,
            "sha256": layout.digest,
            "encoding": layout.encoding,
            "credit_sign": layout.credit_sign.value,
        },
        "assumed": [*layout.assumed_fields, *layout.assumptions],
        **tally.show(),
        **(more or {}),
    }
