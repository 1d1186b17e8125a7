"""Lists of a key without sign-in: read as people keep them, and everything that is wrong with them told at once."""

import asyncio
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter

from app.accounting.targets import Target, open_listed_target
from app.admin.list_files import parse_sheets
from app.admin.lists import parse_list
from app.domain.lists import ListKind, Lists, list_strangers
from app.domain.parties import Customer
from app.errors import HoldError, RemoteRejectedError, RequestError

Rows = Sequence[Any]


def to_xlsx(*sheets: Rows) -> bytes:
    """A workbook with typed cells."""
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return sink.getvalue()


PRODUCTS: Rows = [
    ["Varenr", "Varenavn", "Salgskonto", "Momskode"],
    ["4711", "Timer", 3000, 3],
    [4712.0, "Kurs", "3100", "5"],
]
CODES = [
    ["Kode", "Sats", "Navn", "Utgående"],
    [3, 25, "Alminnelig", "ja"],
    ["5", 0, "Fritatt", "Ja"],
    [1, 25, "", "nei"],
]
BELOW_A_TITLE: Rows = [["Eksport"], [], ["Momskode", "Sats"], [3, 25]]
CUSTOMERS: Rows = [
    ["Kundenr*", "Navn", "Adresse", "Orgnr", "Landkode", "Aktiv"],
    [100001, "Nord AS", "Storgata 1", 974760673, "NO", "Ja"],
    ["100002", "Sør AS", "", "", "", "nei"],
]
SHEETS: dict[ListKind, Rows] = {
    ListKind.PRODUCTS: PRODUCTS,
    ListKind.VAT_CODES: CODES,
    ListKind.CUSTOMERS: CUSTOMERS,
    ListKind.DEPARTMENTS: [["Avdeling", "Navn"], ["1", "Oslo"]],
    ListKind.PROJECTS: [["Prosjekt", "Navn"], ["P-7", "Bro"]],
}
LISTS: Lists = {kind: parse_list(kind, to_xlsx(rows)).rows for kind, rows in SHEETS.items()}


def test_a_workbook_is_read_as_people_keep_it_and_loses_no_digit() -> None:
    assert LISTS[ListKind.PRODUCTS] == (
        {"number": "4711", "name": "Timer", "account": "3000", "vat_code": "3"},
        {"number": "4712", "name": "Kurs", "account": "3100", "vat_code": "5"},
    )
    assert LISTS[ListKind.CUSTOMERS][0]["org_number"] == "974760673"
    assert LISTS[ListKind.CUSTOMERS][1]["active"] == "false"


@pytest.mark.parametrize(
    ("content", "rates"),
    [
        ("\ufeffkode;sats\r\n3;25\r\n32;11,11\r\n".encode(), ["25", "11.11"]),
        ("kode,sats,navn\n3,25 %,Høy\n".encode("cp1252"), ["25"]),
        (b"kode\tsats\n3\t25.00\n0\t0\n", ["25.00", "0"]),
        # A spreadsheet's own per cent.
        (to_xlsx([["Momskode", "Sats"], [3, 0.25], [5, 0.0], [32, 0.1111]]), ["25", "0", "11.11"]),
        # Below a title, and in the second sheet.
        (to_xlsx([["Veiledning"]], BELOW_A_TITLE), ["25"]),
    ],
)
def test_every_form_of_the_same_list_is_taken(content: bytes, rates: list[str]) -> None:
    rows = parse_list(ListKind.VAT_CODES, content).rows
    assert [Decimal(row["rate"]) for row in rows] == [Decimal(rate) for rate in rates]


def test_all_that_is_wrong_is_told_at_once_with_its_row() -> None:
    rows: list[list[Any]] = [
        ["number", "name", "account", "vat_code", "aktiv"],
        ["1", "", "30x0", "3", "kanskje"],
        ["", "B", 3000, 3],
    ]
    rows.extend([["2", "C", 3000, 3], ["2", "D", 3000, 3], ["3", "E" * 300, 3000, ""]])
    with pytest.raises(RequestError) as refused:
        parse_list(ListKind.PRODUCTS, to_xlsx(rows))
    for told in (
        *(
            "row 2: name is empty",
            "row 2: account “30x0” is no whole number",
            "row 2: active “kanskje” is no yes or no",
        ),
        *(
            "row 3: number is empty",
            "row 5: number 2 stands in row 4 already",
            "row 6: name",
            "row 6: vat_code is empty",
        ),
    ):
        assert told in refused.value.cause
    assert refused.value.code == "list_unusable"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "Nothing was sent"),
        (b"PK\x03\x04 no zip", "no workbook"),
        (b"\x00\x01\x02;\x00", "neither a workbook nor text"),
        (b'kode;sats\n"3;25', "no CSV"),
        (b"navn;farge\n3;25", "headings"),
        (b"kode;sats\n", "no row below"),
        (b"kode;sats\n3;101\n", "per cent"),
        (b"kode;sats\n3;25\n3;15\n", "row 3: code 3 stands in row 2 already"),
        (b"kode;sats\n3;NaN\n", "per cent"),
    ],
)
def test_what_is_no_list_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        parse_list(ListKind.VAT_CODES, content)


