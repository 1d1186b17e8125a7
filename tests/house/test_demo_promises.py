"""The demo says when its documents stand in the books otherwise than their booking promises."""

from typing import Any

import pytest

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from app.domain.states import InvoiceState, TransferState
from app.sandbox.demo_bookings import expect
from app.sandbox.demo_people import expect_followed, list_broken

NOTE, DELETED = "5008", "5011"


def make_row(booking: Booking, **changes: Any) -> dict[str, Any]:
    row = {"number": "110001", "kind": "invoice", "state": InvoiceState.IN_UNIMICRO, "kid": "1100015"}
    keeps = booking in KEEPS_NUMBER
    row |= {"remote_number": "110001" if keeps else "3000001", "remote_kid": "1100015" if keeps else "300000101000013"}
    return row | {"voucher_id": 7, "order_number": "3" if booking is Booking.ORDER else None} | changes


@pytest.mark.parametrize("booking", Booking)
def test_what_is_as_promised_is_not_told_and_the_rest_is(booking: Booking) -> None:
    assert list_broken([make_row(booking)], booking) == []
    assert list_broken([make_row(booking, state=InvoiceState.HELD, remote_number=None)], booking) == []
    assert list_broken([make_row(booking, voucher_id=None)], booking) != []
    assert list_broken([make_row(booking, state=InvoiceState.DRAFT)], booking) != []
    assert bool(list_broken([make_row(booking, remote_number="7")], booking)) is (booking in KEEPS_NUMBER)
    assert bool(list_broken([make_row(booking, remote_kid="7")], booking)) is (booking in KEEPS_NUMBER)
    assert bool(list_broken([make_row(booking, remote_kid=None)], booking)) is (booking is not Booking.RENUMBERED)
    assert bool(list_broken([make_row(booking, order_number=None)], booking)) is (booking is Booking.ORDER)


@pytest.mark.parametrize("booking", Booking)
def test_credit_note_waits_for_people_where_unimicro_sends_and_goes_once_they_are_through(booking: Booking) -> None:
    is_left = booking not in IN_BOOKS
    assert expect(booking)[NOTE].state == (TransferState.HELD if is_left else TransferState.DONE)
    followed = expect_followed(booking)
    assert followed[NOTE].state == TransferState.DONE
    assert followed[DELETED].state == (TransferState.HELD if booking is Booking.DRAFT else TransferState.DONE)
