"""Departments: what RecMan gives and what a person enters stand beside each other; neither wipes the other."""

import asyncio
from typing import Any

from tests.world import World


async def departments(world: World) -> dict[str, dict[str, Any]]:
    return {row["recman_department_id"]: row for row in await world.get("/v1/departments")}


async def enter(world: World, department_id: str, name: str, **more: Any) -> dict[str, Any]:
    body = {"recman_department_id": department_id, "name": name, **more}
    answer = await world.call("POST", "/v1/departments", body, tenant=world.tenant_id)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def give(world: World, department_id: str, **fields: Any) -> None:
    """What RecMan says of a department from now on."""
    records = world.source.records("department")
    like = next(iter(records.values()))
    key = next(name for name in like if name in {"department_id", "departmentId"})
    records[department_id] = {**like, key: department_id, **fields}


async def test_entering_a_department_wipes_nothing_that_recman_gave(world: World) -> None:
    give(world, "70", name="Oslo", number="100")
    await world.office.read_departments()
    for told in (await enter(world, "70", "By hand"), await enter(world, "70", "By hand", number="200")):
        assert (told["name"], told["number"]) == ("Oslo", "100")
    # RecMan's own changes are RecMan's.
    give(world, "70", name="Oslo sentrum", number="101")
    await world.office.read_departments()
    row = (await departments(world))["70"]
    assert (row["name"], row["number"], row["recman_number"]) == ("Oslo sentrum", "101", "101")


async def test_reading_recman_wipes_nothing_that_was_entered(world: World) -> None:
    await enter(world, "71", "Bergen", number="200")
    for number in (None, "", "999"):
        give(world, "71", name="Bergen avd", number=number)
        await world.office.read_departments()
        row = (await departments(world))["71"]
        assert (row["name"], row["number"]) == ("Bergen", "200")
    assert (row["recman_name"], row["recman_number"]) == ("Bergen avd", "999")
    # What was entered is corrected by hand; without a number the number stays.
    assert (await enter(world, "71", "Bergen by", number="201"))["number"] == "201"
    assert (await enter(world, "71", "Bergen by"))["number"] == "201"


async def test_a_person_adds_the_number_that_recman_does_not_give(world: World) -> None:
    give(world, "72", name="Tromsø", number=None)
    await world.office.read_departments()
    told = await enter(world, "72", "Whatever", number="300")
    assert (told["name"], told["number"], told["entered_number"]) == ("Tromsø", "300", "300")
    await world.office.read_departments()
    assert (await departments(world))["72"]["number"] == "300"


async def test_both_at_once_lose_nothing(world: World) -> None:
    give(world, "73", name="Bodø", number=None)
    await asyncio.gather(
        *(enter(world, "73", "Entered", number="400") for _ in range(3)),
        *(world.office.read_departments() for _ in range(3)),
    )
    row = (await departments(world))["73"]
    assert (row["number"], row["recman_name"]) == ("400", "Bodø")
    assert row["name"] in {"Bodø", "Entered"}


async def test_the_serving_key_stays_whoever_tells_of_the_department(world: World) -> None:
    await enter(world, "74", "Molde", number="500")
    await world.office.give("74", world.key_id)
    give(world, "74", name="Molde avd", number="1")
    await world.office.read_departments()
    await enter(world, "74", "Molde")
    assert (await departments(world))["74"]["key_id"] == str(world.key_id)


async def test_an_invoice_goes_with_the_number_that_a_person_entered(world: World) -> None:
    department = str(world.source.record(5001)["departmentId"])
    world.source.record(department, scope="department")["number"] = None
    await world.office.read_departments()
    await enter(world, department, "Whatever", number="4711")
    await world.office.read_departments()
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["done"]
    assert "4711" in {str(row["DepartmentNumber"]) for row in world.ledger.books().rows("Department")}
