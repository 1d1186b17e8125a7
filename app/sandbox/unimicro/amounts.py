"""The sums of a document, its lines and its head, in both currencies: pure, as the switches say.

Source: docs/facts/unimicro.md §3.3 (calculation [o]) and §11 row 14 (which way the server goes is unknown). The way
`ui2021` follows the client's `calculateDiscount` and `calculateTradeItemSummaryLocal`.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.switches import BaseSums, HalfMeans, LineSums, SettingsRound, Switches, VatSums

SUMS = ("SumTotalExVat", "SumVat", "SumTotalIncVat")
TOTALS = ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount")
FOREIGN = "Currency"

_ZERO = Decimal(0)
_CENTS, _PRICE_DIGITS, _LONG_DIGITS = 2, 4, 10
# RoundingType. Source: §3.7 and the reference; that "up" is away from zero, so that credit notes mirror, is assumed.
_UP, _DOWN, _INTEGER = 0, 1, 2
_ROUNDINGS = {"": "PayableRoundingAmount", FOREIGN: "PayableRoundingCurrencyAmount"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one document's sums depend on besides its lines; `rate` is the company's currency for one unit."""

    switches: Switches
    settings: Record
    rate: Decimal
    foreign: bool

    @property
    def price_digits(self) -> int:
        """How many decimals prices may have, and those with VAT are rounded to."""
        return _LONG_DIGITS if self.switches.ten_decimals else _PRICE_DIGITS


def round_half_up(value: Decimal, digits: int = _CENTS) -> Decimal:
    """The value with so many decimals, halves away from zero (§3.3 [o])."""
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def round_as_browser(value: Decimal, digits: int = _CENTS) -> Decimal:
    """The value as `Math.round` rounds it: halves towards plus infinity, so that -2.5 is -2."""
    step = Decimal(1).scaleb(-digits)
    return (value + step / 2).quantize(step, ROUND_FLOOR)


def round_by_settings(sheet: Sheet, value: Decimal) -> Decimal:
    """The value as RoundingType and RoundingNumberOfDecimals say; two decimals where they say nothing."""
    kind, digits = sheet.settings["RoundingType"], sheet.settings["RoundingNumberOfDecimals"]
    digits = _CENTS if digits is None else digits
    if kind in {_UP, _DOWN}:
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_UP if kind == _UP else ROUND_DOWN)
    if kind == _INTEGER:
        return round_half_up(value, 0)
    if sheet.switches.half_means is HalfMeans.HALF_UNIT:
        return round_half_up(value * 2, 0) / 2
    return round_half_up(value, digits)


def to_exact_sums(sheet: Sheet, item: Record) -> Record:
    """A line's sums with all the decimals that the head is made of.

    Shape: `SUMS` and Discount, each plain and with `Currency`.
    """
    if sheet.switches.vat_sums is VatSums.UI2021:
        return _to_browser_sums(sheet, item)
    sums = _to_own_sums(sheet, item, FOREIGN)
    if sheet.switches.base_sums is BaseSums.PRICES:
        return sums | _to_own_sums(sheet, item, "")
    if not sheet.foreign:
        return sums | {name.removesuffix(FOREIGN): value for name, value in sums.items()}
    net, vat, discount = (sums[name + FOREIGN] * sheet.rate for name in (*SUMS[:2], "Discount"))
    if _rounds_lines(sheet):
        net, vat = _round_line(sheet, net), _round_line(sheet, vat)
    return sums | _to_named("", net=net, vat=vat, discount=round_half_up(discount, _PRICE_DIGITS))


def to_stored_sums(sheet: Sheet, exact: Record) -> Record:
    """A line's sums as the books keep and show them: rounded as lines are, or with four decimals."""
    rounded = _rounds_lines(sheet)
    sums = {
        name + suffix: _round_line(sheet, exact[name + suffix])
        if rounded
        else round_half_up(exact[name + suffix], _PRICE_DIGITS)
        for name in SUMS
        for suffix in ("", FOREIGN)
    }
    return sums | {f"Discount{suffix}": exact[f"Discount{suffix}"] for suffix in ("", FOREIGN)}


def to_head_sums(sheet: Sheet, lines: list[Record]) -> Record:
    """The head's sums.

    Shape: lines carry VatPercent and `to_exact_sums`.
    """
    foreign = _to_totals(sheet, lines, FOREIGN)
    base = _to_totals(sheet, lines, "")
    by_head = sheet.foreign and sheet.switches.base_sums is BaseSums.HEAD
    if by_head and sheet.switches.vat_sums is not VatSums.UI2021:
        net, vat = (round_half_up(amount * sheet.rate) for amount in foreign[:2])
        base = (net, vat, net + vat)
    return _to_head(sheet, base, "") | _to_head(sheet, foreign, FOREIGN)


