"""`recman-unimicro golive`: find out, in small steps, how a company's books behave where no documentation says it."""

import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from app.accounting.trials import Ended, Thing, Trial
from app.admin.golive import (
    Left,
    TrialEnd,
    TrialOrder,
    keep_answer,
    list_still_there,
    look_at_company,
    plan_trials,
    require_test_company,
    run_trials,
)
from app.cli.options import KeyNameOption, TenantNameOption
from app.cli.show import console
from app.cli.start import run_on_database
from app.cli.upkeep import load_named_key
from app.domain.answers import UNKNOWNS, Answer, How, Question, is_answer
from app.errors import RequestError
from app.platform.db import translate_away
from app.platform.logger import log_fields
from app.platform.resources import Resources, open_resources
from app.settings import Settings
from app.tables import Key

StepsOption = Annotated[list[str] | None, typer.Option("--only", help="This step alone; may be given again.")]
AgainOption = Annotated[bool, typer.Option("--again", help="Also steps that have nothing left to find out.")]
ProductionOption = Annotated[
    bool, typer.Option("--yes-production", help="In a company that is no test company: its accountant agrees.")
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")]
ByOption = Annotated[str, typer.Option("--by", help="Who is asking; kept with the answers.")]
QuestionOption = Annotated[Question, typer.Option(help="The question, as `golive status` names it.")]
AnswerOption = Annotated[str, typer.Option(help="The answer, as `golive status` lists them.")]
ReasonOption = Annotated[str, typer.Option(help="How you know: kept with the answer.")]

_COMMAND_LINE = "command line"
_GONE = {Ended.NEVER_MADE: "was not made", Ended.DELETED: "deleted", Ended.CREDITED: "credited"}
_GONE |= {Ended.TURNED_BACK: "turned back"}
_GONE |= {Ended.CLOSED: "closed, it cannot be deleted", Ended.STAYS: "stays: Unimicro does not let it go"}


@dataclass(frozen=True, slots=True)
class Opening:
    """How a command comes to its settings and its database."""

    load_settings: Callable[[], Settings]
    open_database: Callable[[Settings], AbstractContextManager[str]]


def create_golive_cli(
    load_settings: Callable[[], Settings], open_database: Callable[[Settings], AbstractContextManager[str]]
) -> typer.Typer:
    """The commands below `golive`."""
    made = typer.Typer(no_args_is_help=True, help="Find out how a company's books behave, before it goes live.")
    opening = Opening(load_settings, open_database)
    _add_run(made, opening)
    _add_status(made, opening)
    _add_answer(made, opening)
    return made


def _add_run(made: typer.Typer, opening: Opening) -> None:
    @made.command()
    def run(  # noqa: PLR0913 - one option each
        *,
        key: KeyNameOption,
        tenant: TenantNameOption = None,
        only: StepsOption = None,
        again: AgainOption = False,
        yes_production: ProductionOption = False,
        dry_run: DryOption = False,
        by: ByOption = _COMMAND_LINE,
    ) -> None:
        """Show the plan, then make its steps; what they make is taken back. Ends with 1 when anything is left open."""
        order = TrialOrder(by=by, only=tuple(only or ()), again=again, yes_production=yes_production)
        settings = opening.load_settings()
        with opening.open_database(settings) as url:
            work = _run(settings, url, key=key, tenant=tenant, order=order, dry_run=dry_run)
            ends = run_on_database(settings, url, work)
        troubled = [end for end in ends if end.trouble or any(left.ended is None for left in end.left)]
        sys.exit(1 if troubled else 0)


async def _run(
    settings: Settings, url: str, *, key: str, tenant: str | None, order: TrialOrder, dry_run: bool
) -> list[TrialEnd]:
    async with _open_key(settings, url, key=key, tenant=tenant) as (resources, found):
        answers = await look_at_company(resources, found)
        trials = plan_trials(answers, order)
        _show_plan(found, trials, answers)
        if dry_run:
            return []
        require_test_company(found, answers, yes_production=order.yes_production)
        ends = []
        async for end in run_trials(resources, found, order):
            _tell_end(end)
            ends.append(end)
        _tell_still_there(await list_still_there(resources, found))
        return ends


def _add_status(made: typer.Typer, opening: Opening) -> None:
    @made.command()
    def status(*, key: KeyNameOption, tenant: TenantNameOption = None) -> None:
        """What is known of the key's company, and what is still assumed. Writes nothing."""
        settings = opening.load_settings()
        with opening.open_database(settings) as url:
            run_on_database(settings, url, _show_status(settings, url, key=key, tenant=tenant))


async def _show_status(settings: Settings, url: str, *, key: str, tenant: str | None) -> None:
    async with _open_key(settings, url, key=key, tenant=tenant) as (resources, found):
        answers = await look_at_company(resources, found)
        _show_answers(found, answers)
        _tell_still_there(await list_still_there(resources, found))


def _add_answer(made: typer.Typer, opening: Opening) -> None:
    @made.command()
    def answer(
        *,
        key: KeyNameOption,
        question: QuestionOption,
        answer: AnswerOption,
        reason: ReasonOption,
        by: ByOption,
        tenant: TenantNameOption = None,
    ) -> None:
        """Say what somebody knows of a company. It replaces an assumption, and proves nothing for a booking."""
        given = Answer(question=question, answer=answer, how=How.STATED, answered_by=by, evidence={"reason": reason})
        if not is_answer(question, answer):
            ways = UNKNOWNS[question].ways
            fix = f"It can be: {', '.join(ways)}." if ways else "It is a number of seconds, such as 0.5."
            raise RequestError(f"“{answer}” is no answer to {question}", fix=fix)
        settings = opening.load_settings()
        with opening.open_database(settings) as url:
            run_on_database(settings, url, _keep(settings, url, key=key, tenant=tenant, given=given))
        console.print(f"{question}: {answer}, as {by} says.", markup=False)


async def _keep(settings: Settings, url: str, *, key: str, tenant: str | None, given: Answer) -> None:
    async with _open_key(settings, url, key=key, tenant=tenant) as (resources, found):
        await keep_answer(resources, found, given)


@asynccontextmanager
async def _open_key(
    settings: Settings, url: str, *, key: str, tenant: str | None
) -> AsyncIterator[tuple[Resources, Key]]:
    opened = open_resources(settings, database_url=url)
    async with translate_away(), opened as resources:
        async with resources.sessions() as session:
            found = await load_named_key(session, key=key, tenant=tenant)
        with log_fields(tenant=str(found.tenant_id)):
            yield resources.of_tenant(found.tenant_id), found


def _show_plan(key: Key, trials: list[Trial], answers: Mapping[Question, Answer]) -> None:
    if not trials:
        console.print("Every step has found out what it can; --again makes them once more.")
        return
    is_test = answers[Question.TEST_COMPANY].answer
    console.print(f"{len(trials)} steps in {key.company_name} (test company: {is_test}):", markup=False)
    table = Table("step", "does", "finds out", "leaves", box=None, pad_edge=False)
    for one in trials:
        table.add_row(one.name, one.does, ", ".join(one.answers), one.leaves)
    console.print(table)


def _tell_end(end: TrialEnd) -> None:
    told = ", ".join(f"{question} = {answer}" for question, answer in end.found.items())
    mark = "[yellow]?   [/]" if end.trouble else "[green]ok  [/]"
    shown = end.trouble or told or "what an interrupted run has left is taken back"
    console.print(f"{mark} {end.name}: {escape(shown)}", highlight=False, soft_wrap=True)
    for left in end.left:
        console.print(f"     {_show_left(left)}", markup=False, highlight=False, soft_wrap=True)


def _show_left(left: Left) -> str:
    what = f"{left.thing.what} {left.thing.reference} (id {left.thing.remote_id or 'not known'})"
    if left.ended is None:
        return f"{what} is still there: {left.trouble}. The next run tries again."
    return f"{what}: {_GONE[left.ended]}"


def _tell_still_there(things: Sequence[Thing]) -> None:
    for one in things:
        told = f"In Unimicro stays: {one.what} {one.reference}, {one.route} id {one.remote_id or 'not known'}"
        console.print(told, markup=False, highlight=False, soft_wrap=True)


def _show_answers(key: Key, answers: Mapping[Question, Answer]) -> None:
    console.print(f"{key.company_name} ({key.company_key})", markup=False, highlight=False)
    table = Table("question", "answer", "how", "who, when", "asks", box=None, pad_edge=False)
    for one in sorted(answers.values(), key=lambda one: one.is_known):
        when = "" if one.answered_at is None else f", {one.answered_at:%Y-%m-%d %H:%M}"
        ways = ", ".join(UNKNOWNS[one.question].ways) or "seconds"
        table.add_row(
            one.question, one.answer, one.how, f"{one.answered_by}{when}", f"{UNKNOWNS[one.question].asks} ({ways})"
        )
    console.print(table)
    assumed = sum(not one.is_known for one in answers.values())
    console.print(f"{assumed} of {len(answers)} are still assumed.")
