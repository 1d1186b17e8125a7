"""What is to be said about the organisation number of a customer. Pure."""

from app.domain.org_numbers import is_valid_org_number
from app.domain.parties import Customer
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason


def has_valid_org_number(customer: Customer) -> bool:
    """Whether the organisation number, if there is one, passes the check of its country."""
    return is_valid_org_number(customer.org_number, country_code=customer.invoice_address.country_code)


def list_org_number_warnings(customer: Customer) -> list[Reason]:
    """The warning about a number that fails the check of its country; it is kept as RecMan has it."""
    if has_valid_org_number(customer):
        return []
    cause = f"“{customer.org_number}” is no organisation number: its check digit or length is wrong"
    return [Reason(code=Code.ORG_NUMBER_INVALID, cause=cause, fix=fix_for(Code.ORG_NUMBER_INVALID))]
