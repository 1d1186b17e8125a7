"""The golden files: documents, and every file that they make, as a person can read it.

`python -m tests.world.golden_files --write` writes the expectations again; read the difference before you commit it.
"""

import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domain.file_documents import FileDocument
from app.domain.money import dump_json
from app.domain.parties import Address
from app.files.examine import Examination, examine, split_years
from app.files.layouts import Format, Layout, choose, load_layouts
from app.files.manifest import to_manifest
from app.files.sources import CreditSign
from app.files.writing import write_file
from tests.world.file_documents import (
    make_credit_note,
    make_file_customer,
    make_file_document,
    make_file_line,
    make_text_line,
)
from tests.world.file_readers import read_cells

FOLDER = Path(__file__).parent.parent / "contract" / "golden_files"
LAYOUTS = load_layouts()
ACCEPTED = tuple(LAYOUTS)
_BOOKED = ("bilag", "unistd", "csv")
_ALL = tuple(sorted(LAYOUTS))


@dataclass(frozen=True, kw_only=True)
class FileCase:
    """Documents, and the layouts whose files of them are kept; `choices` as an administrator makes them."""

    name: str
    documents: Sequence[FileDocument]
    layouts: Sequence[str] = _BOOKED
    choices: dict[str, Any] | None = None


def make_cases() -> list[FileCase]:
    """Every case, in the order of their names."""
    return [FileCase(**{**one, "name": f"{number:02} {one['name']}"}) for number, one in enumerate(_list_cases(), 1)]


def _list_cases() -> Iterator[dict[str, Any]]:
    yield {"name": "an invoice", "documents": [make_file_document()], "layouts": _ALL}
    yield {"name": "a credit note", "documents": [make_credit_note()], "layouts": _ALL}
    yield {
        "name": "a credit note of several codes after its invoice",
        "documents": [make_file_document(lines=FOUR_CODES), make_credit_note(lines=FOUR_CODES[1:3])],
    }
    yield {
        "name": "a credit note with its minus on the price",
        "documents": [make_credit_note()],
        "layouts": ("unistd", "ordre"),
        "choices": {"credit_sign": CreditSign.PRICE},
    }
    yield {
        "name": "a credit note without a minus",
        "documents": [make_credit_note()],
        "layouts": ("unistd",),
        "choices": {"credit_sign": CreditSign.NONE},
    }
    yield {"name": "euro", "documents": [EURO], "layouts": (*_BOOKED, "ordre")}
    yield {"name": "a credit note in euro", "documents": [make_credit_note(**EURO_TERMS)]}
    yield {
        "name": "text lines",
        "documents": [make_file_document(lines=(make_text_line("Januar"), make_file_line(), make_text_line()))],
        "layouts": (*_BOOKED, "ordre"),
    }
    yield {"name": "a line of nothing", "documents": [make_file_document(lines=(make_file_line(), FREE))]}
    yield {"name": "a line that takes off", "documents": [make_file_document(lines=(make_file_line(), OFF))]}
    yield {
        "name": "four VAT codes",
        "documents": [make_file_document(lines=FOUR_CODES)],
        "layouts": (*_BOOKED, "ordre"),
    }
    yield {"name": "a year's end", "documents": YEAR_END, "layouts": (*_BOOKED, "kunde")}
    yield {"name": "two departments", "documents": [make_file_document(lines=TWO_DEPARTMENTS)]}
    yield {
        "name": "a project and a department of the document",
        "documents": [make_file_document(project_number="77", department_number="0020")],
        "layouts": ("unistd", "ordre"),
    }
    yield {"name": "a rounding line", "documents": [make_file_document(lines=(ODD, ROUNDING))]}
    yield {
        "name": "a discount",
        "documents": [make_file_document(lines=(make_file_line(discount_percent=Decimal("12.5")),))],
        "layouts": (*_BOOKED, "ordre"),
    }
    yield {"name": "a customer that moves", "documents": MOVED, "layouts": ("kunde", "unistd")}
    yield {"name": "noughts in front", "documents": [NOUGHTS], "layouts": (*_BOOKED, "kunde")}
    yield {"name": "letters of Windows", "documents": [LETTERS], "layouts": _ALL}
    yield {
        "name": "other letters by choice",
        "documents": [OTHER_LETTERS],
        "choices": {"encoding": "utf-8"},
        "layouts": ("unistd",),
    }
    yield {"name": "other letters in a workbook", "documents": [OTHER_LETTERS], "layouts": ("kunde", "csv")}
    yield {"name": "what would end a field", "documents": [MARKS], "layouts": _ALL}
    yield {"name": "texts too long", "documents": [LONG], "layouts": ("kunde", "unistd")}
    yield {"name": "abroad", "documents": [ABROAD], "layouts": (*_BOOKED, "kunde")}
    yield {"name": "a buyer of whom little is known", "documents": [BARE], "layouts": (*_BOOKED, "kunde")}
    yield {"name": "quantities and prices of four decimals", "documents": [FINE], "layouts": (*_BOOKED, "ordre")}
    yield {"name": "large amounts", "documents": [LARGE]}
    yield {"name": "two products", "documents": [make_file_document(lines=FOUR_CODES)], "layouts": ("produkt",)}


