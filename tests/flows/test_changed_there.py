"""A document that somebody changed in Unimicro after it was issued is no longer what the customer has."""

from typing import Any

import pytest

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from tests.world import World
from tests.world.bookings import choose_booking
from tests.world.numbered import FIRST, make_invoices, start_series, turn

CHANGES = {
    "due date": {"PaymentDueDate": "2027-01-01"},
    "invoice date": {"InvoiceDate": "2026-10-17"},
    "KID": {"PaymentID": "9990"},
    "number": {"InvoiceNumber": "77"},
}


@pytest.mark.parametrize("booking", sorted(IN_BOOKS))
async def test_number_kid_and_days_are_compared_again_when_a_person_has_it_looked_at(
    world: World, booking: Booking
) -> None:
    turn(world, number_posted="taken")
    if booking is Booking.SERIES:
        await start_series(world)
    else:
        await choose_booking(world, booking)
    make_invoices(world, [FIRST])
    await world.carry("invoice", 10 * FIRST)
    (head,) = world.ledger.documents()
    assert await look_again(world) == ("done", "")
    for part, change in CHANGES.items():
        is_compared = booking in KEEPS_NUMBER or part not in {"KID", "number"}
        world.ledger.books().update("CustomerInvoice", head["ID"], change)
        state, cause = await look_again(world)
        assert (state, part in cause) == (("held", True) if is_compared else ("done", False)), (part, cause)
        world.ledger.books().update("CustomerInvoice", head["ID"], {name: head[name] for name in change})
        assert await look_again(world) == ("done", "")


async def test_what_recman_changes_later_is_not_told_as_a_change_in_unimicro(world: World) -> None:
    await world.carry("invoice", 5001)
    world.source.record(5001)["dueDate"] = "2026-12-24"
    assert await look_again(world, 5001) == ("done", "")
    assert [one["code"] for one in (await world.document(5001))["warnings"]] == ["changed_after_transfer"]


async def look_again(world: World, record_id: int = 10 * FIRST) -> tuple[str, str]:
    """The document's state and why, once a person has asked how it stands."""
    await world.retry(await world.document(record_id))
    await world.work_off()
    row: dict[str, Any] = await world.document(record_id)
    return row["state"], "; ".join(reason["cause"] for reason in row["reasons"])
