"""The stand-in's own doors under `/sandbox`: its books in a comparable form, settings, reset.

No part of Unimicro. The books name everything by what people see (numbers, codes), never by ids, guids or times, so
that the books of two runs can be compared as they are.
"""

from dataclasses import asdict
from decimal import Decimal
from typing import Any, Protocol

import simplejson
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.sandbox.faults import CONTROL_PREFIX, SandboxApp
from app.sandbox.unimicro.answers import DecimalResponse, Record
from app.sandbox.unimicro.books import Books, Company
from app.sandbox.unimicro.import_doors import add_import_doors
from app.sandbox.unimicro.kinds import Kind
from app.sandbox.unimicro.people import DEEDS
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.seed import RATES
from app.sandbox.unimicro.switches import is_known
from app.sandbox.unimicro.vat import change_vat_type, renumber


class HasCompanies(Protocol):
    """A world, as far as these doors need it."""

    companies: dict[str, Company]

    def reset(self) -> None:
        """Start afresh."""


# Numbers that come from a series in the order of issuing; left out with `?without_numbers=1`.
_SERIES_NUMBERS = ("InvoiceNumber", "PaymentID", "OrderNumber")
_VOUCHER_NUMBERS = ("JournalEntryNumber", "JournalEntryNumberNumeric")
# How a referred record is named.
_LABELS = {"Customer": "CustomerNumber", "Product": "PartName", "Project": "ProjectNumber", "VatType": "VatCode"}
_LABELS |= {"Department": "DepartmentNumber", "Account": "AccountNumber", "CurrencyCode": "Code", "Terms": "Name"}
_LABELS |= {"CustomerInvoice": "ExternalReference", "NumberSeries": "Name", "DistributionPlan": "Name"}
_LABELS |= {"Distributions": "ID", "JournalEntry": "Description"}
_NESTED = {"BusinessRelation", "Dimensions", "Address", "Email", "Phone"}
_HIDDEN = {"ID", "CreatedAt", "CreatedBy", "UpdatedAt", "UpdatedBy", "Deleted", "CustomerInvoiceID", "JournalEntryID"}
_HIDDEN |= {"CustomerOrderID", "RegisteredDate", "NumberSeriesTaskID"}
_HIDDEN |= {"JournalEntryLineDraftID", "VatJournalEntryPostID", "PostPostJournalEntryLineID", "ReferenceCreditPostID"}
_HIDDEN |= {"OriginalReferencePostID"}


def create_control_routes(app: SandboxApp, world: HasCompanies) -> APIRouter:
    """Routes for tests and the demo."""
    router = APIRouter(prefix=CONTROL_PREFIX, tags=["sandbox"])

    @router.get("/books")
    async def books(request: Request) -> Response:
        bare = request.query_params.get("without_numbers", "0") not in ("", "0")
        companies = {key: to_plain_books(company, without_numbers=bare) for key, company in world.companies.items()}
        return DecimalResponse({"companies": companies, "calls": dict(sorted(app.calls.counts.items()))})

    @router.post("/reset", status_code=204)
    async def reset() -> Response:
        world.reset()
        app.faults.waiting.clear()
        app.calls.clear()
        return Response(status_code=204)

    _add_company_doors(router, world)
    _add_money_doors(router, world)
    _add_vat_doors(router, world)
    _add_people_door(router, world)
    add_import_doors(router, world)
    return router


def _add_company_doors(router: APIRouter, world: HasCompanies) -> None:
    """What is changed in one company: its settings, its switches."""

    @router.post("/companies/{key}/settings")
    async def change_settings(request: Request, key: str) -> Response:
        company = world.companies.get(key.lower())
        changes = simplejson.loads(await request.body(), use_decimal=True)
        if company is None or not changes.keys() <= ENTITIES["CompanySettings"].fields.keys():
            return JSONResponse({"detail": "unknown company or setting"}, 404)
        return DecimalResponse(company.books.update("CompanySettings", 1, changes))

    @router.post("/companies/{key}/switches")
    async def turn_switches(request: Request, key: str) -> Response:
        company = world.companies.get(key.lower())
        changes = simplejson.loads(await request.body())
        if company is None or not is_known(changes):
            return JSONResponse({"detail": "unknown company, switch or position"}, 404)
        company.books.switches = company.books.switches.turned(changes)
        return JSONResponse(asdict(company.books.switches))


def _add_money_doors(router: APIRouter, world: HasCompanies) -> None:
    """Rates that move, accounts that are closed."""

    @router.post("/companies/{key}/rates")
    async def move_rates(request: Request, key: str) -> Response:
        company = world.companies.get(key.lower())
        changes = simplejson.loads(await request.body(), use_decimal=True)
        if company is None or not _are_rates(changes):
            return JSONResponse({"detail": "unknown company or currency, or a rate that is not above zero"}, 404)
        company.books.rates |= {code: Decimal(rate) for code, rate in changes.items()}
        return DecimalResponse(RATES | company.books.rates)

    @router.post("/companies/{key}/accounts/{number}")
    async def change_account(request: Request, key: str, number: int) -> Response:
        company = world.companies.get(key.lower())
        changes = simplejson.loads(await request.body())
        rows = company.books.rows("Account") if company else []
        found = next((row for row in rows if row["AccountNumber"] == number), None)
        if company is None or found is None or not changes.keys() <= {"Locked", "Visible"}:
            return JSONResponse({"detail": "unknown company, account or field"}, 404)
        return DecimalResponse(company.books.update("Account", found["ID"], changes))


