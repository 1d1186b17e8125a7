"""Invoices and credit notes as RecMan means them, free of either system's spelling."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.money import TEN_THOUSANDTH, ZERO, round_money
from app.domain.parties import Address

# What decides which product, account and VAT a line is booked on: RecMan's number, code and account, rate, and text.
LineKey = tuple[str | None, str, str, Decimal | None, str]


class DocumentKind(StrEnum):
    """What the document does to the customer's balance."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A document's sums.

    Units: the document's currency, two decimals; positive also on a credit note (its kind says the direction).
    """

    net_amount: Decimal
    vat_amount: Decimal
    gross_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a document, as the sender printed it."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; a text line has no product, quantity, price or VAT.

    Units: prices net of VAT in the document's currency, as many decimals as RecMan gives; rates in per cent.
    On a credit note quantities are positive: the kind says the direction. `product_number` is None on a text line, and
    empty where RecMan names no product for a price. `vat_code` and `account` are RecMan's own, empty where it states
    none. `department_number` is the line's own department, where it is another than the document's.
    """

    position: int
    text: str
    product_number: str | None = None
    quantity: Decimal = ZERO
    unit: str = ""
    unit_price_net: Decimal = ZERO
    discount_percent: Decimal = ZERO
    vat_rate: Decimal | None = None
    vat_code: str = ""
    account: str = ""
    comment: str = ""
    department_number: str = ""
    period_start: date | None = None
    period_end: date | None = None

    @property
    def is_text(self) -> bool:
        """Whether the line carries words only."""
        return self.product_number is None

    @property
    def key(self) -> LineKey:
        """What decides where the line is booked: lines that agree in this are booked alike."""
        return (self.product_number, self.vat_code, self.account, self.vat_rate, self.text)

    @property
    def discount_amount(self) -> Decimal:
        """What the discount takes off the line, rounded to four. Source: docs/facts/unimicro.md §3.3 [o]."""
        return round_money(self.quantity * self.unit_price_net * self.discount_percent / 100, TEN_THOUSANDTH)

    @property
    def net_amount(self) -> Decimal:
        """Quantity times price less discount, rounded to two."""
        return round_money(self.quantity * self.unit_price_net - self.discount_amount)

    @property
    def vat_amount(self) -> Decimal:
        """VAT of the line, rounded to two; zero on a text line."""
        return round_money(self.net_amount * (self.vat_rate or ZERO) / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One invoice or credit note, complete enough to be booked.

    `has_minus`: RecMan stated its sums with a minus, which ours never have on a credit note. `exchange_rate` (the
    company's currency for one unit) and `base_vat_amount` (VAT in the company's currency) where RecMan states them.
    `recipient_name`, `recipient_address`: whom the document itself is addressed to, where RecMan says so.
    Shape: at least one line, lines in their printed order.
    """

    recman_invoice_id: str
    kind: DocumentKind
    number: str
    recman_company_id: str
    invoice_date: date
    due_date: date
    currency: str
    lines: tuple[Line, ...]
    stated_totals: Totals | None = None
    has_minus: bool = False
    exchange_rate: Decimal | None = None
    base_vat_amount: Decimal | None = None
    delivery_date: date | None = None
    recman_project_id: str | None = None
    recman_department_id: str | None = None
    credited_invoice_id: str | None = None
    our_reference: str = ""
    your_reference: str = ""
    requisition: str = ""
    kid: str = ""
    note: str = ""
    internal_note: str = ""
    recipient_name: str = ""
    recipient_address: Address = field(default_factory=Address)
    attachment: Attachment | None = None

    @property
    def computed_totals(self) -> Totals:
        """The sums that the lines make."""
        net = sum((line.net_amount for line in self.lines), ZERO)
        vat = sum((line.vat_amount for line in self.lines), ZERO)
        return Totals(net_amount=round_money(net), vat_amount=round_money(vat), gross_amount=round_money(net + vat))

    @property
    def totals(self) -> Totals:
        """RecMan's own sums where it states them, else what the lines make."""
        return self.stated_totals or self.computed_totals
