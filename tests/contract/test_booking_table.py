"""The table of what each booking comes to in each company: printed here, committed beside the cases."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.booking import Booking
from tests.world import World, open_world
from tests.world.booking_table import FILE, load_grids, render, try_booking, write_grid
from tests.world.today import choose_for_today


@pytest.fixture
async def followed(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose clock follows at every look."""
    async with open_world(database_url, tmp_path, follow_minutes=0.000001) as world:
        yield world


@pytest.mark.timeout(300)
@pytest.mark.parametrize("booking", choose_for_today(list(Booking)))
async def test_booking_goes_on_or_stops_in_every_company_as_the_table_says(followed: World, booking: Booking) -> None:
    outcomes = await try_booking(followed, booking)
    grid = render(booking, outcomes)
    print(grid)  # noqa: T201 - for whoever reads the test's output
    if os.environ.get("WRITE_TABLES"):
        write_grid(booking, grid)
    assert {cell.name: one.faults for cell, one in outcomes.items() if one.faults} == {}
    assert grid == load_grids()[booking], f"`WRITE_TABLES=1 python -m pytest …` writes {FILE}; read the difference"
