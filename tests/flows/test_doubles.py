"""Doubles at the source: one invoice under two RecMan ids goes once, whichever worker comes first."""

from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.money import dump_json
from tests.world import COMPANY, World, open_world


async def test_same_invoice_under_a_second_id_is_held_and_names_the_other(world: World) -> None:
    world.source.double("5001", 6001)
    await world.hear_of("invoice", 5001)
    await world.settle()
    await world.hear_of("invoice", 6001)
    await world.settle()
    held, first = await world.document(6001), await world.document(5001)
    (reason,) = held["reasons"]
    assert (held["state"], reason["code"]) == ("held", "same_as_other")
    assert "Number 110001" in reason["cause"]
    assert "5001" in reason["cause"]
    assert first["remote_number"] in reason["cause"]
    assert len(await world.invoices()) == 1
    # A repeat and a retry change nothing.
    await world.hear_of("invoice", 6001)
    await world.post(f"/v1/transfers/{held['id']}/retry")
    await world.settle()
    assert len(await world.invoices()) == 1


async def test_same_invoice_made_again_on_another_day_after_its_deletion_is_held(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    world.source.double("5001", 6001, invoiceDate="2026-10-06", dueDate="2026-11-05")
    del world.recman.state.store.records["invoice"]["5001"]
    await world.hear_of("invoice", 6001)
    await world.settle()
    assert (await world.document(6001))["reasons"][0]["code"] == "same_as_other"


async def test_same_invoice_made_again_goes_when_the_first_was_deleted_before_it_was_sent(world: World) -> None:
    records = world.recman.state.store.records["invoice"]
    records["5001"]["lines"][0]["productNumber"] = "7777"
    world.source.double("5001", 6001)
    await world.hear_of("invoice", 5001, 6001)
    await world.settle()
    assert {reason["code"] for reason in (await world.document(6001))["reasons"]} >= {"same_as_other"}
    records["6001"]["lines"][0]["productNumber"] = "1001"
    records["5001"]["lines"][0]["productNumber"] = "1001"
    del records["5001"]
    note = '{"scope":"invoice","operation":"delete","invoiceId":5001}'
    answer = await world.http.post(f"http://ours.test{world.hook}", content=note)
    assert answer.status_code == 202
    await world.settle()
    await world.hear_of("invoice", 6001)
    await world.settle()
    assert await world.states(5001, 6001) == ["ignored", "done"]


async def test_same_number_in_two_departments_goes_on(world: World) -> None:
    world.source.double("5001", 6001, departmentId="2", kid="")
    await world.hear_of("invoice", 5001, 6001)
    await world.settle_with(2)
    assert await world.states(5001, 6001) == ["done", "done"]


async def test_same_number_with_other_lines_goes_on(world: World) -> None:
    records = world.recman.state.store.records["invoice"]
    world.source.double("5001", 6001, lines=records["5004"]["lines"], kid="")
    for name in ("totalExVat", "vat", "totalIncVat"):
        records["6001"][name] = records["5004"][name]
    await world.hear_of("invoice", 5001, 6001)
    await world.settle()
    assert await world.states(5001, 6001) == ["done", "done"]


@pytest.mark.parametrize("order", [(5001, 6001), (6001, 5001)])
async def test_two_of_one_invoice_under_way_at_once_go_once(world: World, order: tuple[int, int]) -> None:
    world.source.double("5001", 6001)
    await world.hear_of("invoice", *order)
    await world.settle_with(4)
    assert sorted(await world.states(5001, 6001)) == ["done", "held"]
    assert len(await world.invoices()) == 1


async def test_five_of_one_credit_note_under_way_at_once_go_once(world: World) -> None:
    doubles = [world.source.double("5008", 6000 + n) for n in range(4)]
    await world.hear_of("invoice", *doubles, 5008, 5003)
    await world.settle_with(4)
    assert sorted(await world.states(5008, *doubles)) == ["done", *["held"] * 4]
    assert len(world.ledger.documents(COMPANY, kind=1)) == 1


async def test_approved_one_is_really_another_invoice(world: World) -> None:
    world.source.double("5001", 6001)
    world.source.double("5001", 6002)
    await world.hear_of("invoice", 5001)
    await world.settle()
    await world.hear_of("invoice", 6001)
    await world.settle()
    held = await world.document(6001)
    assert (await world.post(f"/v1/invoices/{held['id']}/approve")).status_code == 202
    await world.settle()
    assert await world.states(5001, 6001) == ["done", "done"]
    # That decision was about this one; the next is another question.
    await world.hear_of("invoice", 6002)
    await world.settle()
    assert await world.states(6002) == ["held"]


async def test_that_it_is_no_double_says_nothing_about_what_recman_makes_of_it_later(world: World) -> None:
    await world.carry("invoice", 5001, 5002)
    world.source.double("5001", 6001)
    await world.carry("invoice", 6001)
    held = await world.document(6001)
    assert [reason["code"] for reason in held["reasons"]] == ["same_as_other"]
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})
    await world.post(f"/v1/invoices/{held['id']}/approve")
    world.source.double("5002", 6001)
    await world.hear_of("invoice", 6001)
    await world.stall()
    await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})
    await world.settle()
    assert await world.states(5001, 5002, 6001) == ["done", "done", "held"]
    assert len(await world.invoices()) == 2


