"""What is known of a key's company where no documentation says it, and what is assumed; `golive` finds it out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from app.admin.answers import load_answers
from app.admin.keys import load_key
from app.api.doors import ViewerDoor
from app.api.pages import Page, to_whole
from app.api.views import View, problems
from app.domain.answers import UNKNOWNS, Answer, How, Question

router = APIRouter(prefix="/v1/keys", tags=["keys"])


class AnswerView(View):
    """One question about the books of a company, and what is taken for true of them."""

    question: Question
    asks: str
    answer: str = Field(examples=["kept"])
    ways: list[str] = Field(description="The answers that there can be; empty: a number of seconds")
    how: How = Field(description="tried by golive, stated by a person, or only assumed")
    answered_by: str
    answered_at: datetime | None
    evidence: dict[str, Any] = Field(description="The exchanges with Unimicro that show it, masked")


@router.get("/{key_id}/answers", responses=problems(_404="not_found"))
async def list_answers(door: ViewerDoor, key_id: UUID) -> Page[AnswerView, None]:
    """Every open question about the key's company, the assumed ones first."""
    key = await load_key(door.session, key_id)
    answers = await load_answers(door.session, tenant_id=key.tenant_id, company_key=key.company_key)
    return to_whole([_view(one) for one in sorted(answers.values(), key=lambda one: one.is_known)])


def _view(answer: Answer) -> AnswerView:
    unknown = UNKNOWNS[answer.question]
    return AnswerView(
        question=answer.question,
        asks=unknown.asks,
        answer=answer.answer,
        ways=list(unknown.ways),
        how=answer.how,
        answered_by=answer.answered_by,
        answered_at=answer.answered_at,
        evidence=dict(answer.evidence),
    )
