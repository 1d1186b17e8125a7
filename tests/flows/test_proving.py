"""A new key is proven: its documents go one at a time, each is compared, and the first difference stops it."""

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.money import dump_json
from tests.world import World
from tests.world.numbered import turn

KARI = {"name": "Kari Nordmann", "reason": "compared with the customers' copies"}


async def prove(world: World, **values: Any) -> None:
    """The world's key as it is when it is made, or otherwise."""
    columns = {"proof": "proving", "credits_proven": False, **values}
    told = ", ".join(f"{name} = :{name}" for name in columns)
    async with world.resources.engine.begin() as connection:
        await connection.execute(text(f"UPDATE key SET {told}"), columns)  # noqa: S608 - a test's own names


async def proof_of(world: World) -> dict[str, Any]:
    shown = (await world.get(f"/v1/keys/{world.key_id}"))["proof"]
    told: dict[str, Any] = shown
    return told


async def open_key(world: World) -> tuple[int, str]:
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/open", KARI)
    return answer.status_code, answer.json().get("code", "")


async def test_three_equal_documents_let_an_administrator_open_the_key(world: World) -> None:
    await prove(world)
    assert await proof_of(world) == {
        "state": "proving",
        "equal": 0,
        "wanted": 3,
        "missing": 3,
        "credits_proven": False,
        "under_way": None,
        "stopped": None,
        "opened": None,
    }
    await world.carry("invoice", 5001, 5002)
    assert await world.states(5001, 5002) == ["done", "done"]
    answer = await world.call("POST", f"/v1/keys/{world.key_id}/open", KARI)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_unproven")
    assert "2 of 3" in answer.json()["cause"]
    assert "1 missing" in answer.json()["cause"]
    await world.carry("invoice", 5003)
    assert (await proof_of(world))["missing"] == 0
    assert await open_key(world) == (200, "")
    shown = await proof_of(world)
    assert (shown["state"], shown["under_way"], shown["opened"]["name"]) == ("open", None, KARI["name"])
    assert await open_key(world) == (409, "key_is_open")
    trail = await world.get("/v1/audit")
    assert any(row["action"] == "key.open" for row in trail)


async def test_documents_of_a_key_that_is_proven_never_overlap(world: World) -> None:
    await prove(world)
    await world.hear_of("invoice", 5001, 5002, 5003)
    await world.settle_with(3)
    assert await world.states(5001, 5002, 5003) == ["done"] * 3
    writes = [call["path"] for call in await world.list_calls() if call["method"] == "POST"]
    made = [path for path in writes if "/invoices" in path]
    # Made and issued by turns: no second one is begun before the first one has its number.
    assert ["action" in path or path.count("/") > 3 for path in made] == [False, True] * 3, made


async def test_another_one_waits_while_one_is_under_way_and_says_so(world: World) -> None:
    await prove(world)
    await world.fault("hang", method="POST", path="/api/biz/invoices", query="action=invoice")
    await world.hear_of("invoice", 5001)
    await world.work_and_die()
    assert (await proof_of(world))["under_way"] == "5001"
    # Nobody works on it for an hour, and something of it is in Unimicro.
    await move_lane(world, "token = NULL, leased_until = NULL, state = 'ready', run_at = now() + interval '1 hour'")
    await world.hear_of("invoice", 5002)
    await world.work_off()
    waiting = await world.document(5002)
    assert (waiting["state"], [one["code"] for one in waiting["reasons"]]) == ("waiting", ["key_proving"])
    assert "5001 is under way" in waiting["reasons"][0]["cause"]
    await move_lane(world, "run_at = now()")
    await world.settle()
    assert await world.states(5001, 5002) == ["done", "done"]
    assert (await proof_of(world))["equal"] == 2


async def test_many_that_wait_go_one_after_the_other_though_each_end_wakes_one_alone(world: World) -> None:
    await prove(world)
    copies = [9500 + one for one in range(8)]
    for copy in copies:
        world.source.double("5001", copy, invoiceNumber=f"11{copy}")
    # One of them stops for a person, and the next one goes all the same.
    world.source.record(copies[3])["dueDate"] = "2020-01-01"
    await world.hear_of("invoice", *copies)
    await world.settle_with(3)
    states = await world.states(*copies)
    assert (states.count("done"), states[3]) == (7, "held")
    assert (await proof_of(world))["equal"] == 7
    assert await world.count("SELECT count(*) FROM lane WHERE waits_for IS NOT NULL") == 0


async def move_lane(world: World, change: str) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql(f"UPDATE lane SET {change} WHERE record_id = '5001'")  # noqa: S608 - ours


