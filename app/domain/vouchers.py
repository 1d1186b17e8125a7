"""A document as a voucher: what of it goes to which account, and how that balances to the øre. Pure.

Source: docs/facts/unimicro.md §12: a line's amount holds its VAT, which Unimicro takes out of it [o].
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.documents import Document, LineKey, Totals
from app.domain.money import ZERO, round_money
from app.domain.reference import RemoteDocument, RemoteProduct

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What of a document is booked on one account, VAT type and department.

    `department_number`: of lines that have a department of their own.
    Units: gross, in the document's currency, positive also on a credit note; `vat_rate` in per cent.
    """

    account_id: int | None
    vat_type_id: int | None
    vat_rate: Decimal
    amount: Decimal
    department_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteVoucher:
    """What there is of a number or a reference in the books: a voucher, or an invoice that no voucher made.

    `entry_id` and `number` are the journal entry's; None and empty: it is none of ours to tell. `document` is the
    invoice head, its sums as the voucher's lines have them; None: there is no head. `is_made`: the voucher made it.
    `is_credited`: another voucher has taken it back.
    """

    entry_id: int | None
    number: str
    external_reference: str
    document: RemoteDocument | None
    is_made: bool = True
    is_credited: bool = False


def share_out(
    document: Document, bookings: Mapping[LineKey, RemoteProduct], departments: Collection[str]
) -> tuple[Share, ...]:
    """The document's lines, one share for each account, VAT type and department; none that comes to nothing.

    `departments`: the numbers of those that are there; a line of any other goes with the document's.
    """
    sums: dict[tuple[int | None, int | None, str], Decimal] = {}
    rates: dict[int | None, Decimal] = {}
    for line in (one for one in document.lines if not one.is_text):
        product = bookings[line.key]
        department = line.department_number if line.department_number in departments else ""
        place = (product.account_id, product.vat_type_id, department)
        sums[place] = sums.get(place, ZERO) + line.net_amount + line.vat_amount
        rates[product.vat_type_id] = product.vat_rate or ZERO
    return tuple(
        Share(account_id=account, vat_type_id=vat, vat_rate=rates[vat], amount=amount, department_number=department)
        for (account, vat, department), amount in sums.items()
        if amount
    )


def split_gross(amount: Decimal, vat_rate: Decimal) -> tuple[Decimal, Decimal]:
    """Net and VAT of an amount that holds its VAT, as Unimicro takes them apart.

    Source: assumed (docs/facts/unimicro.md §12 has the gross [o], not how it is rounded).
    """
    net = round_money(amount * _HUNDRED / (_HUNDRED + vat_rate))
    return net, amount - net


def fit_shares(shares: Sequence[Share], rest: Decimal, totals: Totals) -> tuple[Share, ...] | None:
    """The shares with the rest on one of them, where net and VAT then come to exactly the document's; None: on none.

    A system that rounds VAT on the document has another gross than its lines, and VAT out of that gross is its VAT.
    """
    largest_first = sorted(range(len(shares)), key=lambda index: abs(shares[index].amount), reverse=True)
    for index in largest_first:
        fitted = [*shares]
        fitted[index] = replace(shares[index], amount=shares[index].amount + rest)
        parts = [split_gross(share.amount, share.vat_rate) for share in fitted]
        sums = [sum((part[place] for part in parts), ZERO) for place in (0, 1)]
        if sums == [totals.net_amount, totals.vat_amount]:
            return tuple(fitted)
    return None


def to_base_amounts(shares: Sequence[Share], rate: Decimal) -> tuple[Decimal, ...]:
    """The shares in the company's currency; what rounding leaves of the whole claim goes with the largest."""
    parts = [round_money(share.amount * rate) for share in shares]
    rest = round_money(sum((share.amount for share in shares), ZERO) * rate) - sum(parts, ZERO)
    if rest:
        largest = max(range(len(shares)), key=lambda index: abs(shares[index].amount))
        parts[largest] += rest
    return tuple(parts)
