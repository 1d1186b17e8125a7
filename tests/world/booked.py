"""Documents by each booking for storms and kills: how they begin, and how each must stand there once."""

from collections import Counter

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from tests.world.bookings import CREDIT_NOTES, choose_booking
from tests.world.numbered import FIRST, start_series
from tests.world.source import to_kid
from tests.world.vouchers import list_claims, list_entries, turn
from tests.world.world import World

# What a person has still to issue has no credit notes.
IN_BOOKS_LIKE, LEFT_LIKE = ("5003", "5008", "5001", "5002"), ("5003", "5001", "5002", "5010")


def write_documents(world: World, booking: Booking) -> list[int]:
    """RecMan's ids of documents with numbers one after the other, a credit note among them."""
    ids = []
    for index, like in enumerate(IN_BOOKS_LIKE if booking in IN_BOOKS else LEFT_LIKE):
        number = str(FIRST + index)
        changes = {"creditedInvoiceId": 9000} if like == "5008" else {"kid": to_kid(number)}
        ids.append(world.source.double(like, 9000 + index, invoiceNumber=number, **changes))
    return ids


async def begin(world: World, booking: Booking) -> None:
    if booking is Booking.SERIES:
        await start_series(world)
    else:
        await choose_booking(world, booking, CREDIT_NOTES)
    if booking is Booking.OWN_NUMBER:
        turn(world, number_posted="taken")


def check_books(world: World, booking: Booking, ids: list[int]) -> None:
    """Each document stands there once, as its booking promises; nothing is left of the tries that failed."""
    heads = world.ledger.orders() if booking is Booking.ORDER else world.ledger.documents()
    assert len(heads) == len(ids)
    if booking not in {Booking.VOUCHER, Booking.ORDER}:
        assert Counter(row["ExternalReference"] for row in heads) == Counter(f"RM-{one}" for one in ids)
    if booking in IN_BOOKS:
        assert world.ledger.list_drafts() == []
    if booking in KEEPS_NUMBER:
        heads.sort(key=lambda row: int(row["InvoiceNumber"]))
        records = [world.source.record(one) for one in ids]
        assert [row["InvoiceNumber"] for row in heads] == [record["invoiceNumber"] for record in records]
        invoices = [pair for pair in zip(heads, records, strict=True) if pair[1]["type"] != "creditNote"]
        assert [row["PaymentID"] for row, _ in invoices] == [record["kid"] for _, record in invoices]
        assert [row["PaymentDueDate"] for row, _ in invoices] == [record["dueDate"] for _, record in invoices]
    if booking is Booking.VOUCHER:
        assert len(list_entries(world)) == len(list_claims(world)) == len(ids)
