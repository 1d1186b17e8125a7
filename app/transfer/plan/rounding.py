"""What levels a claim that rounding has moved: a line without VAT, on the account that the key's rules name. Pure.

The line has a product of its own: whether Unimicro takes priced lines without one is unknown (docs/facts/unimicro.md §9
row 10), so none is ever sent.
"""

from dataclasses import replace
from decimal import Decimal

from app.domain.documents import Document, Line
from app.domain.money import ZERO
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import DocumentState, Reference, RemoteAccount, RemoteDocument, RemoteProduct
from app.domain.rules import Rounding, Rules

# An account of the result: a claim's øre are no balance.
_FIRST_ACCOUNT, _LAST_ACCOUNT = 3000, 8999
# No VAT is reported of these. Source: docs/facts/unimicro.md §11 row 15 (none: 0 and 7; outside the act: 6 [O]).
_CODES_WITHOUT_VAT = ("0", "7", "6")
_TEXT = "Avrunding"


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
    found = reference.products.get(rounding.product, ())
    if len(found) > 1 or not all(one.active for one in found):
        return _unusable(f"Product {rounding.product} for rounding is inactive in Unimicro, or there more than once")
    new = RemoteProduct(
        remote_id=0,
        number=rounding.product,
        name=_TEXT,
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
    known = [one for code in _CODES_WITHOUT_VAT for one in reference.vat_types.get(code, ())]
    usable = [one for one in known if one.is_visible and not one.is_locked] or known
    ids = [one.remote_id for one in usable]
    return account.vat_type_id if account.vat_type_id in ids or not ids else ids[0]


def _unusable(cause: str) -> Reason:
    return Reason(code=Code.RULE_UNUSABLE, cause=cause, fix=fix_for(Code.RULE_UNUSABLE))


def is_levelled(difference: Reason | None, remote: RemoteDocument, rules: Rules) -> bool:
    """Whether a line of its own makes the claim the document's: rounding moved a draft's, and an account is named."""
    is_rounding = difference is not None and difference.code == Code.ROUNDING
    return is_rounding and remote.state is DocumentState.DRAFT and rules.rounding is not None


def make_rounding_line(document: Document, remote: RemoteDocument, product: RemoteProduct) -> Line:
    """The line that makes Unimicro's claim the document's."""
    amount = document.totals.gross_amount - remote.totals.gross_amount
    return Line(
        position=len(document.lines) + 1,
        text=_TEXT,
        product_number=product.number,
        quantity=Decimal(1) if amount > 0 else Decimal(-1),
        unit_price_net=abs(amount),
        vat_rate=ZERO,
    )
