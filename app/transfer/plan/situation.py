"""What is known before deciding: the past of a record at one key, and what both systems hold now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.domain.answers import Answer, Question
from app.domain.dimensions import Department, Project
from app.domain.documents import Document, Totals
from app.domain.gaps import Gaps
from app.domain.money import ZERO
from app.domain.parties import Customer
from app.domain.policies import MatchedBy, NumberPolicy
from app.domain.reasons.codes import Reason
from app.domain.reference import Reference, RemoteCustomer, RemoteDepartment, RemoteDocument, RemoteProject
from app.domain.rules import Rules
from app.domain.series import InvoiceSeries
from app.domain.vouchers import RemoteVoucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What our log says of a record at this key; `totals` are Unimicro's.

    `unclear`: a write was begun and its outcome never recorded; the first such one at `unclear_since`, the last write
    at all at `sent_at`. `guid_spent`: Unimicro has seen the guid of this version. `looked_twice`: the read lag has
    passed since a look-up found nothing, so this look is the second. `booked`: it went all the way at some time.
    `ignored`: a person chose not to send it. `approved`: a person let it through a review, `approved_by`;
    `decided_by`: who chose about an old one. `external_reference`: what
    we made carries it; empty for what was linked by hand. `credits_remote_id`: the invoice there whose credit was
    begun; `credit_drafts_before`: ids of the credit drafts that it had then. `held_for`: why it was held last.
    `searched_key`: the key in whose books an old document was looked for, `found_there`: something agreed with it;
    `decision` (send or link): a person's about it, `decided_on` the id of the offer that was seen then. `matched_by`:
    how a customer was known to be this one; None where a release before did not keep it. `country`: a customer's, by
    RecMan (domain.buyers).
    `booked_as`: what the document said when it was booked, `described` what the overview shows of it, both as
    `plan.changes` writes them; `is_drift_due`: nobody has looked for a day whether it stands as it was booked.
    `by_file`: it is ready for a file, or went into one; `company_id`: RecMan's id of whom it is to.
    """

    transfer_id: int
    number: str = ""
    name: str = ""
    remote_id: int | None = None
    remote_number: str = ""
    remote_customer_id: int | None = None
    external_reference: str = ""
    content_hash: bytes | None = None
    guid_version: int = 1
    guid_spent: bool = False
    unclear: bool = False
    unclear_since: datetime | None = None
    sent_at: datetime | None = None
    credits_remote_id: int | None = None
    credit_drafts_before: tuple[int, ...] = ()
    looked_twice: bool = False
    booked: bool = False
    ignored: bool = False
    approved: bool = False
    approved_by: str = ""
    decided_by: str = ""
    held_because: str = ""
    held_for: tuple[Reason, ...] = ()
    searched_key: str = ""
    found_there: bool = False
    decision: str | None = None
    decided_on: int | None = None
    booking: str | None = None
    totals: Totals | None = None
    matched_by: MatchedBy | None = None
    booked_as: Mapping[str, Any] | None = None
    described: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Reason, ...] = ()
    is_drift_due: bool = False
    country: str = ""
    by_file: bool = False
    company_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """A customer as our log, RecMan and Unimicro see it; `record` holds gaps when it cannot be mapped.

    `is_compared`: it is looked at before anything is sent, so nothing is there to be retried. `shares_number`: a person
    said that several customers have its organisation number, so the number tells none of them. `takes_numbers` False:
    the company is known to give customers numbers of its own. `remote_country`: where
    Unimicro's customer is, looked up where RecMan's word is not known and something hangs on it.
    """

    recman_company_id: str
    past: Past | None = None
    record: Customer | Gaps | None = None
    matches: tuple[RemoteCustomer, ...] = ()
    policy: NumberPolicy = NumberPolicy.SAME_NUMBER
    takes_numbers: bool = True
    is_compared: bool = False
    shares_number: bool = False
    remote_country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project as our log, RecMan and Unimicro see it; `record` None: RecMan no longer lists it."""

    recman_project_id: str
    past: Past | None = None
    record: Project | Gaps | None = None
    matches: tuple[RemoteProject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentView:
    """A department as our log, RecMan and Unimicro see it; `by_rule`: a rule says what it is there.

    Shape: `dimensions` holds what the rule wants in the free dimensions, each with the ids that have its number.
    """

    recman_department_id: str
    past: Past | None = None
    record: Department | None = None
    matches: tuple[RemoteDepartment, ...] = ()
    by_rule: bool = False
    dimensions: tuple[tuple[int, str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Twin:
    """A document there that has the number or the reference of an old one of RecMan's, and in what the two differ."""

    remote: RemoteDocument
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """How the document stands whose number comes first: the state of its transfer, and why."""

    state: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """How the series stand that would number a document.

    `fitting`: those named for it; one, if all is well. `ahead`: the document with that one's next number, where it is
    another one that RecMan has told of. `is_near`: those ahead are being issued now, so it may be made ready.
    """

    key_id: str
    company_key: str
    fitting: tuple[InvoiceSeries, ...]
    ahead: Ahead | None = None
    is_near: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersView:
    """What is known of RecMan's numbers beside the company's series.

    `recmans`: ids of the series that give documents RecMan's own numbers; `met`: numbers of RecMan's that lay inside
    others when they were read. `is_vouched`: an accountant has said that none does.
    """

    key_id: str
    recmans: frozenset[int] = frozenset()
    met: tuple[int, ...] = ()
    is_vouched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSituation:
    """Everything that decides about one document at one key.

    `booking`: how the document gets into the key's books; `unsaid`: what somebody must say before it may.
    `go_live`: the key's first day. `twins`: what may be an older document in Unimicro; None: not looked for.
    `found`: what Unimicro has of it, looked up only when our log cannot tell; `vouchers`: likewise, of a document that
    is booked as one, and whatever else has its number there. `answers`: what is known of the company, as far as the
    booking hangs on it.
    `credited`: the past of the invoice that a credit note credits; `credited_document`: what its id shows in Unimicro
    now; `credit_notes`: every credit note of it there, whoever made them; `kept_credits`: ids of those that we have
    booked, also as drafts for a person to issue.
    `usual_minus`: whether RecMan's credit notes have a minus as a rule; None where there is none yet to tell.
    `doubles`: why it must not go as long as nothing of it was begun: RecMan has it twice. `kid_clashes`: likewise,
    because another invoice in the same books has its KID.
    `rule_makers`: who changed the key's rules last; where four eyes are wanted, whoever made any that are in force.
    `booked_before`: how many documents of the key are in Unimicro, as far as a review must know.
    `series`: how its number's turn stands, where documents are issued in RecMan's order; `numbers`: how RecMan's
    numbers lie beside Unimicro's, where documents get those.
    `by_file`: nothing is sent, the document goes into a file; `filed_credits`: what others credit of its invoice there;
    `leaves_out`: it goes without a project or department that is not in Unimicro.
    """

    document: Document | Gaps
    reference: Reference
    external_reference: str
    go_live: date
    twins: tuple[Twin, ...] | None = None
    booking: str = "renumbered"
    unsaid: tuple[Reason, ...] = ()
    past: Past | None = None
    customer: CustomerView | None = None
    project: ProjectView | None = None
    department: DepartmentView | None = None
    credited: Past | None = None
    credited_document: RemoteDocument | None = None
    credit_notes: tuple[RemoteDocument, ...] = ()
    kept_credits: frozenset[int] = frozenset()
    usual_minus: bool | None = None
    found: tuple[RemoteDocument, ...] = ()
    vouchers: tuple[RemoteVoucher, ...] = ()
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    rule_makers: frozenset[str] = frozenset()
    booked_before: int = 0
    doubles: tuple[Reason, ...] = ()
    kid_clashes: tuple[Reason, ...] = ()
    series: SeriesView | None = None
    numbers: NumbersView | None = None
    by_file: bool = False
    filed_credits: Decimal = ZERO
    leaves_out: bool = False

    @property
    def complete_document(self) -> Document:
        """The document, which has no gaps.

        Raises:
            TypeError: it has some, so there are no steps for it.
        """
        if isinstance(self.document, Gaps):
            raise TypeError("an incomplete document has no steps")
        return self.document
