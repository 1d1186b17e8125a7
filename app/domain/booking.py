"""Who sends a document to the customer, and how it gets into the books. Pure."""

from enum import StrEnum


class Sender(StrEnum):
    """Who sends the invoice to the customer: asked when a key is made, never assumed."""

    RECMAN = "recman"
    UNIMICRO = "unimicro"


class Booking(StrEnum):
    """How a key's documents get into the books.

    RecMan sends, and the number, KID and due date in the books are the document's:
    `series`: issued in an invoice series of its own that counts as RecMan does. `voucher`: booked as a voucher that
    makes an invoice head. `own_number`: issued with RecMan's number, posted on the draft. `renumbered`: issued under
    the number that Unimicro gives it, as an accountant has accepted in writing.

    Unimicro sends: `order`: registered as an order, which Unimicro invoices, numbers and sends. `draft`: left for a
    person to issue.
    """

    SERIES = "series"
    VOUCHER = "voucher"
    OWN_NUMBER = "own_number"
    RENUMBERED = "renumbered"
    ORDER = "order"
    DRAFT = "draft"


# What a key's documents can be booked by, by who sends them.
BOOKINGS = {
    Sender.RECMAN: (Booking.SERIES, Booking.VOUCHER, Booking.OWN_NUMBER, Booking.RENUMBERED),
    Sender.UNIMICRO: (Booking.ORDER, Booking.DRAFT),
}
# What a key that only exports files can be booked by: of a voucher workbook and of an order workbook alone it is known
# what becomes of it. Source: docs/facts/unimicro.md §11 row 17 [O].
FILE_BOOKINGS = {Sender.RECMAN: Booking.VOUCHER, Sender.UNIMICRO: Booking.ORDER}
# What is done by one of these is a claim in the books.
IN_BOOKS = frozenset(BOOKINGS[Sender.RECMAN])
# The document in the books has the number that the customer has.
KEEPS_NUMBER = IN_BOOKS - {Booking.RENUMBERED}


def sender_of(booking: str) -> Sender:
    """Who sends what is booked so."""
    return Sender.RECMAN if Booking(booking) in IN_BOOKS else Sender.UNIMICRO


def stands_as(booking: str | None, remote_number: str | None, *, is_invoiced: bool = False) -> Booking:
    """How a document that was made by this booking stands there.

    A draft that got a number was issued by a person, and an order may be invoiced by now: then it is in the books,
    under Unimicro's number.
    """
    made = Booking(booking) if booking else Booking.RENUMBERED
    is_in_books = (made is Booking.DRAFT and bool(remote_number)) or (made is Booking.ORDER and is_invoiced)
    return Booking.RENUMBERED if is_in_books else made
