"""What the first-transfer check promises, the transfers then do, in whatever order the customers come."""

import random
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.clerk.customers.compare import Comparison, compare_customers
from app.clerk.customers.findings import Action
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reference import RemoteCustomer
from app.transfer.plan.customers import plan_customer
from app.transfer.plan.situation import CustomerView
from app.transfer.plan.steps import CreateCustomer
from tests.world.builders import make_customer, make_reference

# Two good numbers, one of them in another dress, one that fails its check, and a filler.
ORG_NUMBERS = ("", "974760673", "NO 974 760 673 MVA", "310456101", "310456102", "000000000")
NAMES = ("Oslo kommune", "Oslo kommune skoler", "Vestfold Rør AS", "Ærfugl Bemanning AS")
NUMBERS = ("100001", "100002", "100003", "100004")
_customers = st.lists(
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NAMES), st.sampled_from(ORG_NUMBERS)), min_size=1, max_size=5
)
_remotes = st.lists(
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NAMES), st.sampled_from(ORG_NUMBERS)),
    max_size=2,
    unique_by=lambda one: one[0],
)


def carry(customers: list[Customer], remotes: list[RemoteCustomer], sides: Comparison) -> set[str]:
    """The RecMan ids of those that a transfer would hold, one after the other."""
    there, held = list(remotes), set()
    for customer in customers:
        shares = not sides.shared.isdisjoint({"974760673"}) and "974" in customer.org_number
        matches = tuple(
            one for one in there if one.number == customer.number or set(digits(one)) & set(digits(customer))
        )
        view = CustomerView(
            recman_company_id=customer.recman_company_id,
            record=customer,
            matches=matches,
            policy=sides.policy,
            shares_number=shares,
        )
        steps, gaps = plan_customer(view, sides.reference)
        if gaps:
            held.add(customer.recman_company_id)
        elif isinstance(steps[0], CreateCustomer):
            number = customer.number if sides.policy is NumberPolicy.SAME_NUMBER else str(900_000 + len(there))
            made = RemoteCustomer(
                remote_id=len(there) + 1, number=number, name=customer.name, org_number=customer.org_number
            )
            there.append(made)
    return held


def digits(one: Customer | RemoteCustomer) -> list[str]:
    found = "".join(filter(str.isdecimal, one.org_number))
    return [found] if found else []


TWINS = [("100001", "Oslo kommune", "974760673"), ("100002", "Oslo kommune skoler", "NO 974 760 673 MVA")]


@settings(max_examples=100)
@example(
    given_customers=TWINS,
    given_remotes=[],
    policy=NumberPolicy.SAME_NUMBER,
    shared=frozenset(),
    order=random.Random(1),
)
@given(
    given_customers=_customers,
    given_remotes=_remotes,
    policy=st.sampled_from([NumberPolicy.SAME_NUMBER, NumberPolicy.LINKED]),
    shared=st.sampled_from([frozenset[str](), frozenset({"974760673"})]),
    order=st.randoms(use_true_random=False),
)
def test_whoever_the_check_lets_pass_is_held_by_no_transfer(
    given_customers: list[tuple[str, str, str]],
    given_remotes: list[tuple[str, str, str]],
    policy: NumberPolicy,
    shared: frozenset[str],
    order: random.Random,
) -> None:
    customers = [
        replace(make_customer(number=number, name=name, org_number=org_number), recman_company_id=str(300 + n))
        for n, (number, name, org_number) in enumerate(given_customers)
    ]
    remotes = [
        RemoteCustomer(remote_id=n + 1, number=number, name=name, org_number=org_number)
        for n, (number, name, org_number) in enumerate(given_remotes)
    ]
    sides = Comparison(companies=customers, remotes=remotes, reference=make_reference(), policy=policy, shared=shared)
    rows = compare_customers(sides)
    doubted = {row.recman_company_id for row in rows if row.needs_person}
    promised = {row.recman_company_id for row in rows if row.action in {Action.LINK, Action.CREATE}} - doubted
    order.shuffle(customers)
    assert not promised & carry(customers, remotes, sides)
