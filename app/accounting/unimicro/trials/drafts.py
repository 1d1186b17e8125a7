"""Trials that need a draft alone, which is deleted again: its state, search, sums, guids, lines without product.

Source: docs/facts/unimicro.md §9 rows 7, 10 and 13, §11 row 14, §5.2.
"""

import math
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import INVOICE_DRAFT, to_text
from app.accounting.unimicro.target_documents import quote
from app.accounting.unimicro.trials.bench import Bench, Thing, UntoldError
from app.domain.answers import Question, Way
from app.domain.money import TEN_THOUSANDTH, ZERO, round_money, to_decimal
from app.errors import AlreadyStoredError, RemoteRejectedError

Told = Mapping[Question, str]

# A search is tried again and again for so long.
_LONGEST_LAG, _STEP = 20.0, 0.1
# Lines whose VAT is another sum each way: three times a tenth, and a price with four decimals.
_SMALL, _LONG = Decimal("0.10"), Decimal("0.0333")
_MANY = Decimal(1000)
_SMALL_LINES = 3


async def try_draft(bench: Bench) -> Told:
    """Whether a draft is one, and how soon it is found by its reference."""
    thing = await bench.notebook.note("invoices", "draft")
    try:
        thing = await bench.send(thing, await bench.to_draft(thing))
    except RemoteRejectedError:
        return {Question.DRAFT_STATUS: Way.REFUSED}
    lag = await _measure_lag(bench, thing)
    row = await bench.look(f"invoices/{thing.remote_id}")
    told: dict[Question, str] = {Question.DRAFT_STATUS: _tell_status(row)}
    if lag is None:
        return told | {Question.REFERENCE_FOUND: Way.NOT_FOUND}
    return told | {Question.REFERENCE_FOUND: Way.FOUND, Question.SEARCH_LAG: lag}


def _tell_status(row: Mapping[str, Any]) -> Way:
    if (row.get("StatusCode") or 0) > INVOICE_DRAFT:
        return Way.ISSUED
    return Way.NUMBERED if to_text(row.get("InvoiceNumber")) else Way.DRAFT


async def _measure_lag(bench: Bench, thing: Thing) -> str | None:
    """Seconds until the search shows the draft, rounded up; None: it never did."""
    started = time.monotonic()
    while (waited := time.monotonic() - started) < _LONGEST_LAG:
        rows = await bench.client.fetch_list("invoices", filter=f"ExternalReference eq {quote(thing.reference)}")
        found = [row for row in rows if to_text(row.get("ExternalReference")) == thing.reference]
        # A filter that is not known answers everything: that it is among many says nothing.
        if found and len(found) == len(rows):
            bench.keep("invoices", {"filter": "ExternalReference"}, found)
            return f"{math.ceil(waited * 10) / 10}"
        if found:
            return None
        await bench.sleep(_STEP)
    return None


async def try_sums(bench: Bench) -> Told:
    """Whether Unimicro computes sums, and how VAT comes together."""
    product = await bench.load_product()
    if product.vat_rate is None:
        raise UntoldError("the product has no rate of VAT")
    thing = await bench.notebook.note("invoices", "draft without sums")
    items = [await bench.to_line(thing, price=_SMALL, SortIndex=n + 1) for n in range(_SMALL_LINES)]
    items.append(await bench.to_line(thing, price=_LONG, quantity=_MANY, SortIndex=_SMALL_LINES + 1))
    try:
        thing = await bench.send(thing, await bench.to_draft(thing, items=items))
    except RemoteRejectedError:
        return {Question.SUMS_COMPUTED: Way.REFUSED}
    row = await bench.look(f"invoices/{thing.remote_id}", expand="Items")
    net, vat = (to_decimal(row.get(name) or 0) for name in ("TaxExclusiveAmount", "VatTotalsAmount"))
    if not net:
        return {Question.SUMS_COMPUTED: Way.AS_SENT}
    return {Question.SUMS_COMPUTED: Way.COMPUTED, Question.SUMS_WAY: tell_sums(round_money(vat), product.vat_rate)}


def tell_sums(vat: Decimal, rate: Decimal) -> Way:
    """Which way the trial's lines come to this VAT at this rate in per cent; pure."""
    share = rate / 100
    lines = [(_SMALL, Decimal(1))] * _SMALL_LINES + [(_LONG, _MANY)]
    nets = [price * quantity for price, quantity in lines]
    grosses = [
        (price * (1 + share)).quantize(TEN_THOUSANDTH, rounding="ROUND_HALF_UP") * quantity for price, quantity in lines
    ]
    ways = {
        Way.LINE: sum((round_money(net * share) for net in nets), ZERO),
        Way.DOCUMENT: round_money(sum(nets, ZERO) * share),
        Way.UI2021: round_money(sum(grosses, ZERO) - sum(nets, ZERO)),
    }
    fitting = [way for way, amount in ways.items() if amount == vat]
    return fitting[0] if len(fitting) == 1 else Way.UNLIKE


async def try_guid(bench: Bench) -> Told:
    """Whether a guid that was used is refused."""
    first = await bench.make_draft("draft")
    second = await bench.notebook.note("invoices", "draft with a guid that was used")
    try:
        await bench.send(second, {**await bench.to_draft(second), "_createguid": bench.guid(first)})
    except AlreadyStoredError:
        await bench.notebook.refused(second)
        return {Question.GUID_REFUSED: Way.REFUSED}
    except RemoteRejectedError as error:
        raise UntoldError(f"it was refused for another reason: {error.cause}") from error
    return {Question.GUID_REFUSED: Way.MADE}


async def try_productless(bench: Bench) -> Told:
    """What becomes of a priced line without product."""
    thing = await bench.notebook.note("invoices", "draft with a line without product")
    line = {name: value for name, value in (await bench.to_line(thing)).items() if name != "ProductID"}
    try:
        thing = await bench.send(thing, await bench.to_draft(thing, items=[line]))
    except RemoteRejectedError:
        return {Question.PRODUCTLESS_LINE: Way.REFUSED}
    row = await bench.look(f"invoices/{thing.remote_id}", expand="Items")
    return {Question.PRODUCTLESS_LINE: Way.PRICED if _has_price(row) else Way.TEXT}


def _has_price(row: Mapping[str, Any]) -> bool:
    return any(to_decimal(item.get("SumTotalExVat") or 0) for item in row.get("Items") or ())
