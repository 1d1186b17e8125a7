"""Records that look like others, or are none of ours: number twins, own companies, prospects, suppliers."""

import copy
from typing import Any

import pytest

from tests.world import World


def put(world: World, scope: str, record_id: str, like: str, **changes: Any) -> None:
    records = world.recman.state.store.records[scope]
    records[record_id] = copy.deepcopy(records[like]) | {f"{scope}Id": record_id, **changes}


async def test_equal_numbers_of_two_departments_are_two_invoices(world: World) -> None:
    """Each department may have a number series of its own. Source: docs/facts/recman.md §3.3 [O]."""
    put(world, "invoice", "9001", "5001", departmentId="1")
    put(world, "invoice", "9002", "5001", departmentId="2", kid="")
    await world.hear_of("invoice", 9001, 9002)
    await world.settle()
    rows = await world.transfers()
    first, second = rows["invoice", "9001"], rows["invoice", "9002"]
    assert (first["state"], second["state"]) == ("done", "done"), (first["reasons"], second["reasons"])
    assert first["number"] == second["number"]
    assert first["remote_id"] != second["remote_id"]
    assert len(await world.invoices()) == 2


@pytest.mark.parametrize("kind", ["ownCompany", "prospect", "supplier"])
async def test_who_is_no_customer_becomes_one_only_with_an_invoice(world: World, kind: str) -> None:
    put(world, "company", "299", "201", type=kind, companyNumber="100299", name="Nær Oss AS", vatNumber="")
    await world.hear_of("company", 299)
    await world.settle()
    assert "Nær Oss AS" not in str(await world.books())
    put(world, "invoice", "9003", "5001", companyId="299", projectId=None, invoiceNumber="9003", kid="")
    await world.hear_of("invoice", 9003)
    await world.settle()
    assert (await world.transfers())["invoice", "9003"]["state"] == "done"
    assert "Nær Oss AS" in str(await world.books())


async def test_a_deleted_customer_stays_in_unimicro_and_says_so(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    before = await world.books()
    del world.recman.state.store.records["company"]["201"]
    await world.http.post(f"http://ours.test{world.hook}", json={"event": "company.deleted", "id": 201})
    await world.settle()
    row = (await world.transfers())["customer", "201"]
    assert (row["state"], [warning["code"] for warning in row["warnings"]]) == ("done", ["gone_in_recman"])
    assert await world.books() == before


async def test_a_deleted_project_stays_in_unimicro_and_says_so(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    before = await world.books()
    del world.recman.state.store.records["project"]["301"]
    await world.http.post(f"http://ours.test{world.hook}", json={"event": "project.deleted", "id": 301})
    await world.settle()
    row = (await world.transfers())["project", "301"]
    assert [warning["code"] for warning in row["warnings"]] == ["gone_in_recman"]
    assert await world.books() == before