def _are_rates(changes: dict[str, Any]) -> bool:
    numbers = [rate for rate in changes.values() if isinstance(rate, int | Decimal) and rate > 0]
    return changes.keys() <= RATES.keys() and len(numbers) == len(changes)


def _add_vat_doors(router: APIRouter, world: HasCompanies) -> None:
    """VAT types that are closed, or get other ids."""

    @router.post("/companies/{key}/vat-types/change/{code}")
    async def change_type(request: Request, key: str, code: str) -> Response:
        company = world.companies.get(key.lower())
        changes = simplejson.loads(await request.body(), use_decimal=True)
        known = {"Locked", "Visible", "OutputVat", "ValidTo"}
        if company is None or not changes.keys() <= known or not change_vat_type(company.books, code, changes):
            return JSONResponse({"detail": "unknown company, VAT code or field"}, 404)
        return Response(status_code=204)

    @router.post("/companies/{key}/vat-types/renumber")
    async def renumber_vat_types(request: Request, key: str) -> Response:
        company = world.companies.get(key.lower())
        if company is None:
            return JSONResponse({"detail": "unknown company"}, 404)
        renumber(company.books, keep_old=request.query_params.get("keep_old", "0") not in ("", "0"))
        return Response(status_code=204)


def _add_people_door(router: APIRouter, world: HasCompanies) -> None:
    """What Unimicro's people do; see `people`."""

    @router.post("/companies/{key}/people/{deed}")
    async def do_deed(request: Request, key: str, deed: str) -> Response:
        company, do = world.companies.get(key.lower()), DEEDS.get(deed)
        if company is None or do is None:
            return JSONResponse({"detail": f"unknown company, or deed not among {', '.join(DEEDS)}"}, 404)
        order = simplejson.loads(await request.body() or "{}", use_decimal=True)
        with company.books.transaction():
            return DecimalResponse(do(company.books, order))


def to_plain_books(company: Company, *, without_numbers: bool = False) -> Record:
    """A company's records by their visible names, each list in a fixed order.

    Shape: name, customers, projects, departments, products, invoices and orders with items, vouchers that were posted
    with lines; empty values are left out.
    """
    books = company.books
    lists = {"customers": "Customer", "projects": "Project", "departments": "Department", "products": "Product"}
    plain: Record = {"name": company.entity["Name"]}
    for name, entity in lists.items():
        plain[name] = _sort([_to_plain(books, entity, row) for row in books.rows(entity)])
    for name, entity in {"invoices": "CustomerInvoice", "orders": "CustomerOrder"}.items():
        plain[name] = _sort(
            [_to_plain_document(books, entity, row, bare=without_numbers) for row in books.rows(entity)]
        )
    posted = {row["JournalEntryID"] for row in books.rows("JournalEntryLineDraft")}
    vouchers = [row for row in books.rows("JournalEntry") if row["ID"] in posted]
    plain["vouchers"] = _sort([_to_plain_voucher(books, row, bare=without_numbers) for row in vouchers])
    return plain


def _to_plain_voucher(books: Books, entry: Record, *, bare: bool) -> Record:
    """A journal entry with its lines; numbers that were posted stay, for they are the caller's."""

    def show(entity: str, row: Record) -> Record:
        plain = _to_plain(books, entity, row)
        return {name: value for name, value in plain.items() if not bare or name not in _VOUCHER_NUMBERS}

    lines = books.children("JournalEntryLine", "JournalEntryID", entry["ID"])
    return show("JournalEntry", entry) | {"Lines": [show("JournalEntryLine", line) for line in lines]}


def _to_plain_document(books: Books, entity: str, document: Record, *, bare: bool) -> Record:
    plain = _to_plain(books, entity, document)
    if bare:
        plain = {name: value for name, value in plain.items() if name not in _SERIES_NUMBERS}
    items = books.children(f"{entity}Item", f"{entity}ID", document["ID"])
    return plain | {"Items": [_to_plain(books, f"{entity}Item", item) for item in items]}


def _to_plain(books: Books, entity: str, record: Record) -> Record:
    spec = ENTITIES[entity]
    plain: Record = {}
    for name, field in spec.fields.items():
        value = record[name]
        if name in _HIDDEN or (field.owned and field.target == "BusinessRelation") or value is None or value == "":
            continue
        plain[name.removesuffix("ID") if field.target else name] = (
            _to_label(books, field.target, value) if field.kind is Kind.REF else value
        )
    return plain


def _to_label(books: Books, target: str, record_id: int) -> Any:
    record = books.tables[target].get(record_id)
    if record is None:
        return None
    return _to_plain(books, target, record) if target in _NESTED else record[_LABELS[target]]


def _sort(rows: list[Record]) -> list[Record]:
    return sorted(rows, key=lambda row: simplejson.dumps(row, use_decimal=True, sort_keys=True))
