"""Who sends the invoices is asked when a key is made, never assumed; what that needs is asked with it."""

from typing import Any

import pytest
from sqlalchemy import text

from app.domain.answers import Question, Way
from tests.world import GO_LIVE, RENUMBERED, World
from tests.world.bookings import answer
from tests.world.numbered import turn

ACCEPTANCE = RENUMBERED["acceptance"]


async def order_key(world: World, **more: Any) -> dict[str, Any]:
    """What an administrator sends who has signed in to the world's company, without a word about who sends."""
    signed_in = await world.office.sign_in(world.tenant_id)
    order = {"pending_id": signed_in["pending_id"], "company_key": signed_in["companies"][0]["key"], "name": "Second"}
    return {**order, "go_live": GO_LIVE, "departments": [], **more}


@pytest.mark.parametrize(
    ("said", "status", "code", "told"),
    [
        ({}, 422, "sender_missing", "recman"),
        ({"booking": "renumbered", "acceptance": ACCEPTANCE}, 422, "sender_missing", "unimicro"),
        ({"sender": "recman"}, 422, "sender_missing", "`order`"),
        ({"sender": "recman", "booking": "order"}, 422, "booking_unfit", "series, voucher, own_number, renumbered"),
        ({"sender": "unimicro", "booking": "voucher"}, 422, "booking_unfit", "order, draft"),
        ({"sender": "recman", "booking": "renumbered"}, 409, "renumbered_unaccepted", "acceptance"),
        ({"sender": "recman", "booking": "voucher"}, 409, "booking_unproven", "golive"),
        ({"sender": "recman", "booking": "own_number"}, 409, "booking_unproven", "golive"),
        ({"sender": "recman", "booking": "by_hand"}, 422, "bad_request", ""),
    ],
)
async def test_question_must_be_answered_and_the_refusal_explains_it(
    world: World, said: dict[str, Any], status: int, code: str, told: str
) -> None:
    made = await world.call("POST", "/v1/keys", await order_key(world, **said))
    assert (made.status_code, made.json()["code"]) == (status, code)
    assert told in made.json()["fix"]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({}, 422, "sender_missing"),
        ({"sender": "recman"}, 422, "sender_missing"),
        ({"sender": "recman", "booking": "renumbered", "acceptance": ACCEPTANCE}, 422, "booking_unfit"),
        ({"sender": "recman", "booking": "series"}, 422, "booking_unfit"),
        ({"sender": "recman", "booking": "own_number"}, 422, "booking_unfit"),
        ({"sender": "recman", "booking": "order"}, 422, "booking_unfit"),
        ({"sender": "unimicro", "booking": "draft"}, 422, "booking_unfit"),
        ({"sender": "unimicro", "booking": "voucher"}, 422, "booking_unfit"),
    ],
)
async def test_a_key_for_files_is_asked_too_and_has_one_booking_for_each_sender(
    world: World, said: dict[str, Any], status: int, code: str
) -> None:
    made = await world.call("POST", "/v1/keys", await order_key(world, mode="file", **said))
    assert (made.status_code, made.json()["code"]) == (status, code)
    assert "`sender` recman with `booking` voucher" in made.json()["fix"]
    assert "`sender` unimicro with `booking` order" in made.json()["fix"]


async def test_a_key_for_files_needs_no_trial_until_it_is_to_send_itself(world: World) -> None:
    said = {"mode": "file", "sender": "recman", "booking": "voucher"}
    made = await world.call("POST", "/v1/keys", await order_key(world, **said))
    assert (made.status_code, made.json()["booking"]) == (201, "voucher")
    # Once it is to send, it is as if it were made now.
    path = f"/v1/keys/{made.json()['id']}"
    assert (await world.call("PATCH", path, {"mode": "full"})).json()["code"] == "booking_unproven"
    answered = await world.call("PATCH", path, {"mode": "full", "sender": "unimicro", "booking": "order"})
    assert (answered.status_code, answered.json()["sender"]) == (200, "unimicro")


