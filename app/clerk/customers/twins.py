"""New customers that have one organisation number: the first would be made, the others asked about. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.org_numbers import parse_org_number
from app.domain.parties import Customer
from app.domain.reference import RemoteCustomer
from app.transfer.plan.customers import claims_org_number

# Of very many with one number (a filler), a customer is compared with so many.
_MOST_COMPARED = 10


def list_twins(customers: Iterable[Customer]) -> Mapping[str, Sequence[Customer]]:
    """By RecMan's company id: the others that a transfer would take for the same customer under another number."""
    groups: dict[str, list[Customer]] = defaultdict(list)
    for customer in customers:
        country_code = customer.invoice_address.country_code
        groups[parse_org_number(customer.org_number, country_code=country_code).digits].append(customer)
    groups.pop("", None)
    found = {one.recman_company_id: list(_list_others(one, group)) for group in groups.values() for one in group}
    return {company_id: others for company_id, others in found.items() if others}


def _list_others(customer: Customer, group: Sequence[Customer]) -> Iterator[Customer]:
    """Asked of the plan, as if each of the others had been made already."""
    for other in group[:_MOST_COMPARED]:
        if other.recman_company_id == customer.recman_company_id:
            continue
        # Whoever comes second is the one that is asked about.
        if claims_org_number(customer, _as_made(other)) or claims_org_number(other, _as_made(customer)):
            yield other


def _as_made(customer: Customer) -> RemoteCustomer:
    return RemoteCustomer(remote_id=0, number=customer.number, name=customer.name, org_number=customer.org_number)
