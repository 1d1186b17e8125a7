"""What a company has answered is kept for that company alone."""

import pytest

from app.admin.answers import load_answers, record_answer
from app.domain.answers import Answer, How, Question, Way, assume
from tests.world import World

TRIED = Answer(
    question=Question.KID_KEPT,
    answer=Way.KEPT,
    how=How.TRIED,
    answered_by="command line",
    evidence={"exchanges": [{"path": "api/biz/invoices"}]},
)


async def test_what_was_found_out_of_a_company_is_read_back_and_the_newest_counts(world: World) -> None:
    async with world.resources.sessions.begin() as session:
        await record_answer(session, tenant_id=world.tenant_id, company_key="one", given=TRIED)
        again = Answer(question=Question.KID_KEPT, answer=Way.MADE, how=How.STATED, answered_by="Kari")
        await record_answer(session, tenant_id=world.tenant_id, company_key="two", given=TRIED)
        await record_answer(session, tenant_id=world.tenant_id, company_key="two", given=again)
        one = await load_answers(session, tenant_id=world.tenant_id, company_key="one")
        two = await load_answers(session, tenant_id=world.tenant_id, company_key="two")
        other = await load_answers(session, tenant_id=world.tenant_id, company_key="three")
    assert set(one) == set(Question)
    assert (one[Question.KID_KEPT].answer, one[Question.KID_KEPT].evidence) == (Way.KEPT, TRIED.evidence)
    assert one[Question.KID_KEPT].answered_at is not None
    assert (two[Question.KID_KEPT].answer, two[Question.KID_KEPT].how, two[Question.KID_KEPT].evidence) == (
        Way.MADE,
        How.STATED,
        {},
    )
    assert other == {question: assume(question) for question in Question}


async def test_what_is_only_assumed_is_never_kept_as_an_answer(world: World) -> None:
    async with world.resources.sessions() as session:
        for given in (
            assume(Question.KID_KEPT),
            Answer(question=Question.KID_KEPT, answer=Way.SENT, how=How.TRIED),
        ):
            with pytest.raises(ValueError, match="no answer to kid_kept"):
                await record_answer(session, tenant_id=world.tenant_id, company_key="one", given=given)
