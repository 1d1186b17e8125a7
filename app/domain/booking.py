"""How a document gets into the books. Pure."""

from enum import StrEnum


class Booking(StrEnum):
    """How a key's documents get into the books.

    `renumbered`: issued as an invoice, under the number that Unimicro gives it. `draft`: left for a person to issue.
    `order`: registered as an order, which Unimicro invoices, numbers and sends.
    """

    RENUMBERED = "renumbered"
    DRAFT = "draft"
    ORDER = "order"


def stands_as(booking: str | None, remote_number: str | None) -> Booking:
    """How a document that was made by this booking stands there; a draft that got a number was issued by a person."""
    made = Booking(booking) if booking else Booking.RENUMBERED
    return Booking.RENUMBERED if made is Booking.DRAFT and remote_number else made