async def test_approval_of_a_review_says_nothing_about_a_double_that_came_later(world: World) -> None:
    await world.office.put_rules({"review": {"everything": True}})
    world.source.double("5001", 6001)
    await world.hear_of("invoice", 6001)
    await world.settle()
    held = await world.document(6001)
    assert [reason["code"] for reason in held["reasons"]] == ["approval_missing"]
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})).status_code == 200
    await world.post(f"/v1/invoices/{held['id']}/approve")
    await world.hear_of("invoice", 5001)
    await world.stall()
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})).status_code == 200
    await world.settle()
    # The lower id goes first, and it is not approved yet.
    codes = [[one["code"] for one in (await world.document(record))["reasons"]] for record in (5001, 6001)]
    assert codes == [["approval_missing"], ["same_as_other"]]
    assert await world.invoices() == []


async def test_held_double_goes_when_the_first_is_ignored_and_the_first_comes_second_then(world: World) -> None:
    await world.office.put_rules({"held_customers": ["100001"]})
    world.source.double("5001", 6001)
    await world.hear_of("invoice", 5001, 6001)
    await world.settle()
    assert await world.states(5001, 6001) == ["held", "held"]
    first = await world.document(5001)
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "paused"})).status_code == 200
    await world.office.put_rules({"held_customers": []}, after_version=1)
    answer = await world.post(f"/v1/transfers/{first['id']}/ignore", {"reason": "made by mistake"})
    assert answer.status_code == 200
    assert (await world.call("PATCH", f"/v1/keys/{world.key_id}", {"state": "active"})).status_code == 200
    await world.settle()
    assert await world.states(5001, 6001) == ["ignored", "done"]
    await world.post(f"/v1/transfers/{first['id']}/retry")
    await world.settle()
    assert (await world.document(5001))["reasons"][0]["code"] == "same_as_other"


async def test_document_booked_before_there_were_fingerprints_is_known_by_its_content(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    # As the release before wrote it.
    lines, sums = [["1001", "37.5", "812.3456", "0", "25"]], ["30462.96", "7615.74", "38078.7"]
    content = dump_json(["invoice", "110001", "201", "2026-10-05", "NOK", *sums, lines])
    async with world.resources.engine.begin() as connection:
        query = text(
            "UPDATE transfer SET fingerprint = NULL, claimed = NULL, content_hash = :hash WHERE kind = 'invoice'"
        )
        await connection.execute(query, {"hash": sha256(content.encode()).digest()})
    world.source.double("5001", 6001)
    # Heard of again, as when it is paid, it is no alarm.
    await world.hear_of("invoice", 5001)
    await world.hear_of("invoice", 6001)
    await world.settle()
    assert await world.states(5001, 6001) == ["done", "held"]
    assert (await world.document(6001))["reasons"][0]["code"] == "same_as_other"


@pytest.mark.parametrize("fault", ["lose_answer", "error_before"])
async def test_first_of_two_stays_the_first_through_lost_answers_and_kills(
    database_url: str, tmp_path: Path, fault: str
) -> None:
    async with open_world(database_url, tmp_path, lease_seconds=1) as world:
        await world.office.read_departments()
        world.source.double("5001", 6001)
        await world.fault(fault, method="POST", path="/api/biz/invoices", query="", times=2)
        await world.hear_of("invoice", 5001, 6001)
        for seconds in (0.1, 0.2, 0.3):
            await world.work_and_die(seconds=seconds)
        await world.settle_with(3)
        assert sorted(await world.states(5001, 6001)) == ["done", "held"]
        assert len(await world.invoices()) == 1
