"""Trials of customers and rates. Source: docs/facts/unimicro.md §9 row 3, §11 row 13, §3.3."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import to_text
from app.accounting.unimicro.target_documents import quote
from app.accounting.unimicro.translate_sums import read_quote
from app.accounting.unimicro.trials.bench import Bench, UntoldError
from app.accounting.unimicro.trials.drafts import Told
from app.domain.answers import Question, Way
from app.domain.money import to_decimal
from app.domain.reference import Quote
from app.errors import RemoteRejectedError

# A few numbers ahead of the next one: it is free, and leaves but a small gap.
_AHEAD = 3
# What a unit of these has been worth in NOK for years, in a wide margin; both are quoted per hundred.
_WORTH = {"SEK": (Decimal("0.7"), Decimal("1.6")), "DKK": (Decimal("1.0"), Decimal("2.3"))}
_FOREIGN_PRICE = Decimal(1000)


async def try_customer_number(bench: Bench) -> Told:
    """Whether a customer gets the number that it is made with."""
    number = await _find_free_number(bench)
    thing = await bench.notebook.note("customers", "customer with a number")
    name = f"RecMan trial {thing.reference}"
    body = {"CustomerNumber": number, "Info": {"Name": name, "_createguid": bench.guid(thing, "info")}}
    try:
        thing = await bench.send(thing, body)
    except RemoteRejectedError:
        return {Question.CUSTOMER_NUMBER_ACCEPTED: Way.REFUSED}
    row = await bench.look(f"customers/{thing.remote_id}", expand="Info")
    is_taken = to_text(row.get("CustomerNumber")) == str(number)
    return {Question.CUSTOMER_NUMBER_ACCEPTED: Way.TAKEN if is_taken else Way.IGNORED}


async def _find_free_number(bench: Bench) -> int:
    reference = await bench.load_reference()
    if not reference.customer_series:
        raise UntoldError("no number series of customers is known; look at the series in Unimicro's settings")
    first, last = reference.customer_series[0]
    rows = await bench.client.fetch_list("customers", filter=f"CustomerNumber ge {first} and CustomerNumber le {last}")
    numbers = [row.get("CustomerNumber") for row in rows]
    highest = max((one for one in numbers if isinstance(one, int) and first <= one <= last), default=first)
    if highest + _AHEAD > last:
        raise UntoldError(f"the series of customers is nearly used up: {highest} of {last}")
    return highest + _AHEAD


async def try_rate_factor(bench: Bench) -> Told:
    """Whether a rate is for as many units as its Factor says: looked at in a currency whose worth is known."""
    currency, found = await _fetch_quote(bench)
    if found.units == 1 and _is_worth(currency, found.amount):
        # One unit either way: nothing can go wrong by it.
        return {Question.RATE_FACTOR: Way.PER_FACTOR}
    per_factor, per_unit = _is_worth(currency, found.per_unit), _is_worth(currency, found.amount)
    if per_factor == per_unit:
        return {Question.RATE_FACTOR: Way.UNLIKE}
    return {Question.RATE_FACTOR: Way.PER_FACTOR if per_factor else Way.PER_UNIT}


async def fetch_worth(bench: Bench) -> tuple[str, Decimal]:
    """A foreign currency, and what one unit of it is worth."""
    currency, found = await _fetch_quote(bench)
    return currency, found.per_unit if _is_worth(currency, found.per_unit) else found.amount


def _is_worth(currency: str, rate: Decimal) -> bool:
    least, most = _WORTH[currency]
    return least < rate < most


async def _fetch_quote(bench: Bench) -> tuple[str, Quote]:
    reference = await bench.load_reference()
    currency = next((one for one in _WORTH if one in reference.currencies), None)
    if reference.base_currency != "NOK" or currency is None:
        raise UntoldError("the company keeps no books in NOK, or knows neither SEK nor DKK")
    ids = {"fromCurrencyCodeID": reference.currencies[currency], "toCurrencyCodeID": reference.currencies["NOK"]}
    query = {name: str(value) for name, value in ids.items()} | {"currencyDate": bench.today.isoformat()}
    answer = await bench.client.ask("currencies", "get-currency-exchange-rate", **query)
    bench.keep("currencies?action=get-currency-exchange-rate", query, answer)
    return currency, read_quote(answer, bench.today)


async def try_rate_sent(bench: Bench) -> Told:
    """Whether the rate of a document is for one unit: its sums in the company's own currency tell."""
    currency, rate = await fetch_worth(bench)
    thing = await bench.notebook.note("invoices", f"draft in {currency}")
    # The server's own price in base currency is what tells.
    line = await bench.to_line(thing, price=_FOREIGN_PRICE)
    del line["PriceExVat"]
    head = {"CurrencyCodeID": (await bench.load_reference()).currencies[currency], "CurrencyExchangeRate": rate}
    thing = await bench.send(thing, await bench.to_draft(thing, items=[line], **head))
    row = await bench.look(f"invoices/{thing.remote_id}", expand="Items")
    return {Question.RATE_SENT: _tell_rate(row, rate)}


def _tell_rate(row: Mapping[str, Any], rate: Decimal) -> Way:
    base, foreign = (to_decimal(row.get(f"TaxExclusiveAmount{end}") or 0) for end in ("", "Currency"))
    if not base or not foreign:
        raise UntoldError("the draft shows no sums in both currencies")
    for way, factor in ((Way.PER_UNIT, Decimal(1)), (Way.PER_FACTOR, Decimal(100))):
        if abs(base - foreign * rate / factor) < 1:
            return way
    return Way.UNLIKE


async def find_trial_customers(bench: Bench, reference: str) -> list[dict[str, Any]]:
    """The customers whose name holds a thing's reference."""
    condition = f"Info.Name eq {quote(f'RecMan trial {reference}')}"
    rows = await bench.client.fetch_list("customers", filter=condition, expand="Info")
    return [row for row in rows if reference in to_text((row.get("Info") or {}).get("Name"))]
