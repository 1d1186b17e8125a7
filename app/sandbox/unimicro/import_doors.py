"""Import central's doors: a person in Unimicro imports a file; no part of the API.

`POST /sandbox/companies/{key}/import/{card}` with the workbook as its body; cards `bilag`, `kunde`, `produkt`, `ordre`.
What a person ticks stands in the query (`ImportOptions`), `posts`, `makes_invoices`, `with_vat` and `overwrites`, 1 or
0. Answered is the import log: a job runs in the background there, and says no more than that [C].
"""

from dataclasses import fields
from typing import Protocol

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.sandbox.unimicro.answers import DecimalResponse, Record
from app.sandbox.unimicro.books import Books, Company
from app.sandbox.unimicro.import_cards import CARDS
from app.sandbox.unimicro.import_sheets import ImportRefusedError
from app.sandbox.unimicro.import_vouchers import ImportOptions


class HasCompanies(Protocol):
    """A world, as far as these doors need it."""

    companies: dict[str, Company]


def add_import_doors(router: APIRouter, world: HasCompanies) -> None:
    """The door of each card."""

    @router.post("/companies/{key}/import/{card}")
    async def import_file(request: Request, key: str, card: str) -> Response:
        company = world.companies.get(key.lower())
        if company is None or card not in CARDS:
            return JSONResponse({"detail": f"unknown company, or card not among {', '.join(CARDS)}"}, 404)
        asked = request.query_params
        ticked = {one.name: asked[one.name] == "1" for one in fields(ImportOptions) if one.name in asked}
        return DecimalResponse(run_import(company.books, card, await request.body(), ImportOptions(**ticked)))


def run_import(books: Books, card: str, content: bytes, options: ImportOptions) -> Record:
    """The import log of a file: what of it was imported, or why nothing was."""
    try:
        with books.transaction():
            return {"Status": "Completed", **CARDS[card](books, content, options)}
    except ImportRefusedError as error:
        return {"Status": "Failed", "Imported": 0, "Skipped": 0, "Faults": error.faults}
