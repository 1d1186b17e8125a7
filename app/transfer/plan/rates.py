"""Which rate of exchange is believed: what Unimicro tells is compared with the last one used before money moves. Pure.

Whether a rate is told for one unit or for a hundred is known by `Factor` alone, and what that means is inferred
(docs/facts/unimicro.md §11 row 13): a slip is a claim a hundredfold.
"""

from collections.abc import Mapping
from decimal import Decimal

from app.domain.documents import Document
from app.domain.money import ZERO, count_decimals
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Quote

# As far as a rate may be from the last one used, or from what the rules say.
_APART = Decimal("0.2")
_HUNDRED = Decimal(100)
_PRECISE = Decimal("1e-10")
# What one unit was worth in NOK in autumn 2025, roughly: what a currency's first rate is compared with, so that one for
# a hundred units is seen. Source: Norges Bank's rates, rounded; that none leaves its order of magnitude is assumed.
_ROUGHLY = {
    "NOK": "1", "EUR": "11.7", "SEK": "1.06", "DKK": "1.57", "ISK": "0.082", "GBP": "13.4", "CHF": "12.5",
    "PLN": "2.75", "CZK": "0.48", "HUF": "0.030", "RON": "2.3", "BGN": "6", "USD": "10.1", "CAD": "7.2", "AUD": "6.6",
    "NZD": "5.8", "JPY": "0.066", "CNY": "1.41", "HKD": "1.3", "SGD": "7.8", "INR": "0.115", "THB": "0.31",
    "ZAR": "0.58", "AED": "2.75",
}  # fmt: skip
_MOST_TIMES = 5


def choose_rate(
    document: Document, quote: Quote, *, base_currency: str, last: Decimal | None, named: Mapping[str, Decimal]
) -> Decimal | Reason:
    """What one unit of the document's currency is worth, or why Unimicro's rate is not believed.

    `last` is the rate that the company's last document in the currency had; `named` are the rules'.
    """
    currency = document.currency
    if currency in named:
        found = _choose_near(quote, named[currency])
        if found is None:
            return _doubtful(document, quote, f"the rules say about {named[currency]:f}")
    else:
        found = _round(quote.per_unit)
        trouble = _find_trouble(found, currency, base_currency, last)
        if trouble:
            return _doubtful(document, quote, trouble)
    return find_other_rate(document, found, "Unimicro's for the day", case="recman") or found


def find_other_rate(document: Document, rate: Decimal, whose: str, *, case: str) -> Reason | None:
    """How RecMan's own rate, where it states one, is another than the one that the document is reckoned with."""
    stated = document.exchange_rate
    if stated is None or _is_stated(stated, rate):
        return None
    cause = f"RecMan's own rate for {document.currency} is {stated:f}, {whose} {rate:f}"
    return Reason(code=Code.RATE_DOUBTFUL, cause=cause, fix=fix_for(Code.RATE_DOUBTFUL, case))


def _choose_near(quote: Quote, named: Decimal) -> Decimal | None:
    """The reading of the quote that the rules mean: for its own number of units, for one, or for a hundred."""
    readings = (quote.per_unit, quote.amount, quote.amount / _HUNDRED)
    return next((_round(one) for one in readings if _is_near(one, named)), None)


def _round(rate: Decimal) -> Decimal:
    """As precise as a rate need be, without noughts at its end; ten is 10 and not 1E+1."""
    return rate.quantize(_PRECISE).normalize() + ZERO


def _find_trouble(rate: Decimal, currency: str, base_currency: str, last: Decimal | None) -> str:
    if rate == 1:
        return "a foreign currency is hardly worth as much as the company's own"
    if last is not None:
        return "" if _is_near(rate, last) else f"the last one used was {last:f}"
    if currency not in _ROUGHLY or base_currency not in _ROUGHLY:
        return "it is the first of this currency"
    expected = Decimal(_ROUGHLY[currency]) / Decimal(_ROUGHLY[base_currency])
    is_likely = expected / _MOST_TIMES < rate < expected * _MOST_TIMES
    return "" if is_likely else f"one unit has been worth about {expected:.3g}"


def _is_near(rate: Decimal, expected: Decimal) -> bool:
    return abs(rate - expected) <= expected * _APART


def _is_stated(stated: Decimal, rate: Decimal) -> bool:
    """Whether RecMan's rate is this one with fewer decimals, for one unit or for a hundred."""
    step = Decimal(1).scaleb(-max(count_decimals(stated), 2))
    return any(abs(stated - one) <= step / 2 for one in (rate, rate * _HUNDRED))


def _doubtful(document: Document, quote: Quote, why: str) -> Reason:
    units = "one unit" if quote.units == 1 else f"{quote.units.normalize():f} units"
    cause = (
        f"Unimicro's rate for {document.currency} on {document.invoice_date} is {quote.amount:f} for {units}, but {why}"
    )
    fix = fix_for(Code.RATE_DOUBTFUL, currency=document.currency)
    return Reason(code=Code.RATE_DOUBTFUL, cause=cause, fix=fix)