def _rounds_lines(sheet: Sheet) -> bool:
    return sheet.switches.vat_sums is VatSums.LINE or sheet.switches.line_sums is LineSums.ROUNDED


def _round_line(sheet: Sheet, value: Decimal) -> Decimal:
    if sheet.switches.settings_round is SettingsRound.LINES:
        return round_by_settings(sheet, value)
    return round_half_up(value)


def _to_named(suffix: str, *, net: Decimal, vat: Decimal, discount: Decimal, gross: Decimal | None = None) -> Record:
    values = (net, vat, net + vat if gross is None else gross)
    return {name + suffix: value for name, value in zip(SUMS, values, strict=True)} | {f"Discount{suffix}": discount}


def _to_own_sums(sheet: Sheet, item: Record, suffix: str) -> Record:
    """Sums out of the price in that currency."""
    amount = (item["NumberOfItems"] or 0) * Decimal(item[f"PriceExVat{suffix}"])
    discount = round_half_up(amount * item["DiscountPercent"] / 100, _PRICE_DIGITS)
    net = amount - discount
    if _rounds_lines(sheet):
        net = _round_line(sheet, net)
    vat = net * item["VatPercent"] / 100
    if sheet.switches.vat_sums is VatSums.LINE:
        vat = _round_line(sheet, vat)
    return _to_named(suffix, net=net, vat=vat, discount=discount)


def _to_browser_sums(sheet: Sheet, item: Record) -> Record:
    """Sums as the client makes them: base out of the currency's prices, discounts in the base and divided back."""
    count, percent = Decimal(item["NumberOfItems"] or 0), item["DiscountPercent"]
    bare = Decimal(item[f"PriceExVat{FOREIGN}"])
    with_vat = round_as_browser(bare * (1 + item["VatPercent"] / 100), sheet.price_digits)
    off, off_with_vat = (
        round_as_browser(count * price * sheet.rate * percent / 100, _PRICE_DIGITS) for price in (bare, with_vat)
    )
    net, gross = count * bare * sheet.rate - off, count * with_vat * sheet.rate - off_with_vat
    base = _to_named("", net=net, vat=gross - net, gross=gross, discount=off)
    net, gross = count * bare - off / sheet.rate, count * with_vat - off_with_vat / sheet.rate
    discount = round_half_up(off / sheet.rate, _PRICE_DIGITS)
    return base | _to_named(FOREIGN, net=net, vat=gross - net, gross=gross, discount=discount)


def _to_totals(sheet: Sheet, lines: list[Record], suffix: str) -> tuple[Decimal, Decimal, Decimal]:
    """Net, VAT and the gross that is still to be rounded for paying."""
    net, vat, gross = (sum((_to_amount(line[name + suffix]) for line in lines), _ZERO) for name in SUMS)
    if sheet.switches.vat_sums is VatSums.UI2021:
        return round_half_up(net), round_half_up(vat), gross
    if sheet.switches.vat_sums is VatSums.DOCUMENT:
        vat = _sum_by_rate(sheet, lines, suffix)
    net, vat = round_half_up(net), round_half_up(vat)
    return net, vat, round_half_up(gross) if sheet.switches.vat_sums is VatSums.LINE else net + vat


def _sum_by_rate(sheet: Sheet, lines: list[Record], suffix: str) -> Decimal:
    vat: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in lines:
        vat[Decimal(line["VatPercent"] or 0)] += _to_amount(line[SUMS[1] + suffix])
    return sum((_round_line(sheet, amount) for amount in vat.values()), _ZERO)


def _to_head(sheet: Sheet, totals: tuple[Decimal, Decimal, Decimal], suffix: str) -> Record:
    net, vat, gross = totals
    payable = _to_payable(sheet, gross)
    shown = payable if sheet.switches.gross_with_rounding else round_half_up(gross)
    values = dict(zip((name + suffix for name in TOTALS), (net, vat, shown), strict=True))
    rounding = round_half_up(payable - gross, _PRICE_DIGITS)
    return values | {f"RestAmount{suffix}": payable, _ROUNDINGS[suffix]: rounding or _ZERO}


def _to_payable(sheet: Sheet, gross: Decimal) -> Decimal:
    """What is to be paid: rounded by the settings where they act on it, in cents otherwise."""
    by_settings = sheet.switches.settings_round is SettingsRound.PAYABLE
    by_settings = by_settings and (not sheet.foreign or sheet.switches.round_foreign)
    if sheet.switches.vat_sums is VatSums.UI2021:  # the client has no eye for RoundingType
        digits = sheet.settings["RoundingNumberOfDecimals"] if by_settings else None
        return round_half_up(round_as_browser(gross, _CENTS if digits is None else digits))
    return round_half_up(round_by_settings(sheet, gross) if by_settings else gross)


def _to_amount(value: Any) -> Decimal:
    return Decimal(value or 0)
