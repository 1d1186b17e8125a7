"""A customer, project or department on its way to a key: what is noted of it, and who waits for it."""

from dataclasses import dataclass

from app.domain.buyers import find_country
from app.domain.dimensions import Project
from app.domain.org_numbers import parse_org_number
from app.domain.parties import Customer
from app.engine.lanes import wake_waiting
from app.platform.db import Session
from app.transfer.books import Books
from app.transfer.context import Run
from app.transfer.log import record_transfer
from app.transfer.plan.document import hash_customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A customer, project or department on its way; `keeps_number`: Unimicro must not give it another one."""

    scope: str
    kind: str
    record_id: str
    number: str
    name: str
    content_hash: bytes | None = None
    keeps_number: bool = False
    org_number: str = ""
    country: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What no other record of the kind may have while this one is made."""
        names = {f"{self.kind} number": self.number, "organisation number": self.org_number}
        return tuple(f"{what} {name}" for what, name in names.items() if name)


def customer_part(customer: Customer) -> Part:
    """A customer on its way."""
    return Part(
        scope="company",
        kind="customer",
        record_id=customer.recman_company_id,
        number=customer.number,
        name=customer.name,
        content_hash=hash_customer(customer),
        org_number=parse_org_number(customer.org_number, country_code=customer.invoice_address.country_code).digits,
        country=find_country(customer.invoice_address, customer.org_number),
    )


def project_part(project: Project) -> Part:
    """A project on its way."""
    return Part(
        scope="project",
        kind="project",
        record_id=project.recman_project_id,
        number=project.number,
        name=project.name,
    )


async def ensure_part(run: Run, books: Books, part: Part) -> int:
    """The id of the part's transfer, made if there was none."""
    place = run.place(books.key.id, part.scope, part.record_id)
    values = {"number": part.number, "customer_name": part.name, "country": part.country}
    async with run.sessions.begin() as session:
        transfer = await record_transfer(session, place, kind=part.kind, values=values)
    return transfer.id


async def wake_part(run: Run, session: Session, part: Part) -> None:
    """Let those go on that wait for the part."""
    tenant_id = run.lease.tenant_id
    await wake_waiting(session, tenant_id=tenant_id, scope=part.scope, record_id=part.record_id)
