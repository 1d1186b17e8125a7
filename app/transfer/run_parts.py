"""Stop 7 for customers, projects and departments: link what is there, make what is missing, update what differs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func

from app.accounting.targets import Change, guid_for
from app.domain.dimensions import Project
from app.domain.org_numbers import parse_org_number
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteCustomer
from app.engine.lanes import check_fence, wake_waiting
from app.errors import HoldError, RemoteError, WaitError
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.attempts import attempt
from app.transfer.books import Books
from app.transfer.claims import claim_sending
from app.transfer.context import Run
from app.transfer.log import find_transfer, record_done, record_held, record_transfer, record_values, show_reasons
from app.transfer.making import claim_names, release_names
from app.transfer.plan.document import hash_customer
from app.transfer.plan.steps import (
    CreateCustomer,
    CreateDepartment,
    CreateProject,
    Link,
    Step,
    UpdateCustomer,
    UpdateProject,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    scope: str
    kind: str
    record_id: str
    number: str
    name: str
    content_hash: bytes | None = None
    keeps_number: bool = False
    org_number: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What no other record of the kind may have while this one is made."""
        names = {f"{self.kind} number": self.number, "organisation number": self.org_number}
        return tuple(f"{what} {name}" for what, name in names.items() if name)


@dataclass(frozen=True, slots=True)
class _Made:
    remote_id: int
    number: str
    warnings: tuple[Reason, ...]


def _customer_part(customer: Customer) -> _Part:
    return _Part(
        scope="company",
        kind="customer",
        record_id=customer.recman_company_id,
        number=customer.number,
        name=customer.name,
        content_hash=hash_customer(customer),
        org_number=parse_org_number(customer.org_number, country_code=customer.invoice_address.country_code).digits,
    )


def _project_part(project: Project) -> _Part:
    return _Part(
        scope="project",
        kind="project",
        record_id=project.recman_project_id,
        number=project.number,
        name=project.name,
    )


_KINDS = {"company": "customer", "project": "project", "department": "department"}


async def run_part(run: Run, books: Books, step: Step) -> None:
    """Do one step about a customer, project or department.

    Raises:
        RemoteError, WaitError, HoldError, StaleLeaseError: see `attempt`.
    """
    match step:
        case Link():
            await _link(run, books, step)
        case CreateCustomer():
            await _create_customer(run, books, step)
        case CreateProject():
            await _create_project(run, books, step)
        case CreateDepartment():
            await _create_department(run, books, step)
        case UpdateCustomer() | UpdateProject():
            await _update(run, books, step)
        case _:
            raise TypeError(f"{step!r} is a step about documents")


async def _link(run: Run, books: Books, step: Link) -> None:
    part = _Part(
        scope=step.scope, kind=_KINDS[step.scope], record_id=step.record_id, number=step.number, name=step.name
    )
    transfer_id = await _ensure(run, books, part)
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        if await claim_sending(session, transfer_id, run.lease, key_id=books.key.id, step="link") is None:
            return
        await record_done(session, transfer_id, remote_id=step.remote_id, remote_number=step.remote_number)
        await _wake(run, session, part)


async def _create_customer(run: Run, books: Books, step: CreateCustomer) -> None:
    customer = step.customer
    keeps_number = books.rules.customer_number is not NumberPolicy.LINKED
    part = replace(_customer_part(customer), keeps_number=keeps_number)

    async def call(guid: str) -> _Made:
        made = await books.target.create_customer(
            customer,
            guid=guid,
            send_number=books.send_customer_number,
            currencies=books.reference.currencies,
        )
        return _Made(made.record.remote_id, made.record.number, made.warnings)

    async def look() -> Sequence[RemoteCustomer]:
        org_number = customer.org_number or None
        found = await books.target.find_customers(number=customer.number, org_number=org_number)
        return [one for one in found if one.remote_id not in step.seen]

    await _create(run, books, part, call, look)


async def _create_project(run: Run, books: Books, step: CreateProject) -> None:
    project = step.project
    part = _project_part(project)
    customer_id = await find_remote_id(run, books, "company", project.recman_company_id)

    async def call(guid: str) -> _Made:
        made = await books.target.create_project(project, guid=guid, customer_id=customer_id)
        return _Made(made.record.remote_id, made.record.number, made.warnings)

    await _create(run, books, part, call, lambda: books.target.find_projects(project.number))


async def _create_department(run: Run, books: Books, step: CreateDepartment) -> None:
    department = step.department
    part = _Part(
        scope="department",
        kind="department",
        record_id=department.recman_department_id,
        number=department.number,
        name=department.name,
    )

    async def call(guid: str) -> _Made:
        made = await books.target.create_department(department, guid=guid)
        return _Made(made.record.remote_id, made.record.number, made.warnings)

    await _create(run, books, part, call, lambda: books.target.find_departments(department.number))


_Call = Callable[[str], Awaitable[_Made]]
_Look = Callable[[], Awaitable[Sequence[object]]]


