"""Where the two vocabularies meet: domain objects to Unimicro's JSON and back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.accounting.unimicro.payloads import (
    CREDIT_NOTE_TYPE,
    CUSTOMER_INACTIVE,
    DRAFT_ON_CREATE,
    EXTERNAL_REFERENCE_LENGTH,
    INVOICE_DRAFT,
    INVOICE_LENGTHS,
    ITEM_LENGTHS,
    PRODUCT_ACTIVE,
    cut_texts,
    guid_for,
)
from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind, Line, Totals
from app.domain.money import ZERO, round_money, to_decimal
from app.domain.parties import Address, Customer
from app.domain.reference import (
    DocumentState,
    Links,
    RemoteCustomer,
    RemoteDepartment,
    RemoteDocument,
    RemoteProduct,
    RemoteProject,
)
from app.errors import Reason

_FOUR = Decimal("0.0001")


# --- customers, projects, departments ------------------------------------------------------------------------------


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
        "StartDate": _to_day(project.start_date),
        "EndDate": _to_day(project.end_date),
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
        number=_text(row.get("CustomerNumber")),
        name=_text((row.get("Info") or {}).get("Name")),
        org_number=clean_org_number(_text(row.get("OrgNumber"))),
        active=row.get("StatusCode") not in CUSTOMER_INACTIVE and not row.get("Deleted"),
    )


def clean_org_number(text: str) -> str:
    """An organisation number without blanks, `NO` and `MVA`."""
    return text.upper().replace(" ", "").removeprefix("NO").removesuffix("MVA")


def from_project(row: Mapping[str, Any]) -> RemoteProject:
    """A project as listed."""
    return RemoteProject(remote_id=row["ID"], number=_text(row.get("ProjectNumber")), name=_text(row.get("Name")))


def from_department(row: Mapping[str, Any]) -> RemoteDepartment:
    """A department as listed."""
    number = _text(row.get("DepartmentNumber"))
    return RemoteDepartment(remote_id=row["ID"], number=number, name=_text(row.get("Name")))


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
        number=_text(row.get("PartName")),
        name=_text(row.get("Name")),
        active=row.get("StatusCode") in (None, PRODUCT_ACTIVE) and not row.get("Deleted"),
        account_id=account_id,
        vat_type_id=vat_type_id,
        vat_rate=vat.rates.get(vat_type_id) if vat_type_id else None,
    )


# --- documents -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """A document's currency there; `rate` is base currency per unit, 1 for the base currency itself."""

    currency_id: int
    rate: Decimal


def to_invoice(
    document: Document, links: Links, *, guid: str, external_reference: str, currency: Currency
) -> tuple[dict[str, Any], list[Reason]]:
    """A draft invoice with computed sums as the UI sends them, and the warnings about texts that were cut.

    Source: facts §3.2, §3.3 and §6; sending the sums is assumed to do no harm where the server computes its own.
    """
    if len(external_reference) > EXTERNAL_REFERENCE_LENGTH:
        raise ValueError(f"external reference too long: {external_reference}")
    payload = {
        "_createguid": guid,
        "StatusCode": DRAFT_ON_CREATE,
        "InvoiceType": 0,
        "CustomerID": links.customer_id,
        # A nested customer would overwrite the customer's own record. Source: facts §4.1 [o].
        "Customer": None,
        "CurrencyCodeID": currency.currency_id,
        "CurrencyExchangeRate": currency.rate,
        **_to_head_texts(document, external_reference),
        **_to_sums(document, currency.rate),
        "Items": [],
    }
    dimensions = _to_dimensions(links, guid_for(guid, "dimensions"))
    if dimensions:
        payload["DefaultDimensions"] = dimensions
    warnings = cut_texts(payload, INVOICE_LENGTHS, where=f"Invoice {document.number}")
    for index, line in enumerate(document.lines, start=1):
        item = _to_item(line, links, guid=guid_for(guid, "line", str(index)), rate=currency.rate)
        item["SortIndex"] = index
        warnings += cut_texts(item, ITEM_LENGTHS, where=f"Line {line.position}")
        payload["Items"].append(item)
    return payload, warnings


def to_credit_head(document: Document, *, external_reference: str) -> tuple[dict[str, Any], list[Reason]]:
    """What is set on a credit draft that Unimicro made from the credited invoice; its lines stay."""
    payload = _to_head_texts(document, external_reference)
    # A credit note has no payment of its own.
    payload.pop("PaymentID", None)
    return payload, cut_texts(payload, INVOICE_LENGTHS, where=f"Credit note {document.number}")


