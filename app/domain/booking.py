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
