"""Whose draft is it? Never taken on a weak sign: not another credit note's, not a person's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.transfer.books import KnownBooks
from tests.world import World, open_slow_world

_MAKE: dict[str, Any] = {
    "method": "PUT",
    "path": "/api/biz/invoices",
    "query": "action=create-credit-draft-invoice",
}


async def test_two_part_credits_with_lost_answers_each_have_their_own_note(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    world.source.credit_part("5008", gross="125.00")
    world.source.credit_part("5098", gross="250.00")
    await world.fault("lose_answer", **_MAKE, times=2)
    await world.hear_of("invoice", 5008, 5098)
    await world.settle()
    rows = [await world.find_document(one) for one in ("5008", "5098")]
    assert [row and (row["state"], row["remote_gross_amount"]) for row in rows] == [
        ("done", "125.00"),
        ("done", "250.00"),
    ]
    assert sorted(one["ExternalReference"] for one in world.ledger.credits()) == ["RM-5008", "RM-5098"]
    assert {one["StatusCode"] for one in world.ledger.credits()} == {42002}


async def test_second_credit_note_waits_for_the_first_and_says_so(database_url: str, tmp_path: Path) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.work_until("5003", "done")
        world.source.credit_part("5008", gross="125.00")
        world.source.credit_part("5098", gross="250.00")
        await world.fault("lose_answer", **_MAKE)
        await world.hear_of("invoice", 5008)
        await world.work_until("5008", "unknown")
        await world.hear_of("invoice", 5098)
        waiting = await world.work_until("5098", "waiting")
        while not waiting["reasons"]:
            waiting = await world.work_until("5098", "waiting")
        assert "waits for credit note 25008" in waiting["reasons"][0]["cause"]
        assert len(world.ledger.credits()) == 1


@pytest.mark.parametrize("fault", [{"stored": True}, {"stored": False}])
async def test_a_draft_that_a_person_has_made_before_is_never_taken(world: World, fault: dict[str, Any]) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    theirs = world.ledger.draft_by_hand()
    await world.fault("lose_answer", **_MAKE, **fault)
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert (await world.hold_of())[0] == "done"
    by_id = {one["ID"]: one for one in world.ledger.credits()}
    assert (by_id.pop(theirs)["StatusCode"], len(by_id)) == (42001, 1)
    assert [one["ExternalReference"] for one in by_id.values()] == ["RM-5008"]


@pytest.mark.parametrize(
    "changes",
    [
        # Made long after our call can still have had an effect; or worked on already.
        {"CreatedAt": (datetime.now(UTC) + timedelta(hours=3)).isoformat().replace("+00:00", "Z")},
        {"TaxInclusiveAmount": -100, "TaxInclusiveAmountCurrency": -100},
    ],
)
async def test_a_draft_that_a_person_makes_while_we_wait_is_never_taken(
    database_url: str, tmp_path: Path, changes: dict[str, Any]
) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.work_until("5003", "done")
        await world.fault("lose_answer", **_MAKE, stored=False)
        await world.hear_of("invoice", 5008)
        unknown = await world.work_until("5008", "unknown")
        theirs = world.ledger.draft_by_hand(**changes)
        await world.call("POST", f"/v1/transfers/{unknown['id']}/retry")
        await world.work_until("5008", "done")
        by_id = {one["ID"]: one for one in world.ledger.credits()}
        assert by_id.pop(theirs)["StatusCode"] == 42001
        assert [one["ExternalReference"] for one in by_id.values()] == ["RM-5008"]


async def test_two_drafts_that_may_be_ours_are_for_a_person(database_url: str, tmp_path: Path) -> None:
    async with open_slow_world(database_url, tmp_path) as world:
        await world.hear_of("invoice", 5003)
        await world.work_until("5003", "done")
        await world.fault("lose_answer", **_MAKE)
        await world.hear_of("invoice", 5008)
        unknown = await world.work_until("5008", "unknown")
        world.ledger.draft_by_hand()
        await world.call("POST", f"/v1/transfers/{unknown['id']}/retry")
        held = await world.work_until("5008", "held")
        assert [reason["code"] for reason in held["reasons"]] == ["document_twice"]
        assert len(world.ledger.credits()) == 2


async def test_a_document_in_unimicro_belongs_to_one_document_of_recmans(world: World) -> None:
    await world.hear_of("invoice", 5001, 5003)
    await world.settle()
    async with world.resources.engine.begin() as connection:
        query = "SELECT count(*), count(DISTINCT remote_id) FROM transfer WHERE scope = 'invoice'"
        assert tuple((await connection.exec_driver_sql(query)).one()) == (2, 2)
        message = "uq_transfer_remote"
        with pytest.raises(Exception, match=message):
            await connection.exec_driver_sql("UPDATE transfer SET remote_id = 1 WHERE scope = 'invoice'")


async def test_an_id_that_shows_another_customer_gets_no_invoice(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    customer = next(row for row in world.ledger.books().rows("Customer"))
    number = customer["CustomerNumber"]
    world.ledger.books().update("Customer", customer["ID"], {"CustomerNumber": 199_000})
    world.resources.kept(KnownBooks).recipients.clear()
    again = dict(world.recman.state.store.records["invoice"]["5001"]) | {
        "invoiceId": 5055,
        "invoiceNumber": "110055",
        "kid": "",
    }
    world.recman.state.store.records["invoice"]["5055"] = again
    await world.hear_of("invoice", 5055)
    await world.settle()
    assert await world.hold_of("5055") == ("held", ["customer_not_the_one"])
    # Both systems have the new number, and the customer is looked at again: it is the same one.
    company = world.recman.state.store.records["company"][str(again["companyId"])]
    company["companyNumber"] = "199000"
    assert number != 199_000
    await world.hear_of("company", str(again["companyId"]))
    await world.settle()
    row = await world.find_document("5055")
    assert row is not None
    await world.call("POST", f"/v1/transfers/{row['id']}/retry")
    await world.settle()
    assert (await world.hold_of("5055"))[0] == "done"
