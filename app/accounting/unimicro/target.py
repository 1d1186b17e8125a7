"""Unimicro as our transfers see it: find, create, update, issue; domain objects in and out.

Every look-up re-checks its rows: Unimicro ignores a filter on a field that it does not know and returns everything.
Source: docs/facts/unimicro.md §2 [O].
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from app.accounting.unimicro.follow import FollowTarget
from app.accounting.unimicro.odd_answers import tells_odd_answers
from app.accounting.unimicro.payloads import VAT_DUTIES, VAT_PLANNED, VAT_REGISTERED, to_text
from app.accounting.unimicro.series import SeriesTarget
from app.accounting.unimicro.set_up import fetch_set_up
from app.accounting.unimicro.target_documents import quote
from app.accounting.unimicro.translate import (
    PRIVATE,
    from_customer,
    from_department,
    from_project,
    is_deleted_customer,
    to_customer,
    to_customer_changes,
    to_department,
    to_project,
    to_project_action,
    to_project_changes,
)
from app.accounting.unimicro.translate_products import VatTable, from_product, to_product
from app.accounting.unimicro.translate_settings import from_settings
from app.accounting.unimicro.vouchers import VoucherTarget
from app.domain.company_settings import SetUp
from app.domain.dimensions import Department, Project
from app.domain.org_numbers import clean_org_number, is_same_org_number, list_groupings
from app.domain.parties import Customer
from app.domain.policies import FieldRules
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Reference, RemoteCustomer, RemoteDepartment, RemoteProduct, RemoteProject
from app.errors import HoldError, RemoteMissingError, RemoteRejectedError

# Registers of what customers are sent have their name in theirs.
_NO_CUSTOMER_SERIES = ("invoice", "order", "quote", "reminder", "faktura", "ordre", "tilbud", "purring")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """A record that was made, and what had to be cut to make it."""

    record: T
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Whether an update had anything to send, what had to be cut for it, and the number that the record has there."""

    sent: bool
    warnings: tuple[Reason, ...] = ()
    number: str = ""


