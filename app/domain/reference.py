"""What the accounting system has: reference data to plan with, and the records found or made there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.company_settings import CompanySettings, Series
from app.domain.documents import DocumentKind, Line, LineKey, Totals
from app.domain.money import ZERO
from app.domain.vat import FIRST_SALES_ACCOUNT, LAST_SALES_ACCOUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteProduct:
    """A product there; `vat_rate` is the percentage its VAT type (or its account's) has, None when unset."""

    remote_id: int
    number: str
    name: str
    active: bool
    account_id: int | None
    vat_type_id: int | None
    vat_rate: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteDepartment:
    """A department there."""

    remote_id: int
    number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VatPeriod:
    """A percentage and its days, both inclusive; None: open at that end."""

    first: date | None
    last: date | None
    rate: Decimal

    def covers(self, day: date) -> bool:
        """Whether the percentage holds on that day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteVatType:
    """A VAT type there.

    Units: `rate` is today's in per cent; without `periods` it holds on every day.
    """

    remote_id: int
    rate: Decimal | None
    code: str = ""
    is_output: bool = True
    is_locked: bool = False
    is_visible: bool = True
    periods: tuple[VatPeriod, ...] = ()

    def rate_on(self, day: date) -> Decimal | None:
        """The percentage on that day, None where there is none."""
        if not self.periods:
            return self.rate
        return next((period.rate for period in self.periods if period.covers(day)), None)

    def find_fault(self, day: date) -> str:
        """Why no sale of that day may be booked on it, in words that follow `which`; empty: it may."""
        faults = {
            "is not for sales": not self.is_output,
            "is locked": self.is_locked,
            "is hidden": not self.is_visible,
            f"is not valid on {day}": self.rate_on(day) is None,
        }
        return next((fault for fault, there in faults.items() if there), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccount:
    """An account there, and the VAT type it brings."""

    remote_id: int
    vat_type_id: int | None
    number: int = 0
    is_locked: bool = False

    def find_fault(self, sales_accounts: Collection[int]) -> str:
        """Why no sale may be booked on it, in words that follow `which`; empty: it may.

        `sales_accounts` are those that an accountant has named beside the usual ones.
        """
        if self.is_locked:
            return "is locked"
        is_usual = FIRST_SALES_ACCOUNT <= self.number <= LAST_SALES_ACCOUNT
        return "" if is_usual or self.number in sales_accounts else "is no account of sales"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One company's reference data, as read at one time.

    Shape: `products` maps a product number to every product that has it (two = ambiguous);
    `currencies` an ISO code to its id; `customer_series` holds (from, to) pairs, both inclusive; `vat_types` maps a VAT
    code to every VAT type that has it, the likeliest first; `accounts` an account number to what is there.
    `vat_planned`: the company will be registered for VAT, on `taxable_from` if that is known.
    `invoice_series` are those in use; None: they cannot be read.
    `books_on_delivery_date`: the delivery date, where there is one, is the day that locks are compared with.
    """

    products: Mapping[str, tuple[RemoteProduct, ...]]
    departments: Mapping[str, tuple[RemoteDepartment, ...]]
    currencies: Mapping[str, int]
    base_currency: str
    customer_series: tuple[tuple[int, int], ...] = ()
    locked_until: date | None = None
    books_on_delivery_date: bool = False
    vat_registered: bool = True
    sends_by_itself: bool = False
    vat_planned: bool = False
    taxable_from: date | None = None
    vat_types: Mapping[str, tuple[RemoteVatType, ...]] = field(default_factory=dict)
    accounts: Mapping[int, RemoteAccount] = field(default_factory=dict)
    default_account_id: int | None = None
    settings: CompanySettings = field(default_factory=CompanySettings)
    invoice_series: tuple[Series, ...] | None = None

    @property
    def ids(self) -> Mapping[str, frozenset[int]]:
        """Ids of what lines are booked on, by its kind, number or code."""
        found: dict[str, frozenset[int]] = {}
        for code, types in self.vat_types.items():
            found[f"VAT code {code}"] = frozenset(one.remote_id for one in types)
        for account in self.accounts.values():
            found[f"account {account.number}"] = frozenset({account.remote_id})
        for number, products in self.products.items():
            found[f"product {number}"] = frozenset(one.remote_id for one in products)
        return found

    def is_registered(self, day: date) -> bool:
        """Whether the company is registered for VAT on that day."""
        is_due = self.vat_planned and self.taxable_from is not None and self.taxable_from <= day
        return self.vat_registered or is_due

    def find_vat_type(self, code: str, day: date) -> RemoteVatType | None:
        """The VAT type that stands for the code on that day; where none may be used, the likeliest one."""
        known = self.vat_types.get(code, ())
        return next((one for one in known if not one.find_fault(day)), known[0] if known else None)

    def code_of(self, vat_type_id: int | None) -> str | None:
        """The code of a VAT type by its id, None when it has none.

        An id may be one that a newer one has replaced: what counts is its code.
        """
        rows = (one for known in self.vat_types.values() for one in known)
        return next((one.code for one in rows if one.remote_id == vat_type_id), None)

    def find_account(self, account_id: int | None) -> RemoteAccount | None:
        """The account with this id."""
        return next((one for one in self.accounts.values() if one.remote_id == account_id), None)


class DocumentState(StrEnum):
    """How far a document there has come; `credited`: issued, and taken back as a whole."""

    DRAFT = "draft"
    ISSUED = "issued"
    CREDITED = "credited"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCustomer:
    """A customer there."""

    remote_id: int
    number: str
    name: str
    org_number: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteProject:
    """A project there."""

    remote_id: int
    number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLine:
    """What a line of a document there comes to, and the VAT type that it is booked on.

    Units: the document's currency, unrounded where it is so there; of a whole credit positive, as its totals.
    """

    product_id: int | None
    vat_type_id: int | None
    net_amount: Decimal
    vat_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteDocument:
    """An invoice or credit note there.

    `credited_amount` is what issued credit notes have taken of an invoice, as far as it says so itself. `base_totals`
    are the sums in the company's own currency, `rate` is what one unit of the document's was worth; None: not told.
    `rounding_amount` is by how much Unimicro itself has rounded what is to be paid, which the totals hold. `lines` are
    its lines with an amount; None: not told, or not of all what VAT they bear. `series_id` is the series that numbers
    it, 0 for none of its own; None: not told. `is_quiet`: Unimicro asks nobody for the money, neither by reminders nor
    through factoring; None: not told. `voucher_id` is its journal entry's.
    Units: totals, `credited_amount` and `rounding_amount` in the document's currency, positive also on a credit note.
    """

    remote_id: int
    kind: DocumentKind
    state: DocumentState
    number: str
    external_reference: str
    customer_id: int | None
    totals: Totals
    kid: str = ""
    credited_id: int | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    currency_id: int | None = None
    credited_amount: Decimal = ZERO
    delivery_date: date | None = None
    created_at: datetime | None = None
    base_totals: Totals | None = None
    rate: Decimal | None = None
    rounding_amount: Decimal = ZERO
    lines: tuple[RemoteLine, ...] | None = None
    series_id: int | None = None
    is_quiet: bool | None = None
    voucher_id: int | None = None


# What decides about a line, and the product, account and VAT that it is booked on.
Bookings = Mapping[LineKey, RemoteProduct]


@dataclass(frozen=True, slots=True)
class Quote:
    """An exchange rate as it is told: so much of the company's currency for so many units."""

    amount: Decimal
    units: Decimal = Decimal(1)

    @property
    def per_unit(self) -> Decimal:
        """The company's currency for one unit."""
        return self.amount / self.units


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Ids there of everything a document points to; None where the document has no such part.

    `customer_number` is the number that the customer's id must still show; empty: it is not known. `customer_name` is
    RecMan's, for what a person is told. `rounding_product_id` is the product of lines that we add to level a claim.
    `series_id` is the series that gives the document its number, where that is not left to the other side.
    Shape: `bookings` maps what decides about a line to the product, account and VAT that it is booked on; `products`
    says it by RecMan's number alone. `dimensions` maps a free dimension (5 to 10) to the id of its value,
    `line_departments` a line's own department number to its id.
    """

    customer_id: int
    customer_number: str = ""
    customer_name: str = ""
    project_id: int | None = None
    department_id: int | None = None
    products: Mapping[str, RemoteProduct] = field(default_factory=dict)
    bookings: Bookings = field(default_factory=dict)
    dimensions: Mapping[int, int] = field(default_factory=dict)
    line_departments: Mapping[str, int] = field(default_factory=dict)
    rounding_product_id: int | None = None
    series_id: int | None = None

    def product_of(self, line: Line) -> RemoteProduct:
        """The product, account and VAT that a line is booked on."""
        found = self.bookings.get(line.key)
        return self.products[line.product_number or ""] if found is None else found
