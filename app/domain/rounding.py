"""The account that a key's rules name for rounding, and the product of the line that is booked on it. Pure."""

from dataclasses import replace

from app.domain.money import ZERO
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteAccount, RemoteProduct, RemoteVatType
from app.domain.rules import Rounding
from app.domain.vat import CODES_WITHOUT_VAT

ROUNDING_TEXT = "Avrunding"
# An account of the result: a claim's øre are no balance.
_FIRST_ACCOUNT, _LAST_ACCOUNT = 3000, 8999


def choose_rounding_product(rounding: Rounding, reference: Reference) -> RemoteProduct | Reason:
    """The product of the line that levels a claim, with the rules' account; its id is 0 as long as it is not made.

    A reason where account or product cannot be used in this company.
    """
    account = reference.accounts.get(rounding.account)
    if account is None:
        return _unusable(f"The rules' account for rounding, {rounding.account}, is not in Unimicro")
    if not _FIRST_ACCOUNT <= rounding.account <= _LAST_ACCOUNT:
        span = f"{_FIRST_ACCOUNT} to {_LAST_ACCOUNT}"
        return _unusable(f"The rules' account for rounding, {rounding.account}, is none of the result ({span})")
    if account.is_locked:
        return _unusable(f"The rules' account for rounding, {rounding.account}, is locked in Unimicro")
    if _brings_vat(account, reference):
        return _unusable(f"The rules' account for rounding, {rounding.account}, brings VAT")
    if _is_closed(reference):
        codes = ", ".join(CODES_WITHOUT_VAT)
        return _unusable(f"None of the VAT codes without VAT that a line for rounding may have ({codes}) is open")
    found = reference.products.get(rounding.product, ())
    if len(found) > 1 or not all(one.active for one in found):
        return _unusable(f"Product {rounding.product} for rounding is inactive in Unimicro, or there more than once")
    new = RemoteProduct(
        remote_id=0,
        number=rounding.product,
        name=ROUNDING_TEXT,
        active=True,
        account_id=None,
        vat_type_id=None,
        vat_rate=ZERO,
    )
    product = found[0] if found else new
    return replace(product, account_id=account.remote_id, vat_type_id=_choose_vat(account, reference))


def _brings_vat(account: RemoteAccount, reference: Reference) -> bool:
    known = reference.vat_types.get(reference.code_of(account.vat_type_id) or "", ())
    return any(one.rate for one in known)


def _choose_vat(account: RemoteAccount, reference: Reference) -> int | None:
    """A VAT type of which nothing is reported, the account's own if it is one; none in a company without VAT."""
    if not (reference.vat_registered or reference.vat_planned):
        return None
    ids = [one.remote_id for one in _list_without_vat(reference) if one.is_visible and not one.is_locked]
    return account.vat_type_id if account.vat_type_id in ids or not ids else ids[0]


def _list_without_vat(reference: Reference) -> list[RemoteVatType]:
    return [one for code in CODES_WITHOUT_VAT for one in reference.vat_types.get(code, ())]


def _is_closed(reference: Reference) -> bool:
    """Whether the company has VAT, and codes of which nothing is reported, but none that a line may have."""
    known = _list_without_vat(reference) if reference.vat_registered or reference.vat_planned else []
    return bool(known) and all(one.is_locked or not one.is_visible for one in known)


def _unusable(cause: str) -> Reason:
    return Reason(code=Code.RULE_UNUSABLE, cause=cause, fix=fix_for(Code.RULE_UNUSABLE))
