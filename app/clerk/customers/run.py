"""One customer check from beginning to end: read both systems, compare, keep the result. Writes to neither of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from app.admin.customer_checks import record_beat, record_failure, record_result
from app.admin.key_check import open_key_target
from app.admin.rules import load_rules
from app.admin.shared_numbers import list_shared
from app.admin.tenants import load_tenant
from app.clerk.customers.compare import Comparison, compare_customers
from app.clerk.customers.findings import CustomerFinding, count_kinds, is_green, not_compared
from app.clerk.customers.report import ReportHead
from app.domain.gaps import Gaps
from app.domain.parties import NO_CUSTOMER_KINDS, Customer
from app.engine.lanes import wake_key
from app.engine.wakeup import wake_workers
from app.errors import ServiceError
from app.platform.db import Session
from app.platform.logger import get_logger
from app.platform.resources import Resources
from app.reading.records import open_client, read_companies
from app.recman.read.reader import Reader
from app.recman.read.spellings import COMPANY, Raw, read_id, read_text
from app.recman.read.translate import read_company
from app.tables import CustomerCheck, Key
from app.transfer.log import list_customer_links, list_linked_numbers

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check is: how many customers of a system are read, or compared."""

    step: Literal["recman", "unimicro", "compared"]
    done: int


async def run_check(resources: Resources, key: Key, check_id: int) -> AsyncIterator[Progress]:
    """Run a check that was begun; afterwards its row holds the result, or why there is none.

    A green check wakes whatever waits for it. When the caller stops listening, or the process dies, the check is taken
    for dead after a while.
    """
    resources = resources.of_tenant(key.tenant_id)
    try:
        async for progress in _compare(resources, key, check_id):
            async with resources.sessions.begin() as session:
                await record_beat(session, check_id)
            yield progress
    except ServiceError as error:
        await _fail(resources, check_id, cause=error.cause, fix=error.fix or "Start the check again in a few minutes.")
    except Exception as error:  # noqa: BLE001 - whatever ends a check must show on it
        # The text of an unexpected error may hold anything; its type is all that is shown.
        _log.exception("customer_check_failed", check=check_id)
        cause = f"An unexpected error ({type(error).__name__}) ended the check"
        await _fail(resources, check_id, cause=cause, fix="Start it again; if it stays, tell the operator.")


def describe_check(key: Key, check: CustomerCheck) -> ReportHead:
    """What stands above a report."""
    accepted = f"Accepted by {check.accepted_by}: {check.accepted_reason}" if check.accepted_by else ""
    return ReportHead(
        key=key.name,
        company=key.company_name,
        state=check.state,
        ended_at=check.ended_at.isoformat(timespec="seconds") if check.ended_at else "",
        counts=check.counts,
        accepted=accepted,
    )


async def _fail(resources: Resources, check_id: int, *, cause: str, fix: str) -> None:
    async with resources.sessions.begin() as session:
        await record_failure(session, check_id, cause=cause, fix=fix)


async def _compare(resources: Resources, key: Key, check_id: int) -> AsyncIterator[Progress]:
    async with resources.sessions() as session:
        tenant = await load_tenant(session, key.tenant_id)
        links = await list_customer_links(session, key_id=key.id)
        linked_numbers = await list_linked_numbers(session, key_id=key.id)
        shared = await list_shared(session, tenant_id=key.tenant_id, key_id=key.id)
        policy = (await load_rules(session, key.id)).rules.customer_number
    client = open_client(resources, tenant)
    companies: list[Customer | Gaps] = []
    if client is not None:
        async for page in read_companies(client):
            companies += [one for raw in page if (one := _to_company(raw, links)) is not None]
            yield Progress("recman", len(companies))
    target = open_key_target(resources, key)
    reference = await target.fetch_reference()
    remotes = await target.list_customers()
    yield Progress("unimicro", len(remotes))
    sides = Comparison(
        companies=companies,
        remotes=remotes,
        reference=reference,
        links=links,
        linked_numbers=linked_numbers,
        shared=frozenset(row.digits for row in shared),
        policy=policy,
    )
    # Seconds of arithmetic for many thousands: the process must answer others meanwhile.
    findings = await asyncio.to_thread(compare_customers, sides)
    if client is None:
        findings.insert(0, _without_recman())
    async with resources.sessions.begin() as session:
        await _keep(session, key, check_id, findings)
    wake_workers(resources)
    yield Progress("compared", len(companies) + len(remotes))


async def _keep(session: Session, key: Key, check_id: int, findings: list[CustomerFinding]) -> None:
    green = is_green(findings)
    rows = [asdict(finding) for finding in findings]
    await record_result(session, check_id, green=green, counts=count_kinds(findings), findings=rows)
    if green:
        await wake_key(session, tenant_id=key.tenant_id, key_id=key.id)


def _to_company(raw: Raw, links: Mapping[str, int]) -> Customer | Gaps | None:
    """The company as a customer, or None for what is none: suppliers and the like that were never linked."""
    found = read_company(raw)
    loose = Reader(raw, COMPANY, where="")
    company_id = loose.find("id", read_id) or ""
    if loose.find("kind", read_text) in NO_CUSTOMER_KINDS and company_id not in links:
        return None
    return found


def _without_recman() -> CustomerFinding:
    cause = "There is no RecMan API key, so RecMan's customers could not be compared"
    fix = "Enter one for the tenant and check again; or accept that each customer is looked at when it comes."
    return not_compared(cause, fix)
