"""Keys after they were made: change, pause, check, remove; departments and routing."""

from typing import Any

from sqlalchemy import text

from app.sandbox.samples import load_samples
from tests.world import World, rows_of

SAMPLES = load_samples()


async def patch(world: World, **change: Any) -> tuple[int, dict[str, Any]]:
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", change)
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


async def enter_department(world: World, recman_id: str, name: str) -> None:
    department = {"recman_department_id": recman_id, "name": name, "number": recman_id}
    answer = await world.call("POST", "/v1/departments", department, tenant=world.tenant_id)
    assert answer.status_code == 201, answer.text


async def make_second_key(world: World, departments: list[str]) -> str:
    key_id = await world.office.make_key(
        world.tenant_id, name="Second", company="Nordlys Konsulent AS", departments=departments
    )
    return str(key_id)


async def test_key_is_renamed_and_paused_and_goes_on(world: World) -> None:
    status, key = await patch(world, name="Nordlys hovedbok", state="paused")
    assert (status, key["name"], key["state"]) == (200, "Nordlys hovedbok", "paused")
    await world.hear_of("invoice", 5001)
    await world.stall()
    assert await world.invoices() == []
    status, key = await patch(world, state="active")
    assert (status, key["state"], key["pause_reason"]) == (200, "active", None)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_mode_does_not_change_while_documents_are_under_way(world: World) -> None:
    await patch(world, state="paused")
    await world.hear_of("invoice", 5001)
    await world.stall()
    status, told = await patch(world, mode="file", booking="voucher")
    assert (status, told["code"]) == (409, "documents_under_way")
    assert "1 documents" in told["cause"]
    await patch(world, state="active")
    await world.settle()
    status, told = await patch(world, mode="file")
    assert (status, told["code"]) == (422, "booking_unfit")
    status, key = await patch(world, mode="file", booking="voucher")
    assert (status, key["mode"]) == (200, "file")
    await world.hear_of("invoice", 5002)
    await world.settle()
    held = (await world.transfers())["invoice", "5002"]
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "file_part_missing")
    # Back in full mode it goes on by itself.
    assert (await patch(world, mode="full"))[1]["code"] == "booking_unproven"
    assert (await patch(world, mode="full", booking="renumbered"))[0] == 200
    await world.settle()
    assert (await world.transfers())["invoice", "5002"]["state"] == "done"


async def test_settings_take_known_fields_only(world: World) -> None:
    status, key = await patch(world, settings={"send_customer_number": False})
    assert (status, key["settings"]["send_customer_number"]) == (200, False)
    assert (await patch(world, settings={"sendCustomerNumber": False}))[0] == 422
    assert (await patch(world, colour="blue"))[0] == 422


async def test_departments_are_read_from_recman_and_route_documents(world: World) -> None:
    answer = await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    found = {row["recman_department_id"]: row["name"] for row in rows_of(answer)}
    assert len(found) >= 2
    first = next(iter(found))
    key_id = await make_second_key(world, [first])
    rows = {row["recman_department_id"]: row["key_id"] for row in await world.get("/v1/departments")}
    assert rows[first] == key_id
    for sample in SAMPLES.expected:
        await world.hear_of("invoice", sample)
    await world.settle()
    keys = {row["key_id"] for row in await world.get("/v1/transfers", kind="invoice", limit=100)}
    assert keys == {key_id, str(world.key_id)}
    records = world.recman.state.store.records["invoice"]
    for row in await world.get("/v1/transfers", kind="invoice", limit=100):
        is_first = str(records[row["record_id"]]["departmentId"]) == first
        assert (row["key_id"] == key_id) == is_first, row["record_id"]


async def test_department_with_a_key_is_not_given_to_another_one_in_passing(world: World) -> None:
    await enter_department(world, "70", "Bergen")
    await make_second_key(world, ["70"])
    status, told = await patch(world, departments=["70"])
    assert (status, told["code"]) == (409, "department_has_key")
    assert "Bergen" in told["cause"]


async def test_two_keys_open_to_all_are_refused(world: World) -> None:
    key_id = await make_second_key(world, [])
    answer = await world.call("PATCH", f"/v1/keys/{key_id}", {"departments": "all"})
    assert (answer.status_code, answer.json()["code"]) == (409, "open_to_all_taken")


async def test_moving_a_department_changes_future_documents_only_and_says_so(world: World) -> None:
    await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    record = world.recman.state.store.records["invoice"]["5001"]
    await world.hear_of("invoice", 5001)
    await world.settle()
    key_id = await make_second_key(world, [])
    department = str(record["departmentId"])
    path = f"/v1/departments/{department}/key"
    answer = await world.call("PUT", path, {"key_id": key_id}, tenant=world.tenant_id)
    assert answer.status_code == 200
    assert "future documents only" in answer.json()["note"]
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["key_id"] == str(world.key_id)
    other = next(
        number
        for number, found in world.recman.state.store.records["invoice"].items()
        if str(found["departmentId"]) == department and number not in {"5001", "5009"} and found["type"] != "creditNote"
    )
    await world.hear_of("invoice", other)
    await world.settle()
    assert (await world.transfers())["invoice", other]["key_id"] == key_id


async def test_document_without_key_is_held_and_goes_on_when_there_is_one(world: World) -> None:
    await world.call("POST", "/v1/departments/refresh", tenant=world.tenant_id)
    assert (await patch(world, departments=[]))[0] == 200
    await world.hear_of("invoice", 5001)
    await world.settle()
    held = (await world.transfers())["invoice", "5001"]
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "no_key")
    department = str(world.recman.state.store.records["invoice"]["5001"]["departmentId"])
    path = f"/v1/departments/{department}/key"
    answer = await world.call("PUT", path, {"key_id": str(world.key_id)}, tenant=world.tenant_id)
    assert answer.status_code == 200
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_removed_key_is_revoked_forgotten_and_its_history_stays(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    answer = await world.call("DELETE", f"/v1/keys/{world.key_id}")
    assert answer.json()["revoked"] is True
    assert world.unimicro.state.world.identity.refresh_tokens == {}
    assert await world.get("/v1/keys") == []
    assert (await world.call("GET", f"/v1/keys/{world.key_id}")).status_code == 404
    assert await world.count("SELECT count(*) FROM key WHERE coalesce(access_token, refresh_token) IS NOT NULL") == 0
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"
    await world.hear_of("invoice", 5002)
    await world.settle()
    assert (await world.transfers())["invoice", "5002"]["reasons"][0]["code"] == "no_key"
    # Name and “all” are free again, and what was held goes on.
    await world.office.make_key(world.tenant_id, name="Nordlys", company="Nordlys Bemanning AS")
    await world.settle()
    assert (await world.transfers())["invoice", "5002"]["state"] == "done"


async def test_key_is_not_removed_while_a_write_is_unclear(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE transfer SET state = 'unknown' WHERE scope = 'invoice'"))
    answer = await world.call("DELETE", f"/v1/keys/{world.key_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "documents_under_way")
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE transfer SET state = 'done' WHERE scope = 'invoice'"))
