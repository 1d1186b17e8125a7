"""What a customer check finds: kinds of rows, what is to be done about each, which of them need a person. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.names import compare_names
from app.domain.parties import Customer
from app.domain.reference import RemoteCustomer


class Kind(StrEnum):
    """What was found about a customer."""

    AGREE = "agree"
    NUMBER_CLASH = "number_clash"
    OTHER_NUMBER = "other_number"
    SHARED_ORG_NUMBER = "shared_org_number"
    ONLY_IN_RECMAN = "only_in_recman"
    ONLY_IN_UNIMICRO = "only_in_unimicro"
    OUTSIDE_SERIES = "outside_series"
    INVALID_ORG_NUMBER = "invalid_org_number"
    LOOK_ALIKE = "look_alike"
    INACTIVE = "inactive"
    LINK_BROKEN = "link_broken"
    INCOMPLETE = "incomplete"
    NOT_COMPARED = "not_compared"


class Action(StrEnum):
    """What is to be done about it; `link` and `create` the transfer does by itself, unless a person is needed.

    `decide`: a person says what is right, by a door that the fix names.
    """

    LINK = "link"
    CREATE = "create"
    LEAVE = "leave"
    DECIDE = "decide"
    FIX_IN_RECMAN = "fix_in_recman"


_ACTIONS = {
    Kind.AGREE: Action.LINK,
    Kind.ONLY_IN_RECMAN: Action.CREATE,
    Kind.ONLY_IN_UNIMICRO: Action.LEAVE,
    Kind.INACTIVE: Action.LEAVE,
    Kind.LINK_BROKEN: Action.LEAVE,
    Kind.NOT_COMPARED: Action.LEAVE,
    Kind.SHARED_ORG_NUMBER: Action.DECIDE,
}
# The rest must be put right, or accepted, by a person before anything is sent.
_HARMLESS = frozenset({Kind.AGREE, Kind.ONLY_IN_RECMAN, Kind.ONLY_IN_UNIMICRO, Kind.INACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFinding:
    """One row of the report: a customer in one system, in both, or two that stand in each other's way.

    `similarity` is how alike the two names are, 0 to 100; None when there is one side only.
    """

    kind: Kind
    action: Action
    needs_person: bool
    cause: str
    fix: str = ""
    recman_company_id: str = ""
    recman_number: str = ""
    recman_name: str = ""
    recman_org_number: str = ""
    remote_id: int | None = None
    remote_number: str = ""
    remote_name: str = ""
    remote_org_number: str = ""
    similarity: int | None = None


def count_kinds(findings: Iterable[CustomerFinding]) -> dict[str, int]:
    """How many rows there are of each kind, every kind named."""
    counted = Counter(finding.kind.value for finding in findings)
    return {kind.value: counted[kind.value] for kind in Kind}


def is_green(findings: Iterable[CustomerFinding]) -> bool:
    """Whether the first transfer may begin without a person's approval."""
    return not any(finding.needs_person for finding in findings)


def not_compared(cause: str, fix: str) -> CustomerFinding:
    """The row that stands for customers that could not be read."""
    return make_row(Kind.NOT_COMPARED, cause, fix)


def make_row(
    kind: Kind,
    cause: str,
    fix: str = "",
    *,
    customer: Customer | None = None,
    remote: RemoteCustomer | None = None,
    action: Action | None = None,
) -> CustomerFinding:
    """One row; what is to be done follows from its kind, unless an `action` is named."""
    return CustomerFinding(
        kind=kind,
        action=action or _ACTIONS.get(kind, Action.FIX_IN_RECMAN),
        needs_person=kind not in _HARMLESS,
        cause=cause,
        fix=fix,
        recman_company_id=customer.recman_company_id if customer else "",
        recman_number=customer.number if customer else "",
        recman_name=customer.name if customer else "",
        recman_org_number=customer.org_number if customer else "",
        remote_id=remote.remote_id if remote else None,
        remote_number=remote.number if remote else "",
        remote_name=remote.name if remote else "",
        remote_org_number=remote.org_number if remote else "",
        similarity=compare_names(customer.name, remote.name) if customer and remote else None,
    )


def rank_row(finding: CustomerFinding) -> tuple[bool, int, int, str]:
    """The place of a row in the report: what a person must look at first."""
    number = finding.recman_number or finding.remote_number
    return not finding.needs_person, _ORDER[finding.kind], len(number), number


_ORDER = {kind: place for place, kind in enumerate(Kind)}