async def test_what_is_accepted_is_kept_with_who_said_it_and_when(world: World) -> None:
    made = await world.call("POST", "/v1/keys", await order_key(world, **RENUMBERED))
    key = made.json()
    assert (key["sender"], key["booking"], key["proof"]["state"]) == ("recman", "renumbered", "proving")
    assert key["acceptance"]["name"] == ACCEPTANCE["name"]
    assert key["acceptance"]["day"] == GO_LIVE
    assert key["acceptance"]["by"].endswith("bootstrap")
    assert key["kid_acceptance"]["at"]
    (row, *_) = await world.get("/v1/audit")
    assert row["after"]["acceptance"]["reason"] == ACCEPTANCE["reason"]


async def test_a_company_that_golive_has_proven_may_book_so(world: World) -> None:
    path = f"/v1/keys/{world.key_id}"
    assert (await world.call("PATCH", path, {"booking": "own_number"})).json()["code"] == "booking_unproven"
    await answer(world, Question.NUMBER_POSTED, Way.TAKEN)
    refused = (await world.call("PATCH", path, {"booking": "own_number"})).json()
    assert "kid_kept" in refused["cause"]
    assert "number_posted" not in refused["cause"]
    await answer(world, Question.KID_KEPT, Way.KEPT)
    await answer(world, Question.NUMBER_TWICE, Way.TAKEN)
    refused = (await world.call("PATCH", path, {"booking": "own_number"})).json()
    assert (refused["code"], "number_twice: taken" in refused["cause"]) == ("booking_unproven", True)
    await answer(world, Question.NUMBER_TWICE, Way.REFUSED)
    changed = await world.call("PATCH", path, {"booking": "own_number"})
    assert (changed.status_code, changed.json()["proof"]["state"]) == (200, "proving")


async def test_an_older_key_holds_its_documents_until_somebody_answers(world: World) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET sender = NULL, acceptance = NULL"))
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["renumbered_unaccepted"])
    assert world.ledger.list_drafts() == []
    # A new name is no answer, and needs none.
    path = f"/v1/keys/{world.key_id}"
    assert (await world.call("PATCH", path, {"name": "Nord"})).status_code == 200
    assert (await world.call("PATCH", path, {"booking": "renumbered"})).json()["code"] == "sender_missing"
    answered = await world.call("PATCH", path, {"acceptance": ACCEPTANCE})
    assert (answered.status_code, answered.json()["sender"]) == (200, "recman")
    await world.settle()
    assert await world.states(5001) == ["done"]


async def test_what_unimicro_has_issued_already_is_recorded_though_nobody_has_answered(world: World) -> None:
    await world.fault("lose_answer", method="POST", path="/api/biz/invoices", query="action=invoice")
    await world.fault("error_before", method="GET", path="/api/biz/invoices", status=500, times=2)
    await world.hear_of("invoice", 5001)
    await world.work_until(5001, "unknown")
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET sender = NULL, acceptance = NULL"))
    await world.settle()
    assert await world.states(5001) == ["done"]
    assert len(await world.invoices()) == 1


@pytest.mark.parametrize(("booking", "is_quiet"), [("renumbered", True), ("own_number", False), ("draft", False)])
async def test_nobody_is_reminded_of_a_number_that_no_customer_has(
    world: World, booking: str, *, is_quiet: bool
) -> None:
    async with world.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE key SET booking = :booking"), {"booking": booking})
    turn(world, number_posted="taken")
    await world.carry("invoice", 5001)
    (row,) = world.ledger.books().rows("CustomerInvoice")
    assert (bool(row["DontSendReminders"]), bool(row["DontUseFactoring"])) == (is_quiet, is_quiet)


async def test_documents_under_way_keep_their_booking_and_new_ones_take_the_new_one(world: World) -> None:
    await world.fault("lose_answer", method="POST", path="/api/biz/invoices", query="")
    await world.hear_of("invoice", 5001)
    await world.work_until(5001, "unknown")
    await world.office.change_key(booking="draft")
    await world.carry("invoice", 5001, 5002)
    shown = {one["ExternalReference"]: one.get("InvoiceNumber") for one in await world.invoices()}
    assert shown["RM-5001"]
    assert not shown["RM-5002"]
