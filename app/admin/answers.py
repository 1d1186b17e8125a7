"""What a company has answered to the questions that nobody can look up. The only owner of table `company_answer`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.answers import Answer, How, Question, assume, is_answer
from app.platform.db import Session
from app.tables import CompanyAnswer


async def load_answers(session: Session, *, tenant_id: UUID, company_key: str) -> Mapping[Question, Answer]:
    """Every question with what is known of the company, else with what is assumed.

    A question of a later release that was answered before a step back is passed over.
    """
    query = select(CompanyAnswer).where(CompanyAnswer.tenant_id == tenant_id, CompanyAnswer.company_key == company_key)
    known = {row.question: _to_answer(row) for row in await session.scalars(query) if row.question in set(Question)}
    return {question: known.get(question) or assume(question) for question in Question}


async def record_answer(session: Session, *, tenant_id: UUID, company_key: str, given: Answer) -> None:
    """Keep what was found out about the company; the newest answer counts.

    Raises:
        ValueError: the question cannot be answered so, or the answer is only assumed.
    """
    if not given.is_known or not is_answer(given.question, given.answer):
        raise ValueError(f"“{given.answer}” ({given.how}) is no answer to {given.question}")
    place = {"tenant_id": tenant_id, "company_key": company_key, "question": given.question}
    values: dict[str, Any] = {
        "answer": given.answer,
        "how": given.how,
        "evidence": dict(given.evidence),
        "answered_by": given.answered_by,
        "answered_at": func.now(),
    }
    query = upsert(CompanyAnswer).values(place | values)
    await session.execute(query.on_conflict_do_update(index_elements=list(place), set_=values))


def _to_answer(row: CompanyAnswer) -> Answer:
    return Answer(
        question=Question(row.question),
        answer=row.answer,
        how=How(row.how),
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        evidence=row.evidence,
    )
