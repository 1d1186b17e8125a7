"""All of RecMan's customers beside all of Unimicro's, before the first transfer. Pure.

What becomes of a customer is asked of the plan itself, so that the check cannot promise what the transfer then refuses.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.admin.shared_numbers import list_digits
from app.clerk.customers.findings import Action, CustomerFinding, Kind, make_row, rank_row
from app.clerk.customers.twins import list_twins
from app.domain.gaps import Gaps
from app.domain.names import NameIndex, compare_names
from app.domain.org_numbers import parse_org_number
from app.domain.parties import Customer
from app.domain.party_numbers import list_org_number_warnings
from app.domain.policies import NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteCustomer
from app.transfer.plan.customers import plan_customer, shares_org_number
from app.transfer.plan.situation import CustomerView
from app.transfer.plan.steps import CreateCustomer

# Names at least this alike may be one customer.
_LOOK_ALIKE = 90
# Of a number that many have, as many are shown.
_MOST_MATCHES = 5


_KINDS_OF_GAPS = {
    Code.CUSTOMER_NUMBER_CLASH: Kind.NUMBER_CLASH,
    Code.CUSTOMER_NUMBER_TWICE: Kind.NUMBER_CLASH,
    Code.CUSTOMER_UNDER_OTHER_NUMBER: Kind.OTHER_NUMBER,
    Code.CUSTOMER_NUMBER_OUTSIDE_SERIES: Kind.OUTSIDE_SERIES,
    Code.CUSTOMER_INACTIVE: Kind.INACTIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both sides, and what was linked before (Unimicro's id and number by RecMan's id).

    `shared`: organisation numbers, digits alone, that several customers have, as a person said.
    """

    companies: Sequence[Customer | Gaps]
    remotes: Sequence[RemoteCustomer]
    reference: Reference
    links: Mapping[str, int] = field(default_factory=dict)
    linked_numbers: Mapping[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    policy: NumberPolicy = NumberPolicy.SAME_NUMBER


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
    findings = _ask_about_shared(findings, books)
    findings += [_only_in_unimicro(remote) for remote in sides.remotes if remote.remote_id not in books.shown]
    return sorted(findings, key=rank_row)


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

    def shares_number(self, customer: Customer) -> bool:
        """Whether a person said that several customers have this one's organisation number."""
        return not self.sides.shared.isdisjoint(list_digits(customer))

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
        shares_number=books.shares_number(customer),
    )
    steps, gaps = plan_customer(view, books.sides.reference)
    if gaps or not isinstance(steps[0], CreateCustomer):
        books.shown.update(match.remote_id for match in matches)
    if gaps:
        return [_from_gap(gap, customer, matches, books.sides.policy) for gap in gaps]
    if isinstance(steps[0], CreateCustomer):
        cause = "Not in Unimicro yet; it is made there when it is first needed"
        return [make_row(Kind.ONLY_IN_RECMAN, cause, customer=customer)]
    match = _choose(customer, matches)
    return [make_row(Kind.AGREE, "In both systems", customer=customer, remote=match)]


def _linked(customer: Customer, remote_id: int, books: _Books) -> CustomerFinding:
    remote = books.by_id.get(remote_id)
    if remote is None:
        cause = f"It was linked with Unimicro's customer of id {remote_id}, which is no longer there"
        fix = fix_for(Code.CUSTOMER_DELETED, "compared", recman_company_id=customer.recman_company_id)
        return make_row(Kind.LINK_BROKEN, cause, fix, customer=customer)
    books.shown.add(remote_id)
    number = books.sides.linked_numbers.get(customer.recman_company_id, "")
    if number not in ("", remote.number):
        cause = f"It was linked as number {number}; in Unimicro that customer now has number {remote.number}"
        fix = fix_for(Code.CUSTOMER_NOT_THE_ONE, "compared", recman_company_id=customer.recman_company_id)
        return make_row(Kind.LINK_BROKEN, cause, fix, customer=customer, remote=remote)
    if not remote.active:
        cause = f"It is linked, but inactive in Unimicro: nothing is sent to customer {remote.number}"
        fix = fix_for(Code.CUSTOMER_INACTIVE, "compared")
        return make_row(Kind.INACTIVE, cause, fix, customer=customer, remote=remote)
    return make_row(Kind.AGREE, "Linked already", customer=customer, remote=remote, action=Action.LEAVE)


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
        row = make_row(Kind.ONLY_IN_RECMAN, gap.cause, gap.fix, customer=customer, action=Action.LEAVE)
        return replace(row, needs_person=True)
    remote = None if kind is Kind.OUTSIDE_SERIES else _choose(customer, matches)
    # Numbers that are Unimicro's own need no mending: somebody says that the two are one.
    action = Action.LINK if kind is Kind.OTHER_NUMBER and policy is NumberPolicy.LINKED else None
    return make_row(kind, gap.cause, gap.fix, customer=customer, remote=remote, action=action)


def _number_twice_in_recman(customer: Customer, names: Sequence[str], remote: RemoteCustomer | None) -> CustomerFinding:
    cause = f"RecMan has number {customer.number} more than once: {', '.join(f'“{name}”' for name in names[:5])}"
    fix = "Give each customer a number of its own in RecMan."
    return make_row(Kind.NUMBER_CLASH, cause, fix, customer=customer, remote=remote)


def _judge_org_number(customer: Customer) -> Iterator[CustomerFinding]:
    for warning in list_org_number_warnings(customer):
        yield make_row(Kind.INVALID_ORG_NUMBER, warning.cause, warning.fix, customer=customer)


def _ask_about_shared(findings: Iterable[CustomerFinding], books: _Books) -> list[CustomerFinding]:
    """The same rows, but those of customers to be made whom a transfer would find made already under another number."""
    customers = (one for one in books.sides.companies if isinstance(one, Customer) and not books.shares_number(one))
    asked = {customer.recman_company_id: customer for customer in customers}
    twins = list_twins(asked.values())
    return [_ask(row, asked, twins) if row.action is Action.CREATE else row for row in findings]


def _ask(
    row: CustomerFinding, asked: Mapping[str, Customer], twins: Mapping[str, Sequence[Customer]]
) -> CustomerFinding:
    others = twins.get(row.recman_company_id)
    if not others:
        return row
    customer = asked[row.recman_company_id]
    numbers = ", ".join(other.number for other in others[:_MOST_MATCHES])
    cause = (
        f"{customer.name} (number {customer.number}) has organisation number {customer.org_number} in common with "
        f"others of RecMan's: {numbers}"
    )
    fix = fix_for(Code.CUSTOMER_UNDER_OTHER_NUMBER, "both_new", org_number=customer.org_number)
    return make_row(Kind.SHARED_ORG_NUMBER, cause, fix, customer=customer)


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
        yield make_row(Kind.LOOK_ALIKE, cause, fix, customer=customer, remote=remote)


def _only_in_unimicro(remote: RemoteCustomer) -> CustomerFinding:
    return make_row(Kind.ONLY_IN_UNIMICRO, "Not among RecMan's customers; it stays as it is", remote=remote)


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
