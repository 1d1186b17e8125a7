"""What a company has answered decides what is done in it, in place of what is assumed."""

from typing import Any

import pytest

from app.admin.answers import load_answers, record_answer
from app.domain.answers import Answer, How, Question, Way, lag_of
from app.sandbox.unimicro.switches import RateAnswer
from app.transfer.books import KnownBooks
from tests.world import World
from tests.world.names import COMPANY


async def know(world: World, question: Question, answer: str) -> None:
    """Somebody has found it out of the key's company."""
    key = (await world.get("/v1/keys"))[0]["company_key"]
    given = Answer(question=question, answer=answer, how=How.TRIED, answered_by="Kari Nordmann")
    async with world.resources.sessions.begin() as session:
        await record_answer(session, tenant_id=world.tenant_id, company_key=key, given=given)
    world.resources.kept(KnownBooks).references.clear()


@pytest.mark.parametrize(
    ("answer", "outcome", "customers"),
    [(Way.TAKEN, ("done", []), 1), (Way.IGNORED, ("held", ["customer_number_not_taken"]), 0)],
)
async def test_no_customer_is_made_with_a_number_that_the_company_does_not_take(
    world: World, answer: Way, outcome: Any, customers: int
) -> None:
    await know(world, Question.CUSTOMER_NUMBER_ACCEPTED, answer)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == outcome
    assert len(world.ledger.books().rows("Customer")) == customers


async def test_customer_goes_on_when_the_rules_let_unimicro_number_it(world: World) -> None:
    await know(world, Question.CUSTOMER_NUMBER_ACCEPTED, Way.REFUSED)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["customer_number_not_taken"])
    await world.office.put_rules({"customer_number": "linked"})
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])


@pytest.mark.parametrize(("answer", "state"), [(Way.PER_FACTOR, "held"), (Way.PER_UNIT, "done")])
async def test_rate_is_read_as_the_company_was_seen_to_tell_it(world: World, answer: Way, state: str) -> None:
    books = world.ledger.books(COMPANY)
    books.switches = books.switches.turned({"rate_answer": RateAnswer.DIVIDED.value})
    await know(world, Question.RATE_FACTOR, answer)
    world.source.record(5001).update(currency="SEK")
    await world.carry("invoice", 5001)
    assert (await world.document(5001))["state"] == state, (await world.document(5001))["reasons"]


async def test_door_tells_what_is_known_and_what_is_assumed(world: World) -> None:
    await know(world, Question.KID_KEPT, Way.KEPT)
    told = await world.get(f"/v1/keys/{world.key_id}/answers")
    assert {one["question"] for one in told} == set(Question)
    (known,) = [one for one in told if one["how"] != "assumed"]
    assert (known["question"], known["answer"], known["answered_by"]) == ("kid_kept", "kept", "Kari Nordmann")
    assert known["ways"] == ["kept", "made", "empty"]


async def test_an_empty_look_is_believed_after_twice_the_lag_that_was_measured(world: World) -> None:
    async with world.resources.sessions() as session:
        answers = await load_answers(session, tenant_id=world.tenant_id, company_key="any")
    assert lag_of(answers, 5) == 5
    measured = Answer(question=Question.SEARCH_LAG, answer="4.5", how=How.TRIED)
    assert lag_of({**answers, Question.SEARCH_LAG: measured}, 5) == 9
    assert lag_of({}, 5) == 5
