"""What a document in steady state costs at Unimicro, by how it gets into the books."""

from pathlib import Path

import pytest

from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import choose_booking
from tests.world.numbered import FIRST, start_series
from tests.world.opening import open_world
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
    assert await count_for_three(world, booking) <= 3 * MOST[booking], (await world.list_calls())[-12:]


@pytest.mark.parametrize("booking", Booking)
async def test_what_is_heard_at_once_shares_one_look_at_settings_and_vat_types(
    database_url: str, tmp_path: Path, booking: Booking
) -> None:
    """As the settings are by themselves: what is older than the newest hint is not believed."""
    async with open_world(database_url, tmp_path, unimicro_confirm_seconds=0) as world:
        assert await count_for_three(world, booking) <= 3 * MOST[booking] + 2, (await world.list_calls())[-14:]


async def count_for_three(world: World, booking: Booking) -> int:
    """What three documents cost that come together, after a first one."""
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
    return count_calls(world) - before
