"""The vocabulary of a plan: what would be done, in which order, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.buyers import Buyer
from app.domain.dimensions import Department, Project
from app.domain.documents import Document
from app.domain.parties import Customer
from app.domain.policies import MatchedBy
from app.domain.reasons.codes import Reason
from app.domain.reference import RemoteDocument, RemoteProduct
from app.domain.series import InvoiceSeries
from app.domain.vouchers import RemoteVoucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Take over what is there already.

    `matched_by`: how a customer was known, `country`: where it is, by RecMan; `warnings`: what is odd about it.
    """

    scope: str
    record_id: str
    number: str
    name: str
    remote_id: int
    remote_number: str
    reason: str
    matched_by: MatchedBy | None = None
    warnings: tuple[Reason, ...] = ()
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomer:
    """Make the customer there, with RecMan's number; `seen` are the ids of those that look like it and are others."""

    customer: Customer
    reason: str
    seen: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCustomer:
    """Bring the customer there in line with RecMan, field by field; `matched_by` how it came to be linked."""

    customer: Customer
    remote_id: int
    reason: str
    matched_by: MatchedBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProject:
    """Make the project there."""

    project: Project
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProject:
    """Bring the project there in line with RecMan."""

    project: Project
    remote_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDepartment:
    """Make the department there."""

    department: Department
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProduct:
    """Make the product there; the rules allow it. Its id is still 0."""

    product: RemoteProduct
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptDocument:
    """The document is there already: go on from where it stands."""

    remote: RemoteDocument
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDocument:
    """The document was booked before the key's first day, and a person said so: take it over."""

    document: Document
    remote: RemoteDocument
    reason: str = "a person linked it"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDraft:
    """Make the invoice there as a draft.

    `department_id` and `dimensions` (id by dimension 5 to 10) are what a rule says; `buyer` decides about VAT.
    `series_id`: the series that numbers it, where that is not left to Unimicro.
    """

    document: Document
    reason: str
    department_id: int | None = None
    dimensions: Mapping[int, int] = field(default_factory=dict)
    buyer: Buyer = field(default_factory=Buyer)
    series_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCreditDraft:
    """Make the credit note there from the invoice it credits; `draft_id`: one that is there already.

    `department_id` and `dimensions` (id by dimension 5 to 10) are what a rule says; `buyer` decides about VAT.
    `series_id`: as of an invoice.
    """

    document: Document
    credited_id: int
    draft_id: int | None
    reason: str
    department_id: int | None = None
    dimensions: Mapping[int, int] = field(default_factory=dict)
    buyer: Buyer = field(default_factory=Buyer)
    series_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookVoucher:
    """Book the document as a voucher that makes an invoice head with its number.

    `credited_id`, `credited_number`: the invoice that a credit note credits, as it is called there; `credited_rate` the
    rate that it was booked with. The rest as in `CreateDraft`.
    """

    document: Document
    reason: str
    credited_id: int | None = None
    credited_number: str = ""
    credited_rate: Decimal | None = None
    department_id: int | None = None
    dimensions: Mapping[int, int] = field(default_factory=dict)
    buyer: Buyer = field(default_factory=Buyer)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptVoucher:
    """The voucher is there already, with its invoice head: compare it, and take it over."""

    document: Document
    voucher: RemoteVoucher
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Issue the draft once its totals agree; in a `series` of its own once its number has its turn."""

    document: Document
    series: InvoiceSeries | None = None
    reason: str = "the draft's totals agree with RecMan's"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepDraft:
    """Leave the draft for a person in Unimicro to issue, once its totals agree."""

    document: Document
    reason: str = "the key leaves invoices as drafts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Put the document into its key's next file.

    `products`: those that a rule has made, and that are not there yet; `credited_number`, `credited_rate`: the invoice
    that is credited. The rest as in `CreateDraft`.
    """

    document: Document
    reason: str
    buyer: Buyer = field(default_factory=Buyer)
    department_id: int | None = None
    dimensions: Mapping[int, int] = field(default_factory=dict)
    products: tuple[RemoteProduct, ...] = ()
    credited_number: str = ""
    credited_rate: Decimal | None = None


Step = (
    Link
    | CreateCustomer
    | UpdateCustomer
    | CreateProject
    | UpdateProject
    | CreateDepartment
    | CreateProduct
    | AdoptDocument
    | LinkDocument
    | CreateDraft
    | CreateCreditDraft
    | BookVoucher
    | AdoptVoucher
    | Collect
    | Issue
    | KeepDraft
)


@dataclass(frozen=True, slots=True)
class Go:
    """Do these steps in this order; warnings stay on the transfer."""

    steps: tuple[Step, ...]
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must decide; every gap is listed."""

    gaps: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Another record must come first; `fix` where a person must do something about it."""

    scope: str
    record_id: str
    cause: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """A write got no answer and nothing was found: look once more after the read lag."""


@dataclass(frozen=True, slots=True)
class Skip:
    """There is nothing to do, and why; `notes` belong on the transfer of what is booked."""

    reason: str
    notes: tuple[Reason, ...] = ()


Decision = Go | Hold | Wait | LookAgain | Skip
