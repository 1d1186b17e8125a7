"""RecMan's file on Unimicro's invoice: put there once, verified by listing, and never in an invoice's way."""

import base64
from typing import Any

import pytest
from sqlalchemy import text

from tests.world import World

PDF = b"%PDF-1.7 faktura \xe6\xf8\xe5"


def give_file(world: World, **changes: Any) -> None:
    file = {"name": "Faktura 110001", "extension": "pdf", "base64": base64.b64encode(PDF).decode()}
    world.recman.state.store.records["invoice"]["5001"]["file"] = file | changes


def files_of(world: World, remote_id: int) -> list[dict[str, Any]]:
    return list(world.unimicro.state.world.files.listed("CustomerInvoice", remote_id))


async def send(world: World) -> dict[str, Any]:
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert row["state"] == "done"
    return row


async def test_file_is_attached_where_the_rules_want_it(world: World) -> None:
    give_file(world)
    await world.office.put_rules({"attach_files": True})
    row = await send(world)
    (file,) = files_of(world, row["remote_id"])
    assert file["Name"] == "Faktura 110001.pdf"
    assert [one["content"] for one in world.unimicro.state.world.files.stored.values()] == [PDF]
    assert row["warnings"] == []


async def test_nothing_is_attached_unless_the_rules_want_it(world: World) -> None:
    give_file(world)
    row = await send(world)
    assert world.unimicro.state.world.files.stored == {}
    assert row["warnings"] == []


@pytest.mark.parametrize("changes", [{"base64": "%%%"}, {"base64": ""}, {"base64": None}, {"base64": "A" * 14_000_000}])
async def test_unreadable_file_is_left_out(world: World, changes: dict[str, Any]) -> None:
    give_file(world, **changes)
    await world.office.put_rules({"attach_files": True})
    await send(world)
    assert world.unimicro.state.world.files.stored == {}


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "error_before", "method": "POST", "path": "/api/file"},
        {"fault": "lose_answer", "method": "POST", "path": "/api/file"},
        {"fault": "error_before", "method": "POST", "path": "/api/biz/files", "status": 400},
    ],
)
async def test_file_that_cannot_be_attached_is_a_warning(world: World, fault: dict[str, Any]) -> None:
    give_file(world)
    await world.office.put_rules({"attach_files": True})
    await world.fault(**fault)
    row = await send(world)
    assert [warning["code"] for warning in row["warnings"]] == ["file_not_attached"]
    assert files_of(world, row["remote_id"]) == []


async def test_company_without_a_files_service_gets_a_warning(world: World) -> None:
    give_file(world)
    await world.office.put_rules({"attach_files": True})
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET files_base = NULL"))
    row = await send(world)
    assert [warning["code"] for warning in row["warnings"]] == ["file_not_attached"]


async def test_file_is_there_once_after_a_lost_answer_to_the_issuing(world: World) -> None:
    give_file(world)
    await world.office.put_rules({"attach_files": True})
    invoices: dict[str, Any] = {"method": "POST", "path": "/api/biz/invoices"}
    await world.fault("lose_answer", query="action=invoice", **invoices)
    row = await send(world)
    assert len(files_of(world, row["remote_id"])) == 1
