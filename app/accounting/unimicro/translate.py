"""Where the two vocabularies meet for customers, projects, departments and products: to Unimicro's JSON and back. Pure.

Documents have a module of their own: `translate_documents`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from app.accounting.unimicro.payloads import (
    CUSTOMER_DELETED,
    CUSTOMER_INACTIVE,
    fit_texts,
    guid_for,
    to_day,
    to_text,
)
from app.domain.dimensions import Department, Project
from app.domain.org_numbers import clean_org_number, hide_person_numbers, is_person_number, parse_gln
from app.domain.parties import Address, Customer, Recipient
from app.domain.party_numbers import list_org_number_warnings
from app.domain.policies import FieldRule, FieldRules
from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import RemoteCustomer, RemoteDepartment, RemoteProject

# What is sent, and a warning for every text that did not fit.
Written = tuple[dict[str, Any], list[Reason]]

# The status that RecMan's word means, and the action that leads there.
_PROJECT_STATUS = (
    dict.fromkeys(("active", "urgent", "solvedOngoing"), (42203, "StartProject"))
    | dict.fromkeys(("solvedEnded",), (42204, "CompleteProject"))
    | dict.fromkeys(("cancelled", "lost"), (42205, "DiscardProject"))
)
# Children of a business relation that are lists; the others fill one slot each.
_LISTS = frozenset({"Addresses", "Emails"})
_ADDRESS_SLOTS = frozenset({"InvoiceAddress", "ShippingAddress"})
# What a field of the customer there is called in a key's rules.
_FIELDS = {
    "Name": "name",
    "OrgNumber": "org_number",
    "CreditDays": "credit_days",
    "CurrencyCodeID": "currency",
    "PeppolAddress": "peppol_address",
    "GLN": "gln",
    "InvoiceAddress": "invoice_address",
    "ShippingAddress": "delivery_address",
    "Addresses": "visiting_address",
    "DefaultEmail": "email",
    "Emails": "email",
    "DefaultPhone": "phone",
}
# Whether a customer is a person. Source: docs/facts/unimicro.md §3.1 [O]; that every company has it is not certain.
PRIVATE = "IsPrivate"
# Behind another country's scheme eleven digits may be a company's.
_NORWEGIAN_SCHEME = re.compile(r"(?:0192|9908):")
_PEPPOL = re.compile(r"\d{4}:\S+", re.ASCII)
_NORWEGIAN_NUMBER = re.compile(r"\d{9}", re.ASCII)


def to_customer(
    customer: Customer, *, guid: str, send_number: bool, currencies: Mapping[str, int] = MappingProxyType({})
) -> Written:
    """A new customer with its addresses, e-mails and phone as children of their own; and what did not fit.

    Source: docs/facts/unimicro.md §3.1 [O]; that an explicit CustomerNumber is taken inside the series is assumed
    (§4.4). RecMan's company has no language that we know of, so `Localization` is not sent.
    """
    where = f"Customer {customer.number}"
    payload: dict[str, Any] = {"_createguid": guid, "OrgNumber": customer.org_number or None}
    if customer.credit_days is not None:
        payload["CreditDays"] = customer.credit_days
    if customer.currency in currencies:
        payload["CurrencyCodeID"] = currencies[customer.currency]
    if customer.is_private:
        payload[PRIVATE] = True
    if send_number:
        payload["CustomerNumber"] = int(customer.number)
    peppol, gln = to_peppol_address(customer.peppol_address), parse_gln(customer.gln)
    payload |= {name: text for name, text in {"PeppolAddress": peppol, "GLN": gln}.items() if text}
    warnings = [*fit_texts(payload, "Customer", where=where), *_list_number_warnings(customer, peppol, gln)]
    payload["Info"] = {"_createguid": guid_for(guid, "info"), "Name": customer.name}
    warnings += fit_texts(payload["Info"], "BusinessRelation", where=where)
    children, child_warnings = _to_children(customer, guid, where)
    payload["Info"] |= children
    return payload, warnings + child_warnings


def _list_number_warnings(customer: Customer, peppol: str, gln: str) -> list[Reason]:
    """Numbers of RecMan's that cannot be right: of each customer that is made or brought in line."""
    where = f"Customer {customer.number}"
    warnings = list_org_number_warnings(customer)
    if customer.peppol_address and not peppol:
        shown = hide_person_numbers(customer.peppol_address)
        cause = f"{where}: “{shown}” is no address for electronic invoices; it was left out"
        warnings.append(Reason(code=Code.PEPPOL_UNCLEAR, cause=cause, fix=fix_for(Code.PEPPOL_UNCLEAR)))
    if customer.gln and not gln:
        cause = f"{where}: “{hide_person_numbers(customer.gln)}” is no GLN of 13 digits with a right check digit"
        warnings.append(Reason(code=Code.GLN_UNCLEAR, cause=cause, fix=fix_for(Code.GLN_UNCLEAR)))
    return warnings


