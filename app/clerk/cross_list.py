"""RecMan's documents beside what they are in the books: each side's number and KID, and the voucher.

Source: docs/accounting.md (bokføringsloven § 6: from the books to the document and back).
Reads the table `transfer` only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.clerk.overview import InvoiceFilter, list_invoices, list_whole, state_of
from app.clerk.sheets import to_sheet
from app.domain.booking import Booking
from app.domain.documents import DocumentKind
from app.domain.states import InvoiceState
from app.platform.db import Session
from app.tables import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossRow:
    """A document on both sides.

    `booking` None: nothing was sent yet. `remote_number`, `voucher_id`, `voucher_number` and `remote_kid` are
    Unimicro's; None: it has none, or has not told it. `order_number`: the order that the invoice was made of.
    Units: amounts in the document's currency, positive also on a credit note.
    """

    id: int
    tenant_id: UUID
    key_id: UUID | None
    number: str
    kind: DocumentKind
    invoice_date: date | None
    customer_name: str
    currency: str
    gross_amount: Decimal | None
    remote_gross_amount: Decimal | None
    booking: Booking | None
    remote_number: str | None
    order_number: str | None
    voucher_id: int | None
    voucher_number: str | None
    kid: str | None
    remote_kid: str | None
    state: InvoiceState


COLUMNS = {
    "number": "RecMan number",
    "kind": "kind",
    "invoice_date": "date",
    "customer_name": "customer",
    "currency": "currency",
    "gross_amount": "gross",
    "remote_gross_amount": "gross in Unimicro",
    "booking": "booking",
    "remote_number": "Unimicro number",
    "order_number": "Unimicro order",
    "voucher_number": "voucher number",
    "voucher_id": "voucher id",
    "kid": "RecMan KID",
    "remote_kid": "Unimicro KID",
    "state": "state",
}


async def list_cross(
    session: Session, wanted: InvoiceFilter, *, before_id: int | None, limit: int
) -> tuple[list[CrossRow], int | None]:
    """A page of the list, newest first, and the id behind which it goes on; None: that was all."""
    found = await list_invoices(session, wanted, before_id=before_id, limit=limit + 1)
    shown = found[:limit]
    return [_to_row(one) for one in shown], shown[-1].id if len(found) > limit else None


async def load_cross_sheet(session: Session, wanted: InvoiceFilter) -> str:
    """The whole list as a file for a spreadsheet.

    Raises:
        RequestError: it is longer than one file may be; none is shown cut short.
    """
    return show_sheet([_to_row(one) for one in await list_whole(session, wanted)])


def show_sheet(rows: Sequence[CrossRow]) -> str:
    """The rows as a file for a spreadsheet."""
    shown = [[_show(getattr(row, name)) for name in COLUMNS] for row in rows]
    return to_sheet(COLUMNS.values(), shown)


def _show(value: object) -> object:
    return value.replace("_", " ") if isinstance(value, DocumentKind | Booking) else value


def _to_row(transfer: Transfer) -> CrossRow:
    return CrossRow(
        id=transfer.id,
        tenant_id=transfer.tenant_id,
        key_id=transfer.key_id,
        number=transfer.number,
        kind=DocumentKind(transfer.kind),
        invoice_date=transfer.invoice_date,
        customer_name=transfer.customer_name,
        currency=transfer.currency,
        gross_amount=transfer.gross_amount,
        remote_gross_amount=transfer.remote_gross_amount,
        booking=None if transfer.booking is None else Booking(transfer.booking),
        remote_number=transfer.remote_number or None,
        order_number=transfer.order_number,
        voucher_id=transfer.voucher_id,
        voucher_number=transfer.voucher_number,
        kid=transfer.kid,
        remote_kid=transfer.remote_kid,
        state=state_of(transfer),
    )
