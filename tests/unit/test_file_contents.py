"""Whatever keeps a document out of a file is found beforehand, all at once, and no file is made of what is found."""

import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.documents import DocumentKind
from app.domain.file_documents import FileDocument
from app.domain.reasons.codes import Code
from app.errors import ConflictError
from app.files.checks import Bounds
from app.files.examine import Examination, examine, split_years
from app.files.layouts import Layout, choose, load_layouts, parse_layout
from app.files.manifest import to_manifest
from app.files.sources import CreditSign
from app.files.writing import open_writer, write_file
from tests.world.file_documents import (
    make_credit_note,
    make_file_customer,
    make_file_document,
    make_file_line,
    make_text_line,
)

LAYOUTS = load_layouts()
ENTRY = make_file_document().entries[1]
FOREIGN: dict[str, Any] = {"currency": "EUR", "exchange_rate": Decimal("11.5")}
SERIES = Bounds(customer_numbers=((100000, 199999),), document_numbers=((5000, 5999), (7000, 7999)))


def look(layout: str | Layout, *documents: FileDocument, bounds: Bounds | None = None) -> Examination:
    known = LAYOUTS[layout] if isinstance(layout, str) else layout
    return examine(known, documents, accepted=list(LAYOUTS), bounds=bounds)


def told(found: Examination) -> list[tuple[Code, str]]:
    return [(one.reason.code, one.number) for one in found.faults]


# Layout, what is odd about the document, the code, and a word of the cause.
ODD: list[tuple[str, dict[str, Any], Code, str]] = [
    (
        "bilag",
        {"number": "", "entries": make_file_document(number="").entries},
        Code.FILE_FIELD_EMPTY,
        "no invoice number",
    ),
    ("bilag", {"number": "5999"}, Code.FILE_UNBALANCED, "another customer, number, KID"),
    ("bilag", {"payment_id": ""}, Code.FILE_UNBALANCED, "another customer, number, KID"),
    (
        "bilag",
        {"entries": (*make_file_document().entries, *make_file_document().entries)},
        Code.FILE_UNBALANCED,
        "2 times",
    ),
    ("bilag", {"kind": DocumentKind.CREDIT_NOTE}, Code.FILE_UNBALANCED, "the document says -1250.00"),
    ("unistd", {"number": ""}, Code.FILE_FIELD_EMPTY, "Fakturanr"),
    ("unistd", {"number": " \n "}, Code.FILE_FIELD_EMPTY, "Fakturanr"),
    ("kunde", {"customer": make_file_customer(name="")}, Code.FILE_FIELD_EMPTY, "Customer 100017: Navn"),
    ("kunde", {"customer": make_file_customer(name="\t\u2028")}, Code.FILE_FIELD_EMPTY, "Navn"),
    ("ordre", {"lines": (make_file_line(product_number=""),)}, Code.FILE_FIELD_EMPTY, "Produktnr"),
    ("unistd", {"customer": make_file_customer(name="Łódź")}, Code.FILE_LETTERS, "'Łź'"),
    ("unistd", {"our_reference": "☃"}, Code.FILE_LETTERS, "Vår ref"),
    ("unistd", {"number": "50,67"}, Code.FILE_CODE_UNFIT, "50,67"),
    ("unistd", {"number": "5" * 21}, Code.FILE_CODE_UNFIT, "longer than 20"),
    (
        "bilag",
        {"payment_id": "1\n2", "entries": make_file_document(payment_id="1\n2").entries},
        Code.FILE_CODE_UNFIT,
        "KID",
    ),
    ("unistd", {"invoice_date": date(1999, 12, 31)}, Code.FILE_CODE_UNFIT, "1999"),
    ("unistd", {"due_date": date(2100, 1, 1)}, Code.FILE_CODE_UNFIT, "2100"),
    ("bilag", {"invoice_date": date(1, 1, 1)}, Code.FILE_CODE_UNFIT, "Dato"),
    ("bilag", {"entries": ()}, Code.FILE_UNBALANCED, "no voucher"),
    ("bilag", {"entries": (ENTRY,)}, Code.FILE_UNBALANCED, "apart"),
    ("bilag", {"entries": (ENTRY, replace(ENTRY, amount=-ENTRY.amount))}, Code.FILE_UNBALANCED, "apart"),
    ("bilag", {"entries": (replace(ENTRY, account=""),)}, Code.FILE_UNBALANCED, "no account"),
    ("csv", {"gross_amount": Decimal(1250), "vat_amount": Decimal("249.99")}, Code.FILE_SUMS_DIFFER, "1249.99"),
    ("bilag", {"vat_by_code": ()}, Code.FILE_SUMS_DIFFER, "VAT codes"),
    ("unistd", {"lines": (make_file_line(), make_file_line())}, Code.FILE_SUMS_DIFFER, "lines come to 2000.00"),
    ("csv", {"net_amount": Decimal("1E+40")}, Code.FILE_CODE_UNFIT, "more than 15 digits"),
    ("bilag", {"entries": (replace(ENTRY, amount=Decimal("1E+999")),)}, Code.FILE_CODE_UNFIT, "more than 15 digits"),
    (
        "ordre",
        {"lines": (make_file_line(), make_file_line(unit_price=Decimal("1E+20"), net_amount=Decimal(0)))},
        Code.FILE_CODE_UNFIT,
        "Pris eks. mva has too many digits",
    ),
    (
        "csv",
        {"net_amount": Decimal("1000.005"), "gross_amount": Decimal("1250.005")},
        Code.FILE_SUMS_DIFFER,
        "two decimals",
    ),
    ("bilag", {"currency": "EUR"}, Code.FILE_RATE_MISSING, "EUR"),
    ("unistd", {"currency": "EUR", "exchange_rate": Decimal(0)}, Code.FILE_RATE_MISSING, "EUR"),
    ("unistd", {"currency": "EUR", "exchange_rate": Decimal(-1)}, Code.FILE_RATE_MISSING, "EUR"),
]


