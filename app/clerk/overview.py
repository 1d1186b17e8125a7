"""Invoices as an accountant asks for them: filters, and states in plain words. Reads tables only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.admin.tenants import list_tenants
from app.clerk.text_search import NEAR, find_text, holds, list_names
from app.domain.booking import Booking, stands_as
from app.domain.documents import DocumentKind
from app.domain.reasons.codes import Code
from app.domain.states import AT_REST, INVOICE_STATES, InvoiceState, TransferState, show_invoice_state
from app.errors import RequestError
from app.platform.db import Session
from app.platform.paging import at_most, older_than
from app.tables import Key, Tenant, Transfer
from app.transfer.listings import names_one_of
from app.transfer.log import INVOICE

# So many rows are read at once, and so many make one file at most.
_PAGE = 1000
_MOST_ROWS = 50_000
# By these a document is found; ids alone have no index.
_OWN_ID = tuple_(Transfer.tenant_id, Transfer.id)
_NONE: ColumnElement[Any] = literal_column("'[]'::jsonb")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFilter:
    """Which invoices and credit notes; what is None does not limit.

    `text` is searched in numbers, names and reasons. `only_open` leaves out what is in Unimicro or ignored.
    """

    tenant_id: UUID | None = None
    key_id: UUID | None = None
    ids: Sequence[int] | None = None
    dated_from: date | None = None
    dated_to: date | None = None
    department: str | None = None
    customer: str | None = None
    state: InvoiceState | None = None
    kind: DocumentKind | None = None
    text: str | None = None
    only_open: bool = False


def show_filter(wanted: InvoiceFilter) -> dict[str, Any]:
    """The filter as a job keeps it."""
    shown = {name: value for name, value in asdict(wanted).items() if value not in (None, False)}
    return {name: value if isinstance(value, list | bool) else str(value) for name, value in shown.items()}


def read_filter(shown: Mapping[str, Any]) -> InvoiceFilter:
    """The filter that a job kept."""
    readers: dict[str, Callable[[Any], Any]] = {
        "tenant_id": UUID,
        "key_id": UUID,
        "dated_from": date.fromisoformat,
        "dated_to": date.fromisoformat,
        "state": InvoiceState,
        "kind": DocumentKind,
    }
    return InvoiceFilter(**{name: readers.get(name, _as_it_is)(value) for name, value in shown.items()})


def _as_it_is(value: Any) -> Any:
    return value


def state_of(transfer: Transfer) -> InvoiceState:
    """The transfer's state in an accountant's words."""
    is_old = any(reason["code"] == Code.BEFORE_GO_LIVE for reason in transfer.reasons)
    is_invoiced = transfer.order_id is not None
    booking = stands_as(transfer.booking, transfer.remote_number, is_invoiced=is_invoiced)
    return show_invoice_state(transfer.state, has_warnings=bool(transfer.warnings), is_old=is_old, booking=booking)


async def list_invoices(
    session: Session, wanted: InvoiceFilter, *, before_id: int | None, limit: int, near: int = NEAR
) -> Sequence[Transfer]:
    """Invoices newest first; `before_id` continues a listing.

    Shape: where days are named, by the day of the document; otherwise by when we first heard of it.
    """
    if wanted.tenant_id is not None:
        return await _list_of_tenant(session, wanted, wanted.tenant_id, before_id=before_id, limit=limit)
    if wanted.text is None and wanted.customer is None:
        return (await session.scalars(_newest_of_all(wanted, before_id, limit))).all()
    newest = _newest_of_all(replace(wanted, text=None, customer=None), before_id, near)
    query = _newest_first(wanted, before_id, limit).where(_OWN_ID.in_(newest.with_only_columns(*_OWN_ID.clauses)))
    found = (await session.scalars(query)).all()
    if len(found) == limit:
        return found
    # What few documents have is found by indexes, and those are of one tenant each.
    every = [
        one
        for tenant in await list_tenants(session)
        for one in await _list_of_tenant(session, wanted, tenant.id, before_id=before_id, limit=limit)
    ]
    return sorted(every, key=lambda one: (getattr(one, _time_of(wanted).key), one.id), reverse=True)[:limit]


async def _list_of_tenant(
    session: Session, wanted: InvoiceFilter, tenant_id: UUID, *, before_id: int | None, limit: int
) -> Sequence[Transfer]:
    query = _newest_first(replace(wanted, tenant_id=tenant_id, text=None), before_id, limit)
    if wanted.customer is not None:
        names = await list_names(session, tenant_id, wanted.customer)
        if names is not None and not names:
            return []
        query = query if names is None else query.where(_is_among(Transfer.customer_name, names))
    if wanted.text is None:
        return (await session.scalars(query)).all()
    return await find_text(session, query, wanted.text, tenant_id=tenant_id, limit=limit)


def _newest_first(wanted: InvoiceFilter, before_id: int | None, limit: int) -> Select[Transfer]:
    time = _time_of(wanted)
    conditions = (*_conditions(wanted), *older_than(time, before_id))
    return select(Transfer).where(*conditions).order_by(time.desc(), Transfer.id.desc()).limit(at_most(limit))


def _newest_of_all(wanted: InvoiceFilter, before_id: int | None, limit: int) -> Select[Transfer]:
    """The same of all tenants; where a filter's index is a tenant's own, the newest of those that each of them has."""
    if replace(wanted, state=None) == InvoiceFilter():
        return _newest_first(wanted, before_id, limit)
    time = _time_of(wanted)
    own = _newest_first(wanted, before_id, limit).with_only_columns(Transfer.tenant_id, Transfer.id)
    # By an index of the tenant's: in one of all of them whoever has no document would be looked for to the end.
    own = own.order_by(None).order_by(Transfer.tenant_id.desc(), time.desc(), Transfer.id.desc())
    page = own.where(Transfer.tenant_id == Tenant.id).correlate(Tenant).lateral("page")
    found = select(page.c.tenant_id, page.c.id).select_from(Tenant).join(page, true())
    if wanted.key_id is not None:
        found = found.where(Tenant.id.in_(select(Key.tenant_id).where(Key.id == wanted.key_id)))
    query = select(Transfer).where(_OWN_ID.in_(found))
    return query.order_by(time.desc(), Transfer.id.desc()).limit(at_most(limit))


def _time_of(wanted: InvoiceFilter) -> InstrumentedAttribute[Any]:
    return Transfer.created_at if wanted.dated_from is wanted.dated_to is None else Transfer.invoice_date


async def list_whole(session: Session, wanted: InvoiceFilter) -> list[Transfer]:
    """Every invoice that the filter finds, in the order of `list_invoices`.

    Raises:
        RequestError: they are more than one file may hold; none is shown cut short.
    """
    found: list[Transfer] = []
    while True:
        before_id = found[-1].id if found else None
        page = await list_invoices(session, wanted, before_id=before_id, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found
        if len(found) >= _MOST_ROWS:
            cause = f"The list has more than {_MOST_ROWS} documents"
            fix = "Name days (`dated_from`, `dated_to`) or a key, and take several files."
            raise RequestError(cause, fix=fix, code=Code.FILE_TOO_LONG)


async def load_rungs(session: Session, invoices: Sequence[Transfer]) -> dict[tuple[UUID | None, int | None], str]:
    """How the customers of these invoices were known, by key and Unimicro's id; what was not noted is left out."""
    customer_ids = {one.remote_customer_id for one in invoices if one.remote_customer_id is not None}
    query = select(Transfer.key_id, Transfer.remote_id, Transfer.matched_by).where(
        Transfer.key_id.in_({one.key_id for one in invoices if one.key_id is not None}),
        Transfer.scope == "company",
        Transfer.remote_id.in_(customer_ids),
        Transfer.matched_by.is_not(None),
    )
    rows = await session.execute(query)
    return {(row.key_id, row.remote_id): row.matched_by for row in rows}


