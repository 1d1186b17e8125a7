"""Documents as they go into a file: everything that any layout asks for, decided already. Pure.

A row keeps each document as this module writes it down, so that its file can be made again, byte for byte, as long as
the books must be kept. A field that is added gets a default: what was written down before it reads as it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from app.domain.documents import DocumentKind
from app.domain.money import ZERO
from app.domain.parties import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCustomer:
    """Whom a document is to: the customer as it is to stand in the books.

    `credit_days` None: RecMan does not say; `currency` an ISO code or empty.
    """

    number: str
    name: str
    organisation_number: str = ""
    email: str = ""
    phone: str = ""
    address: Address = field(default_factory=Address)
    delivery_address: Address = field(default_factory=Address)
    credit_days: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One line as the customer reads it; `product_number` is None on a line of words alone.

    Units: the document's currency, net of VAT; quantity and amounts are positive also on a credit note.
    """

    text: str
    product_number: str | None = None
    product_name: str = ""
    quantity: Decimal = ZERO
    unit: str = ""
    unit_price: Decimal = ZERO
    discount_percent: Decimal = ZERO
    net_amount: Decimal = ZERO
    vat_amount: Decimal = ZERO
    vat_code: str = ""
    account: str = ""
    project_number: str = ""
    department_number: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the line carries words only."""
        return self.product_number is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One line of the document's voucher: an amount on an account, or on a customer's; one of the two is empty.

    Units: debit positive, credit negative, with its VAT; `amount` in the company's currency, `currency_amount` in the
    document's. What stands on an account has its VAT in it (gross). Each of the two sums to zero over a document.
    """

    amount: Decimal
    currency_amount: Decimal
    currency: str
    account: str = ""
    customer_number: str = ""
    project_number: str = ""
    department_number: str = ""
    text: str = ""
    vat_code: str = ""
    due_date: date | None = None
    invoice_number: str = ""
    payment_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVat:
    """What of a document is booked on one VAT code.

    Units: the document's currency, positive also on a credit note.
    """

    code: str
    net_amount: Decimal
    vat_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDocument:
    """One invoice or credit note, complete enough for any file.

    `transfer_id`: our id of its transfer, as text; `record_id`: RecMan's of the document. `number` and `payment_id` are
    empty where Unimicro numbers it (an order). `exchange_rate`: the company's currency for one unit of the document's;
    None: it is the company's own, or nobody knows.
    Shape: at least one line, lines in their printed order; `entries` may be empty where no voucher is made.
    Units: the document's currency, positive also on a credit note; entries have their signs.
    """

    transfer_id: str
    record_id: str
    kind: DocumentKind
    number: str
    invoice_date: date
    due_date: date
    currency: str
    base_currency: str
    customer: FileCustomer
    lines: tuple[FileLine, ...]
    net_amount: Decimal
    vat_amount: Decimal
    gross_amount: Decimal
    vat_by_code: tuple[FileVat, ...] = ()
    entries: tuple[FileEntry, ...] = ()
    delivery_date: date | None = None
    payment_id: str = ""
    exchange_rate: Decimal | None = None
    project_number: str = ""
    department_number: str = ""
    our_reference: str = ""
    your_reference: str = ""
    requisition: str = ""
    note: str = ""
    credited_number: str = ""

    @property
    def is_credit_note(self) -> bool:
        """Whether it takes from what the customer owes."""
        return self.kind is DocumentKind.CREDIT_NOTE


_DOCUMENT = TypeAdapter(FileDocument)


def to_json(document: FileDocument) -> dict[str, Any]:
    """The document for a column of JSON; numbers are texts, so that not one digit is lost on the way."""
    written: dict[str, Any] = _DOCUMENT.dump_python(document, mode="json")
    return written


def from_json(written: Mapping[str, Any]) -> FileDocument:
    """The document that was written down, every digit as it was.

    Raises:
        ValueError: it is none of ours.
    """
    return _DOCUMENT.validate_python(dict(written))
