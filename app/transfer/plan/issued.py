"""Does a document stand in the books as the customer has it? Number, KID, days, customer, sums, VAT codes, rate. Pure.

Compared is what Unimicro tells; what it does not tell is no difference. Where RecMan sends, another number, KID or due
date is a fact of the company, true of every further document: it stops the key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from app.domain.documents import Document, DocumentKind
from app.domain.kid import clean_kid
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteDocument
from app.transfer.plan.amounts import compare_base, compare_totals, is_apart
from app.transfer.plan.vat_sums import VatSums, compare_codes

# Rates are kept with few decimals: so much of one may be lost, and what it does to the sums is compared besides.
_RATE_ALLOWS = Decimal("0.0001")


class Part(StrEnum):
    """What of a document is compared."""

    NUMBER = "number"
    KID = "KID"
    DUE_DATE = "due date"
    INVOICE_DATE = "invoice date"
    CUSTOMER = "customer"
    SUMS = "sums"
    VAT = "VAT"
    RATE = "rate"
    REMINDERS = "reminders"


# What of it the customer pays by; only these are true of the company, and not of one document alone.
_STOPS = frozenset({Part.NUMBER, Part.KID, Part.DUE_DATE})
_MONEY = frozenset({Part.SUMS, Part.VAT})
_DAYS = frozenset({Part.DUE_DATE, Part.INVOICE_DATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The document as the customer has it, and what it must stand as in the books.

    `booking`: how it got there; `customer_id`: its customer there; `rate`, `vat`: what it was made with; each None
    where nobody knows. `makes_kid`: a person has accepted that Unimicro makes a KID where the document has none.
    """

    document: Document
    booking: Booking
    customer_id: int | None = None
    rate: Decimal | None = None
    vat: VatSums | None = None
    makes_kid: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is not the same on both sides; `cause` says both values in one sentence."""

    part: Part
    cause: str


def compare_issued(wanted: Wanted, remote: RemoteDocument, reference: Reference) -> tuple[Difference, ...]:
    """Everything in which the books have the document otherwise than the customer; empty: nothing."""
    return (
        *_compare_number(wanted, remote),
        *_compare_kid(wanted, remote),
        *_compare_days(wanted, remote),
        *_compare_customer(wanted, remote),
        *_compare_sums(wanted, remote, reference),
        *_compare_rate(wanted, remote, reference),
        *_compare_stops(wanted, remote),
    )


def compare_followed(wanted: Wanted, remote: RemoteDocument, reference: Reference) -> tuple[Difference, ...]:
    """The same of what people have issued; another day has another rate, which its base sums must be at."""
    is_moved = remote.invoice_date not in {None, wanted.document.invoice_date}
    # Where nobody knows any more at which rate it was left, its sums must be at its own at least.
    if remote.rate is not None and (is_moved or wanted.rate is None):
        wanted = replace(wanted, rate=remote.rate)
    return compare_issued(wanted, remote, reference)


def stops_key(differences: Sequence[Difference], *, booking: Booking, is_proving: bool) -> bool:
    """Whether no further document may go: any difference while a key is proven, later what is true of the company.

    A KID that nobody has accepted is such a fact with every booking.
    """
    if is_proving:
        return bool(differences)
    stops = _STOPS if booking in KEEPS_NUMBER else {Part.KID}
    return any(one.part in stops for one in differences)


def leave_out_days(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences in anything but days: where Unimicro sends, the customer has Unimicro's."""
    return tuple(one for one in differences if one.part not in _DAYS)


def explain_differences(
    wanted: Wanted, remote: RemoteDocument, differences: Sequence[Difference], *, transfer_id: int
) -> tuple[Reason, ...]:
    """The alarms about a document in the books: one about its money, one about everything else."""
    where = name_place(wanted.document, remote.number, wanted.booking)
    money = [one.cause for one in differences if one.part in _MONEY]
    others = [one.cause for one in differences if one.part not in _MONEY]
    told = []
    if others:
        cause = f"The {where} is not what the customer has. {'; '.join(others)}"
        fix = fix_for(Code.ISSUED_OTHERWISE, transfer_id=transfer_id)
        told.append(Reason(code=Code.ISSUED_OTHERWISE, cause=cause, fix=fix))
    if money:
        cause = f"The {where} was changed. {'; '.join(money)}"
        told.append(Reason(code=Code.DRIFT_CHANGED, cause=cause, fix=fix_for(Code.DRIFT_CHANGED)))
    return tuple(told)