async def count_invoices(session: Session, wanted: InvoiceFilter) -> int:
    """How many there are."""
    return int(await session.scalar(select(func.count()).select_from(Transfer).where(*_conditions(wanted))) or 0)


async def list_invoices_after(
    session: Session, wanted: InvoiceFilter, *, after_id: int, limit: int
) -> Sequence[Transfer]:
    """Invoices oldest first, from `after_id` on: for jobs, which remember how far they are."""
    query = (
        select(Transfer).where(*_conditions(wanted), Transfer.id > after_id).order_by(Transfer.id).limit(at_most(limit))
    )
    return (await session.scalars(query)).all()


def _conditions(wanted: InvoiceFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Transfer.scope == INVOICE]
    # A tenant is handed in: one statement for all of them.
    equal = {
        Transfer.tenant_id: wanted.tenant_id,
        Transfer.key_id: None if wanted.key_id is None else _write(wanted.key_id),
        Transfer.recman_department_id: None if wanted.department is None else _write(wanted.department),
        Transfer.kind: None if wanted.kind is None else _write(wanted.kind),
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    if wanted.ids is not None:
        conditions.append(Transfer.id.in_(wanted.ids))
    if wanted.dated_from is not None:
        conditions.append(Transfer.invoice_date >= _write(wanted.dated_from))
    if wanted.dated_to is not None:
        conditions.append(Transfer.invoice_date <= _write(wanted.dated_to))
    if wanted.customer is not None:
        conditions.append(Transfer.customer_name.icontains(wanted.customer, autoescape=True))
    if wanted.state is not None:
        conditions += _are_in_state(wanted.state)
    if wanted.only_open:
        # By what they are: what is at rest is nearly everything.
        conditions.append(_is_among(Transfer.state, sorted(set(TransferState) - AT_REST)))
    if wanted.text is not None:
        conditions.append(holds(wanted.text))
    return conditions


def _write(value: Any) -> ColumnElement[Any]:
    # Into the statement: of what is handed in Postgres does not know whether it is seldom or common.
    return literal(value, literal_execute=True)


def _are_in_state(state: InvoiceState) -> list[ColumnElement[bool]]:
    seen = INVOICE_STATES[state]
    conditions: list[ColumnElement[bool]] = [_is_among(Transfer.state, sorted(seen.stored))]
    if seen.has_warnings is not None:
        conditions.append(Transfer.warnings != _NONE if seen.has_warnings else Transfer.warnings == _NONE)
    if seen.is_old is not None:
        conditions.append(names_one_of({Code.BEFORE_GO_LIVE}).is_(seen.is_old))
    if seen.bookings is not None:
        # By what they are not: of a CASE Postgres would believe that next to nothing fits.
        conditions.append(_stands_as().not_in(set(Booking).difference(seen.bookings)))
        if {Booking.DRAFT, Booking.ORDER}.issuperset(seen.bookings):
            # Nothing else can stand so; these have an index.
            conditions.append(_is_among(Transfer.booking, sorted(seen.bookings)))
    return conditions


def _is_among(column: InstrumentedAttribute[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """Written into the statement instead of handed in: what is seldom and what is common are found in other ways."""
    return column.in_(bindparam(None, [str(value) for value in values], expanding=True, literal_execute=True))


def _stands_as() -> ColumnElement[str]:
    """In SQL what `stands_as` says."""
    is_issued = and_(Transfer.booking == Booking.DRAFT, func.coalesce(Transfer.remote_number, "") != "")
    is_invoiced = Transfer.order_id.is_not(None)
    return case(
        (or_(Transfer.booking.is_(None), is_issued, is_invoiced), literal(Booking.RENUMBERED.value)),
        else_=Transfer.booking,
    )
