"""Stop 7 for customers, projects and departments: link what is there, make what is missing, update what differs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from app.accounting.targets import guid_for
from app.domain.policies import MatchedBy, NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteCustomer
from app.engine.lanes import check_fence
from app.errors import HoldError, RemoteError, WaitError
from app.platform.db import Session
from app.transfer.attempts import attempt
from app.transfer.books import Books
from app.transfer.claims import claim_sending
from app.transfer.context import Run
from app.transfer.linked import Known, Linked, find_linked
from app.transfer.log import (
    find_transfer,
    record_done,
    record_held,
    record_values,
    show_reasons,
)
from app.transfer.making import claim_names, release_names
from app.transfer.part import Part, customer_part, ensure_part, project_part, wake_part
from app.transfer.plan.steps import (
    CreateCustomer,
    CreateDepartment,
    CreateProject,
    Link,
    Step,
    UpdateCustomer,
    UpdateProject,
)
from app.transfer.run_update import find_customer_id, update_part
from app.transfer.writes import write_customer, write_department, write_project


@dataclass(frozen=True, slots=True)
class _Made:
    linked: Linked
    warnings: tuple[Reason, ...]


_KINDS = {"company": "customer", "project": "project", "department": "department"}


async def run_parts(run: Run, books: Books, steps: Sequence[Step]) -> None:
    """Do steps about customers and projects, one after the other.

    Raises:
        RemoteError, WaitError, HoldError, StaleLeaseError: see `attempt`.
    """
    known: Known = {}
    for step in steps:
        known = await run_part(run, books, step, known)


async def run_part(run: Run, books: Books, step: Step, known: Known) -> Known:
    """Do one step about a customer, project or department; what is known to be in Unimicro from then on.

    Raises:
        RemoteError, WaitError, HoldError, StaleLeaseError: see `attempt`.
    """
    match step:
        case Link():
            return await _link(run, books, step, known)
        case CreateCustomer():
            return await _create_customer(run, books, step, known)
        case CreateProject():
            return await _create_project(run, books, step, known)
        case CreateDepartment():
            return await _create_department(run, books, step, known)
        case UpdateCustomer() | UpdateProject():
            return await update_part(run, books, step, known)
        case _:
            raise TypeError(f"{step!r} is a step about documents")


async def _link(run: Run, books: Books, step: Link, known: Known) -> Known:
    part = Part(
        scope=step.scope,
        kind=_KINDS[step.scope],
        record_id=step.record_id,
        number=step.number,
        name=step.name,
        country=step.country,
    )
    transfer_id = await ensure_part(run, books, part)
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        claim = await claim_sending(session, transfer_id, run.lease, key_id=books.key.id, step="link")
        if claim is not None:
            await record_done(
                session,
                transfer_id,
                remote_id=step.remote_id,
                remote_number=step.remote_number,
                matched_by=step.matched_by,
                warnings=show_reasons(step.warnings),
            )
            await wake_part(run, session, part)
    if claim is not None:
        return {**known, (part.scope, part.record_id): Linked(step.remote_id, step.remote_number, step.name)}
    # Somebody else has linked or made it since the look; with what, the log says.
    linked = await find_linked(run, books, part.scope, part.record_id)
    return known if linked is None else {**known, (part.scope, part.record_id): linked}


async def _create_customer(run: Run, books: Books, step: CreateCustomer, known: Known) -> Known:
    customer = step.customer
    keeps_number = books.rules.customer_number is not NumberPolicy.LINKED
    part = replace(customer_part(customer), keeps_number=keeps_number)

    async def call(guid: str) -> _Made:
        made = await write_customer(books, customer, guid)
        return _Made(Linked(made.record.remote_id, made.record.number, customer.name), made.warnings)

    async def look() -> Sequence[RemoteCustomer]:
        found = await books.target.find_customers_like(customer)
        return [one for one in found if one.remote_id not in step.seen]

    return {**known, **await _create(run, books, part, call, look)}


async def _create_project(run: Run, books: Books, step: CreateProject, known: Known) -> Known:
    project = step.project
    part = project_part(project)
    customer_id = await find_customer_id(run, books, project, known)

    async def call(guid: str) -> _Made:
        made = await write_project(books, project, guid, customer_id=customer_id)
        return _Made(Linked(made.record.remote_id, made.record.number), made.warnings)

    made = await _create(run, books, part, call, lambda: books.target.find_projects(project.number))
    return {**known, **made}


async def _create_department(run: Run, books: Books, step: CreateDepartment, known: Known) -> Known:
    department = step.department
    part = Part(
        scope="department",
        kind="department",
        record_id=department.recman_department_id,
        number=department.number,
        name=department.name,
    )

    async def call(guid: str) -> _Made:
        made = await write_department(books, department, guid)
        return _Made(Linked(made.record.remote_id, made.record.number), made.warnings)

    made = await _create(run, books, part, call, lambda: books.target.find_departments(department.number))
    return {**known, **made}


_Call = Callable[[str], Awaitable[_Made]]
_Look = Callable[[], Awaitable[Sequence[object]]]


async def _create(run: Run, books: Books, part: Part, call: _Call, look: _Look) -> Known:
    transfer_id = await ensure_part(run, books, part)
    version, guid = await name_part_guid(run, books, part.scope, part.kind, part.record_id)
    await _require_alone(run, books, part, look)

    async def prepare(session: Session) -> None:
        await record_values(session, transfer_id, guid_version=version, guid_spent=False)

    async def settle(session: Session, made: _Made) -> None:
        await release_names(session, run.lease, key_id=books.key.id)
        linked = made.linked
        if part.keeps_number and linked.number != part.number:
            await record_held(session, transfer_id, (_other_number(part, linked.number),), remote_id=linked.remote_id)
            return
        await record_done(
            session,
            transfer_id,
            remote_id=linked.remote_id,
            remote_number=linked.number,
            content_hash=part.content_hash,
            matched_by=MatchedBy.MADE if part.scope == "company" else None,
            warnings=show_reasons(made.warnings),
        )
        await wake_part(run, session, part)

    try:
        made = await attempt(
            run, books, transfer_id, step="create", call=lambda: call(guid), settle=settle, prepare=prepare
        )
    except RemoteError:
        await _release_names(run, books)
        raise
    if part.keeps_number and made.linked.number != part.number:
        raise HoldError((_other_number(part, made.linked.number),))
    return {(part.scope, part.record_id): made.linked}


async def name_part_guid(run: Run, books: Books, scope: str, kind: str, record_id: str) -> tuple[int, str]:
    """The version and guid to make a part with: another one when what had this guid is surely gone.

    Sure is it once it was looked for by number after the lag: `Pasts.find` lets nobody come here earlier.
    """
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(books.key.id, scope, record_id))
    version = 1 if transfer is None else transfer.guid_version + transfer.guid_spent
    return version, guid_for(str(books.key.id), kind, record_id, str(version))


async def _require_alone(run: Run, books: Books, part: Part, look: _Look) -> None:
    """Make sure that nobody else made a record of this name since Unimicro was looked at, or makes one now.

    Raises:
        WaitError: somebody does, or did: look and plan again.
    """
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        is_new = await claim_names(
            session,
            run.lease,
            key_id=books.key.id,
            scope=part.scope,
            record_id=part.record_id,
            names=part.names,
            lag=run.read_lag_seconds,
        )
    if is_new or not await look():
        return
    await _release_names(run, books)
    cause = f"a {part.kind} like {part.name} was made in Unimicro just now"
    raise WaitError(cause, scope="", record_id="", seconds=0)


async def _release_names(run: Run, books: Books) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        await release_names(session, run.lease, key_id=books.key.id)


def _other_number(part: Part, number: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NUMBER_NOT_KEPT,
        cause=f"Unimicro gave customer {part.name} number {number} instead of RecMan's {part.number}",
        fix=fix_for(Code.CUSTOMER_NUMBER_NOT_KEPT, given=number, number=part.number),
    )
