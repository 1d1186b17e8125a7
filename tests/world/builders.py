"""Domain objects with boring defaults; a test names only what it is about."""

from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind, Line, Totals
from app.domain.parties import Address, Customer
from app.domain.reference import DocumentState, Reference, RemoteDocument, RemoteProduct


def make_line(**changes: Any) -> Line:
    """37.5 hours at 450 with 25 % VAT."""
    values: dict[str, Any] = {
        "position": 1,
        "text": "Konsulenttimer oktober",
        "product_number": "1001",
        "quantity": Decimal("37.5"),
        "unit": "timer",
        "unit_price_net": Decimal(450),
        "vat_rate": Decimal(25),
    }
    return Line(**values | changes)


def make_document(**changes: Any) -> Document:
    """An invoice with one line."""
    values: dict[str, Any] = {
        "recman_invoice_id": "5001",
        "kind": DocumentKind.INVOICE,
        "number": "20001",
        "recman_company_id": "201",
        "invoice_date": date(2026, 10, 31),
        "due_date": date(2026, 11, 14),
        "currency": "NOK",
        "lines": (make_line(),),
    }
    return Document(**values | changes)


def make_customer(**changes: Any) -> Customer:
    """A customer inside Unimicro's series."""
    values: dict[str, Any] = {
        "recman_company_id": "201",
        "number": "100001",
        "name": "Ærfugl Bemanning AS",
        "org_number": "",
        "email": "post@aerfugl.example",
        "invoice_address": Address(line1="Gata 1", postal_code="0150", city="Oslo", country_code="NO"),
        "credit_days": 14,
    }
    return Customer(**values | changes)


def make_project(**changes: Any) -> Project:
    """A running project."""
    values: dict[str, Any] = {
        "recman_project_id": "301",
        "number": "P-301",
        "name": "Vaktbytte",
        "recman_company_id": "201",
        "start_date": date(2026, 9, 1),
    }
    return Project(**values | changes)


def make_department(**changes: Any) -> Department:
    """A department with a number."""
    values: dict[str, Any] = {"recman_department_id": "401", "name": "Oslo", "number": "10"}
    return Department(**values | changes)


def make_product(**changes: Any) -> RemoteProduct:
    """An active product with 25 % VAT."""
    values: dict[str, Any] = {
        "remote_id": 33,
        "number": "1001",
        "name": "Konsulenttimer",
        "active": True,
        "account_id": 283,
        "vat_type_id": 11,
        "vat_rate": Decimal(25),
    }
    return RemoteProduct(**values | changes)


def make_reference(**changes: Any) -> Reference:
    """A VAT-registered company with one product."""
    values: dict[str, Any] = {
        "products": {"1001": (make_product(),)},
        "departments": {},
        "currencies": {"NOK": 1, "EUR": 2},
        "base_currency": "NOK",
        "customer_series": ((100000, 199999),),
    }
    return Reference(**values | changes)


def make_remote_document(**changes: Any) -> RemoteDocument:
    """A draft that agrees with `make_document`."""
    totals = Totals(net_amount=Decimal("16875.00"), vat_amount=Decimal("4218.75"), gross_amount=Decimal("21093.75"))
    values: dict[str, Any] = {
        "remote_id": 712,
        "kind": DocumentKind.INVOICE,
        "state": DocumentState.DRAFT,
        "number": "",
        "external_reference": "RM-5001",
        "customer_id": 17,
        "totals": totals,
    }
    return RemoteDocument(**values | changes)
