"""Planning a document's customer: which one in Unimicro it is, whether one is made, what a person must decide. Pure."""

from dataclasses import replace

from app.domain.buyers import find_country
from app.domain.gaps import Gaps
from app.domain.names import compare_names, plain_name
from app.domain.org_numbers import is_same_org_number
from app.domain.parties import Customer
from app.domain.party_numbers import has_valid_org_number, list_org_number_warnings
from app.domain.policies import MatchedBy, NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteCustomer
from app.transfer.plan.parts import Planned, link_part
from app.transfer.plan.situation import CustomerView
from app.transfer.plan.steps import CreateCustomer

# The case of a row that says nothing of a retry: nothing is held yet.
_COMPARED = "compared"
# Names less alike than this, of 100, are of different customers.
_STRANGERS = 60


def plan_customer(view: CustomerView, reference: Reference) -> Planned:
    """The step that puts the customer in place, if one is needed, and the gaps that stop it.

    Customers match by number; the number alone is a weak match, so organisation number or name must agree too. An equal
    organisation number under another number is a suggestion for a person, never a reason to make or link anything.
    """
    if view.past is not None and view.past.booked:
        return (), ()
    if view.record is None:
        return (), (_customer_gone(view.recman_company_id),)
    if isinstance(view.record, Gaps):
        return (), view.record.gaps
    customer = view.record
    case = _COMPARED if view.is_compared else ""
    candidates = _list_candidates(view, customer)
    if len(candidates) > 1:
        return (), (_number_twice(customer, case),)
    if candidates:
        return _link_customer(view, customer, candidates[0], case)
    gaps = _creation_gaps(view, customer, reference, case)
    if gaps:
        return (), tuple(gaps)
    seen = frozenset(match.remote_id for match in view.matches)
    reason = f"no customer {customer.number} in Unimicro yet"
    return (CreateCustomer(customer=customer, reason=reason, seen=seen),), ()


def find_same_customer(view: CustomerView) -> int | None:
    """The id of the customer that surely is this one: linked, or alone with its number and of the same party."""
    if view.past is not None and view.past.booked:
        return view.past.remote_id
    customer = view.record
    if not isinstance(customer, Customer):
        return None
    same = [one for one in view.matches if one.number == customer.number and _is_same_party(customer, one)]
    return same[0].remote_id if len(same) == 1 else None


def _list_candidates(view: CustomerView, customer: Customer) -> list[RemoteCustomer]:
    same_number = [match for match in view.matches if match.number == customer.number]
    if view.policy is not NumberPolicy.LINKED:
        return same_number
    if view.past is not None and view.past.unclear:
        # It may have been made under a number that we do not know. A name alone tells only once Unimicro has said that
        # it made somebody for us: else a namesake would be taken for him.
        named = view.past.guid_spent
        alike = [one for one in view.matches if _is_same_party(customer, one)]
        if view.shares_number:
            alike = [one for one in alike if plain_name(customer.name) == plain_name(one.name)]
        return [one for one in alike if named or shares_org_number(customer, one)]
    # Two systems that number on their own meet on one number by chance.
    return [match for match in same_number if not _is_stranger(view, customer, match)]


def _link_customer(view: CustomerView, customer: Customer, match: RemoteCustomer, case: str) -> Planned:
    if not _is_same_party(customer, match):
        return (), (
            Reason(
                code=Code.CUSTOMER_NUMBER_CLASH,
                cause=f"Customer number {customer.number} is {_describe(customer.name, customer.org_number)} in RecMan "
                f"but {_describe(match.name, match.org_number)} in Unimicro",
                fix=fix_for(Code.CUSTOMER_NUMBER_CLASH, case),
            ),
        )
    if not match.active:
        return (), (
            Reason(
                code=Code.CUSTOMER_INACTIVE,
                cause=f"Customer {customer.number} {match.name} is inactive in Unimicro",
                fix=fix_for(Code.CUSTOMER_INACTIVE, case),
            ),
        )
    link = replace(
        link_part("company", customer.recman_company_id, customer, match),
        matched_by=_find_rung(view, customer, match),
        country=find_country(customer.invoice_address, customer.org_number),
        warnings=tuple(list_org_number_warnings(customer)),
    )
    return (link,), ()


def _find_rung(view: CustomerView, customer: Customer, match: RemoteCustomer) -> MatchedBy:
    if view.past is not None and view.past.unclear:
        # It was being made when we last heard of it.
        return MatchedBy.MADE
    has_number = customer.number == match.number
    if shares_org_number(customer, match):
        return MatchedBy.NUMBER_AND_ORG_NUMBER if has_number else MatchedBy.ORG_NUMBER
    return MatchedBy.NUMBER_AND_NAME if has_number else MatchedBy.NAME