@tells_odd_answers
class UnimicroTarget(SeriesTarget, VoucherTarget, FollowTarget):
    """One company's books; errors as `UnimicroClient` raises them."""

    async def fetch_reference(self) -> Reference:
        """Everything that planning needs of this company, read from Unimicro now.

        Raises:
            HoldError: the company's settings do not say what nobody may guess.
        """
        settings = await self._client.fetch_one("companysettings/1")
        currencies = {to_text(row.get("Code")): row["ID"] for row in await self._client.fetch_list("currencycodes")}
        base = _read_base_currency(settings, currencies)
        series = await self._client.fetch_list("number-series")
        vat = await self._fetch_vat(settings)
        products = [from_product(row, vat) for row in await self._client.fetch_list("products")]
        departments = [from_department(row) for row in await self._client.fetch_list("departments")]
        return Reference(
            products=_by_number(products),
            departments=_by_number(departments),
            currencies=currencies,
            base_currency=base,
            customer_series=tuple(_customer_series(series)),
            **_read_switches(settings),
            vat_types=vat.types,
            accounts=vat.accounts,
            default_account_id=vat.default_account_id,
            settings=from_settings(settings),
            invoice_series=await self.fetch_invoice_series(year=datetime.now(UTC).year),
        )

    async def fetch_set_up(self, *, year: int) -> SetUp:
        """What else of the company decides about invoices of a year, as far as it can be read."""
        return await fetch_set_up(self._client, year=year)

    async def is_current(self, reference: Reference) -> bool:
        """Whether the company's settings and VAT types are still as the reference data have them; two calls.

        A code that was closed, or an id that is another code's by now, Unimicro may take without a word.
        """
        settings = await self._client.fetch_one("companysettings/1")
        if any(getattr(reference, name) != value for name, value in _read_switches(settings).items()):
            return False
        rows = await self._fetch_vat_types()
        return VatTable.from_rows(rows, (), default_account_id=None).types == reference.vat_types

    async def _fetch_vat_types(self) -> list[Mapping[str, Any]]:
        return list(await self._client.fetch_list("vattypes", expand="VatTypePercentages"))

    async def _fetch_vat(self, settings: Mapping[str, Any]) -> VatTable:
        return VatTable.from_rows(
            await self._fetch_vat_types(),
            await self._client.fetch_list("accounts"),
            default_account_id=settings.get("DefaultSalesAccountID"),
        )

    async def create_product(self, product: RemoteProduct, *, guid: str) -> RemoteProduct:
        """The new product, as it was asked for, with its id."""
        payload, _ = to_product(product, guid=guid)
        return replace(product, remote_id=(await self._client.create("products", payload))["ID"])

    async def probe(self, route: str) -> None:
        """Read one row, to see whether that is allowed."""
        await self._client.fetch_first(route)

    # --- customers ---

    async def find_customers_like(self, customer: Customer) -> tuple[RemoteCustomer, ...]:
        """Customers with the number or the organisation number of this one."""
        country_code = customer.invoice_address.country_code
        org_number = customer.org_number or None
        return await self.find_customers(number=customer.number, org_number=org_number, country_code=country_code)

    async def find_customers(
        self, *, number: str, org_number: str | None, country_code: str = ""
    ) -> tuple[RemoteCustomer, ...]:
        """Customers with this number or this organisation number, which is of `country_code` where it does not say."""
        found: dict[int, RemoteCustomer] = {}
        if number.isdecimal():
            rows = await self._list_customers(filter=f"CustomerNumber eq {number}")
            found |= {one.remote_id: one for one in rows if one.number == number}
        if org_number:
            rows = await self._list_customers(filter=_to_org_filter(org_number, country_code))
            found |= {
                one.remote_id: one
                for one in rows
                if is_same_org_number(one.org_number, org_number, country_code=country_code)
            }
        return tuple(found.values())

    async def list_customers(self) -> tuple[RemoteCustomer, ...]:
        """Every customer, whatever its state; that the list holds inactive ones too is assumed."""
        return tuple(await self._list_customers())

    async def _list_customers(self, **query: str) -> list[RemoteCustomer]:
        rows = await self._client.fetch_list("customers", **query, expand="Info")
        return [from_customer(row) for row in rows if not row.get("Deleted")]

    async def create_customer(
        self, customer: Customer, *, guid: str, send_number: bool, currencies: Mapping[str, int] = MappingProxyType({})
    ) -> Made[RemoteCustomer]:
        """The new customer; the caller compares its number with the one asked for."""
        payload, warnings = to_customer(customer, guid=guid, send_number=send_number, currencies=currencies)
        try:
            row = await self._client.create("customers", payload)
        except RemoteRejectedError as error:
            if PRIVATE not in payload or PRIVATE.lower() not in error.cause.lower():
                raise
            # A refused write was not stored, so the guid is good for another one, without what is not known there.
            plain = {name: value for name, value in payload.items() if name != PRIVATE}
            row = await self._client.create("customers", plain)
        return Made(from_customer(row), tuple(warnings))

    async def update_customer(
        self,
        remote_id: int,
        customer: Customer,
        *,
        guid: str,
        currencies: Mapping[str, int] = MappingProxyType({}),
        rules: FieldRules = MappingProxyType({}),
    ) -> Change:
        """Bring the customer in line where the rules allow it; only the differences are sent."""
        shown = f"{customer.number} {customer.name}"
        there = await self.fetch_customer(remote_id, recman_company_id=customer.recman_company_id, shown=shown)
        changes, warnings = to_customer_changes(customer, there, guid=guid, currencies=currencies, rules=rules)
        self._recipients.pop(remote_id, None)
        change = await self._update(f"customers/{remote_id}", changes, warnings)
        return replace(change, number=to_text(there.get("CustomerNumber")))

    async def is_customer_gone(self, remote_id: int, *, number: str) -> bool:
        """Whether nobody has this id any more, or somebody with another number.

        Two signs are asked for, its own record and the list by number: one 404 alone is a weak one.
        """
        try:
            row = await self._client.fetch_one(f"customers/{remote_id}", expand="Info")
        except RemoteMissingError:
            return all(one.remote_id != remote_id for one in await self.find_customers(number=number, org_number=None))
        return is_deleted_customer(row) or to_text(row.get("CustomerNumber")) != number

    async def _update(self, route: str, changes: Mapping[str, Any], warnings: Iterable[Reason]) -> Change:
        if changes:
            await self._client.update(route, changes)
        return Change(bool(changes), tuple(warnings))

    # --- projects and departments ---

    async def find_projects(self, number: str) -> tuple[RemoteProject, ...]:
        """Projects with this number."""
        rows = await self._client.fetch_list("projects", filter=f"ProjectNumber eq {quote(number)}")
        return tuple(one for one in map(from_project, rows) if one.number == number)

    async def create_project(self, project: Project, *, guid: str, customer_id: int | None) -> Made[RemoteProject]:
        """The new project, in the status that RecMan's word means."""
        payload, warnings = to_project(project, guid=guid, customer_id=customer_id)
        row = await self._client.create("projects", payload)
        moved = await self._move_project(project, row)
        return Made(from_project(row), (*warnings, *moved.warnings))

    async def update_project(self, remote_id: int, project: Project, *, customer_id: int | None = None) -> Change:
        """Bring the project in line; only the differences are sent, the status by its transition."""
        route = f"projects/{remote_id}"
        there = await self._client.fetch_one(route)
        changes, warnings = to_project_changes(project, there, customer_id=customer_id)
        change = await self._update(route, changes, warnings)
        moved = await self._move_project(project, there)
        return Change(change.sent or moved.sent, (*change.warnings, *moved.warnings))

    async def _move_project(self, project: Project, there: Mapping[str, Any]) -> Change:
        """Bring its status in line; a refusal is a warning, for a project's status must not stop its invoices."""
        action = to_project_action(project, there)
        if action is None:
            return Change(sent=False)
        try:
            await self._client.act("POST", f"projects/{there['ID']}", action)
        except RemoteRejectedError as error:
            cause = f"Project {project.number} is {project.status} in RecMan, but {action} was refused: {error.cause}"
            refused = Reason(code=Code.PROJECT_STATUS, cause=cause, fix=fix_for(Code.PROJECT_STATUS))
            return Change(sent=False, warnings=(refused,))
        return Change(sent=True)

    async def find_departments(self, number: str) -> tuple[RemoteDepartment, ...]:
        """Departments with this number."""
        rows = await self._client.fetch_list("departments", filter=f"DepartmentNumber eq {quote(number)}")
        return tuple(one for one in map(from_department, rows) if one.number == number)

    async def find_dimension(self, dimension: int, number: str) -> tuple[int, ...]:
        """Ids of a free dimension's values with this number. Source: route Dimension5 to Dimension10 (swagger)."""
        rows = await self._client.fetch_list(f"Dimension{dimension}", filter=f"Number eq {quote(number)}")
        return tuple(row["ID"] for row in rows if to_text(row.get("Number")) == number)

    async def create_department(self, department: Department, *, guid: str) -> Made[RemoteDepartment]:
        """The new department."""
        payload, warnings = to_department(department, guid=guid)
        return Made(from_department(await self._client.create("departments", payload)), tuple(warnings))


