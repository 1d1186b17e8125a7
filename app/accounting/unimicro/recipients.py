"""Whether a linked customer is still the one, and may be invoiced."""

from collections.abc import Mapping
from typing import Any

from app.accounting.unimicro.translate import from_customer
from app.domain.parties import Recipient
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Links
from app.errors import HoldError


def other_customer(links: Links, recipient: Recipient, recman_company_id: str) -> Reason:
    """Why nothing goes to a customer whose id shows somebody else by now."""
    cause = (
        f"The customer was linked as number {links.customer_number} with id {links.customer_id}; in Unimicro that id "
        f"now shows number {recipient.number}, {recipient.name}"
    )
    fix = fix_for(Code.CUSTOMER_NOT_THE_ONE, recman_company_id=recman_company_id)
    return Reason(code=Code.CUSTOMER_NOT_THE_ONE, cause=cause, fix=fix)


def require_active(row: Mapping[str, Any]) -> None:
    """Make sure that a customer can be invoiced.

    Raises:
        HoldError: it is inactive in Unimicro.
    """
    customer = from_customer(row)
    if not customer.active:
        cause = f"Customer {customer.number} {customer.name} is inactive in Unimicro"
        raise HoldError((Reason(code=Code.CUSTOMER_INACTIVE, cause=cause, fix=fix_for(Code.CUSTOMER_INACTIVE)),))
