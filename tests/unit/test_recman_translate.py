"""RecMan's raw records become domain objects, or every gap at once; a misread record must never become an invoice."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.dimensions import Department, Project
from app.domain.documents import Document, DocumentKind, Totals
from app.domain.gaps import Gaps
from app.domain.money import CENT, ZERO, round_money
from app.domain.parties import Customer
from app.recman.read.spellings import COMPANY, INVOICE, LINE
from app.recman.read.translate import read_company, read_department, read_invoice, read_project


def make_row(**changes: Any) -> dict[str, Any]:
    row = {
        "invoiceLineId": 70001,
        "position": 1,
        "productNumber": "1001",
        "description": "Timer uke 40",
        "quantity": "37.5",
        "unit": "time",
        "unitPrice": "450.00",
        "discount": "0.00",
        "vatRate": "25",
        "total": "16875.00",
    }
    return row | changes


def make_invoice(**changes: Any) -> dict[str, Any]:
    raw = {
        "invoiceId": 5001,
        "invoiceNumber": "20001",
        "type": "invoice",
        "invoiceDate": "2026-10-31",
        "dueDate": "2026-11-14",
        "currency": "NOK",
        "companyId": "201",
        "departmentId": 2,
        "totalExVat": "16875.00",
        "vat": "4218.75",
        "totalIncVat": "21093.75",
        "lines": [make_row()],
    }
    return {name: value for name, value in (raw | changes).items() if value is not ...}


def read_whole(**changes: Any) -> Document:
    found = read_invoice(make_invoice(**changes))
    assert isinstance(found, Document), found
    return found


def causes(**changes: Any) -> str:
    found = read_invoice(make_invoice(**changes))
    assert isinstance(found, Gaps), found
    return "\n".join(gap.cause for gap in found.gaps)


def test_plain_invoice_is_read_whole() -> None:
    found = read_whole()
    assert (found.recman_invoice_id, found.number, found.recman_company_id) == ("5001", "20001", "201")
    assert (found.kind, found.currency, found.recman_department_id) == (DocumentKind.INVOICE, "NOK", "2")
    assert (found.invoice_date, found.due_date) == (date(2026, 10, 31), date(2026, 11, 14))
    assert found.stated_totals == found.computed_totals
    (line,) = found.lines
    assert (line.product_number, line.quantity, line.unit_price_net) == ("1001", Decimal("37.5"), Decimal(450))


def test_every_gap_is_listed_at_once() -> None:
    text = causes(
        invoiceNumber=None,
        companyId="",
        invoiceDate="0000-00-00",
        dueDate=...,
        currency="kr",
        lines=[make_row(quantity=None), make_row(position=2, vatRate="MVA", unitPrice=None)],
    )
    for word in ("number", "company id", "invoice date", "due date", "currency"):
        assert word in text, word
    assert "Line 1: the quantity is missing" in text
    assert "Line 2: the price is missing" in text
    assert "Line 2: the vat rate is unclear" in text


@pytest.mark.parametrize(
    "name", ["number", "invoice_date", "currency", "company_id", "net", "vat", "gross", "due_date", "department_id"]
)
def test_two_spellings_that_disagree_are_a_gap_and_that_agree_are_not(name: str) -> None:
    first, second = INVOICE[name][:2]
    value = make_invoice()[first]
    other = "2026-01-01" if "date" in name else "EUR" if name == "currency" else "999"
    assert isinstance(read_invoice(make_invoice(**{second: value})), Document)
    assert "says two things" in causes(**{second: other})


def test_two_spellings_of_one_day_or_one_number_agree() -> None:
    assert read_whole(date="2026-10-31 00:00:00").invoice_date == date(2026, 10, 31)
    assert read_whole(sumExVat=16875).totals.net_amount == Decimal("16875.00")
    assert read_whole(customerId=201).recman_company_id == "201"


def test_a_spelling_that_says_nothing_does_not_disagree() -> None:
    assert read_whole(customerId=0).recman_company_id == "201"
    assert read_whole(invoiceDueDate="0000-00-00").due_date == date(2026, 11, 14)


def test_disagreeing_line_price_is_a_gap() -> None:
    assert "unitPrice is 450.00, price is 451" in causes(lines=[make_row(price="451")])


def test_unclear_id_still_names_the_document() -> None:
    found = read_invoice(make_invoice(id=17))
    assert isinstance(found, Gaps)
    assert found.recman_invoice_id == "5001"


# ---- the kind


@pytest.mark.parametrize("word", ["creditNote", "credit_note", "Kreditnota", "credit"])
def test_credit_note_by_its_type(word: str) -> None:
    assert read_whole(type=word, creditedInvoiceId="4999").kind is DocumentKind.CREDIT_NOTE


def test_credit_note_by_its_mark() -> None:
    assert read_whole(type=..., isCreditNote="1", creditedInvoiceId="4999").credited_invoice_id == "4999"


@pytest.mark.parametrize(
    ("word", "mark"), [("invoice", 1), ("creditNote", 0), ("creditNote", "0"), ("creditNote", False)]
)
def test_type_and_mark_that_contradict_are_a_gap(word: str, mark: Any) -> None:
    assert "the credit note mark says" in causes(type=word, isCreditNote=mark, creditedInvoiceId="4999")


def test_credit_note_without_its_invoice_is_a_gap() -> None:
    assert "names no invoice that it credits" in causes(type="creditNote")


def test_unknown_type_is_a_gap() -> None:
    assert "neither invoice nor credit note" in causes(type="proforma")


def test_without_any_word_of_credit_it_is_an_invoice() -> None:
    assert read_whole(type=...).kind is DocumentKind.INVOICE
    assert read_whole(type=..., isCreditNote=False, creditTime=14, creditAccount="3000").kind is DocumentKind.INVOICE


@pytest.mark.parametrize(
    "hint",
    [
        {"isCredit": 1},
        {"creditReasonId": "4"},
        {"kreditnota": "1"},
        {"documentType": "Credit note"},
        {"creditInvoiceId": "4999"},
    ],
)
def test_a_mere_hint_of_a_credit_note_is_a_gap_and_no_invoice(hint: dict[str, Any]) -> None:
    assert "kind is unclear" in causes(type=..., **hint).lower()


def test_empty_hint_of_a_credit_note_is_none() -> None:
    assert read_whole(type=..., isCredit="0", creditReasonId=None, creditedInvoiceId=0).kind is DocumentKind.INVOICE


def test_pointer_and_minus_together_make_a_credit_note() -> None:
    found = read_whole(
        type=...,
        creditedInvoiceId=4999,
        totalExVat="-16875",
        vat="-4218.75",
        totalIncVat="-21093.75",
        lines=[make_row(quantity="-37.5", total="-16875")],
    )
    assert (found.kind, found.lines[0].quantity) == (DocumentKind.CREDIT_NOTE, Decimal("37.5"))


NEGATIVE = {"totalExVat": "-16875", "vat": "-4218.75", "totalIncVat": "-21093.75"}


def test_negative_sums_are_a_gap_unless_it_says_what_it_is() -> None:
    row = make_row(quantity="-37.5", total="-16875")
    assert "sums are negative" in causes(type=..., lines=[row], **NEGATIVE)
    assert read_whole(type="invoice", lines=[row], **NEGATIVE).totals.gross_amount == Decimal("-21093.75")


def test_pointer_that_may_go_either_way_is_a_gap() -> None:
    assert read_whole(type=..., creditedInvoiceId=4999).kind is DocumentKind.CREDIT_NOTE
    for name in ("creditInvoiceId", "originalInvoiceId", "parentInvoiceId"):
        assert "points to another invoice" in causes(type=..., **{name: 4999})


# ---- the sign of credit notes


@pytest.mark.parametrize("head", ["", "-"])
@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        ("37.5", "450", "16875"),
        ("-37.5", "450", "-16875"),
        ("37.5", "-450", "-16875"),
        ("-37.5", "450", "16875"),
        ("37.5", "450", "-16875"),
    ],
)
def test_credit_note_comes_out_positive_whoever_carries_the_sign(
    head: str, quantity: str, price: str, total: str
) -> None:
    found = read_whole(
        type="creditNote",
        creditedInvoiceId=4999,
        totalExVat=f"{head}16875",
        vat=f"{head}4218.75",
        totalIncVat=f"{head}21093.75",
        lines=[make_row(quantity=quantity, unitPrice=price, total=total)],
    )
    assert found.totals == found.computed_totals
    assert found.totals.gross_amount == Decimal("21093.75")
    assert (found.lines[0].quantity, found.lines[0].unit_price_net) == (Decimal("37.5"), Decimal(450))


def test_credit_note_with_a_counter_line_keeps_the_difference() -> None:
    rows = [make_row(quantity=-10, unitPrice=100, total=-1000), make_row(quantity=2, unitPrice=100, total=200)]
    sums = {"totalExVat": "-800", "vat": "-200", "totalIncVat": "-1000"}
    found = read_whole(type="creditNote", creditedInvoiceId=4999, lines=rows, **sums)
    assert [line.net_amount for line in found.lines] == [Decimal(1000), Decimal(-200)]


def test_credit_note_with_sums_of_both_signs_is_a_gap() -> None:
    assert "some are negative" in causes(type="creditNote", creditedInvoiceId=1, vat="-4218.75", totalIncVat=...)


# ---- sums


NO_SUMS: dict[str, Any] = {"totalExVat": ..., "vat": ..., "totalIncVat": ...}


def test_credit_note_whose_line_sums_have_mixed_signs_is_a_gap_unless_sums_of_the_whole_prove_it() -> None:
    credit = {"type": "creditNote", "creditedInvoiceId": 5000}
    rows = [
        make_row(quantity="1", unitPrice="100.00", total="-100.00"),
        make_row(quantity="1", unitPrice="40.00", total="40.00", position=2),
    ]
    assert "some are turned around" in causes(**credit, **NO_SUMS, lines=rows)
    rows[1] |= {"quantity": "-1"}
    assert read_whole(**credit, **NO_SUMS, lines=rows).computed_totals.net_amount == 60


def test_vat_alone_proves_no_reading() -> None:
    row = make_row(quantity="10", unitPrice="1000.00", vatRate="0", total=...)
    del row["total"]
    assert "net is missing" in causes(**NO_SUMS | {"vat": "0.00"}, lines=[row])


def test_without_any_sum_nothing_proves_the_reading() -> None:
    assert read_whole(**NO_SUMS).totals.gross_amount == Decimal("21093.75")
    assert causes(**NO_SUMS, lines=[make_row(total=None)]) == "Line 1: the net is missing (looked for total, sum)"


@pytest.mark.parametrize("left", ["totalExVat", "vat", "totalIncVat"])
def test_a_single_sum_is_enough_and_is_checked(left: str) -> None:
    gone: dict[str, Any] = {name: ... for name in ("totalExVat", "vat", "totalIncVat") if name != left}
    assert read_whole(**gone).totals.gross_amount == Decimal("21093.75")
    assert "the lines make" in causes(**gone | {left: "13500.00"}).lower()


@pytest.mark.parametrize("left_out", ["totalExVat", "vat", "totalIncVat"])
def test_two_sums_give_the_third(left_out: str) -> None:
    found = read_whole(**{left_out: ...})
    expected = Totals(net_amount=Decimal("16875.00"), vat_amount=Decimal("4218.75"), gross_amount=Decimal("21093.75"))
    assert found.stated_totals == expected


def test_prices_that_include_vat_are_a_gap() -> None:
    text = causes(totalExVat="13500.00", vat="3375.00", totalIncVat="16875.00")
    assert text == "The lines make 16875.00 and 4218.75 VAT, RecMan says 13500.00 and 3375.00 VAT"


def test_sums_that_contradict_each_other_are_a_gap() -> None:
    assert "do not make 21100.00" in causes(totalIncVat="21100.00")


def test_one_oere_of_rounding_is_no_gap_and_recmans_sum_counts() -> None:
    found = read_whole(vat="4218.76", totalIncVat="21093.76")
    assert found.totals.vat_amount == found.computed_totals.vat_amount + CENT
    assert read_whole(totalIncVat="21094.00").totals.gross_amount == Decimal("21094.00")


# ---- lines


def test_line_sum_that_we_do_not_reach_is_a_gap() -> None:
    assert causes(lines=[make_row(total="8437.50")]) == ("Line 1: quantity × price is 16875.00, RecMan says 8437.50")


def test_discount_as_an_amount_is_not_taken_for_per_cent() -> None:
    text = causes(lines=[make_row(discount="50", total="16825.00")])
    assert text == "Line 1: quantity × price less discount is 8437.50, RecMan says 16825.00"


@pytest.mark.parametrize("rate", ["-1", "101", "25 %", True])
def test_impossible_vat_rate_is_a_gap(rate: Any) -> None:
    assert "vat rate is unclear" in causes(lines=[make_row(vatRate=rate)])


@pytest.mark.parametrize("name", ["quantity", "unitPrice", "vatRate"])
@pytest.mark.parametrize("value", [None, "", [], ...])
def test_missing_figure_of_a_line_is_never_defaulted(name: str, value: Any) -> None:
    row = {key: kept for key, kept in make_row(**{name: value}).items() if kept is not ...}
    spoken = {"unitPrice": "price", "vatRate": "vat rate"}.get(name, name)
    assert f"Line 1: the {spoken} is missing" in causes(lines=[row])


def test_words_without_figures_are_a_text_line() -> None:
    words = make_row(productNumber=None, quantity="0", unitPrice="0.00", vatRate="25", total=0, position=0)
    found = read_whole(lines=[words, make_row()])
    assert [line.is_text for line in found.lines] == [True, False]


@pytest.mark.parametrize("name", ["pricePerUnit", "number", "amount", "sumExVat"])
def test_figure_under_an_unknown_name_makes_no_silent_text_line(name: str) -> None:
    words = {"invoiceLineId": 7, "productId": 9, "vatCode": 3, "description": "Timer", name: "450.00"}
    assert f"{name} is 450.00" in causes(lines=[words, make_row(position=2)])


def test_lines_may_be_a_map_and_follow_their_position() -> None:
    rows = {"9": make_row(position=2, description="second"), "4": make_row(position="1", description="first")}
    found = read_whole(lines=rows, totalExVat="33750", vat="8437.5", totalIncVat="42187.5")
    assert [line.text for line in found.lines] == ["first", "second"]


@pytest.mark.parametrize("lines", [[], {}, None, ..., ""])
def test_invoice_without_lines_is_a_gap(lines: Any) -> None:
    assert "lines is missing" in causes(lines=lines)


@pytest.mark.parametrize("lines", [["x"], [make_row(), None], {"1": make_row(), "total": 5}, "text", 7])
def test_a_row_that_is_none_does_not_get_lost(lines: Any) -> None:
    assert "is no list of rows" in causes(lines=lines)


# ---- department, dates


def test_department_by_another_name_is_a_gap_because_it_chooses_the_books() -> None:
    assert "there is departmentNumber, but no id" in causes(departmentId=..., departmentNumber="10")
    assert "there is department, but no id" in causes(departmentId=..., department={"departmentId": 4})
    assert read_whole(departmentNumber="10").recman_department_id == "2"
    assert read_whole(departmentId=...).recman_department_id is None


def test_due_date_from_credit_days() -> None:
    assert read_whole(dueDate=..., creditTime="14").due_date == date(2026, 11, 14)
    assert "due date is missing" in causes(dueDate=...)
    assert "no number of days" in causes(dueDate=..., creditTime="14.5")


# ---- companies, projects, departments


def test_company_with_alias_and_empty_forms() -> None:
    found = read_company(
        {
            "companyId": "33624",
            "companyNumber": 1,
            "name": "Ærfugl AS",
            "countryRegNumber": "NO 912 345 678 MVA",
            "invoiceAddress": [],
            "postAddress": {"address1": "Boks 1", "postalCode": "0150", "city": "Oslo", "country": "Norge"},
            "deliveryAddress": None,
            "creditTime": "14",
            "linkedin": None,
        }
    )
    assert isinstance(found, Customer)
    assert (found.number, found.org_number, found.credit_days) == ("1", "912345678", 14)
    assert (found.invoice_address.postal_code, found.invoice_address.country_code) == ("0150", "NO")


def test_company_with_disagreeing_numbers_is_held() -> None:
    found = read_company({"companyId": 1, "companyNumber": "100001", "number": "100002", "name": "A"})
    assert isinstance(found, Gaps)
    assert (found.recman_id, found.name) == ("1", "A")
    assert ["says two things" in gap.cause for gap in found.gaps] == [True]


def test_project_takes_either_name_of_its_owner() -> None:
    found = read_project(
        {"projectId": "301", "number": "P1", "name": "Vakt", "customerId": 7, "startDate": "2026-01-01"}
    )
    assert isinstance(found, Project)
    assert found.recman_company_id == "7"


def test_department_in_both_spellings() -> None:
    old = read_department({"department_id": "4", "name": "Oslo", "number": None})
    new = read_department({"departmentId": 4, "name": "Oslo"})
    assert old == new == Department(recman_department_id="4", name="Oslo")


# ---- whatever comes

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["0", "-1", "1e400", "0000-00-00", "2026-10-31", "invoice", "creditNote", "NOK", "12.50", "25"]),
    st.sampled_from([Decimal("1E+999999999"), Decimal("1E-999999999"), Decimal("-0"), 10**30, "9" * 5000]),
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["1", "id", "x"]), SCALARS)
HEAD_NAMES = st.sampled_from([name for names in INVOICE.values() for name in names if name != "lines"])
LINE_NAMES = st.sampled_from([name for names in LINE.values() for name in names])
ROWS = st.dictionaries(LINE_NAMES, VALUES, max_size=2).map(lambda row: make_row() | row)
COMPANY_NAMES = st.sampled_from([name for names in COMPANY.values() for name in names] + ["number", "departmentId"])


@given(
    st.dictionaries(HEAD_NAMES | st.text(max_size=8), VALUES, max_size=3), st.lists(ROWS | VALUES, max_size=3) | VALUES
)
def test_any_invoice_is_read_or_listed(changes: dict[str, Any], lines: Any) -> None:
    found = read_invoice(make_invoice(lines=lines) | changes)
    if isinstance(found, Document):
        assert found.lines
        assert abs(found.computed_totals.net_amount - found.totals.net_amount) <= 1
        assert abs(found.totals.gross_amount - found.totals.net_amount - found.totals.vat_amount) <= 1
        assert found.kind is DocumentKind.INVOICE or found.totals.gross_amount >= 0
    else:
        assert found.gaps
        assert all(gap.cause and gap.fix for gap in found.gaps)


@given(st.dictionaries(COMPANY_NAMES, VALUES))
def test_any_other_record_is_read_or_listed(raw: dict[str, Any]) -> None:
    for found in (read_company(raw), read_project(raw), read_department(raw)):
        if isinstance(found, Gaps):
            assert found.gaps
            assert all(gap.cause and gap.fix for gap in found.gaps)


AMOUNTS = st.decimals(min_value=-5000, max_value=5000, places=2)
FIGURES = st.lists(st.tuples(AMOUNTS, AMOUNTS, st.sampled_from([0, 12, 15, 25])), min_size=1, max_size=4)


@given(FIGURES)
def test_credit_note_reads_the_same_with_either_sign(figures: list[tuple[Decimal, Decimal, int]]) -> None:
    found = [read_invoice(make_credit_note(figures, sign)) for sign in (1, -1)]
    nets = [[line.net_amount for line in note.lines] for note in found if isinstance(note, Document)]
    assert len(nets) in {0, 2}
    if nets:
        assert nets[0] == nets[1]
        assert sum(nets[0]) >= 0
    for note in found:
        assert isinstance(note, Document) or "sums are unclear" in note.gaps[0].cause


def make_credit_note(figures: list[tuple[Decimal, Decimal, int]], sign: int) -> dict[str, Any]:
    rows = [
        make_row(quantity=str(sign * quantity), unitPrice=str(price), vatRate=rate, total=None)
        for quantity, price, rate in figures
    ]
    net = sum((round_money(quantity * price) for quantity, price, _ in figures), ZERO)
    vat = sum((round_money(round_money(quantity * price) * rate / 100) for quantity, price, rate in figures), ZERO)
    sums = {"totalExVat": str(net * sign), "vat": str(vat * sign), "totalIncVat": str((net + vat) * sign)}
    return make_invoice(type="creditNote", creditedInvoiceId=1, lines=rows, **sums)
