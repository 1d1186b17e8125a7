"""A person's confirmation that a RecMan company is this customer of Unimicro, for keys where Unimicro numbers."""

from app.admin.key_check import open_key_target
from app.admin.rules import load_rules
from app.admin.tenants import load_tenant
from app.clerk.side_run import nobodys_lease
from app.domain.parties import Customer
from app.domain.policies import NumberPolicy
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code
from app.domain.reasons.rows import Change
from app.domain.reference import RemoteCustomer
from app.engine.lanes import wake_waiting
from app.errors import ConflictError, RequestError
from app.platform.db import Session
from app.platform.resources import Resources
from app.reading.records import open_lone_reader
from app.tables import Key, Transfer
from app.transfer.claims import claim_sending
from app.transfer.log import Place, list_customer_links, record_done, record_transfer
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
    async with resources.sessions() as session:
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
    await record_done(session, transfer.id, remote_id=remote.remote_id, remote_number=remote.number)
    await wake_waiting(session, tenant_id=key.tenant_id, scope="company", record_id=company.recman_company_id)
    await retry_held(session, tenant_id=key.tenant_id, change=Change.CUSTOMER_LINKED)
    await session.refresh(transfer)
    return transfer
