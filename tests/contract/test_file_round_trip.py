"""Whatever is invoiced: what is found fit is written, and readers that share no code with us read what was meant."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.documents import DocumentKind
from app.domain.file_documents import FileDocument
from app.errors import ConflictError
from app.files.examine import examine
from app.files.layouts import load_layouts
from app.files.manifest import Tally
from app.files.writing import write_file
from tests.world.file_documents import RATES, make_file_customer, make_file_document, make_file_line, make_text_line
from tests.world.file_readers import read_amount, read_cells, read_unistd, read_workbook

LAYOUTS = load_layouts()
# Letters that both kinds of file have, with what ends fields, begins formulas, or is markup somewhere.
ODD_TEXTS = [
    "a,b",
    "1,5",
    'x"y',
    "=1+1",
    "_x0041_",
    "<r>b</r>",
    "\x00<r>b</r>",
    "<r></r>",
    f"<r>{'b' * 248}</r>tail",
    "&amp;",
    "a\r\nb",
    "tab\tx",
    "\x00",
    "7",
    "007",
    " x ",
    "x;y",
    "''",
]
windows_texts = st.sampled_from(ODD_TEXTS) | st.text(st.characters(codec="cp1252"), max_size=40)
texts = windows_texts | st.text(max_size=12)
fit_numbers = st.integers(1, 10**9).map(str) | st.sampled_from(["007", "0", "A-1", "9" * 18])
# One in six is what no file takes.
numbers = st.one_of(*[fit_numbers] * 5, st.sampled_from(["1,2", "", "9" * 30]))
amounts = st.decimals(-99999, 999999, places=2)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31)) | st.dates(date(1999, 1, 1), date(2101, 1, 1))


@st.composite
def documents(draw: st.DrawFn) -> list[FileDocument]:
    return [draw(one_document(place)) for place in range(draw(st.integers(1, 4)))]


@st.composite
def one_document(draw: st.DrawFn, place: int) -> FileDocument:
    lines = [
        make_file_line(
            text=draw(windows_texts),
            quantity=draw(st.decimals(-999, 999, places=4)),
            unit_price=draw(amounts),
            vat_code=draw(st.sampled_from(sorted(RATES))),
            department_number=draw(st.sampled_from(["", "10", "0020"])),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    day = draw(days)
    customer = make_file_customer(number=draw(numbers), name=draw(windows_texts))
    # Their reference may be anything at all; a customer's number is one of a few, so that some are met twice.
    values: dict[str, Any] = {"customer": customer, "your_reference": draw(windows_texts), "payment_id": draw(numbers)}
    return make_file_document(
        lines=[*lines, make_text_line(draw(windows_texts))],
        kind=draw(st.sampled_from(DocumentKind)),
        number=f"{draw(numbers)}{place}",
        transfer_id=str(place),
        invoice_date=day,
        due_date=day,
        **values,
    )


def write(name: str, some: list[FileDocument]) -> tuple[bytes, Tally] | None:
    """The file and its sums; None where the examination finds something, which the writer then refuses or passes."""
    fit = examine(LAYOUTS[name], some, accepted=[name]).is_fit
    out = io.BytesIO()
    try:
        tally = write_file(LAYOUTS[name], some, out)
    except ConflictError:
        assert not fit
        return None
    return (out.getvalue(), tally) if fit else None


@settings(max_examples=40, deadline=None)
@given(documents())
@example([make_file_document(your_reference=text, lines=[make_file_line(text=text)]) for text in ODD_TEXTS[:1]])
def test_vouchers_are_read_as_they_were_meant(some: list[FileDocument]) -> None:
    made = write("bilag", some)
    if made is None:
        return
    rows, entries = read_workbook(made[0]), [(one, entry) for one in some for entry in one.entries]
    assert len(rows) == len(entries)
    for row, (document, entry) in zip(rows, entries, strict=True):
        assert row["Dato"] == document.invoice_date
        assert row["Kontonummer"] == (entry.account or entry.customer_number)
        assert Decimal(str(row["Beløp"])) == entry.amount
        assert (row.get("KID", ""), row.get("Fakturanr", "")) == (entry.payment_id, entry.invoice_number)
    # The digits in the file are a decimal number's: no float has been near them.
    written = [row["F"].removeprefix("number ") for row in read_cells(made[0])[1:]]
    assert written == [f"{entry.amount or 0:.2f}" for _, entry in entries]
    assert sum(map(Decimal, written)) == 0
    claims = made[1].show()["claims"]["NOK"]
    owed = {one.customer.number for one in some}
    assert sum(entry.amount for _, entry in entries if entry.customer_number in owed) == Decimal(claims)


@settings(max_examples=40, deadline=None)
@given(documents())
def test_records_are_read_as_they_were_meant(some: list[FileDocument]) -> None:
    made = write("unistd", some)
    if made is None:
        return
    records = read_unistd(made[0])
    heads = [fields for kind, fields in records if kind == "80"]
    customers = [fields[0] for kind, fields in records if kind == "30"]
    assert customers == list(dict.fromkeys(one.customer.number for one in some))
    assert {kind: {len(fields) for of, fields in records if of == kind} for kind, _ in records} == {
        "30": {22},
        "80": {17},
        "81": {12},
    }
    assert [(fields[0], fields[1], fields[4]) for fields in heads] == [
        (one.number, one.customer.number, one.payment_id) for one in some
    ]
    assert [date(2000 + int(day[4:]), int(day[2:4]), int(day[:2])) for day in (fields[2] for fields in heads)] == [
        one.invoice_date for one in some
    ]
    gross = sum((read_amount(fields[-1]) for fields in heads), Decimal(0))
    assert gross == Decimal(made[1].show()["sums"]["NOK"]["gross_amount"])
    for document, lines in zip(some, group_lines(records), strict=True):
        sign = -1 if document.is_credit_note else 1
        assert [fields[0] for fields in lines] == [document.number] * len(document.lines)
        assert sum(read_amount(fields[8]) for fields in lines if fields[8]) == sign * document.net_amount


def group_lines(records: list[tuple[str, list[str]]]) -> list[list[list[str]]]:
    """The lines that follow each head."""
    grouped: list[list[list[str]]] = []
    for kind, fields in records:
        if kind == "80":
            grouped.append([])
        if kind == "81":
            grouped[-1].append(fields)
    return grouped


@settings(max_examples=60, deadline=None)
@given(texts)
def test_a_text_is_read_as_it_was_or_the_change_is_noted(text: str) -> None:
    assert_read_or_noted(text)


def assert_read_or_noted(text: str) -> None:
    document = make_file_document(your_reference=text, requisition=text, lines=[make_file_line(text=text)])
    for name in ("ordre", "unistd"):
        found = examine(LAYOUTS[name], [document], accepted=[name])
        made = write(name, [document])
        if made is None:
            continue
        read = (
            str(read_workbook(made[0])[0].get("Deres referanse", ""))
            if name == "ordre"
            else read_unistd(made[0])[1][1][8]
        )
        assert read == text.strip() or [one for one in found.notes if one.field.startswith("Deres ref")]
        assert not set(read) & set("\r\n\t\x00")


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_an_odd_text_is_read_as_it_was_or_the_change_is_noted(text: str) -> None:
    assert_read_or_noted(text)


def test_a_claim_s_number_and_kid_keep_their_noughts() -> None:
    customer = make_file_customer(number="0017")
    made = write("bilag", [make_file_document(number="0042", payment_id="0000420", customer=customer)])
    assert made is not None
    row = read_workbook(made[0])[0]
    assert (row["Kontonummer"], row["Fakturanr"], row["KID"]) == ("0017", "0042", "0000420")
    assert write("bilag", [replace(make_file_document(), number="0043")]) is None
