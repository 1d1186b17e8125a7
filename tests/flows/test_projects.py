"""Projects as RecMan changes them: name, customer, dates, and the status by its transition."""

from typing import Any

import pytest

from tests.world import World


def project_in_unimicro(world: World, number: str = "2001") -> dict[str, Any]:
    (found,) = [row for row in world.ledger.books().rows("Project") if row["ProjectNumber"] == number]
    return dict(found)


async def change(world: World, **values: Any) -> dict[str, Any]:
    world.recman.state.store.records["project"]["301"].update(values)
    await world.hear_of("project", 301)
    await world.settle()
    return project_in_unimicro(world)


async def test_changed_project_is_brought_in_line_field_by_field(world: World) -> None:
    await world.hear_of("project", 301)
    await world.settle()
    made = project_in_unimicro(world)
    assert made["Name"] == "Rådgivning Ærfugl høsten 2026"
    await world.hear_of("company", 202)
    await world.settle()
    changed = await change(world, name="Rådgivning 2027", endDate="2027-06-30", companyId="202")
    assert (changed["Name"], changed["EndDate"][:10]) == ("Rådgivning 2027", "2027-06-30")
    customer = next(row for row in world.ledger.books().rows("Customer") if row["ID"] == changed["ProjectCustomerID"])
    number = world.recman.state.store.records["company"]["202"]["companyNumber"]
    assert str(customer["CustomerNumber"]) == str(number)
    assert changed["ID"] == made["ID"]


@pytest.mark.parametrize(
    ("word", "status"),
    [("active", 42203), ("solvedEnded", 42204), ("cancelled", 42205), ("lost", 42205), ("notStarted", 42203)],
)
async def test_projects_status_follows_recmans_word(world: World, word: str, status: int) -> None:
    # It began as active; a word that means no status of Unimicro changes nothing.
    await world.hear_of("project", 301)
    await world.settle()
    assert (await change(world, name=f"now {word}", status=word))["StatusCode"] == status


async def test_refused_transition_is_a_warning(world: World) -> None:
    await world.hear_of("project", 301)
    await world.settle()
    query = "action=CompleteProject"
    await world.fault("error_before", method="POST", path="/api/biz/projects", query=query, status=400)
    assert (await change(world, name="done", status="solvedEnded"))["Name"] == "done"
    row = (await world.transfers())["project", "301"]
    assert (row["state"], [warning["code"] for warning in row["warnings"]]) == ("done", ["project_status"])


async def test_project_that_recman_does_not_list_blocks_no_invoice(world: World) -> None:
    project = str(world.recman.state.store.records["invoice"]["5001"]["projectId"])
    del world.recman.state.store.records["project"][project]
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], [warning["code"] for warning in row["warnings"]]) == ("done", ["project_gone"])