FOUR_CODES = (
    make_file_line(),
    make_file_line(vat_code="31", account="3010", product_number="2001", product_name="Mat", text="Lunsj"),
    make_file_line(vat_code="33", account="3020", product_number="3001", product_name="Reise", text="Tog"),
    make_file_line(vat_code="5", account="3100", product_number="4001", product_name="Kurs", text="Kurs"),
)
EURO_TERMS: dict[str, Any] = {"currency": "EUR", "exchange_rate": Decimal("11.4321")}
EURO = make_file_document(**EURO_TERMS, lines=(make_file_line(vat_code="52", unit_price=Decimal("99.95")),))
FREE = make_file_line(text="Gratis", unit_price=Decimal(0))
OFF = make_file_line(text="Avslag", quantity=Decimal(-1), unit_price=Decimal("250.50"))
TWO_DEPARTMENTS = (make_file_line(department_number="10"), make_file_line(department_number="0020", text="Nord"))
ODD = make_file_line(quantity=Decimal("3.33"), unit_price=Decimal("33.33"))
ROUNDING = make_file_line(
    text="Avrunding",
    product_number="AVR",
    product_name="Avrunding",
    unit="",
    account="7745",
    quantity=Decimal(1),
    unit_price=Decimal("0.01"),
    vat_code="5",
)
YEAR_END = [
    make_file_document(number="5099", invoice_date=date(2025, 12, 31), due_date=date(2026, 1, 14)),
    make_file_document(number="5100", invoice_date=date(2026, 1, 1), due_date=date(2026, 1, 15)),
]
MOVED = [
    make_file_document(),
    make_file_document(
        number="5069",
        customer=make_file_customer(address=Address(line1="Nygata 2", postal_code="5003", city="Bergen")),
    ),
]
NOUGHTS = make_file_document(
    number="0042",
    payment_id="0000000420",
    customer=make_file_customer(number="007", address=Address(postal_code="0001", city="Oslo")),
)
LETTERS = make_file_document(
    customer=make_file_customer(
        name="Ærlig Øl & Ås – «Café» A/S", address=Address(line1="Ågårdsveien 3", city="Tromsø")
    ),
    lines=(make_file_line(text="Rådgivning à 100 € – uke 5", unit="døgn"),),
)
OTHER_LETTERS = make_file_document(customer=make_file_customer(name="Łódź Čerpadla sp. z o.o."))
MARKS = make_file_document(
    customer=make_file_customer(name='Hansen, Olsen; "Sønn" AS', email="post@hansen.example"),
    our_reference="=HYPERLINK(1)",
    your_reference="Kari,\r\nOslo",
    lines=(
        make_file_line(text='1,5 t,\tno. "7"\nlinje to', product_name="<r>Konsulent</r>"),
        make_text_line("+47,@;-"),
    ),
)
LONG = make_file_document(
    customer=make_file_customer(name="Navn " * 60, address=Address(line1="Gate " * 60, city="By " * 60)),
    lines=(make_file_line(text="Tekst " * 60, unit="kilometer per time", product_name="Vare " * 60),),
)
ABROAD = make_file_document(
    customer=make_file_customer(
        number="100200",
        name="Svensson AB",
        organisation_number="SE556012579001",
        address=Address(line1="Kungsgatan 1", postal_code="111 43", city="Stockholm", country_code="SE"),
        delivery_address=Address(
            line1="Hamnen 2", line2="Port B", postal_code="411 04", city="Göteborg", country_code="SE"
        ),
    ),
    lines=(make_file_line(vat_code="52", account="3200"),),
)
BARE = make_file_document(
    payment_id="",
    customer=replace(
        make_file_customer(), organisation_number="", email="", phone="", address=Address(), credit_days=None
    ),
)
FINE = make_file_document(
    lines=(
        make_file_line(quantity=Decimal("0.3333"), unit_price=Decimal("1234.5678"), discount_percent=Decimal("0.25")),
    )
)
LARGE = make_file_document(lines=(make_file_line(quantity=Decimal(1), unit_price=Decimal("98765432109.87")),))


def render(case: FileCase) -> str:
    """The case's files, one below the other, with what an examination notes of them."""
    parts = []
    for name in case.layouts:
        layout = choose(LAYOUTS[name], **(case.choices or {}))
        for title, documents in _split(layout, case.documents):
            parts.append(f"== {name}{title}\n{_render_file(layout, documents)}")
    return "\n".join(parts)


def _split(layout: Layout, documents: Sequence[FileDocument]) -> list[tuple[str, Sequence[FileDocument]]]:
    if not layout.one_year:
        return [("", documents)]
    years = split_years(documents)
    return [(f" {year}" if len(years) > 1 else "", some) for year, some in years.items()]


def _render_file(layout: Layout, documents: Sequence[FileDocument]) -> str:
    found = examine(layout, documents, accepted=ACCEPTED)
    assert found.is_fit, [one.reason.cause for one in found.faults]
    out = io.BytesIO()
    tally = write_file(layout, documents, out)
    shown = to_manifest(layout, tally, file_name="x", sha256="", number=1)
    return "\n".join(
        [
            *_show_content(layout, out.getvalue()),
            *_show_notes(found),
            f"sums {dump_json(shown['sums'])}",
            f"claims {dump_json(shown['claims'])}",
            "",
        ]
    )


def _show_content(layout: Layout, content: bytes) -> list[str]:
    if layout.format is Format.WORKBOOK:
        return [" | ".join(f"{column} {value}" for column, value in row.items()) for row in read_cells(content)]
    # Ends of lines are part of the format.
    return content.decode(layout.encoding).replace("\r\n", "↵\n").splitlines()


def _show_notes(found: Examination) -> list[str]:
    return [f"note {one.reason.code} {one.reason.cause}" for one in found.notes]


def place_of(case: FileCase) -> Path:
    """Where the case's expectation lies."""
    return FOLDER / f"{case.name.replace(' ', '-')}.txt"


def main() -> None:
    """Write every expectation again."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for case in make_cases():
        place_of(case).write_text(render(case), encoding="utf-8")


if __name__ == "__main__":
    assert sys.argv[1:] == ["--write"]
    main()
