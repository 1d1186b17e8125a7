"""Stop 7 for customers and projects that are in Unimicro: send what differs."""

from sqlalchemy import func

from app.accounting.targets import Change, guid_for
from app.domain.dimensions import Project
from app.platform.db import Session
from app.tables import Transfer
from app.transfer.attempts import attempt
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.linked import Known, Linked, find_linked
from app.transfer.log import record_done, show_reasons
from app.transfer.part import customer_part, ensure_part, project_part, wake_part
from app.transfer.plan.steps import UpdateCustomer, UpdateProject
from app.transfer.writes import write_project_change


async def update_part(run: Run, books: Books, step: UpdateCustomer | UpdateProject, known: Known) -> Known:
    """Bring a customer or project in line with RecMan; what is known to be in Unimicro from then on.

    Raises:
        RemoteError, WaitError, StaleLeaseError: see `attempt`.
    """
    if isinstance(step, UpdateCustomer):
        part = customer_part(step.customer)
        transfer_id = await ensure_part(run, books, part)
        # Another content, another guid: what an update adds was never sent before.
        guid = guid_for(str(books.key.id), part.kind, part.record_id, (part.content_hash or b"").hex())

        async def call() -> Change:
            return await books.target.update_customer(
                step.remote_id,
                step.customer,
                guid=guid,
                currencies=books.reference.currencies,
                rules=books.rules.field_rules_of(step.matched_by),
            )
    else:
        part = project_part(step.project)
        transfer_id = await ensure_part(run, books, part)
        customer_id = await find_customer_id(run, books, step.project, known)

        async def call() -> Change:
            return await write_project_change(books, step.remote_id, step.project, customer_id=customer_id)

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
        await wake_part(run, session, part)

    await attempt(run, books, transfer_id, step="update", call=call, settle=settle)
    return {**known, (part.scope, part.record_id): Linked(step.remote_id, part.number, part.name)}


async def find_customer_id(run: Run, books: Books, project: Project, known: Known) -> int | None:
    """The id of the project's customer, which may be another one than the document's."""
    company_id = project.recman_company_id
    linked = known.get(("company", company_id or "")) or await find_linked(run, books, "company", company_id)
    return None if linked is None else linked.remote_id
