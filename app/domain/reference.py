"""What the accounting system has: reference data to plan with, and the records found or made there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.documents import DocumentKind, Totals


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
class Reference:
    """One company's reference data, as read at one time.

    Shape: `products` maps a product number to every product that has it (two = ambiguous);
    `currencies` an ISO code to its id; `customer_series` holds (from, to) pairs, both inclusive.
    """

    products: Mapping[str, tuple[RemoteProduct, ...]]
    departments: Mapping[str, tuple[RemoteDepartment, ...]]
    currencies: Mapping[str, int]
    base_currency: str
    customer_series: tuple[tuple[int, int], ...] = ()
    locked_until: date | None = None
    vat_registered: bool = True
    sends_by_itself: bool = False


class DocumentState(StrEnum):
    """How far a document there has come."""

    DRAFT = "draft"
    ISSUED = "issued"


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

    Units: totals in the document's currency, positive also on a credit note.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Ids there of everything a document points to; None where the document has no such part."""

    customer_id: int
    project_id: int | None = None
    department_id: int | None = None
    products: Mapping[str, RemoteProduct] = field(default_factory=dict)