def to_peppol_address(text: str) -> str:
    """The address with its scheme; a bare Norwegian organisation number gets 0192.

    Source: docs/facts/unimicro.md §3.1 [I].

    Shape: empty when the text is neither, or a person's number.
    """
    plain = text.replace(" ", "")
    if is_person_number(_NORWEGIAN_SCHEME.sub("", plain)):
        return ""
    if _PEPPOL.fullmatch(plain):
        return plain
    number = clean_org_number(plain)
    return f"0192:{number}" if _NORWEGIAN_NUMBER.fullmatch(number) else ""


def _to_children(customer: Customer, guid: str, where: str) -> Written:
    """What hangs on the customer's business relation.

    The invoice e-mail is the one that invoices go to, so it is the default one; the general one stands beside it.
    """
    addresses = (customer.invoice_address, customer.delivery_address)
    visiting = Address() if customer.visiting_address in addresses else customer.visiting_address
    default_email = customer.invoice_email or customer.email
    other_email = customer.email if customer.email != default_email else ""
    slots: list[tuple[str, str, dict[str, Any]]] = [
        ("InvoiceAddress", "Address", _to_address(customer.invoice_address)),
        ("ShippingAddress", "Address", _to_address(customer.delivery_address)),
        ("Addresses", "Address", _to_address(visiting)),
        ("DefaultEmail", "Email", {"EmailAddress": default_email}),
        ("Emails", "Email", {"EmailAddress": other_email}),
        ("DefaultPhone", "Phone", {"Number": customer.phone}),
    ]
    children: dict[str, Any] = {}
    warnings = []
    for slot, entity, child in slots:
        warnings += fit_texts(child, entity, where=where)
        if any(child.values()):
            child["_createguid"] = guid_for(guid, slot)
            children[slot] = [child] if slot in _LISTS else child
    return children, warnings


def _to_address(address: Address) -> dict[str, Any]:
    """All lines of an address, blank ones too: together they are one thing. {} when there is none."""
    if address.is_empty:
        return {}
    lines = {
        "AddressLine1": address.line1,
        "AddressLine2": address.line2,
        "PostalCode": address.postal_code,
        "City": address.city,
    }
    return lines | ({"CountryCode": address.country_code} if address.country_code else {})


