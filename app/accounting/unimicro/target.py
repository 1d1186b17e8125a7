"""Unimicro as our transfers see it: find, create, update, issue; domain objects in and out.

Every look-up re-checks its rows: Unimicro ignores a filter on a field that it does not know and returns everything.
Source: facts/unimicro-api.md §2 [O].
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from app.accounting.unimicro.client import UnimicroClient
from app.accounting.unimicro.payloads import VAT_REGISTERED, to_text
from app.accounting.unimicro.translate import (
    VatTable,
    clean_org_number,
    from_customer,
    from_department,
    from_product,
    from_project,
    from_recipient,
    to_customer,
    to_customer_changes,
    to_department,
    to_project,
    to_project_changes,
)
from app.accounting.unimicro.translate_documents import Currency, from_invoice, read_rate, to_credit_head, to_invoice
from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind
from app.domain.money import to_decimal
from app.domain.parties import Customer, Recipient
from app.domain.policies import FieldRules
from app.domain.reference import (
    DocumentState,
    Links,
    Reference,
    RemoteCustomer,
    RemoteDepartment,
    RemoteDocument,
    RemoteProject,
)
from app.errors import HoldError, OutcomeUnknownError, Reason

_SLOTS = ("InvoiceAddress", "ShippingAddress", "DefaultEmail", "DefaultPhone", "Addresses", "Emails")
_CUSTOMER_PARTS = ",".join(("Info", *(f"Info.{slot}" for slot in _SLOTS)))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """A record that was made, and what had to be cut to make it."""

    record: T
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Whether an update had anything to send, and what had to be cut for it."""

    sent: bool
    warnings: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that was made, and what had to be cut to make it."""

    document: RemoteDocument
    warnings: tuple[Reason, ...]


# What customers look like on an invoice's head, by the customer's id; the caller says how long it is believed.
Recipients = MutableMapping[int, Recipient]


class UnimicroTarget:
    """One company's books; errors as `UnimicroClient` raises them."""

    def __init__(self, client: UnimicroClient, *, recipients: Recipients | None = None) -> None:
        self._client = client
        self._recipients: Recipients = {} if recipients is None else recipients

    async def fetch_reference(self) -> Reference:
        """Everything that planning needs of this company, read anew.

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
            locked_until=_locked_until(settings),
            vat_registered=settings["TaxMandatoryType"] == VAT_REGISTERED,
            sends_by_itself=bool(settings.get("AutoDistributeInvoice")),
        )

    async def _fetch_vat(self, settings: Mapping[str, Any]) -> VatTable:
        types = await self._client.fetch_list("vattypes")
        accounts = await self._client.fetch_list("accounts")
        return VatTable(
            rates={row["ID"]: to_decimal(row["VatPercent"]) for row in types if row.get("VatPercent") is not None},
            accounts={row["ID"]: row.get("VatTypeID") for row in accounts},
            default_account_id=settings.get("DefaultSalesAccountID"),
        )

    async def probe(self, route: str) -> None:
        """Read one row, to see whether that is allowed."""
        await self._client.fetch_first(route)

    # --- customers ---

    async def find_customers(self, *, number: str, org_number: str | None) -> tuple[RemoteCustomer, ...]:
        """Customers with this number or this organisation number."""
        found: dict[int, RemoteCustomer] = {}
        if number.isdecimal():
            rows = await self._client.fetch_list("customers", filter=f"CustomerNumber eq {number}", expand="Info")
            found |= {one.remote_id: one for one in map(from_customer, rows) if one.number == number}
        if org_number:
            wanted = clean_org_number(org_number)
            rows = await self._client.fetch_list("customers", filter=f"OrgNumber eq {_quote(wanted)}", expand="Info")
            found |= {one.remote_id: one for one in map(from_customer, rows) if one.org_number == wanted}
        return tuple(found.values())

    async def list_customers(self) -> tuple[RemoteCustomer, ...]:
        """Every customer, whatever its state; that the list holds inactive ones too is assumed."""
        return tuple(map(from_customer, await self._client.fetch_list("customers", expand="Info")))

    async def create_customer(
        self, customer: Customer, *, guid: str, send_number: bool, currencies: Mapping[str, int] = MappingProxyType({})
    ) -> Made[RemoteCustomer]:
        """The new customer; the caller compares its number with the one asked for."""
        payload, warnings = to_customer(customer, guid=guid, send_number=send_number, currencies=currencies)
        return Made(from_customer(await self._client.create("customers", payload)), tuple(warnings))

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
        there = await self._client.fetch_one(f"customers/{remote_id}", expand=_CUSTOMER_PARTS)
        changes, warnings = to_customer_changes(customer, there, guid=guid, currencies=currencies, rules=rules)
        self._recipients.pop(remote_id, None)
        return await self._update(f"customers/{remote_id}", changes, warnings)

    async def _update(self, route: str, changes: Mapping[str, Any], warnings: Iterable[Reason]) -> Change:
        if changes:
            await self._client.update(route, changes)
        return Change(bool(changes), tuple(warnings))

    # --- projects and departments ---

    async def find_projects(self, number: str) -> tuple[RemoteProject, ...]:
        """Projects with this number."""
        rows = await self._client.fetch_list("projects", filter=f"ProjectNumber eq {_quote(number)}")
        return tuple(one for one in map(from_project, rows) if one.number == number)

    async def create_project(self, project: Project, *, guid: str, customer_id: int | None) -> Made[RemoteProject]:
        """The new project."""
        payload, warnings = to_project(project, guid=guid, customer_id=customer_id)
        return Made(from_project(await self._client.create("projects", payload)), tuple(warnings))

    async def update_project(self, remote_id: int, project: Project) -> Change:
        """Bring the project in line; only the differences are sent."""
        there = await self._client.fetch_one(f"projects/{remote_id}")
        changes, warnings = to_project_changes(project, there)
        return await self._update(f"projects/{remote_id}", changes, warnings)

    async def find_departments(self, number: str) -> tuple[RemoteDepartment, ...]:
        """Departments with this number."""
        rows = await self._client.fetch_list("departments", filter=f"DepartmentNumber eq {_quote(number)}")
        return tuple(one for one in map(from_department, rows) if one.number == number)

    async def create_department(self, department: Department, *, guid: str) -> Made[RemoteDepartment]:
        """The new department."""
        payload, warnings = to_department(department, guid=guid)
        return Made(from_department(await self._client.create("departments", payload)), tuple(warnings))

    # --- documents ---

    async def find_documents_by_reference(self, external_reference: str) -> tuple[RemoteDocument, ...]:
        """Invoices and credit notes that carry our reference."""
        condition = f"ExternalReference eq {_quote(external_reference)}"
        rows = await self._client.fetch_list("invoices", filter=condition)
        return tuple(one for one in map(from_invoice, rows) if one.external_reference == external_reference)

    async def find_credit_drafts(self, credited_id: int) -> tuple[RemoteDocument, ...]:
        """Credit drafts of an invoice that nobody has put a reference on yet."""
        condition = f"InvoiceReferenceID eq {credited_id} and InvoiceType eq 1"
        rows = await self._client.fetch_list("invoices", filter=condition)
        return tuple(
            one
            for one in map(from_invoice, rows)
            if one.credited_id == credited_id
            and one.kind is DocumentKind.CREDIT_NOTE
            and one.state is DocumentState.DRAFT
            and not one.external_reference
        )

    async def fetch_document(self, remote_id: int) -> RemoteDocument:
        """The document as it is now."""
        return from_invoice(await self._client.fetch_one(f"invoices/{remote_id}"))

    async def create_draft(
        self, document: Document, links: Links, *, guid: str, external_reference: str, reference: Reference
    ) -> Draft:
        """The new draft with its sums as Unimicro has them.

        Its head shows the customer as Unimicro knows it now, as the UI does: whether the server fills it in is unknown
        (facts §9 row 7), and RecMan's company is at hand for a customer's first invoice only.
        """
        currency = await self._fetch_currency(document, reference)
        recipient = await self._fetch_recipient(links.customer_id)
        payload, warnings = to_invoice(
            document,
            links,
            guid=guid,
            external_reference=external_reference,
            currency=currency,
            recipient=recipient,
        )
        return Draft(from_invoice(await self._client.create("invoices", payload)), tuple(warnings))

    async def _fetch_recipient(self, customer_id: int) -> Recipient:
        found = self._recipients.get(customer_id)
        if found is None:
            found = from_recipient(await self._client.fetch_one(f"customers/{customer_id}", expand=_CUSTOMER_PARTS))
            self._recipients[customer_id] = found
        return found

    async def issue_document(self, remote_id: int) -> None:
        """Issue a draft; its number is read afterwards."""
        await self._client.act("POST", f"invoices/{remote_id}", "invoice")

    async def delete_draft(self, remote_id: int) -> None:
        """Delete a draft; one that is gone already is as good."""
        await self._client.delete(f"invoices/{remote_id}")

    async def create_credit_draft(self, credited_id: int) -> RemoteDocument:
        """A whole credit of an issued invoice, as a draft that Unimicro makes itself."""
        row = await self._client.act("PUT", f"invoices/{credited_id}", "create-credit-draft-invoice")
        if not isinstance(row, dict) or not isinstance(row.get("ID"), int):
            raise OutcomeUnknownError("Unimicro made a credit draft but did not say which")
        return from_invoice(row)

    async def update_credit_draft(self, remote_id: int, document: Document, *, external_reference: str) -> Draft:
        """The credit draft with our reference, dates and texts; its lines stay a whole credit."""
        draft = await self.fetch_document(remote_id)
        payload, warnings = to_credit_head(
            document, external_reference=external_reference, customer_id=draft.customer_id
        )
        await self._client.update(f"invoices/{remote_id}", {"ID": remote_id, **payload})
        return Draft(await self.fetch_document(remote_id), tuple(warnings))

    async def _fetch_currency(self, document: Document, reference: Reference) -> Currency:
        currency_id = reference.currencies[document.currency]
        if document.currency == reference.base_currency:
            return Currency(currency_id=currency_id, rate=Decimal(1))
        base_id = reference.currencies[reference.base_currency]
        rate = await self.fetch_rate(currency_id, base_id, document.invoice_date)
        return Currency(currency_id=currency_id, rate=rate)

    async def fetch_rate(self, currency_id: int, base_id: int, day: date) -> Decimal:
        """Base currency per unit of a foreign one on a day.

        Source: currencies?action=get-currency-exchange-rate (facts §3.7 [o]). What Factor does is not documented, so
        only 1 is believed.

        Raises:
            HoldError: there is no rate that can be used.
        """
        answer = await self._client.ask(
            "currencies",
            "get-currency-exchange-rate",
            fromCurrencyCodeID=str(currency_id),
            toCurrencyCodeID=str(base_id),
            currencyDate=day.isoformat(),
        )
        return read_rate(answer, day)


def _by_number(rows: Iterable[T]) -> dict[str, tuple[T, ...]]:
    grouped: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        grouped[str(getattr(row, "number", ""))].append(row)
    return {number: tuple(found) for number, found in grouped.items() if number}


def _customer_series(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[int, int]]:
    """The customer series in use, told by name. Source: facts §3.7 names the registers; the rest is assumed."""
    for row in rows:
        name = f"{row.get('Name') or ''} {row.get('DisplayName') or ''}".lower()
        is_customer = ("customer" in name and "invoice" not in name) or "kunde" in name
        limits = row.get("FromNumber"), row.get("ToNumber")
        if is_customer and not row.get("Disabled") and None not in limits:
            yield int(row["FromNumber"]), int(row["ToNumber"])


def _read_base_currency(settings: Mapping[str, Any], currencies: Mapping[str, int]) -> str:
    """The company's own currency, once the settings say all that is needed.

    Source: facts §3.7 (TaxMandatoryType 1 to 3 [o]); that both are always there is assumed.
    """
    gaps = []
    base = next((code for code, identity in currencies.items() if identity == settings.get("BaseCurrencyCodeID")), None)
    if base is None:
        gaps.append(_setting_gap("base_currency_unknown", "which currency it keeps its books in (BaseCurrencyCodeID)"))
    if not isinstance(settings.get("TaxMandatoryType"), int):
        gaps.append(_setting_gap("vat_duty_unknown", "whether it is registered for VAT (TaxMandatoryType)"))
    if gaps or base is None:
        raise HoldError(tuple(gaps))
    return base


def _setting_gap(code: str, what: str) -> Reason:
    return Reason(
        code=code,
        cause=f"Unimicro's company settings do not say {what}",
        fix="Choose it in Unimicro under Settings, Company settings, then retry.",
    )


def _locked_until(settings: Mapping[str, Any]) -> date | None:
    days = [settings.get("AccountingLockedDate"), settings.get("VatLockedDate")]
    return max((date.fromisoformat(str(day)[:10]) for day in days if day), default=None)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
