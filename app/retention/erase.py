"""A person's data go on request, by record; what law keeps stays until its time is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.admin.audit import Change, record_change
from app.admin.customer_checks import erase_findings
from app.admin.lists import erase_customers
from app.domain.reasons.codes import Code
from app.engine.retention import erase_bodies
from app.errors import ConflictError, NotFoundError
from app.files.exports import list_written
from app.platform.db import Session
from app.tables import Tenant, Transfer
from app.transfer.filed import list_customer_numbers
from app.transfer.retention import (
    erase_exchanges,
    erase_names,
    is_kept_by_law,
    list_documents_of,
    needs_somebody,
)

ERASABLE = ("company", "project", "invoice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What went, and what stays because law keeps it."""

    bodies: int
    attempts: int
    transfers: int
    checks: int
    listed: int
    kept: int


async def erase_record(session: Session, tenant: Tenant, *, scope: str, record_id: str, actor: str) -> Erased:
    """Take what the service keeps of a record, and of a company's documents; in the caller's transaction.

    Documents in the books stay as they are shown (number, days, sums, customer's name), and so do files of exports with
    all that stands in them: they are accounting material. Of lists of customers the row of a company goes.
    What Unimicro and RecMan have is theirs to erase.

    Raises:
        NotFoundError: nothing is known of the record.
        ConflictError: something of it is under way or waits for a person.
    """
    transfers = await list_documents_of(session, tenant_id=tenant.id, scope=scope, record_id=record_id)
    _require_settled(transfers, scope, record_id)
    ids = [one.id for one in transfers]
    written = await list_written(session, tenant_id=tenant.id, transfer_ids=ids)
    gone = [one for one in transfers if not is_kept_by_law(one) and one.id not in written]
    erased = Erased(
        bodies=await _erase_bodies(session, tenant, transfers, scope, record_id),
        attempts=await erase_exchanges(session, tenant_id=tenant.id, transfer_ids=ids),
        transfers=len(gone),
        checks=await erase_findings(session, tenant_id=tenant.id, recman_company_id=record_id)
        if scope == "company"
        else 0,
        listed=await _erase_listed(session, tenant, transfers) if scope == "company" else 0,
        kept=len(transfers) - len(gone),
    )
    await erase_names(session, tenant_id=tenant.id, transfer_ids=[one.id for one in gone])
    if not transfers and not erased.bodies and not erased.checks:
        raise NotFoundError(f"Nothing is known of {scope} {record_id}", fix="Take RecMan's id of the record.")
    await record_change(session, _change(tenant, scope, record_id, erased, actor))
    return erased


def _require_settled(transfers: Sequence[Transfer], scope: str, record_id: str) -> None:
    open_ones = [one for one in transfers if needs_somebody(one)]
    if open_ones:
        named = ", ".join(f"{one.kind} {one.number or one.record_id} ({one.state})" for one in open_ones[:5])
        raise ConflictError(
            f"{len(open_ones)} transfers of {scope} {record_id} are not settled: {named}",
            fix="Wait for those under way; mend, or ignore, those that wait for a person. Then erase again.",
            code=Code.DOCUMENTS_UNDER_WAY,
        )


async def _erase_bodies(
    session: Session, tenant: Tenant, transfers: Sequence[Transfer], scope: str, record_id: str
) -> int:
    named = {scope: {record_id}}
    for one in transfers:
        named.setdefault(one.scope, set()).add(one.record_id)
    return sum(
        [
            await erase_bodies(session, tenant_id=tenant.id, scope=each, record_ids=sorted(ids))
            for each, ids in sorted(named.items())
        ]
    )


async def _erase_listed(session: Session, tenant: Tenant, transfers: Sequence[Transfer]) -> int:
    """The rows of lists under the numbers by which the company was known there."""
    ids = [one.id for one in transfers]
    numbers = await list_customer_numbers(session, tenant_id=tenant.id, transfer_ids=ids)
    linked = [one for one in transfers if one.scope == "company" and one.key_id is not None]
    numbers |= {(one.key_id, one.remote_number) for one in linked if one.key_id and one.remote_number}
    return await erase_customers(session, tenant_id=tenant.id, numbers=numbers)


def _change(tenant: Tenant, scope: str, record_id: str, erased: Erased, actor: str) -> Change:
    after = {
        "bodies": erased.bodies,
        "attempts": erased.attempts,
        "transfers": erased.transfers,
        "checks": erased.checks,
        "listed": erased.listed,
        "kept_by_law": erased.kept,
    }
    return Change(actor=actor, action="record.erase", subject=f"{scope}:{record_id}", tenant_id=tenant.id, after=after)
