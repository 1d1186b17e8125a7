"""Where the two vocabularies meet for customers, projects, departments and products: to Unimicro's JSON and back. Pure.

Documents have a module of their own: `translate_documents`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import (
    CUSTOMER_INACTIVE,
    PRODUCT_ACTIVE,
    guid_for,
    to_day,
    to_text,
)
from app.domain.dimensions import Department, Project
from app.domain.parties import Address, Customer
from app.domain.reference import RemoteCustomer, RemoteDepartment, RemoteProduct, RemoteProject


def to_customer(customer: Customer, *, guid: str, send_number: bool) -> dict[str, Any]:
    """A new customer with its address, e-mail and phone as children of their own.

    Source: facts §3.1 [O]; that an explicit CustomerNumber is taken inside the series is assumed (§4.4).
    """
    info: dict[str, Any] = {"_createguid": guid_for(guid, "info"), "Name": customer.name}
    if not customer.invoice_address.is_empty:
        info["InvoiceAddress"] = _to_address(customer.invoice_address, guid_for(guid, "invoice address"))
    if not customer.delivery_address.is_empty:
        info["ShippingAddress"] = _to_address(customer.delivery_address, guid_for(guid, "delivery address"))
    email = customer.invoice_email or customer.email
    if email:
        info["DefaultEmail"] = {"_createguid": guid_for(guid, "email"), "EmailAddress": email}
    if customer.phone:
        info["DefaultPhone"] = {"_createguid": guid_for(guid, "phone"), "Number": customer.phone}
    payload: dict[str, Any] = {"_createguid": guid, "OrgNumber": customer.org_number or None, "Info": info}
    if customer.credit_days is not None:
        payload["CreditDays"] = customer.credit_days
    if send_number:
        payload["CustomerNumber"] = int(customer.number)
    return payload


def to_customer_changes(customer: Customer, there: Mapping[str, Any], *, guid: str) -> dict[str, Any]:
    """What to PUT so that the customer there agrees with RecMan; {} when it does.

    Blank values of RecMan change nothing: a field RecMan does not fill may be kept up in Unimicro.
    """
    wanted = to_customer(customer, guid=guid, send_number=False)
    changes = _differences({name: wanted[name] for name in ("OrgNumber", "CreditDays") if name in wanted}, there)
    info_there = there.get("Info") or {}
    info = _differences({"Name": customer.name}, info_there)
    for name in ("InvoiceAddress", "ShippingAddress", "DefaultEmail", "DefaultPhone"):
        if name in wanted["Info"]:
            child = _child_changes(wanted["Info"][name], info_there.get(name))
            if child:
                info[name] = child
    if info:
        changes["Info"] = {"ID": info_there.get("ID"), **info}
    return {"ID": there["ID"], **changes} if changes else {}


def _child_changes(wanted: Mapping[str, Any], there: Mapping[str, Any] | None) -> dict[str, Any]:
    if not there or not there.get("ID"):
        return {"ID": 0, **wanted}
    changes = _differences({name: value for name, value in wanted.items() if name != "_createguid"}, there)
    return {"ID": there["ID"], **changes} if changes else {}


def _differences(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if value not in (None, "", there.get(name))}


def _to_address(address: Address, guid: str) -> dict[str, Any]:
    return {
        "_createguid": guid,
        "AddressLine1": address.line1,
        "AddressLine2": address.line2,
        "PostalCode": address.postal_code,
        "City": address.city,
        "CountryCode": address.country_code,
    }


def to_project(project: Project, *, guid: str, customer_id: int | None) -> dict[str, Any]:
    """A new project. Source: facts §6 [O]."""
    return {"_createguid": guid, "ProjectNumber": project.number, **to_project_fields(project, customer_id)}


def to_project_fields(project: Project, customer_id: int | None) -> dict[str, Any]:
    """What a project's update may touch; fields RecMan leaves empty are left out."""
    fields = {
        "Name": project.name,
        "ProjectCustomerID": customer_id,
        "StartDate": to_day(project.start_date),
        "EndDate": to_day(project.end_date),
    }
    return {name: value for name, value in fields.items() if value is not None}


def to_project_changes(project: Project, there: Mapping[str, Any]) -> dict[str, Any]:
    """What to PUT so that the project there agrees with RecMan; {} when it does."""
    dates = {name: (there.get(name) or "")[:10] for name in ("StartDate", "EndDate")}
    changes = _differences(to_project_fields(project, None), {**there, **dates})
    return {"ID": there["ID"], **changes} if changes else {}


def to_department(department: Department, *, guid: str) -> dict[str, Any]:
    """A new department. Source: facts §3.6 [O]."""
    return {"_createguid": guid, "DepartmentNumber": department.number, "Name": department.name[:100]}


def from_customer(row: Mapping[str, Any]) -> RemoteCustomer:
    """A customer as listed with `expand=Info`."""
    return RemoteCustomer(
        remote_id=row["ID"],
        number=to_text(row.get("CustomerNumber")),
        name=to_text((row.get("Info") or {}).get("Name")),
        org_number=clean_org_number(to_text(row.get("OrgNumber"))),
        active=row.get("StatusCode") not in CUSTOMER_INACTIVE and not row.get("Deleted"),
    )


def clean_org_number(text: str) -> str:
    """An organisation number without blanks, `NO` and `MVA`."""
    return text.upper().replace(" ", "").removeprefix("NO").removesuffix("MVA")


def from_project(row: Mapping[str, Any]) -> RemoteProject:
    """A project as listed."""
    return RemoteProject(remote_id=row["ID"], number=to_text(row.get("ProjectNumber")), name=to_text(row.get("Name")))


def from_department(row: Mapping[str, Any]) -> RemoteDepartment:
    """A department as listed."""
    number = to_text(row.get("DepartmentNumber"))
    return RemoteDepartment(remote_id=row["ID"], number=number, name=to_text(row.get("Name")))


@dataclass(frozen=True, slots=True)
class VatTable:
    """Percentages by VAT type, and the VAT type of each account; ids are the company's own."""

    rates: Mapping[int, Decimal]
    accounts: Mapping[int, int | None]
    default_account_id: int | None


def from_product(row: Mapping[str, Any], vat: VatTable) -> RemoteProduct:
    """A product with what it falls back to: its account's VAT type, the company's sales account.

    Source: facts §3.5 [o].
    """
    account_id = row.get("AccountID") or vat.default_account_id
    vat_type_id = row.get("VatTypeID") or (vat.accounts.get(account_id) if account_id else None)
    return RemoteProduct(
        remote_id=row["ID"],
        number=to_text(row.get("PartName")),
        name=to_text(row.get("Name")),
        active=row.get("StatusCode") in (None, PRODUCT_ACTIVE) and not row.get("Deleted"),
        account_id=account_id,
        vat_type_id=vat_type_id,
        vat_rate=vat.rates.get(vat_type_id) if vat_type_id else None,
    )