@pytest.mark.parametrize(("layout", "odd", "code", "word"), ODD, ids=lambda value: str(value)[:20])
def test_what_cannot_be_written_is_found_beforehand(layout: str, odd: dict[str, Any], code: Code, word: str) -> None:
    document = replace(make_file_document(), **odd)
    found = look(layout, document)
    assert code in {one.reason.code for one in found.faults}
    assert word in " ".join(one.reason.cause for one in found.faults)
    assert {one.transfer_id for one in found.faults} == {document.transfer_id}
    assert all(one.reason.fix for one in found.faults)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize(
    "document", [make_file_document(), make_credit_note(**FOREIGN)], ids=["invoice", "credit note"]
)
def test_a_plain_document_is_fit_for_every_layout(layout: str, document: FileDocument) -> None:
    assert look(layout, document, bounds=SERIES).faults == ()


def test_everything_is_listed_at_once_and_nothing_twice() -> None:
    documents = [
        make_file_document(customer=make_file_customer(name="Łódź")),
        make_file_document(number="", transfer_id="b", lines=[make_file_line(), make_text_line(), make_text_line("Ł")]),
        make_file_document(number="123456", transfer_id="c", customer=make_file_customer(number="17"), currency="EUR"),
    ]
    found = look("unistd", *documents, bounds=SERIES)
    assert sorted(told(found)) == sorted(
        [
            (Code.FILE_FIELD_EMPTY, ""),
            (Code.FILE_LETTERS, ""),
            (Code.FILE_RATE_MISSING, "123456"),
            (Code.FILE_NUMBER_OUTSIDE, "123456"),
            (Code.FILE_NUMBER_OUTSIDE, "123456"),
        ]
    )


# Sums and currencies are the examination's alone.
# Of the first a voucher alone would tell.
FIELDS = [one for one in ODD[1:] if one[2] in {Code.FILE_FIELD_EMPTY, Code.FILE_LETTERS, Code.FILE_CODE_UNFIT}]


