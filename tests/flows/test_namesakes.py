"""Unimicro numbers the customers, and two of them have one name and no organisation number: nobody is taken for the
other, whatever becomes of the calls."""

from pathlib import Path
from typing import Any

import pytest

from tests.world import COMPANY, World, open_world

_CREATE: dict[str, Any] = {"method": "POST", "path": "/api/biz/customers"}


def customer_ids(world: World) -> list[int]:
    return sorted(row["ID"] for row in world.ledger.books(COMPANY).rows("Customer"))


def billed(world: World) -> list[int]:
    return sorted(row["CustomerID"] for row in world.ledger.books(COMPANY).rows("CustomerInvoice"))


@pytest.mark.parametrize("fault", ["error_before", "lose_answer", "error_after"])
async def test_call_without_an_answer_takes_no_namesake(world: World, fault: str) -> None:
    await world.office.choose(customer_number="linked")
    world.source.make_twins(vatNumber="")
    await world.hear_of("invoice", 9941)
    await world.settle()
    await world.fault(fault, **_CREATE)
    await world.hear_of("invoice", 9942)
    await world.settle()
    assert await world.outcomes(9941, 9942) == {"done": ["", ""]}
    assert len(customer_ids(world)) == 2
    assert billed(world) == customer_ids(world)


@pytest.mark.parametrize("fault", ["error_before", "lose_answer"])
async def test_call_without_an_answer_never_takes_a_customer_whom_somebody_else_made(world: World, fault: str) -> None:
    await world.office.choose(customer_number="linked")
    world.source.make_twins(vatNumber="")
    world.ledger.put_customer(100077, "Dobbel Bedrift AS", "")
    (namesake,) = customer_ids(world)
    await world.fault(fault, **_CREATE)
    await world.hear_of("invoice", 9941)
    await world.settle()
    row = await world.document(9941)
    assert namesake not in billed(world)
    # Which of two of one name is ours nobody can tell, so a person is asked.
    assert row["state"] == ("done" if fault == "error_before" else "held"), row["reasons"]


async def test_namesakes_come_out_the_same_when_the_workers_are_killed(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, lease_seconds=1) as world:
        await world.office.choose(customer_number="linked")
        world.source.make_twins(vatNumber="")
        await world.fault("hang", **_CREATE, seconds=30)
        await world.hear_of("invoice", 9941, 9942)
        await world.work_and_die()
        await world.settle_with(3)
        assert await world.outcomes(9941, 9942) == {"done": ["", ""]}
        assert billed(world) == customer_ids(world)
