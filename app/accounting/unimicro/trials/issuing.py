"""Trials that issue an invoice, which is credited again: KID, number, days, sending, references of credit drafts.

Source: docs/facts/unimicro.md §9 rows 1 and 7, §11 row 1, §4.1 to §4.3.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from stdnum import luhn

from app.accounting.unimicro.follow import fetch_sent
from app.accounting.unimicro.payloads import to_day, to_text
from app.accounting.unimicro.trials.bench import Bench, UntoldError, day_of
from app.accounting.unimicro.trials.drafts import Told
from app.domain.answers import Question, Way
from app.errors import OutcomeUnknownError, RemoteRejectedError, System

# Far from every series that a company would have.
_FIRST_NUMBER = 90_000_000


def to_number(reference: str) -> str:
    """An invoice number of a thing's own."""
    return str(_FIRST_NUMBER + int(reference[-6:], 16) % 9_000_000)


def to_kid(reference: str) -> str:
    """A KID of a thing's own, which a bank would take."""
    digits = to_number(reference)
    return f"{digits}{luhn.calc_check_digit(digits)}"


async def try_issue(bench: Bench) -> Told:
    """What issuing leaves of KID and days, whether it sends, and what a credit draft copies."""
    thing = await bench.notebook.note("invoices", "invoice with a KID")
    kid, due = to_kid(thing.reference), to_day(bench.today + timedelta(days=9))
    thing = await bench.send(thing, await bench.to_draft(thing, PaymentID=kid, PaymentDueDate=due))
    row = await bench.issue(thing)
    days = (day_of(row.get("InvoiceDate")), day_of(row.get("PaymentDueDate")))
    told: dict[Question, str] = {
        Question.KID_KEPT: _tell_kid(to_text(row.get("PaymentID")), kid),
        Question.DAYS_KEPT: Way.KEPT if days == (to_day(bench.today), due) else Way.CHANGED,
        Question.SENT_WHEN_ISSUED: Way.SENT if await _was_sent(bench, row) else Way.NOT_SENT,
    }
    draft = await bench.notebook.note("invoices", "credit draft")
    async with bench.noting(draft):
        made = await bench.client.act("PUT", f"invoices/{row['ID']}", "create-credit-draft-invoice")
    if not isinstance(made, dict) or not isinstance(made.get("ID"), int):
        raise OutcomeUnknownError("Unimicro made a credit draft but did not say which", system=System.UNIMICRO)
    await bench.notebook.found(draft, remote_id=made["ID"])
    credit = await bench.look(f"invoices/{made['ID']}")
    copied = to_text(credit.get("ExternalReference")) == thing.reference
    return told | {Question.CREDIT_COPIES_REFERENCE: Way.YES if copied else Way.NO}


def _tell_kid(there: str, sent: str) -> Way:
    if not there:
        return Way.EMPTY
    return Way.KEPT if there == sent else Way.MADE


async def _was_sent(bench: Bench, row: Mapping[str, Any]) -> bool:
    """Whether a delivery of the invoice was begun; the company's setting is kept as evidence beside it."""
    await bench.look("companysettings/1")
    return await fetch_sent(bench.client, row) is not None


async def try_kid_empty(bench: Bench) -> Told:
    """Whether an invoice without KID gets one."""
    row = await bench.issue(await bench.make_draft("invoice without KID"))
    return {Question.KID_WHEN_EMPTY: Way.MADE if to_text(row.get("PaymentID")) else Way.EMPTY}


async def try_number(bench: Bench) -> Told:
    """Whether a number that is posted is the invoice's; where the company presets numbers, that is what is answered."""
    settings = await bench.look("companysettings/1")
    question = Question.PRESET_NUMBER if settings.get("PresetCustomerInvoiceNumber") else Question.NUMBER_POSTED
    thing = await bench.notebook.note("invoices", "invoice with a number")
    number = to_number(thing.reference)
    try:
        thing = await bench.send(thing, await bench.to_draft(thing, InvoiceNumber=number))
        row = await bench.issue(thing)
    except RemoteRejectedError as error:
        if "number" not in error.cause.lower() and "nummer" not in error.cause.lower():
            raise UntoldError(f"it was refused for another reason: {error.cause}") from error
        return {question: Way.REFUSED}
    if to_text(row.get("InvoiceNumber")) != number:
        return {question: Way.IGNORED}
    return {question: Way.TAKEN, Question.NUMBER_TWICE: await _try_again(bench, number)}


async def _try_again(bench: Bench, number: str) -> Way:
    """Whether a second invoice gets the number that one has."""
    thing = await bench.notebook.note("invoices", "second invoice with a number")
    try:
        thing = await bench.send(thing, await bench.to_draft(thing, InvoiceNumber=number))
        row = await bench.issue(thing)
    except RemoteRejectedError:
        return Way.REFUSED
    return Way.TAKEN if to_text(row.get("InvoiceNumber")) == number else Way.REFUSED