def name_place(document: Document, remote_number: str, booking: str | None) -> str:
    """The document as RecMan calls it, and what it is in Unimicro."""
    there = f"order {remote_number}" if booking == Booking.ORDER else remote_number or "a draft"
    return f"{document.kind.value.replace('_', ' ')} {document.number} ({there} in Unimicro)"


def _compare_number(wanted: Wanted, remote: RemoteDocument) -> Iterator[Difference]:
    ours, theirs = wanted.document.number, remote.number
    if wanted.booking in KEEPS_NUMBER and ours != theirs:
        yield Difference(Part.NUMBER, _tell("number", ours, theirs))


def _compare_kid(wanted: Wanted, remote: RemoteDocument) -> Iterator[Difference]:
    """A credit note is not paid, an order is paid by its invoice's KID, and a draft has none before it is issued."""
    if wanted.booking not in IN_BOOKS or wanted.document.kind is not DocumentKind.INVOICE:
        return
    ours, theirs = clean_kid(wanted.document.kid or ""), clean_kid(remote.kid)
    if not ours:
        if theirs and not wanted.makes_kid:
            cause = f"{_tell('KID', '', theirs)}, and nobody has accepted that Unimicro makes one"
            yield Difference(Part.KID, cause)
    elif ours != theirs and wanted.booking in KEEPS_NUMBER:
        yield Difference(Part.KID, _tell("KID", ours, theirs))


def _compare_days(wanted: Wanted, remote: RemoteDocument) -> Iterator[Difference]:
    document = wanted.document
    if remote.invoice_date not in {None, document.invoice_date}:
        yield Difference(Part.INVOICE_DATE, _tell("invoice date", document.invoice_date, remote.invoice_date))
    # Nobody pays a credit note, so it is due on no day.
    if document.kind is DocumentKind.INVOICE and remote.due_date not in {None, document.due_date}:
        yield Difference(Part.DUE_DATE, _tell("due date", document.due_date, remote.due_date))


def _compare_customer(wanted: Wanted, remote: RemoteDocument) -> Iterator[Difference]:
    ours, theirs = wanted.customer_id, remote.customer_id
    if None not in (ours, theirs) and ours != theirs:
        yield Difference(Part.CUSTOMER, f"customer: it was made for id {ours}, Unimicro has it on id {theirs}")


def _compare_sums(wanted: Wanted, remote: RemoteDocument, reference: Reference) -> Iterator[Difference]:
    difference = compare_totals(wanted.document, remote)
    if not is_apart(difference) and wanted.rate is not None:
        difference = compare_base(wanted.document, remote, rate=wanted.rate, currency=reference.base_currency)
    if difference is not None and is_apart(difference):
        yield Difference(Part.SUMS, difference.cause)
        return
    moved = None if wanted.vat is None else compare_codes(wanted.vat, remote, reference)
    if moved is not None:
        yield Difference(Part.VAT, moved.cause)


def _compare_rate(wanted: Wanted, remote: RemoteDocument, reference: Reference) -> Iterator[Difference]:
    ours, theirs = wanted.rate, remote.rate
    if not ours or not theirs or wanted.document.currency == reference.base_currency:
        return
    if abs(ours - theirs) > ours * _RATE_ALLOWS:
        yield Difference(Part.RATE, f"rate: it was made at {ours:f}, Unimicro has {theirs:f}")


def _compare_stops(wanted: Wanted, remote: RemoteDocument) -> Iterator[Difference]:
    """The customer does not know Unimicro's number and KID, so it may not be asked for the money by them."""
    is_claim = wanted.document.kind is DocumentKind.INVOICE
    if wanted.booking is Booking.RENUMBERED and is_claim and remote.is_quiet is False:
        cause = "reminders and factoring: turned off when it was sent, not turned off in Unimicro, which would ask the "
        yield Difference(Part.REMINDERS, f"{cause}customer for the money under a number that it does not know")


def _tell(what: str, ours: object, theirs: object) -> str:
    return f"{what}: {ours or 'none'} in RecMan, {theirs or 'none'} in Unimicro"
