"""Is the account that somebody names for rounding one of the company's, and usable? Asked when it is named."""

from app.admin.key_check import open_key_target
from app.domain.reasons.codes import Code, Reason
from app.domain.rules import Rounding
from app.errors import RequestError
from app.platform.resources import Resources
from app.tables import Key
from app.transfer.plan.rounding import choose_rounding_product

_FIX = (
    "Name an account of the result without VAT that Unimicro has, for example its account for rounding (øreavrunding). "
    "If none of the VAT codes without VAT is open, open one there first."
)


async def verify_rounding(resources: Resources, key: Key, rounding: Rounding) -> None:
    """Look the account up in the key's company.

    Raises:
        RequestError: it cannot be used.
        RemoteError, HoldError: the company could not be asked.
    """
    found = choose_rounding_product(rounding, await open_key_target(resources, key).fetch_reference())
    if isinstance(found, Reason):
        raise RequestError(found.cause, fix=_FIX, code=Code.RULES_UNUSABLE)