@pytest.mark.parametrize(("layout", "odd", "code", "_word"), FIELDS, ids=lambda value: str(value)[:20])
def test_no_field_that_cannot_be_written_gets_into_a_file(
    layout: str, odd: dict[str, Any], code: Code, _word: str
) -> None:
    """The writer goes by the same functions: whoever does not examine gets no file, either."""
    with pytest.raises(ConflictError) as refused:
        write_file(LAYOUTS[layout], [replace(make_file_document(), **odd)], io.BytesIO())
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("number", "customer", "faults"),
    [("5000", "100000", 0), ("7999", "199999", 0), ("6000", "100017", 1), ("5067", "99999", 1), ("A5", "17", 2)],
)
def test_numbers_outside_of_their_series_are_found(number: str, customer: str, faults: int) -> None:
    document = make_file_document(number=number, customer=make_file_customer(number=customer))
    found = look("bilag", document, bounds=SERIES)
    assert [one.reason.code for one in found.faults] == [Code.FILE_NUMBER_OUTSIDE] * faults
    assert look("bilag", document).is_fit


@pytest.mark.parametrize("make", [make_file_document, make_credit_note])
def test_two_documents_of_one_number_are_found(make: Callable[..., FileDocument]) -> None:
    twin = make(number="5067", transfer_id="other")
    assert told(look("bilag", make_file_document(), twin)) == [(Code.FILE_NUMBER_TWICE, "5067")]
    assert look("csv", make_file_document(), twin).is_fit


def test_a_letter_of_two_parts_is_one_letter() -> None:
    document = make_file_document(customer=make_file_customer(name="A\u030as Mo\u0308ller"), number="5\u030067")
    assert {one.reason.code for one in look("unistd", document).faults} == {Code.FILE_LETTERS}
    out = io.BytesIO()
    write_file(LAYOUTS["unistd"], [replace(document, number="5067")], out)
    assert "Ås Möller" in out.getvalue().decode("cp1252")


def test_documents_of_two_financial_years_make_no_file_and_are_told_apart() -> None:
    days = [date(2026, 6, 30), date(2025, 12, 31), date(2026, 7, 1)]
    documents = [
        make_file_document(number=str(5000 + place), transfer_id=str(place), invoice_date=day)
        for place, day in enumerate(days)
    ]
    assert told(look("bilag", *documents)) == [(Code.FILE_YEARS, "")]
    assert look("unistd", *documents).is_fit
    assert {year: [one.number for one in some] for year, some in split_years(documents).items()} == {
        2025: ["5001"],
        2026: ["5000", "5002"],
    }
    broken = Bounds(first_month=7)
    assert {year: [one.number for one in some] for year, some in split_years(documents, broken).items()} == {
        2025: ["5000", "5001"],
        2026: ["5002"],
    }
    assert look("bilag", *documents[:2], bounds=broken).is_fit


@pytest.mark.parametrize("name", ["ordre", "produkt", "unistd"])
def test_a_layout_that_is_assumed_makes_no_file_until_it_is_accepted_by_name(name: str) -> None:
    found = examine(LAYOUTS[name], [make_file_document()], accepted=["bilag"])
    assert [one.reason.code for one in found.faults] == [Code.LAYOUT_NOT_ACCEPTED]
    assert found.assumed == LAYOUTS[name].assumed_fields
    assert examine(LAYOUTS[name], [make_file_document()], accepted=[name]).is_fit


@pytest.mark.parametrize("name", ["bilag", "kunde", "csv"])
def test_a_layout_that_is_documented_needs_nobody_s_word(name: str) -> None:
    assert examine(LAYOUTS[name], [make_file_document()]).is_fit


def test_what_is_written_otherwise_is_noted_and_keeps_nothing_back() -> None:
    documents = [
        make_file_document(lines=(make_file_line(text='a, "b"', unit="kilometer"),)),
        make_file_document(number="5068", transfer_id="b", customer=make_file_customer(phone="")),
    ]
    found = look("unistd", *documents)
    assert found.is_fit
    assert [(one.reason.code, one.number) for one in found.notes] == [
        (Code.FILE_TEXT_CHANGED, "5067"),
        (Code.FILE_TEXT_CHANGED, "5067"),
        (Code.FILE_CUSTOMER_DIFFERS, "5068"),
    ]


def test_a_foreign_claim_in_the_company_s_currency_is_noted() -> None:
    found = look("bilag", make_file_document(**FOREIGN))
    assert [one.reason.code for one in found.notes] == [Code.FILE_CURRENCY_UNTOLD]


