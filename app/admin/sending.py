"""The answer to the question who sends the invoices, and what a booking needs before a key may have it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.booking import BOOKINGS, FILE_BOOKINGS, Booking, Sender, sender_of
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.errors import ConflictError, RequestError

_QUESTION = (
    "Say both `sender` and `booking`. Does RecMan send the invoice to the customer (`sender` recman)? Then number, KID "
    "and due date in the books must be the document's: `series`, `voucher` or `own_number`; or `renumbered`, where an "
    "accountant accepts in writing that they differ. Does Unimicro send it (`sender` unimicro)? Then `order`, which "
    "Unimicro invoices and numbers, or `draft`, which a person there issues."
)
_FILE_QUESTION = (
    "Say both `sender` and `booking`. Does RecMan send the invoice to the customer? `sender` recman with `booking` "
    "voucher: the file is a workbook of vouchers, in which number, KID and due date are the document's. Does Unimicro "
    "send it? `sender` unimicro with `booking` order: a workbook of orders, which Unimicro invoices and numbers."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was said about a key's documents; None: nobody has said it."""

    mode: str
    sender: str | None
    booking: str | None
    acceptance: Mapping[str, Any] | None = None


def verify_answer(answer: Answer) -> None:
    """Make sure that a key has a sender and a booking that go together, and with its mode.

    Raises:
        RequestError: one of them is missing, or they do not fit.
        ConflictError: documents would have another number in the books, and no accountant has accepted it.
    """
    is_file = answer.mode == "file"
    if answer.sender is None or answer.booking is None:
        cause = "Nobody has said who sends the invoices to the customers, and how they get into the books"
        raise RequestError(cause, fix=_FILE_QUESTION if is_file else _QUESTION, code=Code.SENDER_MISSING)
    sender, booking = Sender(answer.sender), Booking(answer.booking)
    if is_file and FILE_BOOKINGS[sender] is not booking:
        cause = f"There is no file for documents that {sender} sends and that are booked as {booking}"
        raise RequestError(cause, fix=_FILE_QUESTION, code=Code.BOOKING_UNFIT)
    if sender_of(booking) is not sender:
        fitting = ", ".join(BOOKINGS[sender])
        cause = f"Where {sender} sends the invoices, they are not booked as {booking}"
        fix = (
            f"With `sender` {sender} choose one of {fitting}; `booking` {booking} needs `sender` {sender_of(booking)}."
        )
        raise RequestError(cause, fix=fix, code=Code.BOOKING_UNFIT)
    if booking is Booking.RENUMBERED and not answer.acceptance:
        cause = "The books would give every document another number and KID than the customer has"
        code = Code.RENUMBERED_UNACCEPTED
        raise ConflictError(cause, fix=fix_for(code, "order"), code=code)
