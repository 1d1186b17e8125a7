"""A crash at every commit and around every write of documents that keep their number: nothing half, nothing twice."""

from collections import Counter
from typing import Any

import pytest

from app.domain.booking import Booking
from tests.world import World
from tests.world.bookings import CREDIT_NOTES, CURRENCY, choose_booking
from tests.world.crash import find_troubles, work_and_keep_deaths
from tests.world.scenarios import Part, book_5003, hear_credit, hear_invoice, hear_too_large_credit, nothing
from tests.world.vouchers import lines_of, list_entries, turn


async def hear_lost_invoice(world: World) -> None:
    await world.fault("lose_answer", method="POST", path="/api/biz/journalentries")
    await hear_invoice(world)


async def hear_two_part_credits(world: World) -> None:
    world.source.credit_hours("5008", hours=2)
    world.source.credit_hours("5098", hours=4)
    await world.hear_of("invoice", 5008, 5098)


SCENARIOS: dict[str, tuple[Booking, dict[str, Any], Part, Part]] = {
    "voucher": (Booking.VOUCHER, {}, nothing, hear_invoice),
    "voucher, nothing kept or refused": (
        Booking.VOUCHER,
        {"voucher_reference": "dropped", "voucher_guids": False, "duplicate_heads": "made"},
        nothing,
        hear_lost_invoice,
    ),
    "voucher without head, not found": (
        Booking.VOUCHER,
        {"voucher_heads": "none", "voucher_guids": False, "voucher_reference": "dropped"},
        nothing,
        hear_lost_invoice,
    ),
    "two part credit vouchers": (Booking.VOUCHER, {"voucher_guids": False}, book_5003, hear_two_part_credits),
    "credit voucher with its invoice": (Booking.VOUCHER, {}, nothing, hear_credit),
    "too large credit voucher": (Booking.VOUCHER, {}, book_5003, hear_too_large_credit),
    "own number": (Booking.OWN_NUMBER, {"number_posted": "taken"}, nothing, hear_invoice),
    "own number not taken": (Booking.OWN_NUMBER, {"number_posted": "ignored"}, nothing, hear_invoice),
    "own number of a credit": (Booking.OWN_NUMBER, {"number_posted": "taken"}, book_5003, hear_credit),
}
HELD = {
    "voucher without head, not found": {"invoice 5001"},
    "too large credit voucher": {"credit_note 5008"},
    "own number not taken": {"invoice 5001"},
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_crash_at_every_boundary_leaves_the_books_of_a_calm_run(quick: World, scenario: str) -> None:
    world = quick
    booking, switches, prepare, act = SCENARIOS[scenario]
    turn(world, **switches)
    await choose_booking(world, booking, CREDIT_NOTES, CURRENCY)
    await prepare(world)
    await act(world)
    deaths = await work_and_keep_deaths(world)
    calm = await look(world)
    assert {name for name, state in calm["states"].items() if state != "done"} == HELD.get(scenario, set())
    assert world.ledger.list_drafts() == []
    assert [number for number, count in Counter(calm["numbers"]).items() if count > 1] == []
    assert await find_troubles(world, deaths, look) == {}


async def look(world: World) -> dict[str, Any]:
    """What stands in the books and the ledger, and each transfer's state, number and warnings."""
    rows = await world.transfers()
    return {
        "states": {f"{kind} {record}": row["state"] for (kind, record), row in rows.items()},
        "codes": {f"{kind} {record}": [one["code"] for one in row["reasons"]] for (kind, record), row in rows.items()},
        "warnings": {f"{kind} {record}": row["warnings"] for (kind, record), row in rows.items()},
        "remote": {f"{kind} {record}": row["remote_number"] for (kind, record), row in rows.items()},
        "numbers": sorted(str(head["InvoiceNumber"]) for head in world.ledger.documents()),
        "amounts": sorted(
            (line["InvoiceNumber"] or "", str(line["Amount"]), line["VatTypeID"] or 0)
            for entry in list_entries(world)
            for line in lines_of(world, entry)
        ),
    }
