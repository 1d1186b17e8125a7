"""Exchange rates: what the books compute with, and what the API answers for them.

Source: docs/facts/unimicro.md §3.7 (the action and its fields [o]), §11 row 13 (Norges Bank quotes per 100; [I] that
ExchangeRate is to be divided by Factor). Rates and their daily movement are made up.
"""

from datetime import date, timedelta
from decimal import Decimal

from app.sandbox.unimicro.amounts import round_half_up
from app.sandbox.unimicro.answers import Record, refused
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.seed import RATES
from app.sandbox.unimicro.switches import RateAnswer, RateGiven, Rates, RateSent

# How many units Norges Bank's quotation is for; 1 for the others.
FACTORS = {"SEK": 100, "DKK": 100}
_ONE = Decimal(1)
_SATURDAY = 5
# A daily rate goes up in so many days, by a tenth of a per cent a day, evenly about the fixed one, and starts again.
_CLIMB = 21


def find_rate(books: Books, code: str, day: date) -> Decimal | None:
    """The company's currency for one unit on that day, or None when no rate is known; `Books.rates` comes first."""
    if code == load_base_code(books):
        return _ONE
    given = books.switches.rate_given
    if given is not RateGiven.KNOWN:
        return _ONE if given is RateGiven.ONE else None
    rate = books.rates.get(code) or RATES.get(code)
    if rate is None or books.switches.rates is Rates.FIXED:
        return rate
    step = _to_working_day(day).toordinal() % _CLIMB - _CLIMB // 2
    return round_half_up(rate * (1 + Decimal(step) / 1000), 4)


def load_base_code(books: Books) -> str:
    """The code of the currency the company keeps its books in."""
    return str(books.tables["CurrencyCode"][books.settings["BaseCurrencyCodeID"]]["Code"])


def load_rate(books: Books, code: str, day: date) -> Decimal:
    """The rate as a document's CurrencyExchangeRate carries it, for a document that came without.

    Raises:
        AnswerError: 400 when there is none.
    """
    rate = find_rate(books, code, day)
    if rate is None:
        raise refused("CurrencyExchangeRate is required.", entity="CustomerInvoice", field="CurrencyExchangeRate")
    return rate * _to_sent_for(books, code)


def to_unit_rate(books: Books, code: str, sent: Decimal) -> Decimal:
    """What one unit is worth by the rate that a document carries."""
    return sent / _to_sent_for(books, code)


def to_rate_answer(books: Books, source: Record, target: Record, day: date) -> Record:
    """The body of get-currency-exchange-rate; a currency without rate has 0 or null."""
    kind, factor = books.switches.rate_answer, FACTORS.get(source["Code"], 1)
    rate = find_rate(books, source["Code"], day)
    if rate is not None:
        rate /= find_rate(books, target["Code"], day) or _ONE
        rate *= factor if kind in {RateAnswer.FACTOR, RateAnswer.HIDDEN} else 1
    elif books.switches.rate_given is not RateGiven.NULL:
        rate = Decimal(0)
    return {
        "FromCurrencyCodeID": source["ID"],
        "ToCurrencyCodeID": target["ID"],
        "CurrencyDate": day.isoformat(),
        "ExchangeRate": rate,
        "Factor": factor if kind in {RateAnswer.FACTOR, RateAnswer.DIVIDED} else 1,
        "Source": 1,
    }


def _to_sent_for(books: Books, code: str) -> int:
    return FACTORS.get(code, 1) if books.switches.rate_sent is RateSent.FACTOR else 1


def _to_working_day(day: date) -> date:
    """The day itself, at weekends the Friday before: Norges Bank quotes on working days; holidays are left out."""
    return day - timedelta(days=max(0, day.weekday() - _SATURDAY + 1))
