"""What the demo's people in Unimicro do with what was left for them, and whether the books say what was promised."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from app.domain.documents import DocumentKind
from app.domain.states import InvoiceState, TransferState
from app.sandbox.demo_bookings import Hands
from app.sandbox.samples import Expected, load_samples

Row = Mapping[str, Any]
# A person deletes this one's draft instead of issuing it.
_DELETED = "5011"
_IN_BOOKS = frozenset({InvoiceState.IN_UNIMICRO, InvoiceState.WITH_WARNINGS})
_LEFT = frozenset({InvoiceState.DRAFT, InvoiceState.ORDER})


def expect_followed(booking: Booking) -> dict[str, Expected]:
    """How each sample must end once people in Unimicro have dealt with what was left for them."""
    expected = load_samples().expected
    if booking is Booking.DRAFT:
        expected[_DELETED] = replace(expected[_DELETED], state=TransferState.HELD)
    return expected


def let_people_finish(
    hands: Hands, booking: Booking, looks: Iterable[Sequence[dict[str, Any]]]
) -> Iterator[Sequence[dict[str, Any]]]:
    """Each look at the documents, once people have issued, invoiced or deleted all that is new among what was left."""
    dealt: set[str] = set()
    days = {str(one["invoiceId"]): str(one["invoiceDate"]) for one in load_samples().records["invoice"]}
    for documents in looks:
        for row in documents:
            if row["state"] == TransferState.DONE and row["record_id"] not in dealt:
                dealt.add(row["record_id"])
                _deal(hands, booking, row, days[row["record_id"]])
        yield documents


def _deal(hands: Hands, booking: Booking, row: Row, day: str) -> None:
    """A credit note is left as a draft, of a key for orders too; an order is invoiced on its document's day."""
    if booking is Booking.ORDER and row["kind"] == DocumentKind.INVOICE:
        hands.do("people/invoice-order", {"ID": row["remote_id"], "InvoiceDate": day})
    elif booking is Booking.DRAFT and row["record_id"] == _DELETED:
        hands.do("people/delete-draft", {"ID": row["remote_id"]})
    else:
        hands.do("people/issue", {"ID": row["remote_id"]})


def fetch_cross_list(hands: Hands) -> list[dict[str, Any]]:
    """RecMan's documents beside what they are in the books."""
    rows: list[dict[str, Any]] = hands.ask("GET", "/v1/invoices/cross-list", {})["rows"]
    return sorted(rows, key=lambda row: str(row["number"]))


def list_broken(rows: Iterable[Row], booking: Booking) -> list[str]:
    """What a booking promises of its documents and the cross-list does not show; of held ones nothing is promised."""
    return [f"{row['number']}: {told}" for row in rows for told in _list_broken(row, booking)]


def _list_broken(row: Row, booking: Booking) -> Iterator[str]:
    if row["state"] in _LEFT:
        yield f"people are through with it, and it is still “{row['state']}”"
    if row["state"] not in _IN_BOOKS:
        return
    if not row["remote_number"] or not row["voucher_id"]:
        yield "its number or its voucher is not told"
    is_claim = row["kind"] == DocumentKind.INVOICE
    if booking in KEEPS_NUMBER and row["remote_number"] != row["number"]:
        yield f"it has number {row['remote_number']} in Unimicro"
    if booking in KEEPS_NUMBER and is_claim and row["kid"] and row["remote_kid"] != row["kid"]:
        yield f"it has KID {row['remote_kid']} in Unimicro, RecMan's is {row['kid']}"
    if booking not in IN_BOOKS and is_claim and not row["remote_kid"]:
        yield "Unimicro's KID is not told"
    if booking is Booking.ORDER and is_claim and not row["order_number"]:
        yield "the order that it was made of is not told"
