"""Organisation numbers that several customers of a key have, as a person said. Owner of table `shared_org_number`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.domain.org_numbers import parse_org_number
from app.domain.parties import Customer
from app.domain.reasons.codes import Code
from app.errors import NotFoundError, RequestError
from app.platform.db import Session
from app.tables import Key, SharedOrgNumber


def parse_shared_number(text: str) -> str:
    """The digits of an organisation number that a person names.

    Raises:
        RequestError: it is none; what was named is not repeated, for it may be a person's number.
    """
    digits = parse_org_number(text).digits
    if not digits:
        cause = "What was named is no organisation number"
        raise RequestError(cause, fix="Name one as the reason shows it.", code=Code.ORG_NUMBER_UNUSABLE)
    return digits


def list_digits(customer: Customer) -> frozenset[str]:
    """The digits under which a person may have named a customer's organisation number, with and without its country."""
    country_code = customer.invoice_address.country_code
    found = (parse_org_number(customer.org_number, country_code=code).digits for code in ("", country_code))
    return frozenset(filter(None, found))


async def is_shared(session: Session, key: Key, customer: Customer) -> bool:
    """Whether a person said that several customers have this one's organisation number."""
    query = select(SharedOrgNumber.digits).where(
        SharedOrgNumber.tenant_id == key.tenant_id,
        SharedOrgNumber.key_id == key.id,
        SharedOrgNumber.digits.in_(list_digits(customer)),
    )
    return await session.scalar(query.limit(1)) is not None


async def list_shared(session: Session, *, tenant_id: UUID, key_id: UUID) -> Sequence[SharedOrgNumber]:
    """Everything that was said of a key's organisation numbers, the newest first."""
    query = select(SharedOrgNumber).where(SharedOrgNumber.tenant_id == tenant_id, SharedOrgNumber.key_id == key_id)
    return (await session.scalars(query.order_by(SharedOrgNumber.decided_at.desc(), SharedOrgNumber.digits))).all()


async def record_shared(session: Session, key: Key, digits: str, *, reason: str, actor: str) -> SharedOrgNumber:
    """Keep a person's word that several customers have this number; whoever says it last is the one who said it."""
    said = {"reason": reason, "decided_by": actor}
    query = upsert(SharedOrgNumber).values(tenant_id=key.tenant_id, key_id=key.id, digits=digits, **said)
    query = query.on_conflict_do_update(index_elements=["tenant_id", "key_id", "digits"], set_=said)
    rows = await session.scalars(query.returning(SharedOrgNumber), execution_options={"populate_existing": True})
    return rows.one()


async def record_not_shared(session: Session, key: Key, digits: str) -> None:
    """Take a person's word back; customers that were made stay.

    Raises:
        NotFoundError: nobody said it.
    """
    query = delete(SharedOrgNumber).where(
        SharedOrgNumber.tenant_id == key.tenant_id,
        SharedOrgNumber.key_id == key.id,
        SharedOrgNumber.digits == digits,
    )
    if await session.scalar(query.returning(SharedOrgNumber.digits)) is None:
        fix = "Take one from GET /v1/keys/{key_id}/shared-org-numbers."
        raise NotFoundError(f"Nobody said that several customers have organisation number {digits}", fix=fix)