def _creation_gaps(view: CustomerView, customer: Customer, reference: Reference, case: str) -> list[Reason]:
    gaps = [
        _under_other_number(customer, other, "linked" if view.policy is NumberPolicy.LINKED else case)
        for other in view.matches
        if not view.shares_number and claims_org_number(customer, other) and other.number != customer.number
    ]
    if view.policy is NumberPolicy.MATCH_ONLY and not gaps:
        gaps.append(_not_made(customer, case))
    if view.policy is NumberPolicy.SAME_NUMBER and not _fits_series(customer.number, reference.customer_series):
        gaps.append(_outside_series(customer, reference.customer_series, case))
    if view.policy is NumberPolicy.SAME_NUMBER and not view.takes_numbers and not gaps:
        gaps.append(_number_not_taken(customer))
    return gaps


def _is_same_party(customer: Customer, match: RemoteCustomer) -> bool:
    if customer.org_number and match.org_number:
        return shares_org_number(customer, match)
    return plain_name(customer.name) == plain_name(match.name)


def shares_org_number(customer: Customer, match: RemoteCustomer) -> bool:
    """Whether both have the same organisation number, each in its own dress."""
    country_code = customer.invoice_address.country_code
    return is_same_org_number(customer.org_number, match.org_number, country_code=country_code)


def _is_stranger(view: CustomerView, customer: Customer, match: RemoteCustomer) -> bool:
    """Whether two with one number are surely not the same; between this and the same party a person decides."""
    if customer.org_number and match.org_number and not (view.shares_number and shares_org_number(customer, match)):
        return not shares_org_number(customer, match)
    return compare_names(customer.name, match.name) < _STRANGERS


def claims_org_number(customer: Customer, match: RemoteCustomer) -> bool:
    """Whether the two seem to be one by their organisation number.

    A number that fails its check digits may be a filler that many have, so the names must be alike, too.
    """
    if not shares_org_number(customer, match):
        return False
    return has_valid_org_number(customer) or compare_names(customer.name, match.name) >= _STRANGERS


def _fits_series(number: str, series: tuple[tuple[int, int], ...]) -> bool:
    return number.isdecimal() and any(first <= int(number) <= last for first, last in series)


def _describe(name: str, org_number: str) -> str:
    return f"“{name}” ({org_number})" if org_number else f"“{name}”"


def _under_other_number(customer: Customer, other: RemoteCustomer, case: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_UNDER_OTHER_NUMBER,
        cause=f"{customer.name} (organisation number {customer.org_number}) has number {customer.number} in RecMan "
        f"but {other.number} in Unimicro",
        fix=fix_for(
            Code.CUSTOMER_UNDER_OTHER_NUMBER,
            case,
            remote_number=other.number,
            number=customer.number,
            org_number=customer.org_number,
        ),
    )


def _not_made(customer: Customer, case: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NOT_IN_UNIMICRO,
        cause=f"{customer.name} (number {customer.number}) is not in Unimicro, and the key makes no customers",
        fix=fix_for(Code.CUSTOMER_NOT_IN_UNIMICRO, case, number=customer.number),
    )


def _number_not_taken(customer: Customer) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NUMBER_NOT_TAKEN,
        cause=f"{customer.name} is not in Unimicro, which would not give it RecMan's number {customer.number}",
        fix=fix_for(Code.CUSTOMER_NUMBER_NOT_TAKEN, number=customer.number),
    )


def _outside_series(customer: Customer, series: tuple[tuple[int, int], ...], case: str) -> Reason:
    listed = ", ".join(f"{first}–{last}" for first, last in series) or "none"
    return Reason(
        code=Code.CUSTOMER_NUMBER_OUTSIDE_SERIES,
        cause=f"Customer {customer.name} has number {customer.number} in RecMan, outside Unimicro's customer series "
        f"({listed})",
        fix=fix_for(Code.CUSTOMER_NUMBER_OUTSIDE_SERIES, case),
    )


def _number_twice(customer: Customer, case: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NUMBER_TWICE,
        cause=f"Unimicro has more than one customer that may be {customer.name} (number {customer.number} in RecMan)",
        fix=fix_for(Code.CUSTOMER_NUMBER_TWICE, case),
    )


def _customer_gone(recman_company_id: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_MISSING,
        cause=f"RecMan gives no company with id {recman_company_id}",
        fix=fix_for(Code.CUSTOMER_MISSING),
    )