def test_a_layout_without_a_place_for_the_currency_takes_no_foreign_document() -> None:
    text = LAYOUTS["ordre"].text.replace('source = "document.currency", ', "")
    from_text = replace(LAYOUTS["ordre"], records=parse_layout(text, place="own").records)
    assert told(look(from_text, make_file_document(**FOREIGN))) == [(Code.FILE_CURRENCY_UNTOLD, "5067")]


def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_found() -> None:
    line = make_file_line(quantity=Decimal(1), unit_price=Decimal("123456789012.3456"))
    assert told(look("ordre", make_file_document(lines=(line,)))) == [(Code.FILE_CODE_UNFIT, "5067")]
    assert look("unistd", make_file_document(lines=(line,))).is_fit


def test_manifest_log_and_documents_have_the_same_sums() -> None:
    documents = [make_file_document(), make_credit_note(), make_file_document(number="6000", **FOREIGN)]
    layout = choose(LAYOUTS["unistd"], encoding="utf-8", credit_sign=CreditSign.PRICE)
    tally = write_file(layout, documents, io.BytesIO())
    manifest = to_manifest(layout, tally, file_name="7.TXT", sha256="ab", number=7, more={"key": "Oslo"})
    assert manifest["sums"]["NOK"]["gross_amount"] == "0.00"
    assert manifest["sums"]["EUR"] == {
        "documents": 1,
        "net_amount": "1000.00",
        "vat_amount": "250.00",
        "gross_amount": "1250.00",
        "vat_by_code": [{"code": "3", "net_amount": "1000.00", "vat_amount": "250.00"}],
    }
    assert manifest["claims"] == {"NOK": "14375.00"}
    assert (manifest["documents"], manifest["credit_notes"], len(manifest["listed"])) == (3, 1, 3)
    assert manifest["layout"]["credit_sign"] == "minus_on_price"
    assert manifest["layout"]["encoding"] == "utf-8"
    assert manifest["layout"]["sha256"] == LAYOUTS["unistd"].digest
    assert "80 2 Fakturanr" in manifest["assumed"]
    assert (manifest["number"], manifest["sha256"], manifest["key"]) == (7, "ab", "Oslo")


def test_a_text_of_many_blanks_costs_no_more_than_it_is_long() -> None:
    started = time.process_time()
    look("unistd", make_file_document(our_reference=f"a{' ' * 200_000}b", lines=[make_file_line(text=" ," * 100_000)]))
    assert time.process_time() - started < 5


def give_up(layout: Layout) -> None:
    with open_writer(layout, io.BytesIO()) as writer:
        writer.add(make_file_document())
        raise ZeroDivisionError


def test_who_gives_up_a_file_leaves_nothing_behind(tmp_path: Path) -> None:
    """Rows that wait beside the file have customers' names in them."""
    tempfile.tempdir = str(tmp_path)
    try:
        for layout in LAYOUTS.values():
            with pytest.raises(ZeroDivisionError):
                give_up(layout)
            write_file(layout, [make_file_document()], io.BytesIO())
    finally:
        tempfile.tempdir = None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"quantity": Decimal("37.5"), "unit_price": Decimal("812.3456"), "net_amount": Decimal("30462.96")}, []),
        # The file has four decimals of a price: by them a thousand hours come to four øre more.
        (
            {"quantity": Decimal(1000), "unit_price": Decimal("0.12345"), "net_amount": Decimal("123.45")},
            [Code.FILE_SUMS_DIFFER],
        ),
        ({"quantity": Decimal(1), "unit_price": Decimal(100), "net_amount": Decimal("99.99")}, [Code.FILE_SUMS_DIFFER]),
    ],
)
def test_line_that_comes_to_something_else_by_what_the_file_has_is_found(
    values: dict[str, Decimal], codes: list[Code]
) -> None:
    document = make_file_document(lines=(make_file_line(**values),))
    found = examine(LAYOUTS["ordre"], [document], accepted=["ordre"])
    assert [one.reason.code for one in found.faults] == codes
    # Where the line's sum is in the file, too, it is the file's word.
    assert examine(LAYOUTS["unistd"], [document], accepted=["unistd"]).is_fit