def _to_head_texts(document: Document, external_reference: str) -> dict[str, Any]:
    what = "invoice" if document.kind is DocumentKind.INVOICE else "credit note"
    texts = {
        "ExternalReference": external_reference,
        "InvoiceDate": _to_day(document.invoice_date),
        "PaymentDueDate": _to_day(document.due_date),
        "DeliveryDate": _to_day(document.delivery_date),
        "YourReference": document.your_reference,
        "OurReference": document.our_reference,
        "Requisition": document.requisition,
        "PaymentID": document.kid,
        "FreeTxt": document.note,
        "InternalNote": "\n".join(filter(None, (f"RecMan {what} {document.number}", document.internal_note))),
    }
    return {name: value for name, value in texts.items() if value}


def _to_sums(document: Document, rate: Decimal) -> dict[str, Decimal]:
    totals = document.computed_totals
    sums = {
        "TaxExclusiveAmount": totals.net_amount,
        "VatTotalsAmount": totals.vat_amount,
        "TaxInclusiveAmount": totals.gross_amount,
    }
    currency = {f"{name}Currency": amount for name, amount in sums.items()}
    return {name: round_money(amount * rate) for name, amount in sums.items()} | currency


def _to_item(line: Line, links: Links, *, guid: str, rate: Decimal) -> dict[str, Any]:
    item: dict[str, Any] = {"ID": 0, "_createguid": guid, "ItemText": line.text, "DiscountPercent": ZERO}
    if line.comment:
        item["Comment"] = line.comment
    if line.product_number is None:
        # A line without product is a pure text line. Source: facts §3.3 [o].
        return item | {"ProductID": None, "NumberOfItems": ZERO}
    product = links.products[line.product_number]
    dimensions = _to_dimensions(links, guid_for(guid, "dimensions"))
    if dimensions:
        item["Dimensions"] = dimensions
    return item | {
        "ProductID": product.remote_id,
        "AccountID": product.account_id,
        "VatTypeID": product.vat_type_id,
        "NumberOfItems": line.quantity,
        "Unit": line.unit,
        "PriceExVat": round_money(line.unit_price_net * rate, _FOUR),
        "PriceExVatCurrency": line.unit_price_net,
        "PriceSetByUser": True,
        "DiscountPercent": line.discount_percent,
        "SumTotalExVat": round_money(line.net_amount * rate),
        "SumTotalExVatCurrency": line.net_amount,
        "SumVat": round_money(line.vat_amount * rate),
        "SumVatCurrency": line.vat_amount,
        "SumTotalIncVat": round_money((line.net_amount + line.vat_amount) * rate),
        "SumTotalIncVatCurrency": line.net_amount + line.vat_amount,
    }


def _to_dimensions(links: Links, guid: str) -> dict[str, Any] | None:
    """Set on the head and on every line, because whether lines inherit is unknown (facts §3.6)."""
    ids = {"ProjectID": links.project_id, "DepartmentID": links.department_id}
    known = {name: value for name, value in ids.items() if value is not None}
    return {"ID": 0, "_createguid": guid, **known} if known else None


def from_invoice(row: Mapping[str, Any]) -> RemoteDocument:
    """An invoice or credit note; sums in its own currency, positive also on a credit note."""
    is_credit = row.get("InvoiceType") == CREDIT_NOTE_TYPE
    status = row.get("StatusCode") or INVOICE_DRAFT
    return RemoteDocument(
        remote_id=row["ID"],
        kind=DocumentKind.CREDIT_NOTE if is_credit else DocumentKind.INVOICE,
        state=DocumentState.DRAFT if status <= INVOICE_DRAFT else DocumentState.ISSUED,
        number=_text(row.get("InvoiceNumber")),
        external_reference=_text(row.get("ExternalReference")),
        customer_id=row.get("CustomerID"),
        totals=_from_totals(row, sign=-1 if is_credit else 1),
        kid=_text(row.get("PaymentID")),
        credited_id=row.get("InvoiceReferenceID"),
    )


def _from_totals(row: Mapping[str, Any], *, sign: int) -> Totals:
    net, vat, gross = (
        round_money(to_decimal(_first(row, f"{name}Currency", name)) * sign)
        for name in ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount")
    )
    return Totals(net_amount=net, vat_amount=vat, gross_amount=gross)


def _first(row: Mapping[str, Any], *names: str) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), 0)


def _to_day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _text(value: object) -> str:
    return "" if value is None else str(value)