def _by_number(rows: Iterable[T]) -> dict[str, tuple[T, ...]]:
    grouped: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        grouped[str(getattr(row, "number", ""))].append(row)
    return {number: tuple(found) for number, found in grouped.items() if number}


def _customer_series(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[int, int]]:
    """The customer series in use, known by name. Source: §3.7 names the registers; the rest is assumed."""
    for row in rows:
        name = f"{row.get('Name') or ''} {row.get('DisplayName') or ''}".lower()
        is_customer = any(word in name for word in ("customer", "kunde"))
        is_other = any(word in name for word in _NO_CUSTOMER_SERIES)
        limits = row.get("FromNumber"), row.get("ToNumber")
        if is_customer and not is_other and not row.get("Disabled") and None not in limits:
            yield int(row["FromNumber"]), int(row["ToNumber"])


def _read_base_currency(settings: Mapping[str, Any], currencies: Mapping[str, int]) -> str:
    """The company's own currency, once the settings say all that is needed.

    Source: §3.7 (TaxMandatoryType 1 to 3 [o]); that both are always there is assumed.
    """
    gaps = []
    base = next((code for code, identity in currencies.items() if identity == settings.get("BaseCurrencyCodeID")), None)
    if base is None:
        gaps.append(
            _setting_gap(Code.BASE_CURRENCY_UNKNOWN, "which currency it keeps its books in (BaseCurrencyCodeID)")
        )
    if settings.get("TaxMandatoryType") not in VAT_DUTIES:
        gaps.append(_setting_gap(Code.VAT_DUTY_UNKNOWN, "whether it is registered for VAT (TaxMandatoryType)"))
    if gaps or base is None:
        raise HoldError(tuple(gaps))
    return base


def _read_switches(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings say of every document, by the names of `Reference`.

    Source: docs/facts/unimicro.md §3.7 [O], §5.4 [I] (locks are compared with the day of booking).
    """
    return {
        "locked_until": _locked_until(settings),
        "books_on_delivery_date": bool(settings.get("BookCustomerInvoiceOnDeliveryDate")),
        "vat_registered": settings.get("TaxMandatoryType") == VAT_REGISTERED,
        "vat_planned": settings.get("TaxMandatoryType") == VAT_PLANNED,
        "taxable_from": _to_day(settings.get("TaxableFromDate")),
        "sends_by_itself": bool(settings.get("AutoDistributeInvoice")),
    }


def _setting_gap(code: Code, what: str) -> Reason:
    return Reason(
        code=code,
        cause=f"Unimicro's company settings do not say {what}",
        fix=fix_for(code),
    )


def _locked_until(settings: Mapping[str, Any]) -> date | None:
    days = map(_to_day, (settings.get("AccountingLockedDate"), settings.get("VatLockedDate")))
    return max(filter(None, days), default=None)


def _to_day(value: Any) -> date | None:
    return date.fromisoformat(str(value)[:10]) if value else None


def _to_org_filter(org_number: str, country_code: str) -> str:
    """Customers whose number is this one in any dress, and maybe others.

    Source: docs/facts/unimicro.md §2 (contains [O]).
    """
    groupings = list_groupings(org_number, country_code=country_code)
    if not groupings[1:]:
        # Too short or odd to be looked for inside of others.
        return f"OrgNumber eq {quote(clean_org_number(org_number, country_code=country_code))}"
    return " or ".join(f"contains(OrgNumber,{quote(digits)})" for digits in groupings)
