"""Finding out how a company's books behave, in small steps that are taken back: the engine of `golive`.

A step's answers are stored as soon as they are known. What a step has made is noted before it is sent, so that a run
that was interrupted is cleaned up by the next one before anything else.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.accounting.connections import fetch_companies
from app.accounting.slots import slots_of
from app.accounting.trials import (
    TRIALS,
    Bench,
    Company,
    Ended,
    Thing,
    Trial,
    UntoldError,
    open_bench,
    show_exchanges,
    take_back,
)
from app.admin.access_tokens import fresh_token
from app.admin.answers import load_answers, record_answer
from app.admin.audit import Change, record_change
from app.admin.golive_lead import alone_in_company
from app.admin.key_check import tokens_of
from app.admin.keys import load_key
from app.admin.trials import TrialNotes, list_left_over, list_things
from app.domain.answers import Answer, How, Question, Way
from app.errors import (
    ConflictError,
    HoldError,
    NotFoundError,
    OutcomeUnknownError,
    RemoteError,
    RemoteRejectedError,
    ServiceError,
)
from app.platform.masks import mask
from app.platform.resources import Resources
from app.tables import Key

_YES_PRODUCTION = "--yes-production"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOrder:
    """What is to be tried; `only` names steps (empty: all that have something left to find out), `by` who asked."""

    by: str
    only: Collection[str] = ()
    again: bool = False
    yes_production: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What became of something that was made; `ended` None: it is still there, for the reason in `trouble`."""

    thing: Thing
    ended: Ended | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnd:
    """How a step ended: what it found out, or why it did not, and what became of all that it made.

    `stops`: Unimicro cannot be reached, or nobody is signed in; later steps would end alike.
    """

    name: str
    found: Mapping[Question, str]
    trouble: str = ""
    left: Sequence[Left] = ()
    stops: bool = False


def plan_trials(answers: Mapping[Question, Answer], order: TrialOrder) -> list[Trial]:
    """The steps to make, in their order: those named, else those that have something left to find out.

    Raises:
        NotFoundError: a step that was named is none.
    """
    unknown = sorted(set(order.only) - {one.name for one in TRIALS})
    if unknown:
        fix = f"The steps are: {', '.join(one.name for one in TRIALS)}."
        raise NotFoundError(f"There is no step “{unknown[0]}”", fix=fix)
    wanted = [one for one in TRIALS if not order.only or one.name in order.only]
    return [one for one in wanted if order.again or order.only or _has_open(one, answers)]


def _has_open(trial: Trial, answers: Mapping[Question, Answer]) -> bool:
    """Whether anything that the step finds out is still assumed.

    One of two that exclude each other is enough; a number that is not taken once is not taken twice.
    """
    if Question.NUMBER_TWICE in trial.answers:
        known = [answers[one] for one in (Question.NUMBER_POSTED, Question.PRESET_NUMBER) if answers[one].is_known]
        is_taken = any(one.answer == Way.TAKEN for one in known)
        return not known or (is_taken and not answers[Question.NUMBER_TWICE].is_known)
    return any(not answers[one].is_known for one in trial.answers)


async def look_at_company(resources: Resources, key: Key) -> Mapping[Question, Answer]:
    """What is known of the key's company; whether it is a test company is asked of Unimicro where nobody has said so.

    Raises:
        AuthExpiredError: an administrator must sign in again.
        RemoteError: Unimicro could not be asked.
    """
    resources = resources.of_tenant(key.tenant_id)
    async with resources.sessions() as session:
        answers = await load_answers(session, tenant_id=key.tenant_id, company_key=key.company_key)
    if answers[Question.TEST_COMPANY].is_known:
        return answers
    await fresh_token(resources, key.id, refused=None)
    async with resources.sessions() as session:
        key = await load_key(session, key.id)
    companies = await fetch_companies(resources.http, tokens_of(resources.vault, key))
    is_test = any(one.key == key.company_key and one.is_test for one in companies)
    # Only looked at, not stored: Unimicro says it again at any time.
    told = Answer(question=Question.TEST_COMPANY, answer=Way.YES if is_test else Way.NO, how=How.TRIED)
    return {**answers, Question.TEST_COMPANY: told}


def require_test_company(key: Key, answers: Mapping[Question, Answer], *, yes_production: bool) -> None:
    """Refuse to try things in books that somebody signs.

    Raises:
        ConflictError: it is no test company, and nobody said that it may be used all the same.
    """
    if answers[Question.TEST_COMPANY].answer == Way.YES or yes_production:
        return
    raise ConflictError(
        f"{key.company_name} is no test company: trials leave invoices, credit notes and vouchers in its books",
        fix="Use a key of a test company. If this is one, say so: `recman-unimicro golive answer --question "
        f"test_company --answer yes`. For the company itself ask its accountant, then add {_YES_PRODUCTION}.",
    )


