"""Trials of vouchers that make invoice heads; each voucher is credited again.

Source: docs/facts/unimicro.md §12, §9 row 2.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from app.accounting.unimicro.payloads import CREDIT_NOTE_TYPE, to_day, to_text
from app.accounting.unimicro.target_documents import quote
from app.accounting.unimicro.trials.bench import Bench, Thing, UntoldError
from app.accounting.unimicro.trials.drafts import Told
from app.accounting.unimicro.trials.issuing import to_kid, to_number
from app.accounting.unimicro.trials.parties import fetch_worth
from app.domain.answers import Question, Way
from app.domain.money import round_money, to_decimal
from app.errors import RemoteRejectedError

_ACTION = "book-journal-entries-create-invoices"
_GROSS = Decimal(125)
_DUE = timedelta(days=14)


async def try_voucher(bench: Bench) -> Told:
    """Which invoice heads a voucher makes, with which KID, and whether its reference finds it."""
    thing = await bench.notebook.note("journalentries", "voucher")
    try:
        thing = await _book(bench, thing, gross=_GROSS, kid=to_kid(thing.reference))
    except RemoteRejectedError:
        return {Question.VOUCHER_MAKES_HEADS: Way.REFUSED}
    heads = await _find_heads(bench, thing)
    made = _tell_heads(heads, _GROSS)
    told: dict[Question, str] = {Question.VOUCHER_MAKES_HEADS: made}
    told[Question.VOUCHER_FOUND] = Way.FOUND if await _is_found(bench, thing) else Way.NOT_FOUND
    if made is Way.ONE_HEAD:
        there = to_text(heads[0].get("PaymentID"))
        kept = Way.KEPT if there == to_kid(thing.reference) else Way.MADE
        told[Question.VOUCHER_KID] = kept if there else Way.EMPTY
    return told


async def try_credit_voucher(bench: Bench) -> Told:
    """Which head the mirrored voucher of a credit note makes."""
    thing = await bench.notebook.note("journalentries", "voucher of a credit note")
    try:
        thing = await _book(bench, thing, gross=-_GROSS, kid="")
    except RemoteRejectedError:
        return {Question.VOUCHER_CREDIT_NOTES: Way.REFUSED}
    heads = await _find_heads(bench, thing)
    made = _tell_heads(heads, _GROSS)
    if made is Way.ONE_HEAD and heads[0].get("InvoiceType") != CREDIT_NOTE_TYPE:
        made = Way.OTHER_HEADS
    return {Question.VOUCHER_CREDIT_NOTES: made}


async def try_currency_voucher(bench: Bench) -> Told:
    """Whether the head of a voucher in a foreign currency has that currency's amount."""
    currency, rate = await fetch_worth(bench)
    thing = await bench.notebook.note("journalentries", f"voucher in {currency}")
    code_id = (await bench.load_reference()).currencies[currency]
    try:
        thing = await _book(bench, thing, gross=_GROSS, kid=to_kid(thing.reference), currency=(code_id, rate))
    except RemoteRejectedError:
        return {Question.VOUCHER_CURRENCY: Way.REFUSED}
    heads = await _find_heads(bench, thing)
    if not heads:
        return {Question.VOUCHER_CURRENCY: Way.NO_HEAD}
    has_amount = to_decimal(heads[0].get("TaxInclusiveAmountCurrency") or 0) == _GROSS
    is_kept = len(heads) == 1 and has_amount and heads[0].get("CurrencyCodeID") == code_id
    return {Question.VOUCHER_CURRENCY: Way.KEPT if is_kept else Way.CHANGED}


async def _book(
    bench: Bench, thing: Thing, *, gross: Decimal, kid: str, currency: tuple[int, Decimal] | None = None
) -> Thing:
    """The voucher, booked and noted: the customer's claim against one sale."""
    product, account_id = await bench.load_product(), await _load_sub_account(bench)
    claim = {"InvoiceNumber": to_number(thing.reference), "PaymentID": kid or None}
    claim["DueDate"] = to_day(bench.today + _DUE)
    sale = {"AccountID": product.account_id, "VatTypeID": product.vat_type_id}
    lines = [
        _to_line(bench, thing, "claim", gross, currency) | {"AccountID": account_id} | claim,
        _to_line(bench, thing, "sale", -gross, currency) | sale,
    ]
    entry = {
        "Description": f"RecMan trial {thing.reference}",
        "ExternalReference": thing.reference,
        "_createguid": bench.guid(thing),
        "DraftLines": lines,
    }
    async with bench.noting(thing):
        row = await bench.client.book(entry, _ACTION)
    number = to_text(row.get("JournalEntryNumber"))
    return await bench.notebook.found(thing, remote_id=row["ID"], number=number)


def _to_line(
    bench: Bench, thing: Thing, what: str, amount: Decimal, currency: tuple[int, Decimal] | None
) -> dict[str, Any]:
    day = to_day(bench.today)
    line: dict[str, Any] = {"FinancialDate": day, "VatDate": day, "_createguid": bench.guid(thing, what)}
    line |= {"Amount": amount, "AmountCurrency": amount, "Description": f"RecMan trial {thing.reference}"}
    if currency is None:
        return line
    code_id, rate = currency
    in_base = {"CurrencyCodeID": code_id, "CurrencyExchangeRate": rate, "Amount": round_money(amount * rate)}
    return line | in_base


async def _load_sub_account(bench: Bench) -> int:
    customer_id = await bench.load_customer_id()

    async def look() -> list[int]:
        rows = await bench.client.fetch_list("accounts", filter=f"CustomerID eq {customer_id}")
        return [row["ID"] for row in rows if row.get("CustomerID") == customer_id]

    found = await bench.look_patiently(look)
    if len(found) != 1:
        raise UntoldError(f"the customer has {len(found)} sub-accounts, so nobody knows what a claim is booked on")
    return found[0]


async def _find_heads(bench: Bench, thing: Thing) -> list[dict[str, Any]]:
    number = to_number(thing.reference)
    return await bench.look_patiently(partial(bench.look_for, "invoices", "InvoiceNumber", number))


def _tell_heads(heads: Sequence[Mapping[str, Any]], gross: Decimal) -> Way:
    if not heads:
        return Way.NO_HEAD
    amounts = [abs(to_decimal(head.get("TaxInclusiveAmount") or 0)) for head in heads]
    return Way.ONE_HEAD if amounts == [gross] else Way.OTHER_HEADS


async def _is_found(bench: Bench, thing: Thing) -> bool:
    """Whether the filter knows the reference; one that is ignored answers other vouchers, too."""

    async def look() -> bool:
        rows = await bench.client.fetch_list("journalentries", filter=f"ExternalReference eq {quote(thing.reference)}")
        return [row["ID"] for row in rows] == [thing.remote_id]

    return await bench.look_patiently(look)