def repack(content: bytes, old: bytes, new: bytes) -> bytes:
    """The workbook with something else in its first sheet."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in source.infolist():
            text = source.read(one)
            packed.writestr(one.filename, text.replace(old, new) if "sheet1" in one.filename else text)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # One cell in the farthest corner makes sixteen thousand million empty ones.
        (b'r="A2"', b'r="XFD1048576"'),
        (b'r="A2"', b"r = 'XFD9'"),
        (b'<row r="2"', b'<row r="9999999"'),
        # Seventy megabytes of blanks pack well.
        (b"<sheetData>", b"<sheetData>" + b" " * 70_000_000),
    ],
)
def test_a_workbook_that_is_larger_than_it_looks_is_refused_before_it_is_read(old: bytes, new: bytes) -> None:
    with pytest.raises(RequestError, match="holds over"):
        parse_sheets(repack(to_xlsx(CODES), old, new))


def test_other_packed_files_are_no_workbooks() -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("content.xml", "<x/>")
    with pytest.raises(RequestError, match=r"no \.xlsx"):
        parse_sheets(sink.getvalue())


def test_lists_that_do_not_know_each_other_are_told() -> None:
    accounts = ({"number": "3000"},)
    codes = ({"code": "3", "rate": "25"},)
    faults = list_strangers({**LISTS, ListKind.VAT_CODES: codes, ListKind.ACCOUNTS: accounts})
    assert faults == [
        "products 4712: there is no VAT code 5 in the list of VAT codes",
        "products 4712: there is no account 3100 in the list of accounts",
    ]


def open_lists(lists: Lists, series: tuple[int, int] | None = None) -> Target:
    async def load() -> Lists:
        return lists

    return open_listed_target(load, series=series, key_id="k")


def test_what_the_lists_say_is_what_is_planned_with() -> None:
    target = open_lists(LISTS, (100000, 199999))
    reference = asyncio.run(target.fetch_reference())
    (hours,) = reference.products["4711"]
    assert (reference.code_of(hours.vat_type_id), hours.vat_rate) == ("3", Decimal(25))
    account = reference.find_account(hours.account_id)
    assert account is not None
    assert account.number == 3000
    assert reference.customer_series == ((100000, 199999),)
    assert (reference.base_currency, reference.vat_registered) == ("NOK", True)
    assert not reference.vat_types["1"][0].is_output
    assert asyncio.run(target.is_current(reference))
    assert [one.number for one in asyncio.run(target.find_projects("P-7"))] == ["P-7"]
    assert asyncio.run(target.find_projects("P-8")) == ()
    assert [one.number for one in asyncio.run(target.find_departments("1"))] == ["1"]


def test_customers_are_found_by_number_and_by_organisation_number() -> None:
    target = open_lists(LISTS)
    listed = asyncio.run(target.list_customers())
    assert [(one.number, one.active) for one in listed] == [("100001", True), ("100002", False)]
    wanted = Customer(recman_company_id="7", number="5", name="Nord AS", org_number="974760673")
    assert [one.number for one in asyncio.run(target.find_customers_like(wanted))] == ["100001"]
    assert asyncio.run(target.find_customer_country(100001)) == "NO"


def test_without_its_lists_a_key_plans_nothing_and_with_them_it_writes_nothing() -> None:
    with pytest.raises(HoldError) as held:
        asyncio.run(open_lists({ListKind.PRODUCTS: LISTS[ListKind.PRODUCTS]}).fetch_reference())
    assert "vat_codes, customers" in held.value.gaps[0].cause
    with pytest.raises(RemoteRejectedError):
        asyncio.run(open_lists(LISTS).issue_document(7))
    assert asyncio.run(open_lists(LISTS).find_vouchers("119001", "RM-1", thoroughly=True)) == ()
