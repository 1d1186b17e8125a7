"""Doubles that are no copies to the letter: made again with another day, KID or customer record."""

import copy
from typing import Any

import pytest

from tests.world import World

_CHANGES: dict[str, dict[str, Any]] = {
    "due date": {"dueDate": "2026-11-19"},
    "days": {"invoiceDate": "2026-11-02", "dueDate": "2026-11-16", "deliveryDate": "2026-11-01"},
    "KID": {"kid": "1100023"},
    "texts": {"notes": "made again", "yourReference": "N.N.", "requisition": ""},
    "twin of the customer": {"companyId": 21300},
}


@pytest.mark.parametrize("what", list(_CHANGES))
@pytest.mark.parametrize("first", ["kept", "deleted"])
async def test_made_again_with_another_day_kid_text_or_customer_record_is_a_double(
    world: World, what: str, first: str
) -> None:
    companies = world.recman.state.store.records["company"]
    companies["21300"] = {**copy.deepcopy(companies["201"]), "companyId": "21300"}
    await world.hear_of("invoice", 5001)
    await world.settle()
    world.source.double("5001", 6001, **_CHANGES[what])
    if first == "deleted":
        del world.recman.state.store.records["invoice"]["5001"]
    await world.hear_of("invoice", 6001)
    await world.settle()
    row = await world.document(6001)
    assert [reason["code"] for reason in row["reasons"]] == ["same_as_other"]
    assert len(await world.invoices()) == 1


async def test_double_goes_by_itself_when_the_old_one_is_ignored_in_bulk(world: World) -> None:
    """Made before the first day and again after it: who says that the old one never goes, lets the other one go."""
    await world.office.move_go_live("2026-10-20")
    world.source.double("5001", 6001, invoiceDate="2026-11-02", dueDate="2026-11-16")
    await world.hear_of("invoice", 5001)
    await world.settle()
    await world.hear_of("invoice", 6001)
    await world.settle()
    codes = [[one["code"] for one in (await world.document(record))["reasons"]] for record in (5001, 6001)]
    assert codes == [["before_go_live"], ["same_as_other"]]
    await world.decide("ignore", ids=[(await world.document(5001))["id"]], reason="made again")
    assert await world.states(5001, 6001) == ["ignored", "done"]
