"""Who sends, and how: asked when a key is made or changed, and never assumed."""

from typing import Any

import pytest

from app.domain.booking import BOOKINGS, Booking, Sender
from tests.world import GO_LIVE, OTHER, World

RENUMBERED = {"sender": "recman", "booking": "renumbered"}


async def make(world: World, **said: Any) -> tuple[int, dict[str, Any]]:
    """What is answered to a key's order that says this about its documents, with a sign-in of its own."""
    signed_in = await world.office.sign_in(world.tenant_id)
    company_key = next(one["key"] for one in signed_in["companies"] if one["name"] == OTHER)
    order = {"pending_id": signed_in["pending_id"], "company_key": company_key, "name": "Asked", "go_live": GO_LIVE}
    answer = await world.call("POST", "/v1/keys", {**order, "departments": [], **said})
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


@pytest.mark.parametrize("said", [{}, {"sender": "recman"}, {"sender": "unimicro"}, {"booking": "series"}], ids=str)
async def test_key_without_both_answers_is_refused_and_the_question_is_explained(
    world: World, said: dict[str, str]
) -> None:
    status, told = await make(world, **said)
    assert (status, told["code"]) == (422, "sender_missing")
    assert all(word in told["fix"] for word in ("`sender`", "`booking`", *Booking, *Sender))
    assert len(await world.get("/v1/keys")) == 1


@pytest.mark.parametrize("booking", Booking)
async def test_booking_that_the_other_side_sends_is_refused_with_those_that_fit(world: World, booking: Booking) -> None:
    wrong = next(sender for sender in Sender if booking not in BOOKINGS[sender])
    status, told = await make(world, sender=wrong, booking=booking)
    assert (status, told["code"]) == (422, "booking_unfit")
    assert all(fitting in told["fix"] for fitting in BOOKINGS[wrong])
    change = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"sender": wrong, "booking": booking})
    assert (change.status_code, change.json()["code"]) == (422, "booking_unfit")


async def test_other_numbers_than_the_customers_need_an_accountants_word(world: World) -> None:
    status, told = await make(world, **RENUMBERED)
    assert (status, told["code"]) == (409, "renumbered_unaccepted")
    assert "acceptance" in told["fix"]
    word = {"name": "Anne Regnskap", "reason": "the cross-list is kept", "day": GO_LIVE}
    for name in word:
        assert (await make(world, **RENUMBERED, acceptance={**word, name: ""}))[0] == 422
    status, key = await make(world, **RENUMBERED, acceptance=word)
    assert status == 201
    assert {name: key["acceptance"][name] for name in word} == word
    assert key["acceptance"]["by"]
    created = next(row for row in await world.get("/v1/audit") if row["action"] == "key.create")
    assert created["after"]["acceptance"]["name"] == "Anne Regnskap"


async def test_a_key_that_becomes_renumbered_needs_that_word_too(world: World) -> None:
    status, key = await make(world, sender="unimicro", booking="draft")
    assert status == 201
    answer = await world.call("PATCH", f"/v1/keys/{key['id']}", RENUMBERED)
    assert (answer.status_code, answer.json()["code"]) == (409, "renumbered_unaccepted")
    assert (await world.get(f"/v1/keys/{key['id']}"))["booking"] == "draft"


async def test_key_for_files_is_asked_nothing(world: World) -> None:
    status, key = await make(world, mode="file")
    assert (status, key["sender"]) == (201, None)
    answer = await world.call("PATCH", f"/v1/keys/{key['id']}", {"mode": "full"})
    assert (answer.status_code, answer.json()["code"]) == (422, "sender_missing")