def to_customer_changes(
    customer: Customer,
    there: Mapping[str, Any],
    *,
    guid: str,
    currencies: Mapping[str, int] = MappingProxyType({}),
    rules: FieldRules = MappingProxyType({}),
) -> Written:
    """What to PUT so that the customer there agrees with RecMan; {} when it does.

    What RecMan does not fill changes nothing, for it may be kept up in Unimicro; an address counts as one thing. A list
    only gains what it lacks. `rules` say which fields are RecMan's at all.
    """
    wanted, warnings = to_customer(customer, guid=guid, send_number=False, currencies=currencies)
    if PRIVATE not in there:
        # This company's customers do not have it.
        wanted.pop(PRIVATE, None)
    info_there = there.get("Info") or {}
    info_wanted = _keep_owned(wanted.pop("Info"), info_there, rules)
    changes = _differences(_keep_owned(wanted, there, rules), there)
    info = _differences({"Name": info_wanted.pop("Name", None)}, info_there)
    kept: dict[int, Mapping[str, Any]] = {}
    for slot, child in info_wanted.items():
        known = info_there.get(slot)
        if slot in _LISTS:
            change: Any = _missing_rows(child, known)
        else:
            change = _child_changes(child, known, kept if slot in _ADDRESS_SLOTS else {})
        if change:
            info[slot] = change
    if info:
        changes["Info"] = {"ID": info_there.get("ID"), **info}
    return ({"ID": there["ID"], **changes} if changes else {}), warnings


def _keep_owned(wanted: dict[str, Any], there: Mapping[str, Any], rules: FieldRules) -> dict[str, Any]:
    """The part of what is wanted that RecMan may write: a field that is `fill_empty` only where there is nothing."""
    kept = {}
    for name, value in wanted.items():
        rule = rules.get(_FIELDS.get(name, ""), FieldRule.RECMAN_WINS)
        is_open = rule is FieldRule.RECMAN_WINS or (
            rule is FieldRule.FILL_EMPTY and not _is_filled(there.get(name), value)
        )
        if name != "_createguid" and is_open:
            kept[name] = value
    return kept


def _is_filled(there: Any, wanted: Any) -> bool:
    """Whether there is anything where the wanted value belongs; a record without content is nothing."""
    if isinstance(wanted, dict):
        return any(not _is_blank((there or {}).get(name)) for name in wanted if name != "_createguid")
    return not _is_blank(there) and there != []


