"""What a document in steady state costs at Unimicro, by how it gets into the books."""

import pytest

from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import choose_booking
from tests.world.numbered import FIRST, start_series
from tests.world.vouchers import turn

MOST = {
    Booking.SERIES: 4,
    Booking.VOUCHER: 3,
    Booking.OWN_NUMBER: 3,
    Booking.RENUMBERED: 3,
    Booking.ORDER: 3,
    Booking.DRAFT: 3,
}


def count_calls(world: World) -> int:
    """Every call since the stand-in began, its statistics too; nobody signs in in between."""
    counts: dict[str, int] = world.unimicro.calls.counts  # type: ignore[attr-defined]
    return sum(counts.values())


@pytest.mark.parametrize("booking", Booking)
async def test_document_in_steady_state_costs_no_more_calls_than_its_booking_may(
    world: World, booking: Booking
) -> None:
    if booking is Booking.SERIES:
        await start_series(world)
    else:
        await choose_booking(world, booking)
    turn(world, number_posted="taken")
    first, *rest = (
        world.source.double("5001", 9000 + index, invoiceNumber=str(FIRST + index), yourReference=f"Ref {index}")
        for index in range(4)
    )
    await world.carry("invoice", first)
    before = count_calls(world)
    await world.carry("invoice", *rest)
    assert await world.states(first, *rest) == ["done"] * 4
    assert count_calls(world) - before <= MOST[booking] * len(rest), (await world.list_calls())[-12:]