async def test_the_place_is_free_again_when_its_worker_died_before_anything_was_begun(world: World) -> None:
    await prove(world)
    async with world.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO proving (tenant_id, key_id, place, lane_token) VALUES (:t, :k, '5002', gen_random_uuid())"
            ),
            {"t": world.tenant_id, "k": world.key_id},
        )
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["done"]
    assert (await proof_of(world))["equal"] == 1


async def test_a_document_that_is_held_leaves_its_place_to_the_next(world: World) -> None:
    await prove(world)
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["held"]
    await world.carry("invoice", 5002)
    assert await world.states(5002) == ["done"]


@pytest.mark.parametrize("proof", ["proving", "open"])
async def test_another_number_than_recmans_stops_the_key_with_both_values(world: World, proof: str) -> None:
    # However well it is proven: the number is a fact of the company.
    await prove(world, booking="own_number", proof=proof, credits_proven=True)
    turn(world, number_posted="draft_only")
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], [one["code"] for one in row["reasons"]]) == ("held", ["issued_otherwise"])
    assert row["remote_number"]
    shown = await proof_of(world)
    assert shown["state"] == "stopped"
    for value in (row["number"], row["remote_number"]):
        assert value in shown["stopped"]["cause"]
    # Nothing more goes, and whoever waits is told why.
    await world.hear_of("invoice", 5002)
    await world.stall()
    waiting = await world.document(5002)
    assert (waiting["state"], [one["code"] for one in waiting["reasons"]]) == ("waiting", ["key_stopped"])
    assert len(await world.invoices()) == 1


async def test_who_lets_a_stopped_key_go_on_ends_its_alarms_and_what_waits_goes(world: World) -> None:
    await prove(world, kid_acceptance=None, proof="open", credits_proven=True)
    world.source.record("5001")["kid"] = ""
    await world.carry("invoice", 5001)
    assert "nobody has accepted that Unimicro makes one" in (await proof_of(world))["stopped"]["cause"]
    await world.hear_of("invoice", 5002)
    await world.stall()
    # It was never proven, so it is proven now.
    assert await open_key(world) == (200, "")
    await world.settle()
    assert await world.states(5001, 5002) == ["done", "done"]
    # What was accepted stays to be seen, and is no alarm again.
    assert "issued_otherwise" in [one["code"] for one in (await world.document(5001))["warnings"]]
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.states(5001) == ["done"]
    shown = await proof_of(world)
    assert (shown["state"], shown["opened"]["by"] != "", shown["equal"]) == ("proving", True, 1)


async def test_an_alarm_stays_until_the_document_stands_as_the_customer_has_it(world: World) -> None:
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    books = world.ledger.books()
    due = books.tables["CustomerInvoice"][row["remote_id"]]["PaymentDueDate"]
    alarm = {"code": "issued_otherwise", "cause": "The due date was moved", "fix": "See"}
    async with world.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE transfer SET state = 'held', reasons = jsonb_build_array(CAST(:one AS jsonb)) WHERE id = :id"),
            {"one": dump_json(alarm), "id": row["id"]},
        )
    books.update("CustomerInvoice", row["remote_id"], {"PaymentDueDate": "2027-01-01"})
    # Neither RecMan's repeat nor a person's look ends it.
    for ask in (world.hear_of("invoice", 5001), world.retry(row)):
        await ask
        await world.settle()
        held = await world.document(5001)
        assert (held["state"], "2027-01-01" in held["reasons"][0]["cause"]) == ("held", True)
    books.update("CustomerInvoice", row["remote_id"], {"PaymentDueDate": due})
    await world.retry(held)
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_a_kid_that_unimicro_makes_is_none_of_the_documents_where_that_is_accepted(world: World) -> None:
    await prove(world)
    world.source.record("5001")["kid"] = ""
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["done"]
    assert (await proof_of(world))["equal"] == 1


async def test_the_first_credit_note_of_an_open_key_is_proven_too(world: World) -> None:
    await prove(world, proof="open")
    await world.carry("invoice", 5003, 5008)
    assert await world.states(5003, 5008) == ["done", "done"]
    shown = await proof_of(world)
    assert (shown["state"], shown["equal"], shown["credits_proven"]) == ("open", 1, True)


async def test_orders_and_drafts_are_proven_when_they_are_made(world: World) -> None:
    for booking in ("order", "draft"):
        await prove(world, booking=booking, sender="unimicro")
        await world.carry("invoice", {"order": 5001, "draft": 5002}[booking])
        assert (await proof_of(world))["equal"] == {"order": 1, "draft": 2}[booking]


async def test_another_booking_is_proven_from_the_beginning(world: World) -> None:
    await prove(world)
    await world.carry("invoice", 5001, 5002, 5003)
    assert await open_key(world) == (200, "")
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"sender": "unimicro", "booking": "order"})
    proof = answer.json()["proof"]
    assert (proof["state"], proof["equal"], proof["credits_proven"]) == ("proving", 0, False)
