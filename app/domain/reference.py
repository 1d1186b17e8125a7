"""What the accounting system has: reference data to plan with, and the records found or made there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.documents import DocumentKind, Totals
from app.domain.money import ZERO


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
class RemoteVatType:
    """A VAT type there; `rate` in per cent."""

    remote_id: int
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccount:
    """An account there, and the VAT type it brings."""

    remote_id: int
    vat_type_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One company's reference data, as read at one time.

    Shape: `products` maps a product number to every product that has it (two = ambiguous);
    `currencies` an ISO code to its id; `customer_series` holds (from, to) pairs, both inclusive; `vat_types` maps a VAT
    code, `accounts` an account number to what is there. `books_on_delivery_date`: the delivery date, where there is
    one, is the day that locks are compared with.
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
    vat_types: Mapping[str, RemoteVatType] = field(default_factory=dict)
    accounts: Mapping[int, RemoteAccount] = field(default_factory=dict)
    default_account_id: int | None = None

    def rate_of(self, vat_type_id: int | None) -> Decimal | None:
        """The percentage of a VAT type by its id, None when it has none."""
        return next((one.rate for one in self.vat_types.values() if one.remote_id == vat_type_id), None)


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
class RemoteDocument:
    """An invoice or credit note there.

    `credited_amount` is what issued credit notes have taken of an invoice, as far as it says so itself.
    Units: totals and `credited_amount` in the document's currency, positive also on a credit note.
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
    currency_id: int | None = None
    credited_amount: Decimal = ZERO
    delivery_date: date | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Ids there of everything a document points to; None where the document has no such part.

    `customer_number` is the number that the customer's id must still show; empty: it is not known. `customer_name` is
    RecMan's, for what a person is told.
    Shape: `dimensions` maps a free dimension (5 to 10) to the id of its value, `line_departments` a line's own
    department number to its id.
    """

    customer_id: int
    customer_number: str = ""
    customer_name: str = ""
    project_id: int | None = None
    department_id: int | None = None
    products: Mapping[str, RemoteProduct] = field(default_factory=dict)
    dimensions: Mapping[int, int] = field(default_factory=dict)
    line_departments: Mapping[str, int] = field(default_factory=dict)
