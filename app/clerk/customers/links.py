"""A person's word about a link: a RecMan company is this customer of Unimicro, or is not any more."""

from app.admin.key_check import open_key_target
from app.admin.rules import load_rules
from app.admin.tenants import load_tenant
from app.clerk.side_run import nobodys_lease
from app.domain.parties import Customer
from app.domain.party_numbers import list_org_number_warnings
from app.domain.policies import MatchedBy, NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.domain.reference import RemoteCustomer
from app.engine.lanes import wake_waiting
from app.errors import ConflictError, NotFoundError, RequestError
from app.platform.db import Session
from app.platform.resources import Resources
from app.reading.records import open_lone_reader
from app.tables import Key, Transfer
from app.transfer.claims import claim_sending
from app.transfer.log import (
    Place,
    find_transfer,
    list_customer_links,
    record_done,
    record_released,
    record_transfer,
    show_reasons,
)
from app.transfer.retry import retry_held


async def find_pair(
    resources: Resources, key: Key, *, recman_company_id: str, remote_number: str
) -> tuple[Customer, RemoteCustomer]:
    """Both sides of a link that somebody wants.

    Raises:
        ConflictError: the key wants equal numbers, so there is nothing to link; or the customer is inactive.
        RequestError: one of the two is not there, or not just one.
        RemoteError: one of the systems could not be read.
    """
    async with resources.of_tenant(key.tenant_id).sessions() as session:
        tenant = await load_tenant(session, key.tenant_id)
        rules = (await load_rules(session, key.id)).rules
    if rules.customer_number is not NumberPolicy.LINKED:
        cause = f"The rules of key “{key.name}” want equal customer numbers in both systems"
        fix = "Make the two numbers equal, or set customer_number to linked in the key's rules."
        raise ConflictError(cause, fix=fix, code=Code.NUMBERS_MUST_AGREE)
    company = await open_lone_reader(resources, tenant).read_company(recman_company_id)
    if not isinstance(company, Customer):
        cause = f"RecMan does not show company {recman_company_id} completely"
        raise RequestError(cause, fix="Check the id, and complete the company in RecMan.", code=Code.COMPANY_UNKNOWN)
    found = await open_key_target(resources, key).find_customers(number=remote_number, org_number=None)
    if len(found) != 1:
        cause = f"Unimicro has {len(found) or 'no'} customer with number {remote_number}"
        raise RequestError(cause, fix="Give the number of one customer in Unimicro.", code=Code.CUSTOMER_UNKNOWN)
    if not found[0].active:
        cause = f"Customer {remote_number} {found[0].name} is inactive in Unimicro"
        raise ConflictError(cause, fix=fix_for(Code.CUSTOMER_INACTIVE), code=Code.CUSTOMER_INACTIVE)
    return company, found[0]


async def link_customer(session: Session, key: Key, company: Customer, remote: RemoteCustomer) -> Transfer:
    """Link the two, and look again at what was held because it was missing; part of the caller's transaction.

    Raises:
        ConflictError: one of them is linked already, or the customer is being sent right now.
    """
    links = await list_customer_links(session, key_id=key.id)
    if company.recman_company_id in links or remote.remote_id in links.values():
        cause = f"{company.name} or Unimicro's customer {remote.number} is linked already"
        raise ConflictError(cause, fix="See GET /v1/transfers?kind=customer.", code=Code.ALREADY_LINKED)
    place = Place(tenant_id=key.tenant_id, key_id=key.id, scope="company", record_id=company.recman_company_id)
    values = {"number": company.number, "customer_name": company.name}
    transfer = await record_transfer(session, place, kind="customer", values=values)
    lease = nobodys_lease(key.tenant_id, place.scope, place.record_id)
    if await claim_sending(session, transfer.id, lease, key_id=key.id, step="link") is None:
        cause = f"{company.name} is on its way to Unimicro right now"
        raise ConflictError(cause, fix="Look again in a minute.", code=Code.ALREADY_BEGUN)
    await record_done(
        session,
        transfer.id,
        remote_id=remote.remote_id,
        remote_number=remote.number,
        matched_by=MatchedBy.BY_HAND,
        warnings=show_reasons(list_org_number_warnings(company)),
    )
    await wake_waiting(session, tenant_id=key.tenant_id, scope="company", record_id=company.recman_company_id)
    await retry_held(session, tenant_id=key.tenant_id, change=Change.CUSTOMER_LINKED)
    await session.refresh(transfer)
    return transfer


async def require_broken(resources: Resources, key: Key, *, recman_company_id: str) -> None:
    """Make sure that the customer whom a company is linked with is not there any more, or is another one by now.

    Raises:
        NotFoundError: the company is not linked.
        ConflictError: the customer is there as it was linked.
        RemoteError: Unimicro could not be read.
    """
    async with resources.of_tenant(key.tenant_id).sessions() as session:
        transfer = await _load_link(session, key, recman_company_id)
    remote_id, number = transfer.remote_id or 0, transfer.remote_number or ""
    if not await open_key_target(resources, key).is_customer_gone(remote_id, number=number):
        cause = f"{transfer.customer_name} is in Unimicro as customer {number} (id {remote_id}), as it was linked"
        raise ConflictError(cause, fix="Leave the link as it is.", code=Code.LINK_STANDS)


async def release_customer(session: Session, key: Key, *, recman_company_id: str) -> Transfer:
    """Forget a company's link, and look again at what was held because of it; part of the caller's transaction.

    Raises:
        NotFoundError: the company is not linked.
    """
    transfer = await _load_link(session, key, recman_company_id, lock=True)
    await record_released(session, transfer)
    await retry_held(session, tenant_id=key.tenant_id, change=Change.LINK_RELEASED)
    return transfer


async def _load_link(session: Session, key: Key, recman_company_id: str, *, lock: bool = False) -> Transfer:
    place = Place(tenant_id=key.tenant_id, key_id=key.id, scope="company", record_id=recman_company_id)
    transfer = await find_transfer(session, place, lock=lock)
    if transfer is None or transfer.booked_at is None or transfer.remote_id is None:
        cause = f"RecMan's company {recman_company_id} is not linked with a customer of key “{key.name}”"
        raise NotFoundError(cause, fix="See GET /v1/keys/{key_id}/customers.", code=Code.LINK_UNKNOWN)
    return transfer