def _child_changes(
    wanted: Mapping[str, Any], there: Mapping[str, Any] | None, kept: dict[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """The change of one child; `kept` is what an earlier slot makes of the same record.

    One address may fill two slots there (docs/facts/unimicro.md §3.1 [O]); when the slots part, the second gets one
    of its own.
    """
    if not there or not there.get("ID"):
        return {"ID": 0, **wanted}
    shared = kept.setdefault(there["ID"], wanted)
    if shared is not wanted:
        return {"ID": 0, **wanted} if _differences(wanted, shared, blanks=True) else {}
    changes = _differences(wanted, there, blanks=True)
    return {"ID": there["ID"], **changes} if changes else {}


def _missing_rows(wanted: list[dict[str, Any]], there: list[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [{"ID": 0, **row} for row in wanted if all(_differences(row, known, blanks=True) for known in there or ())]


def _differences(wanted: Mapping[str, Any], there: Mapping[str, Any], *, blanks: bool = False) -> dict[str, Any]:
    """What is wanted and differs from what is there; `blanks`: an empty text is wanted, too."""
    return {
        name: value
        for name, value in wanted.items()
        if name != "_createguid" and (blanks or not _is_blank(value)) and not _is_same(value, there.get(name))
    }


def _is_blank(value: Any) -> bool:
    return value is None or value == ""


def _is_same(one: Any, other: Any) -> bool:
    return bool(one == other) or (_is_blank(one) and _is_blank(other))


def from_recipient(row: Mapping[str, Any]) -> Recipient:
    """The customer as an invoice's head shows it, from its record with relations.

    Source: docs/facts/unimicro.md §3.1, §3.2 [O].
    """
    info = row.get("Info") or {}
    return Recipient(
        number=to_text(row.get("CustomerNumber")),
        name=to_text(info.get("Name")),
        org_number=_to_org_number(row),
        email=to_text((info.get("DefaultEmail") or {}).get("EmailAddress")),
        electronic_address=to_text(row.get("PeppolAddress") or row.get("EfakturaIdentifier")),
        agreed_reference=to_text(row.get("EInvoiceAgreementReference")),
        invoice_address=_from_address(info.get("InvoiceAddress") or {}),
        delivery_address=_from_address(info.get("ShippingAddress") or {}),
    )


def _to_org_number(row: Mapping[str, Any]) -> str:
    """The number as it is written there; a person's number is nobody's business."""
    text = to_text(row.get("OrgNumber"))
    return text if clean_org_number(text) else ""


def _from_address(row: Mapping[str, Any]) -> Address:
    names = ("AddressLine1", "AddressLine2", "PostalCode", "City", "CountryCode")
    line1, line2, postal_code, city, country_code = (to_text(row.get(name)) for name in names)
    return Address(line1=line1, line2=line2, postal_code=postal_code, city=city, country_code=country_code)


def to_project(project: Project, *, guid: str, customer_id: int | None) -> Written:
    """A new project, and what did not fit. Source: docs/facts/unimicro.md §6 [O]."""
    fields, warnings = _to_project_fields(project, customer_id)
    return {"_createguid": guid, "ProjectNumber": project.number, **fields}, warnings


def _to_project_fields(project: Project, customer_id: int | None) -> Written:
    """What a project's update may touch; fields RecMan leaves empty are left out."""
    fields = {
        "Name": project.name,
        "ProjectCustomerID": customer_id,
        "StartDate": to_day(project.start_date),
        "EndDate": to_day(project.end_date),
    }
    filled = {name: value for name, value in fields.items() if value is not None}
    return filled, fit_texts(filled, "Project", where=f"Project {project.number}")


def to_project_changes(project: Project, there: Mapping[str, Any], *, customer_id: int | None) -> Written:
    """What to PUT so that the project there agrees with RecMan; {} when it does."""
    dates = {name: (there.get(name) or "")[:10] for name in ("StartDate", "EndDate")}
    fields, warnings = _to_project_fields(project, customer_id)
    changes = _differences(fields, {**there, **dates})
    return ({"ID": there["ID"], **changes} if changes else {}), warnings


def to_project_action(project: Project, there: Mapping[str, Any]) -> str | None:
    """The transition that brings the project's status in line; None when it agrees, or RecMan's word says nothing.

    Source: RecMan's words docs/facts/recman.md §3.2 [C], Unimicro's actions docs/facts/unimicro.md §3.6 [o]; which
    belongs to which is assumed.
    """
    wanted = _PROJECT_STATUS.get(project.status)
    return wanted[1] if wanted is not None and there.get("StatusCode") != wanted[0] else None


def to_department(department: Department, *, guid: str) -> Written:
    """A new department, and what did not fit. Source: docs/facts/unimicro.md §3.6 [O]."""
    payload = {"_createguid": guid, "DepartmentNumber": department.number, "Name": department.name}
    return payload, fit_texts(payload, "Department", where=f"Department {department.number}")


def from_customer(row: Mapping[str, Any]) -> RemoteCustomer:
    """A customer as listed with `expand=Info`."""
    return RemoteCustomer(
        remote_id=row["ID"],
        number=to_text(row.get("CustomerNumber")),
        name=to_text((row.get("Info") or {}).get("Name")),
        org_number=clean_org_number(to_text(row.get("OrgNumber"))),
        active=row.get("StatusCode") not in CUSTOMER_INACTIVE and not row.get("Deleted"),
    )


def is_deleted_customer(row: Mapping[str, Any]) -> bool:
    """Whether the row is one that was deleted and shows all the same."""
    return bool(row.get("Deleted")) or row.get("StatusCode") == CUSTOMER_DELETED


def from_project(row: Mapping[str, Any]) -> RemoteProject:
    """A project as listed."""
    return RemoteProject(remote_id=row["ID"], number=to_text(row.get("ProjectNumber")), name=to_text(row.get("Name")))


def from_department(row: Mapping[str, Any]) -> RemoteDepartment:
    """A department as listed."""
    number = to_text(row.get("DepartmentNumber"))
    return RemoteDepartment(remote_id=row["ID"], number=number, name=to_text(row.get("Name")))
