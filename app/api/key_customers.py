"""The customers of a key: how each is linked, links that are released, organisation numbers that several have."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from app.admin.keys import load_key
from app.admin.shared_numbers import list_shared, parse_shared_number, record_not_shared, record_shared
from app.api.doors import AdminDoor, Door, ResourcesDep, ViewerDoor
from app.api.pages import Page, to_page, to_whole
from app.api.transfers import ReasonView
from app.api.views import Before, Limit, Order, View, problems
from app.clerk.customers.links import release_customer, require_broken
from app.domain.policies import MatchedBy
from app.domain.reasons.rows import Change
from app.domain.states import TransferState
from app.engine.wakeup import wake_workers
from app.tables import Key, SharedOrgNumber, Transfer
from app.transfer.listings import list_customers
from app.transfer.retry import retry_held

router = APIRouter(prefix="/v1/keys", tags=["customers"])

CompanyId = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,17}$", description="RecMan's company id", examples=["204"])]
NumberText = Annotated[str, Field(min_length=1, max_length=100, examples=["974760673"])]


class KeyCustomerView(View):
    """A customer of the key, linked or on its way."""

    transfer_id: int
    recman_company_id: str
    number: str = Field(description="RecMan's customer number")
    name: str
    state: TransferState
    remote_id: int | None
    remote_number: str | None = Field(description="Unimicro's customer number")
    matched_by: MatchedBy | None = Field(
        description="The rung by which it was known, the surest first: made, by_hand, number_and_org_number, "
        "number_and_name, org_number, name; null: linked before this was kept"
    )
    reasons: list[ReasonView]
    warnings: list[ReasonView]


class SharedNumberOrder(Order):
    """A person's word that several customers have one organisation number."""

    org_number: NumberText
    reason: str = Field(min_length=3, max_length=500, examples=["Schools of one municipality, invoiced one by one"])


class SharedNumberView(View):
    """An organisation number that several customers of the key have."""

    org_number: str = Field(description="Digits alone", examples=["974760673"])
    reason: str
    decided_by: str
    decided_at: datetime


@router.get("/{key_id}/customers", responses=problems(_404="not_found"))
async def list_key_customers(
    door: ViewerDoor, key_id: UUID, before: Before = None, limit: Limit = 100
) -> Page[KeyCustomerView, int]:
    """Customers, newest first: the number on both sides, and by what each was known to be the same."""
    key = await load_key(door.session, key_id)
    rows = await list_customers(door.session, key, before_id=before, limit=limit + 1)
    return to_page(rows, _view, limit=limit)


@router.delete(
    "/{key_id}/customer-links/{recman_company_id}",
    operation_id="release_customer",
    responses=problems(_404="not_found, link_unknown", _409="link_stands", _502="Unimicro's own trouble"),
)
async def release(
    door: AdminDoor, resources: ResourcesDep, key_id: UUID, recman_company_id: CompanyId
) -> KeyCustomerView:
    """Forget the link of a company whose customer was deleted in Unimicro, or is another one by now.

    Its next invoice looks for the customer anew, or makes it. Nothing is written in Unimicro.
    """
    key = await load_key(door.session, key_id)
    # No transaction is open while Unimicro is asked.
    await door.session.commit()
    await require_broken(resources, key, recman_company_id=recman_company_id)
    transfer = await release_customer(door.session, key, recman_company_id=recman_company_id)
    await _record(door, "customer.release", key, after={"recman_company_id": recman_company_id})
    view = _view(transfer)
    await door.session.commit()
    wake_workers(resources)
    return view


@router.get(
    "/{key_id}/shared-org-numbers", operation_id="list_shared_org_numbers", responses=problems(_404="not_found")
)
async def list_shared_numbers(door: ViewerDoor, key_id: UUID) -> Page[SharedNumberView, None]:
    """Organisation numbers that several customers have, as somebody said."""
    key = await load_key(door.session, key_id)
    rows = await list_shared(door.session, tenant_id=key.tenant_id, key_id=key.id)
    return to_whole([_view_shared(row) for row in rows])


@router.post(
    "/{key_id}/shared-org-numbers",
    operation_id="share_org_number",
    status_code=201,
    responses=problems(_404="not_found", _422="org_number_unusable"),
)
async def share(door: AdminDoor, resources: ResourcesDep, key_id: UUID, order: SharedNumberOrder) -> SharedNumberView:
    """Say once that several customers have this organisation number (a municipality, branches).

    From then on each is made, or linked, by its own customer number; what was held for it goes on by itself.
    """
    key = await load_key(door.session, key_id)
    digits = parse_shared_number(order.org_number)
    row = await record_shared(door.session, key, digits, reason=order.reason, actor=door.caller.actor)
    await retry_held(door.session, tenant_id=key.tenant_id, change=Change.NUMBER_SHARED)
    view = _view_shared(row)
    await _record(door, "org_number.share", key, after={"org_number": digits, "reason": order.reason})
    await door.session.commit()
    wake_workers(resources)
    return view


@router.delete(
    "/{key_id}/shared-org-numbers/{org_number}",
    operation_id="unshare_org_number",
    status_code=204,
    responses=problems(_404="not_found", _422="org_number_unusable"),
)
async def unshare(door: AdminDoor, key_id: UUID, org_number: Annotated[str, Path(max_length=100)]) -> None:
    """Take that word back; customers that were made meanwhile stay, the next one is asked about."""
    key = await load_key(door.session, key_id)
    digits = parse_shared_number(org_number)
    await record_not_shared(door.session, key, digits)
    await _record(door, "org_number.unshare", key, before={"org_number": digits})
    await door.session.commit()


def _view(row: Transfer) -> KeyCustomerView:
    return KeyCustomerView(
        transfer_id=row.id,
        recman_company_id=row.record_id,
        number=row.number,
        name=row.customer_name,
        state=TransferState(row.state),
        remote_id=row.remote_id,
        remote_number=row.remote_number,
        matched_by=None if row.matched_by is None else MatchedBy(row.matched_by),
        reasons=[ReasonView(**reason) for reason in row.reasons],
        warnings=[ReasonView(**warning) for warning in row.warnings],
    )


def _view_shared(row: SharedOrgNumber) -> SharedNumberView:
    return SharedNumberView(
        org_number=row.digits, reason=row.reason, decided_by=row.decided_by, decided_at=row.decided_at
    )


async def _record(door: Door, action: str, key: Key, **values: Any) -> None:
    await door.record(action, f"key:{key.id}", tenant_id=key.tenant_id, **values)
