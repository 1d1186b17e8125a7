"""What Unimicro says of money: a document's sums in both currencies, what it has rounded itself, and rates. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.documents import Totals
from app.domain.money import CENT, ZERO, round_money, to_decimal, undo_float
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Quote, RemoteLine
from app.errors import HoldError

_TOTALS = ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount")
# By how much the payable amount was rounded. Source: docs/facts/unimicro.md §3.2 (…Currency [O]), and the swagger dump
# (…CurrencyAmount).
_ROUNDINGS = ("PayableRoundingAmount",)
_ROUNDINGS_CURRENCY = ("PayableRoundingCurrencyAmount", "PayableRoundingAmountCurrency")


def from_sums(row: Mapping[str, Any], *, sign: int) -> dict[str, Any]:
    """What a document there says of its sums: `totals`, `base_totals`, `rate`, `rounding_amount` and `lines`.

    At a rate of 1 both kinds of sums are the same money, and an old document may have only one of them filled in
    (assumed). At any other rate a base sum is no substitute.
    """
    in_base = _is_in_base(row)
    sums = [read_sum(row, name) * sign for name in _TOTALS]
    rounding = _read_rounding(row, _ROUNDINGS_CURRENCY) or (_read_rounding(row, _ROUNDINGS) if in_base else ZERO)
    told = [row.get(name) for name in _TOTALS]
    base = None
    if None not in told:
        amounts = [round_money(to_decimal(amount) * sign) for amount in told]
        base = _to_claim(amounts, _read_rounding(row, _ROUNDINGS) * sign)
    rate = row.get("CurrencyExchangeRate")
    return {
        "totals": _to_claim(sums, rounding * sign),
        "base_totals": base,
        "rate": to_decimal(rate) if rate else None,
        "rounding_amount": rounding * sign,
        "lines": _read_lines(row, sign=sign),
    }


def _read_lines(row: Mapping[str, Any], *, sign: int) -> tuple[RemoteLine, ...] | None:
    """The lines with an amount; None where they are not shown, or one of them without its VAT type or sums.

    Source: docs/facts/unimicro.md §3.3 [O] for the names; that an answer shows lines only where they are sent or
    expanded, and shows them as the server keeps them, is assumed.
    """
    items = row.get("Items")
    # A head that a voucher made has none: the voucher's own lines tell. Source: docs/facts/unimicro.md §4.3 D.
    if not isinstance(items, list) or row.get("CreatedFromJournalEntry"):
        return None
    found = [_read_line(item, row, sign=sign) for item in items if not item.get("Deleted")]
    lines = [line for line in found if line is not None]
    if len(lines) < len(found):
        return None
    return tuple(line for line in lines if line.net_amount or line.vat_amount)


def _read_line(item: Mapping[str, Any], row: Mapping[str, Any], *, sign: int) -> RemoteLine | None:
    net, vat = _read_line_sum(item, row, "SumTotalExVat"), _read_line_sum(item, row, "SumVat")
    if item.get("ProductID") is None and not net and not vat:
        # A line of words, of which nothing else need be told.
        net = vat = ZERO
    if net is None or vat is None or ((net or vat) and "VatTypeID" not in item):
        return None
    return RemoteLine(
        product_id=item.get("ProductID"),
        vat_type_id=item.get("VatTypeID") or None,
        net_amount=net * sign,
        vat_amount=vat * sign,
    )


def _read_line_sum(item: Mapping[str, Any], row: Mapping[str, Any], name: str) -> Decimal | None:
    """A sum in the document's currency; the other one is the same money at a rate of 1 (assumed, as for heads)."""
    told = item.get(f"{name}Currency")
    if _is_in_base(row) and not told:
        told = item.get(name, told)
    return None if told is None else to_decimal(told)


def _read_rounding(row: Mapping[str, Any], names: Iterable[str]) -> Decimal:
    """By how much Unimicro has rounded what is to be paid; less than an øre is none."""
    found = next((to_decimal(row[name]) for name in names if row.get(name)), ZERO)
    return round_money(found) if abs(found) >= CENT else ZERO


def _to_claim(sums: Sequence[Decimal], rounding: Decimal) -> Totals:
    """The sums with what is to be paid as their gross: whether that holds the rounding already, net and VAT tell.

    Source: docs/facts/unimicro.md §3.3 [o] (the client has it inside); UBL, whose names these are, adds it (assumed).
    """
    net, vat, gross = sums
    is_outside = rounding and abs(gross - net - vat) < abs(gross - net - vat - rounding)
    return Totals(net_amount=net, vat_amount=vat, gross_amount=gross + rounding if is_outside else gross)


def read_sum(row: Mapping[str, Any], name: str) -> Decimal:
    """One of the sums in the document's currency, to the øre."""
    amount = to_decimal(row.get(f"{name}Currency") or 0)
    return round_money(to_decimal(row.get(name) or 0) if _is_in_base(row) and not amount else amount)


def _is_in_base(row: Mapping[str, Any]) -> bool:
    return to_decimal(row.get("CurrencyExchangeRate") or 1) == 1


def read_quote(answer: Mapping[str, Any], day: date) -> Quote:
    """The rate that Unimicro answers about a currency, for as many units as `Factor` says.

    Source: docs/facts/unimicro.md §11 row 13 (Norges Bank's way of quoting [O]); that `Factor` is what a rate is for is
    inferred [I], so whoever uses it must see whether the rate can be.

    Raises:
        HoldError: no rate, none above zero, or one for no clear number of units.
    """
    amount, factor = undo_float(to_decimal(answer.get("ExchangeRate") or 0)), answer.get("Factor")
    units = Decimal(1) if factor is None else to_decimal(factor)
    if amount > 0 and units > 0:
        return Quote(amount, units)
    cause = f"Unimicro has no exchange rate above zero for {day}"
    if amount > 0:
        cause = f"Unimicro's exchange rate for {day} is for {factor} units of the currency, which cannot be"
    raise HoldError((Reason(code=Code.RATE_UNUSABLE, cause=cause, fix=fix_for(Code.RATE_UNUSABLE)),))
