"""All of RecMan's customers beside all of Unimicro's, before the first transfer. Pure.

What becomes of a customer is asked of the plan itself, so that the check cannot promise what the transfer then refuses.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.domain.gaps import Gaps
from app.domain.names import NameIndex, compare_names
from app.domain.org_numbers import parse_org_number
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteCustomer
from app.transfer.plan.customers import has_valid_org_number, plan_customer, shares_org_number
from app.transfer.plan.situation import CustomerView
from app.transfer.plan.steps import CreateCustomer

# Names at least this alike may be one customer.
_LOOK_ALIKE = 90
# Of a number that many have, as many are shown.
_MOST_MATCHES = 5


class Kind(StrEnum):
    """What was found about a customer."""

    AGREE = "agree"
    NUMBER_CLASH = "number_clash"
    OTHER_NUMBER = "other_number"
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
    """What is to be done about it; `link` and `create` the transfer does by itself, unless a person is needed."""

    LINK = "link"
    CREATE = "create"
    LEAVE = "leave"
    FIX_IN_RECMAN = "fix_in_recman"


_ACTIONS = {
    Kind.AGREE: Action.LINK,
    Kind.ONLY_IN_RECMAN: Action.CREATE,
    Kind.ONLY_IN_UNIMICRO: Action.LEAVE,
    Kind.INACTIVE: Action.LEAVE,
    Kind.LINK_BROKEN: Action.LEAVE,
    Kind.NOT_COMPARED: Action.LEAVE,
}
# The rest must be put right, or accepted, by a person before anything is sent.
_HARMLESS = frozenset({Kind.AGREE, Kind.ONLY_IN_RECMAN, Kind.ONLY_IN_UNIMICRO, Kind.INACTIVE})
_KINDS_OF_GAPS = {
    Code.CUSTOMER_NUMBER_CLASH: Kind.NUMBER_CLASH,
    Code.CUSTOMER_NUMBER_TWICE: Kind.NUMBER_CLASH,
    Code.CUSTOMER_UNDER_OTHER_NUMBER: Kind.OTHER_NUMBER,
    Code.CUSTOMER_NUMBER_OUTSIDE_SERIES: Kind.OUTSIDE_SERIES,
    Code.CUSTOMER_INACTIVE: Kind.INACTIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both sides, and what was linked before (Unimicro's id by RecMan's)."""

    companies: Sequence[Customer | Gaps]
    remotes: Sequence[RemoteCustomer]
    reference: Reference
    links: Mapping[str, int] = field(default_factory=dict)
    policy: NumberPolicy = NumberPolicy.SAME_NUMBER


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


def compare_customers(sides: Comparison) -> list[CustomerFinding]:
    """Every customer of both systems in one row at least, what a person must look at first.

    Shape: one row says where a RecMan customer is; a further one each for an invalid organisation number, for a name
    that somebody else in Unimicro has, and for every further gap. A Unimicro customer that no such row shows has a row
    of its own.
    """
    books = _Books(sides)
    findings: list[CustomerFinding] = []
    made: list[Customer] = []
    for company in sides.companies:
        if isinstance(company, Gaps):
            findings.append(_incomplete(company))
            continue
        rows = _place(company, books)
        findings += [*rows, *_judge_org_number(company)]
        made += [company for row in rows if row.action is Action.CREATE]
    findings += _list_look_alikes(made, books)
    findings += [_only_in_unimicro(remote) for remote in sides.remotes if remote.remote_id not in books.shown]
    return sorted(findings, key=_rank)


def count_kinds(findings: Iterable[CustomerFinding]) -> dict[str, int]:
    """How many rows there are of each kind, every kind named."""
    counted = Counter(finding.kind.value for finding in findings)
    return {kind.value: counted[kind.value] for kind in Kind}


def is_green(findings: Iterable[CustomerFinding]) -> bool:
    """Whether the first transfer may begin without a person's approval."""
    return not any(finding.needs_person for finding in findings)


def not_compared(cause: str, fix: str) -> CustomerFinding:
    """The row that stands for customers that could not be read."""
    return _row(Kind.NOT_COMPARED, cause, fix)


class _Books:
    """Both sides by what they are looked up with; `shown` gathers the Unimicro customers that some row shows."""

    def __init__(self, sides: Comparison) -> None:
        self.sides = sides
        self.by_id = {remote.remote_id: remote for remote in sides.remotes}
        self.shown: set[int] = set()
        self._by_number: dict[str, list[RemoteCustomer]] = defaultdict(list)
        self._by_digits: dict[str, list[RemoteCustomer]] = defaultdict(list)
        for remote in sides.remotes:
            self._by_number[remote.number].append(remote)
            self._by_digits[parse_org_number(remote.org_number).digits].append(remote)
        self._numbers: dict[str, list[str]] = defaultdict(list)
        for company in sides.companies:
            if isinstance(company, Customer):
                self._numbers[company.number].append(company.name)

    def find_matches(self, customer: Customer) -> tuple[RemoteCustomer, ...]:
        """What a look-up in Unimicro would give: equal number, or equal organisation number."""
        found = self._by_number.get(customer.number, [])[:_MOST_MATCHES]
        if customer.org_number:
            digits = parse_org_number(customer.org_number, country_code=customer.invoice_address.country_code).digits
            same = [remote for remote in self._by_digits.get(digits, []) if shares_org_number(customer, remote)]
            found = found + same[:_MOST_MATCHES]
        return tuple({remote.remote_id: remote for remote in found}.values())

    def list_namesakes(self, customer: Customer) -> list[str]:
        """Who has the customer's number in RecMan, when that is more than one and numbers count."""
        names = self._numbers[customer.number]
        return names if len(names) > 1 and self.sides.policy is not NumberPolicy.LINKED else []


