"""Whatever Unimicro does with a call, every invoice ends up there once."""

from typing import Any

import pytest

from tests.world import World

CREATE: dict[str, Any] = {"method": "POST", "path": "/api/biz/invoices"}


async def numbers_of(world: World) -> list[str]:
    return sorted(invoice["ExternalReference"] for invoice in await world.invoices())


async def state_of(world: World, record: str, kind: str = "invoice") -> str:
    return str((await world.transfers())[kind, record]["state"])


@pytest.mark.parametrize("fault", ["lose_answer", "error_after", "error_before"])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param({"method": "POST", "path": "/api/biz/customers"}, id="customer"),
        pytest.param({"method": "POST", "path": "/api/biz/projects"}, id="project"),
        pytest.param({"method": "POST", "path": "/api/biz/departments"}, id="department"),
        pytest.param({**CREATE, "query": ""}, id="draft"),
        pytest.param({**CREATE, "query": "action=invoice"}, id="issue"),
    ],
)
async def test_any_write_without_an_answer_happens_once(world: World, fault: str, call: dict[str, Any]) -> None:
    await world.fault(fault, **call)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert await state_of(world, "5001") == "done"
    (invoice,) = await world.invoices()
    assert invoice["InvoiceNumber"]
    books = next(one for one in (await world.books()).values() if one["invoices"])
    for name, number in (("customers", "CustomerNumber"), ("projects", "ProjectNumber")):
        numbers = [row[number] for row in books[name]]
        assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("fault", ["lose_answer", "error_after", "error_before"])
@pytest.mark.parametrize("query", ["create-credit-draft-invoice", ""])
async def test_credit_note_without_an_answer_happens_once(world: World, fault: str, query: str) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    await world.fault(fault, method="PUT", path="/api/biz/invoices", query=query)
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await state_of(world, "5008", "credit_note") == "done"
    assert await numbers_of(world) == ["RM-5003", "RM-5008"]


async def test_read_lag_does_not_make_a_second_draft(world: World) -> None:
    await world.fault("read_lag", **CREATE, query="", seconds=0.3)
    await world.fault("lose_answer", **CREATE, query="")
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert await state_of(world, "5001") == "done"
    assert await numbers_of(world) == ["RM-5001"]


async def test_throttling_pauses_the_key_and_spends_no_try(world: World) -> None:
    await world.fault("throttle", **CREATE, query="", seconds=1)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert await state_of(world, "5001") == "done"
    assert await world.count("SELECT count(*) FROM key WHERE paused_until IS NOT NULL") == 1
    detail = await attempts_of(world, "5001")
    assert [attempt["outcome"] for attempt in detail] == ["remote_throttled", "done", "done"]


async def attempts_of(world: World, record: str) -> list[dict[str, Any]]:
    row = (await world.transfers())["invoice", record]
    attempts: list[dict[str, Any]] = (await world.get(f"/v1/transfers/{row['id']}"))["attempts"]
    return attempts


async def test_expired_token_is_refreshed_in_the_middle(world: World) -> None:
    await world.fault("expire_token", **CREATE, query="")
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert await state_of(world, "5001") == "done"
    assert await numbers_of(world) == ["RM-5001"]


async def test_totals_that_differ_are_held_and_leave_no_draft_behind(world: World) -> None:
    record = world.recman.state.store.records["invoice"]["5001"]
    record["totalExVat"], record["totalIncVat"] = "30462.97", "38078.71"
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "held"
    assert row["reasons"][0]["code"] == "rounding"
    assert "30462.97" in row["reasons"][0]["cause"]
    assert "30462.96" in row["reasons"][0]["cause"]
    assert await world.invoices() == []


async def test_locked_period_holds_before_anything_is_sent(world: World) -> None:
    company = next(
        key for key, one in world.unimicro.state.world.companies.items() if one.entity["Name"] == "Nordlys Bemanning AS"
    )
    await world.http.post(
        f"http://unimicro.test/sandbox/companies/{company}/settings", json={"AccountingLockedDate": "2026-12-31"}
    )
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "held"
    assert [reason["code"] for reason in row["reasons"]] == ["period_locked"]
    assert await world.invoices() == []


async def test_unreachable_recman_is_tried_again(world: World) -> None:
    await world.http.post("http://recman.test/sandbox/recman/faults", json={"fault": "unavailable", "times": 4})
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert await state_of(world, "5001") == "done"
