"""Does a document that went out in a file stand in Unimicro as the file had it? Pure.

Compared is what a file can bring there: number, KID, days, customer and claim. VAT is not: the head of a voucher may
tell none (docs/facts/unimicro.md §12: what its making gives is unknown), and accounts and codes were the file's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.booking import Booking
from app.domain.documents import DocumentKind
from app.domain.file_documents import FileDocument
from app.domain.kid import clean_kid
from app.domain.money import show_money
from app.domain.reference import RemoteDocument
from app.transfer.plan.issued import Difference, Part


class Outcome(StrEnum):
    """What was found of a document: there as it was exported, there otherwise, twice, or not."""

    FOUND = "found"
    DIFFERENT = "different"
    TWICE = "twice"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Place:
    """What is known to look by: the customer's id there (None: no customer has the number), and what is booked how."""

    customer_id: int | None
    booking: Booking


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found of a document, and in what it is not as the file had it."""

    outcome: Outcome
    remote: RemoteDocument | None = None
    differences: tuple[Difference, ...] = ()


def choose_found(content: FileDocument, place: Place, found: Sequence[RemoteDocument]) -> Sight:
    """What of all that has the document's number, or is an order of its customer and day, is the document.

    Those that are equal come before all others; an order is its document only when it is equal.
    """
    compared = [(one, tuple(_compare(content, place, one))) for one in found]
    equal = [one for one, differences in compared if not differences]
    is_order = place.booking is Booking.ORDER
    if len(equal) > 1 or (len(compared) > 1 and not is_order):
        return Sight(Outcome.TWICE, (equal or [compared[0][0]])[0])
    if equal:
        return Sight(Outcome.FOUND, equal[0])
    if is_order or not compared:
        return Sight(Outcome.MISSING)
    return Sight(Outcome.DIFFERENT, *compared[0])


def _compare(content: FileDocument, place: Place, remote: RemoteDocument) -> Iterator[Difference]:
    if remote.kind is not content.kind:
        yield Difference(Part.SUMS, _tell("kind", content.kind.value, remote.kind.value))
    if place.customer_id is None or remote.customer_id != place.customer_id:
        cause = f"customer: {content.customer.number} in the file, id {remote.customer_id} in Unimicro"
        yield Difference(Part.CUSTOMER, cause)
    wanted, there = claim_of(content), _claim_of_remote(content, remote)
    if there != wanted:
        yield Difference(Part.SUMS, _tell("claim", show_money(wanted), show_money(there)))
    if remote.invoice_date not in {None, content.invoice_date}:
        yield Difference(Part.INVOICE_DATE, _tell("invoice date", content.invoice_date, remote.invoice_date))
    if place.booking is Booking.VOUCHER and content.kind is DocumentKind.INVOICE:
        yield from _compare_payment(content, remote)


def _compare_payment(content: FileDocument, remote: RemoteDocument) -> Iterator[Difference]:
    if clean_kid(content.payment_id) != clean_kid(remote.kid):
        yield Difference(Part.KID, _tell("KID", content.payment_id, remote.kid))
    if remote.due_date not in {None, content.due_date}:
        yield Difference(Part.DUE_DATE, _tell("due date", content.due_date, remote.due_date))


def claim_of(content: FileDocument) -> Decimal:
    """What the customer owes by the file, in the currency that it stands in there: the company's, of a voucher."""
    claims = [abs(entry.amount) for entry in content.entries if entry.customer_number]
    return claims[0] if len(claims) == 1 else content.gross_amount


def _claim_of_remote(content: FileDocument, remote: RemoteDocument) -> Decimal:
    is_base = content.entries and remote.base_totals is not None
    sums = remote.base_totals if is_base and remote.base_totals is not None else remote.totals
    return sums.gross_amount


def _tell(what: str, ours: object, theirs: object) -> str:
    return f"{what}: {ours or 'none'} in the file, {theirs or 'none'} in Unimicro"