def _place(customer: Customer, books: _Books) -> list[CustomerFinding]:
    """Where the customer is, or everything that keeps it from getting there."""
    linked = books.sides.links.get(customer.recman_company_id)
    if linked is not None:
        return [_linked(customer, linked, books)]
    matches = books.find_matches(customer)
    namesakes = books.list_namesakes(customer)
    if namesakes:
        books.shown.update(match.remote_id for match in matches)
        return [_number_twice_in_recman(customer, namesakes, _choose(customer, matches))]
    view = CustomerView(
        recman_company_id=customer.recman_company_id,
        record=customer,
        matches=matches,
        policy=books.sides.policy,
        is_compared=True,
    )
    steps, gaps = plan_customer(view, books.sides.reference)
    if gaps or not isinstance(steps[0], CreateCustomer):
        books.shown.update(match.remote_id for match in matches)
    if gaps:
        return [_from_gap(gap, customer, matches, books.sides.policy) for gap in gaps]
    if isinstance(steps[0], CreateCustomer):
        cause = "Not in Unimicro yet; it is made there when it is first needed"
        return [_row(Kind.ONLY_IN_RECMAN, cause, customer=customer)]
    match = _choose(customer, matches)
    return [_row(Kind.AGREE, "In both systems", customer=customer, remote=match)]


def _linked(customer: Customer, remote_id: int, books: _Books) -> CustomerFinding:
    remote = books.by_id.get(remote_id)
    if remote is None:
        cause = f"It was linked with Unimicro's customer of id {remote_id}, which is no longer there"
        return _row(Kind.LINK_BROKEN, cause, "Restore the customer in Unimicro.", customer=customer)
    books.shown.add(remote_id)
    return _row(Kind.AGREE, "Linked already", customer=customer, remote=remote, action=Action.LEAVE)


def _choose(customer: Customer, matches: Sequence[RemoteCustomer]) -> RemoteCustomer | None:
    """Of several the one with the customer's own number, of those the most alike."""
    return max(
        matches,
        key=lambda match: (match.number == customer.number, compare_names(customer.name, match.name)),
        default=None,
    )


def _from_gap(
    gap: Reason, customer: Customer, matches: Sequence[RemoteCustomer], policy: NumberPolicy
) -> CustomerFinding:
    kind = _KINDS_OF_GAPS.get(gap.code)
    if kind is None:
        # The plan makes no customers for this key.
        row = _row(Kind.ONLY_IN_RECMAN, gap.cause, gap.fix, customer=customer, action=Action.LEAVE)
        return replace(row, needs_person=True)
    remote = None if kind is Kind.OUTSIDE_SERIES else _choose(customer, matches)
    # Numbers that are Unimicro's own need no mending: somebody says that the two are one.
    action = Action.LINK if kind is Kind.OTHER_NUMBER and policy is NumberPolicy.LINKED else None
    return _row(kind, gap.cause, gap.fix, customer=customer, remote=remote, action=action)


def _number_twice_in_recman(customer: Customer, names: Sequence[str], remote: RemoteCustomer | None) -> CustomerFinding:
    cause = f"RecMan has number {customer.number} more than once: {', '.join(f'“{name}”' for name in names[:5])}"
    fix = "Give each customer a number of its own in RecMan."
    return _row(Kind.NUMBER_CLASH, cause, fix, customer=customer, remote=remote)


def _judge_org_number(customer: Customer) -> Iterator[CustomerFinding]:
    if not has_valid_org_number(customer):
        cause = f"“{customer.org_number}” is no organisation number: its check digit or length is wrong"
        fix = "Correct it in RecMan; a foreign one begins with its country, such as SE."
        yield _row(Kind.INVALID_ORG_NUMBER, cause, fix, customer=customer)


def _list_look_alikes(customers: Sequence[Customer], books: _Books) -> Iterator[CustomerFinding]:
    """Customers that would be made although Unimicro has somebody of nearly that name whom nobody claims."""
    free = {one.remote_id: one.name for one in books.sides.remotes if one.remote_id not in books.shown}
    index = NameIndex(free)
    for customer in customers:
        nearest = index.find_nearest(customer.name, least=_LOOK_ALIKE)
        if nearest is None:
            continue
        remote = books.by_id[nearest[0]]
        if customer.org_number and remote.org_number and not shares_org_number(customer, remote):
            continue
        books.shown.add(remote.remote_id)
        cause = f"Unimicro has “{remote.name}” under number {remote.number}; it may be the same customer"
        fix = f"If so, give the customer number {remote.number} in RecMan; else accept the check."
        yield _row(Kind.LOOK_ALIKE, cause, fix, customer=customer, remote=remote)


def _only_in_unimicro(remote: RemoteCustomer) -> CustomerFinding:
    return _row(Kind.ONLY_IN_UNIMICRO, "Not among RecMan's customers; it stays as it is", remote=remote)


def _incomplete(company: Gaps) -> CustomerFinding:
    return CustomerFinding(
        kind=Kind.INCOMPLETE,
        action=Action.FIX_IN_RECMAN,
        needs_person=True,
        cause="; ".join(gap.cause for gap in company.gaps),
        fix="Complete or correct it in RecMan.",
        recman_company_id=company.recman_id,
        recman_name=company.name,
    )


def _row(
    kind: Kind,
    cause: str,
    fix: str = "",
    *,
    customer: Customer | None = None,
    remote: RemoteCustomer | None = None,
    action: Action | None = None,
) -> CustomerFinding:
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


def _rank(finding: CustomerFinding) -> tuple[bool, int, int, str]:
    number = finding.recman_number or finding.remote_number
    return not finding.needs_person, _ORDER[finding.kind], len(number), number


_ORDER = {kind: place for place, kind in enumerate(Kind)}