async def run_trials(resources: Resources, key: Key, order: TrialOrder) -> AsyncIterator[TrialEnd]:
    """Each step's end as it comes; the first is of what an interrupted run has left, where there is such.

    Raises:
        ConflictError: it is no test company, or another run tries things in it right now.
        NotFoundError: a step that was named is none.
        RequestError: the company has nothing to try an invoice with.
        RemoteError: Unimicro could not be asked which companies there are.
    """
    answers = await look_at_company(resources, key)
    require_test_company(key, answers, yes_production=order.yes_production)
    trials = plan_trials(answers, order)
    notes = TrialNotes(sessions=resources.sessions, tenant_id=key.tenant_id, company_key=key.company_key)
    bench = _open(resources, key, notes, answers)
    async with alone_in_company(resources, key) as alone:
        async with resources.sessions() as session:
            leftover = await list_left_over(session, notes)
        if leftover:
            yield TrialEnd(name="clean", found={}, left=await _take_back(bench, notes, leftover))
        for trial in trials:
            await alone.require()
            end = await _carry(resources, key, bench, notes, trial, order)
            yield end
            if end.stops:
                return


def _open(resources: Resources, key: Key, notes: TrialNotes, answers: Mapping[Question, Answer]) -> Bench:
    async def token(refused: str | None) -> str:
        return await fresh_token(resources, key.id, refused=refused)

    company = Company(
        base_url=key.api_base,
        company_key=key.company_key,
        token=token,
        slot=lambda: slots_of(resources).hold(key.company_key),
    )
    today = datetime.now(UTC).date()
    return open_bench(resources.http, company, notebook=notes, today=today, answers=answers)


async def _carry(
    resources: Resources, key: Key, bench: Bench, notes: TrialNotes, trial: Trial, order: TrialOrder
) -> TrialEnd:
    notes.trial = trial.name
    bench.exchanges.clear()
    found: Mapping[Question, str] = {}
    trouble, stops = "", False
    try:
        found = await trial.carry(bench)
    except UntoldError as error:
        trouble = str(error)
    except RemoteError as error:
        trouble = f"{error.cause}. {error.fix}".strip()
        stops = not isinstance(error, RemoteRejectedError | OutcomeUnknownError)
    except HoldError as error:
        trouble = "; ".join(f"{gap.cause}. {gap.fix}" for gap in error.gaps)
    await _record(resources, key, bench, found, order)
    async with resources.sessions() as session:
        made = await list_things(session, notes, trial=trial.name)
    left = await _take_back(bench, notes, made)
    return TrialEnd(name=trial.name, found=found, trouble=trouble, left=left, stops=stops)


async def _record(
    resources: Resources, key: Key, bench: Bench, found: Mapping[Question, str], order: TrialOrder
) -> None:
    evidence = {"exchanges": mask(show_exchanges(bench.exchanges))}
    given = [
        Answer(question=question, answer=answer, how=How.TRIED, answered_by=order.by, evidence=evidence)
        for question, answer in found.items()
    ]
    for one in given:
        await keep_answer(resources, key, one)
    bench.answers = {**bench.answers, **{one.question: one for one in given}}


async def keep_answer(resources: Resources, key: Key, given: Answer) -> None:
    """Store an answer, with what was known before in the audit trail."""
    async with resources.sessions.begin() as session:
        before = await load_answers(session, tenant_id=key.tenant_id, company_key=key.company_key)
        await record_answer(session, tenant_id=key.tenant_id, company_key=key.company_key, given=given)
        await record_change(
            session,
            Change(
                actor=given.answered_by,
                action="company.answer",
                subject=f"key:{key.id}",
                tenant_id=key.tenant_id,
                before=_show(before[given.question]),
                after=_show(given),
            ),
        )


def _show(answer: Answer) -> dict[str, str]:
    return {"question": answer.question, "answer": answer.answer, "how": answer.how}


async def _take_back(bench: Bench, notes: TrialNotes, things: Sequence[Thing]) -> list[Left]:
    """The newest first: an invoice goes before the order that it was made of."""
    left = []
    for thing in reversed(things):
        try:
            ended = await take_back(bench, thing)
        except ServiceError as error:
            left.append(Left(thing=thing, trouble=error.cause))
            continue
        await notes.end(thing, ended)
        left.append(Left(thing=thing, ended=ended))
    return left


async def list_still_there(resources: Resources, key: Key) -> Sequence[Thing]:
    """What trials have left in the company and nobody could take back yet."""
    notes = TrialNotes(sessions=resources.sessions, tenant_id=key.tenant_id, company_key=key.company_key)
    async with resources.sessions() as session:
        return await list_things(session, notes)
