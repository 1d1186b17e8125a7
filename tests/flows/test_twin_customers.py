"""Several RecMan companies of one name or number: one customer in Unimicro, whatever the order and workers."""

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.world import COMPANY, World, open_world


def customers_in(world: World) -> list[str]:
    rows = world.ledger.books(COMPANY).rows("Customer")
    return [row["OrgNumber"] for row in rows if row["OrgNumber"] == "974760673"]


@pytest.mark.parametrize("order", [(9941, 9942), (9942, 9941)])
@pytest.mark.parametrize("workers", [1, 4])
async def test_twins_at_once_make_one_customer_and_hold_the_second(
    world: World, order: tuple[int, int], workers: int
) -> None:
    world.source.make_twins()
    await world.hear_of("invoice", *order)
    await world.settle_with(workers)
    assert len(customers_in(world)) == 1
    assert await world.outcomes(9941, 9942) == {"done": [""], "held": ["customer_under_other_number"]}
    rows = [await world.document(record_id) for record_id in order]
    (held,) = [row for row in rows if row["state"] == "held"]
    assert "100400" in held["reasons"][0]["cause"]
    assert "100401" in held["reasons"][0]["cause"]


async def test_twins_at_once_with_their_number_in_two_dresses_make_one_customer(world: World) -> None:
    world.source.make_twins()
    companies = world.recman.state.store.records["company"]
    companies["21300"]["vatNumber"], companies["21301"]["vatNumber"] = "SE556677889901", "556677-8899"
    await world.hear_of("invoice", 9941, 9942)
    await world.settle_with(4)
    assert await world.outcomes(9941, 9942) == {"done": [""], "held": ["customer_under_other_number"]}
    numbers = [row["OrgNumber"] for row in world.ledger.books(COMPANY).rows("Customer")]
    assert len({"SE556677889901", "5566778899"} & set(numbers)) == 1


async def test_twins_one_after_the_other_come_out_as_at_once(world: World) -> None:
    world.source.make_twins()
    for record_id in (9942, 9941):
        await world.hear_of("invoice", record_id)
        await world.settle()
    assert len(customers_in(world)) == 1
    assert await world.outcomes(9941, 9942) == {"done": [""], "held": ["customer_under_other_number"]}


async def test_twins_with_companies_webhooks_and_a_read_lag_make_one_customer(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, unimicro_read_lag_seconds=0.6) as world:
        world.ledger.books(COMPANY).lag_seconds = 0.5
        world.source.make_twins()
        await world.hear_of("company", 21300, 21301)
        await world.hear_of("invoice", 9941, 9942)
        await world.settle_with(3)
        assert len(customers_in(world)) == 1


@pytest.mark.parametrize(
    ("fault", "more"), [("lose_answer", {}), ("error_before", {}), ("hang", {"seconds": 0.4}), ("throttle", {})]
)
@pytest.mark.parametrize("order", [(9941, 9942), (9942, 9941)])
async def test_twins_make_one_customer_through_kills_and_lost_answers(
    database_url: str, tmp_path: Path, fault: str, more: dict[str, Any], order: tuple[int, int]
) -> None:
    if fault == "throttle":
        more = {"seconds": 0.1}
    async with open_world(database_url, tmp_path, lease_seconds=1) as world:
        world.source.make_twins()
        await world.fault(fault, method="POST", path="/api/biz/customers", times=2, **more)
        await world.hear_of("invoice", *order)
        for seconds in (0.15, 0.3):
            await world.work_and_die(seconds=seconds)
        await world.settle_with(3)
        assert len(customers_in(world)) == 1
        assert await world.outcomes(9941, 9942) == {"done": [""], "held": ["customer_under_other_number"]}


async def test_twins_without_organisation_number_but_with_one_number_share_the_customer(world: World) -> None:
    world.source.make_twins(vatNumber="", companyNumber="100400")
    await world.hear_of("invoice", 9941, 9942)
    await world.settle_with(4)
    rows = [row for row in world.ledger.books(COMPANY).rows("Customer") if row["CustomerNumber"] == 100400]
    assert len(rows) == 1
    assert await world.outcomes(9941, 9942) == {"done": ["", ""]}


async def test_two_projects_with_one_number_become_one(world: World) -> None:
    projects = world.recman.state.store.records["project"]
    number = projects["301"].get("projectNumber") or projects["301"].get("number")
    projects["399"] = {**copy.deepcopy(projects["301"]), "projectId": "399"}
    world.source.double("5001", 9951, invoiceNumber="109951", projectId="399")
    await world.hear_of("invoice", 5001, 9951)
    await world.settle_with(4)
    rows = [row for row in world.ledger.books(COMPANY).rows("Project") if row["ProjectNumber"] == str(number)]
    assert len(rows) == 1, (number, projects["301"])
    assert [(await world.document(one))["state"] for one in (5001, 9951)] == ["done", "done"]
