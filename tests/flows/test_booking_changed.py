"""Another booking is that of new documents: what is under way ends as it was begun, whichever the two are."""

from typing import Any

import pytest

from app.domain.booking import KEEPS_NUMBER, Booking, sender_of
from tests.world import World
from tests.world.bookings import PROVEN, answer
from tests.world.numbered import add_series, turn
from tests.world.today import choose_for_today

WORD = {"name": "Kari Nordmann", "reason": "agreed in writing"}
MADE_BY = {Booking.VOUCHER: "/api/biz/journalentries", Booking.ORDER: "/api/biz/orders"}
FIRST, LONG = 800_001, 50
PAIRS = [(one, other) for one in Booking for other in Booking if one is not other]


async def change(world: World, booking: Booking, first: int) -> int:
    """The status of what an administrator is answered who chooses it; a series begins at this number."""
    said: dict[str, Any] = {"booking": booking, "sender": sender_of(booking), "kid_acceptance": WORD}
    said |= {"acceptance": {**WORD, "day": "2026-10-01"}} if booking is Booking.RENUMBERED else {}
    if booking is Booking.SERIES:
        series_id = add_series(world, first=first, last=first + LONG)
        said["series"] = [{"series_id": series_id, "next_number": first}]
    status = (await world.call("PATCH", f"/v1/keys/{world.key_id}", said)).status_code
    await world.office.trust(world.key_id)
    return status


def read_standing(world: World, number: int) -> tuple[str, ...]:
    """What stands in Unimicro of the document: its number, or a word, for each time."""
    reference = f"RM-{10 * number}"
    heads = [row for row in world.ledger.documents() if not row["Deleted"]]
    # A voucher's head has no reference of its own.
    found = [row for row in heads if row["ExternalReference"] == reference or row["InvoiceNumber"] == str(number)]
    items = world.ledger.books().rows("CustomerOrderItem")
    orders = {item["CustomerOrderID"] for item in items if item.get("ExternalReference") == reference}
    return (*(row["InvoiceNumber"] or "draft" for row in found), *("order" for _ in orders))


def is_as_promised(standing: tuple[str, ...], booking: Booking, number: int) -> bool:
    if booking in {Booking.ORDER, Booking.DRAFT}:
        return standing == (str(booking),)
    is_own = standing == (str(number),)
    return is_own if booking in KEEPS_NUMBER else len(standing) == 1 and standing[0].isdecimal() and not is_own


@pytest.mark.parametrize("state", ["held", "unclear", "issued"])
@pytest.mark.parametrize(("old", "new"), choose_for_today(PAIRS))
async def test_document_ends_as_it_was_begun_and_the_next_as_the_key_books_by_now(
    world: World, old: Booking, new: Booking, state: str
) -> None:
    turn(world, number_posted="taken")
    for given in PROVEN.values():
        for question, way in given.items():
            await answer(world, question, way)
    await world.carry("invoice", 5001)
    assert await change(world, old, FIRST) == 200
    world.source.double("5001", 10 * FIRST, invoiceNumber=str(FIRST))
    await begin(world, MADE_BY.get(old, "/api/biz/invoices"), state)
    is_begun = state != "held"
    if is_begun and new is Booking.SERIES:
        # Its next number is known once the one before is in the books.
        await world.settle()
    assert await change(world, new, FIRST + is_begun) == 200
    await world.work_off()
    world.source.double("5001", 10 * (FIRST + 1), invoiceNumber=str(FIRST + 1))
    await world.hear_of("invoice", 10 * FIRST, 10 * (FIRST + 1))
    await world.settle()
    assert await world.states(10 * FIRST, 10 * (FIRST + 1)) == ["done", "done"]
    assert is_as_promised(read_standing(world, FIRST), old if is_begun else new, FIRST)
    assert is_as_promised(read_standing(world, FIRST + 1), new, FIRST + 1)


async def begin(world: World, path: str, state: str) -> None:
    """The first document held, without an answer, or through."""
    if state == "issued":
        await world.carry("invoice", 10 * FIRST)
        return
    fault = {"held": ("error_before", {"status": 400}), "unclear": ("lose_answer", {})}[state]
    await world.fault(fault[0], method="POST", path=path, **fault[1])
    await world.hear_of("invoice", 10 * FIRST)
    await world.work_until(10 * FIRST, "held" if state == "held" else "unknown")