async def _create(run: Run, books: Books, part: _Part, call: _Call, look: _Look) -> None:
    transfer_id = await _ensure(run, books, part)
    version, guid = await _name_guid(run, books, part)
    await _require_alone(run, books, part, look)

    async def prepare(session: Session) -> None:
        await record_values(session, transfer_id, guid_version=version, guid_spent=False)

    async def settle(session: Session, made: _Made) -> None:
        await release_names(session, run.lease, key_id=books.key.id)
        if part.keeps_number and made.number != part.number:
            await record_held(session, transfer_id, (_other_number(part, made.number),), remote_id=made.remote_id)
            return
        await record_done(
            session,
            transfer_id,
            remote_id=made.remote_id,
            remote_number=made.number,
            content_hash=part.content_hash,
            warnings=show_reasons(made.warnings),
        )
        await _wake(run, session, part)

    try:
        made = await attempt(
            run, books, transfer_id, step="create", call=lambda: call(guid), settle=settle, prepare=prepare
        )
    except RemoteError:
        await _let_go(run, books)
        raise
    if part.keeps_number and made.number != part.number:
        raise HoldError((_other_number(part, made.number),))


async def _name_guid(run: Run, books: Books, part: _Part) -> tuple[int, str]:
    """The version and guid to make a part with: another one when what had this guid is surely gone.

    Sure is it once it was looked for by number after the lag: `find_past` lets nobody come here earlier.
    """
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(books.key.id, part.scope, part.record_id))
    version = 1 if transfer is None else transfer.guid_version + transfer.guid_spent
    return version, guid_for(str(books.key.id), part.kind, part.record_id, str(version))


async def _require_alone(run: Run, books: Books, part: _Part, look: _Look) -> None:
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
    await _let_go(run, books)
    cause = f"a {part.kind} like {part.name} was made in Unimicro just now"
    raise WaitError(cause, scope="", record_id="", seconds=0)


async def _let_go(run: Run, books: Books) -> None:
    async with run.sessions.begin() as session:
        await check_fence(session, run.lease)
        await release_names(session, run.lease, key_id=books.key.id)


def _other_number(part: _Part, number: str) -> Reason:
    return Reason(
        code=Code.CUSTOMER_NUMBER_NOT_KEPT,
        cause=f"Unimicro gave customer {part.name} number {number} instead of RecMan's {part.number}",
        fix=fix_for(Code.CUSTOMER_NUMBER_NOT_KEPT, given=number, number=part.number),
    )


async def _update(run: Run, books: Books, step: UpdateCustomer | UpdateProject) -> None:
    if isinstance(step, UpdateCustomer):
        part = _customer_part(step.customer)
        transfer_id = await _ensure(run, books, part)
        # Another content, another guid: what an update adds was never sent before.
        guid = guid_for(str(books.key.id), part.kind, part.record_id, (part.content_hash or b"").hex())

        async def call() -> Change:
            return await books.target.update_customer(
                step.remote_id,
                step.customer,
                guid=guid,
                currencies=books.reference.currencies,
                rules=books.rules.field_rules,
            )
    else:
        part = _project_part(step.project)
        transfer_id = await _ensure(run, books, part)
        customer_id = await find_remote_id(run, books, "company", step.project.recman_company_id)

        async def call() -> Change:
            return await books.target.update_project(step.remote_id, step.project, customer_id=customer_id)

    async def settle(session: Session, change: Change) -> None:
        warnings = show_reasons(change.warnings)
        await record_done(
            session,
            transfer_id,
            remote_id=step.remote_id,
            # Both systems have changed the number alike: it is the same record under its new number.
            remote_number=part.number
            if change.number == part.number
            else func.coalesce(Transfer.remote_number, part.number),
            content_hash=part.content_hash,
            warnings=warnings,
        )
        await _wake(run, session, part)

    await attempt(run, books, transfer_id, step="update", call=call, settle=settle)


async def _ensure(run: Run, books: Books, part: _Part) -> int:
    place = run.place(books.key.id, part.scope, part.record_id)
    values = {"number": part.number, "customer_name": part.name}
    async with run.sessions.begin() as session:
        transfer = await record_transfer(session, place, kind=part.kind, values=values)
    return transfer.id


async def _wake(run: Run, session: Session, part: _Part) -> None:
    tenant_id = run.lease.tenant_id
    await wake_waiting(session, tenant_id=tenant_id, scope=part.scope, record_id=part.record_id)


async def find_remote_id(run: Run, books: Books, scope: str, record_id: str | None) -> int | None:
    """The id in Unimicro of a record that went all the way, if it did."""
    transfer = await _find_booked(run, books, scope, record_id)
    return transfer.remote_id if transfer is not None else None


async def find_remote_customer(run: Run, books: Books, company_id: str) -> tuple[int | None, str]:
    """The customer's id in Unimicro, and the number that this id had when it was linked or made."""
    transfer = await _find_booked(run, books, "company", company_id)
    return (None, "") if transfer is None else (transfer.remote_id, transfer.remote_number or "")


async def _find_booked(run: Run, books: Books, scope: str, record_id: str | None) -> Transfer | None:
    if record_id is None:
        return None
    async with run.sessions() as session:
        transfer = await find_transfer(session, run.place(books.key.id, scope, record_id))
    if transfer is None or transfer.booked_at is None or transfer.key_id != books.key.id:
        return None
    return transfer
