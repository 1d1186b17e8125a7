"""What was left in Unimicro for people, as the log keeps it: enough of the document to compare what they issued."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind, Line, Totals
from app.tables import Transfer
from app.transfer.plan.issued import Wanted
from app.transfer.plan.vat_sums import read_vat_sums

_NEEDED = {"kind", "number", "invoice_date", "due_date", "currency", "net_amount", "vat_amount", "gross_amount"}


def read_wanted(transfer: Transfer) -> Wanted | None:
    """The document as RecMan has it and as what it must stand in the books; None where that was not kept.

    RecMan is not asked: its invoices never change. Number and KID are Unimicro's, who sends it.
    """
    kept = transfer.booked_as
    if kept is None or not kept.keys() >= _NEEDED:
        return None
    return Wanted(
        document=_read_document(transfer, kept),
        # Once it is issued it is an invoice with a number of Unimicro's, be it an order that it came from.
        booking=Booking.DRAFT,
        customer_id=transfer.remote_customer_id,
        rate=Decimal(kept["rate"]) if kept.get("rate") else None,
        vat=read_vat_sums(kept.get("vat")),
    )


def _read_document(transfer: Transfer, kept: Mapping[str, Any]) -> Document:
    return Document(
        recman_invoice_id=transfer.record_id,
        kind=DocumentKind(kept["kind"]),
        number=kept["number"],
        recman_company_id=kept.get("company", ""),
        invoice_date=date.fromisoformat(kept["invoice_date"]),
        due_date=date.fromisoformat(kept["due_date"]),
        currency=kept["currency"],
        lines=tuple(_read_line(n, line) for n, line in enumerate(kept.get("lines", ()), start=1)),
        stated_totals=Totals(
            net_amount=Decimal(kept["net_amount"]),
            vat_amount=Decimal(kept["vat_amount"]),
            gross_amount=Decimal(kept["gross_amount"]),
        ),
        kid=kept.get("kid", ""),
    )


def _read_line(position: int, kept: Mapping[str, str]) -> Line:
    """What rounding may have lost of it is told by its quantity, price and rate."""
    return Line(
        position=position,
        text="",
        product_number=kept["product"],
        quantity=Decimal(kept["quantity"]),
        unit_price_net=Decimal(kept["price"]),
        discount_percent=Decimal(kept["discount"]),
        vat_rate=Decimal(kept["vat_rate"]) if kept["vat_rate"] else None,
    )
