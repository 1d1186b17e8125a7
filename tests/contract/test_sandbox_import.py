"""The sandbox Unimicro's Import central: workbooks become vouchers, customers, products, orders; switches both ways."""

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter

from app.sandbox.unimicro.switches import Switches
from tests.world.unimicro_session import Clock, Session, sandbox

BILAG = (
    "Dato",
    "Kontonummer",
    "Prosjekt",
    "Avdeling",
    "Tekst",
    "Beløp",
    "Momskode",
    "Forfallsdato",
    "Fakturanr",
    "KID",
)
DAY, DUE = date(2026, 10, 5), date(2026, 10, 19)
Rows = Sequence[Sequence[Any]]


def to_workbook(headings: Sequence[str], rows: Rows) -> bytes:
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True, "default_date_format": "dd.mm.yyyy"})
    sheet = book.add_worksheet("Bilag")
    sheet.write_row(0, 0, headings)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, cell)
            elif cell is not None:
                sheet.write(number, column, cell)
    book.close()
    return sink.getvalue()


def claim(number: str, amount: float, *, customer: str = "100001", kid: str = "4711004", day: date = DAY) -> list[Any]:
    return [day, customer, None, None, f"Faktura {number}", amount, None, DUE, number, kid]


def income(
    amount: float, *, day: date = DAY, code: str = "3", account: int = 3000, department: Any = None
) -> list[Any]:
    return [day, account, None, department, "Salg", -amount, code, None, None, None]


async def take(session: Session, card: str, headings: Sequence[str], rows: Rows, **ticked: int) -> dict[str, Any]:
    path = f"/sandbox/companies/{session.headers['CompanyKey']}/import/{card}"
    answer = await session.client.post(path, content=to_workbook(headings, rows), params=ticked)
    assert answer.status_code == 200
    log: dict[str, Any] = answer.json()
    return log


async def heads(session: Session) -> list[dict[str, Any]]:
    return list(await session.get("invoices", orderby="ID"))


async def test_vouchers_are_booked_and_make_heads_with_number_kid_and_due_date() -> None:
    async with sandbox(clock=Clock()) as session:
        customer = await session.customer("Havn AS", CustomerNumber=100001)
        log = await take(
            session,
            "bilag",
            BILAG,
            [
                claim("119001", 1250),
                income(1000),
                income(250, code="5", account=3100),
                claim("119002", -500),
                income(-500),
            ],
        )
        assert (log["Status"], log["Imported"], log["Faults"]) == ("Completed", 2, [])
        invoice, credit = await heads(session)
        assert (invoice["InvoiceNumber"], invoice["PaymentID"]) == ("119001", "4711004")
        assert (invoice["PaymentDueDate"][:10], invoice["InvoiceDate"][:10]) == ("2026-10-19", "2026-10-05")
        assert invoice["CustomerID"] == customer["ID"]
        assert Decimal(str(invoice["TaxInclusiveAmount"])) == 1250
        assert Decimal(str(invoice["VatTotalsAmount"])) == 200
        assert (credit["InvoiceNumber"], credit["InvoiceType"]) == ("119002", 1)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [claim("1", 100), income(100), claim("2", 100, day=date(2027, 1, 2)), income(100, day=date(2027, 1, 2))],
            "years",
        ),
        ([claim("1", 100), income(99)], "balance"),
        ([claim("1", 100, customer="100777"), income(100)], "no account 100777"),
        ([claim("1", 100), income(100, code="99")], "no VAT code 99"),
        ([claim("", 100), income(100)], "Fakturanr is empty"),
        ([claim("1", 100), income(100, department="77")], "no Avdeling 77"),
        ([claim("1", 100), income(100), claim("1", 50), income(50)], "already in use"),
        ([["tomorrow", *claim("1", 100)[1:]], income(100)], "cannot be read"),
    ],
)
async def test_one_row_that_cannot_be_used_refuses_the_whole_file(rows: Rows, told: str) -> None:
    async with sandbox(clock=Clock()) as session:
        await session.customer("Havn AS", CustomerNumber=100001)
        log = await take(session, "bilag", BILAG, [claim("9", 10), income(10), *rows])
        assert (log["Status"], log["Imported"]) == ("Failed", 0)
        assert any(told in fault for fault in log["Faults"]), log
        assert await heads(session) == []


async def test_or_its_voucher_alone() -> None:
    async with sandbox(clock=Clock(), switches=Switches().turned({"import_faults": "group"})) as session:
        await session.customer("Havn AS", CustomerNumber=100001)
        rows = [claim("1", 100), income(100, code="99"), claim("2", 50), income(50), claim("2", 70), income(70)]
        log = await take(session, "bilag", BILAG, rows)
        assert (log["Status"], log["Imported"], log["Skipped"]) == ("Completed", 1, 2)
        assert [one["InvoiceNumber"] for one in await heads(session)] == ["2"]


@pytest.mark.parametrize(("way", "vouchers"), [("balance", 2), ("day", 1), ("file", 1)])
async def test_rows_are_grouped_one_way_or_another(way: str, vouchers: int) -> None:
    async with sandbox(clock=Clock(), switches=Switches().turned({"import_groups": way})) as session:
        await session.customer("Havn AS", CustomerNumber=100001)
        log = await take(session, "bilag", BILAG, [claim("1", 100), income(100), claim("2", 50), income(50)])
        assert log["Imported"] == vouchers
        assert [one["InvoiceNumber"] for one in await heads(session)] == ["1", "2"]


@pytest.mark.parametrize(("way", "status"), [("refused", "Failed"), ("ignored", "Completed"), ("made", "Completed")])
async def test_a_department_that_is_not_there(way: str, status: str) -> None:
    async with sandbox(clock=Clock(), switches=Switches().turned({"import_places": way})) as session:
        await session.customer("Havn AS", CustomerNumber=100001)
        log = await take(session, "bilag", BILAG, [claim("1", 100), income(100, department="77")])
        assert log["Status"] == status
        made = await session.get("departments", filter="DepartmentNumber eq '77'")
        assert len(made) == (way == "made")


@pytest.mark.parametrize(("ticked", "made"), [({"posts": 0}, 0), ({"makes_invoices": 0}, 0), ({}, 1)])
async def test_what_is_ticked_decides_whether_there_is_a_claim_to_remind_of(ticked: dict[str, int], made: int) -> None:
    async with sandbox(clock=Clock()) as session:
        await session.customer("Havn AS", CustomerNumber=100001)
        log = await take(session, "bilag", BILAG, [claim("1", 100), income(100)], **ticked)
        assert log["Imported"] == 1
        assert len(await heads(session)) == made


KUNDE = ("Kundenr", "Navn", "Adresse", "Postnummer", "Poststed", "Landkode", "Orgnr", "Epostadresse")


async def test_customers_outside_the_series_refuse_the_file_and_known_ones_are_skipped_or_overwritten() -> None:
    async with sandbox(clock=Clock()) as session:
        row = ["100005", "Bodø AS", "Sjøgata 1", "0182", "Oslo", "NO", "974760673", "post@bodo.example"]
        log = await take(session, "kunde", KUNDE, [row, ["5", "Liten AS"]])
        assert log["Status"] == "Failed"
        assert "outside the number series" in log["Faults"][0]
        assert (await take(session, "kunde", KUNDE, [row]))["Imported"] == 1
        assert (await take(session, "kunde", KUNDE, [[*row[:1], "Bodin AS"]]))["Skipped"] == 1
        assert (await take(session, "kunde", KUNDE, [[*row[:1], "Bodin AS"]], overwrites=1))["Imported"] == 1
        [found] = await session.get("customers", expand="Info,Info.InvoiceAddress", filter="CustomerNumber eq 100005")
        assert (found["Info"]["Name"], found["Info"]["InvoiceAddress"]["PostalCode"]) == ("Bodin AS", "0182")


async def test_a_products_account_decides_its_vat_code_and_must_exist() -> None:
    async with sandbox(clock=Clock()) as session:
        headings = ("Produktnr", "Navn", "Enhet", "Salgskonto")
        assert (await take(session, "produkt", headings, [["77", "Ny", "stk", "3999"]]))["Status"] == "Failed"
        assert (await take(session, "produkt", headings, [["77", "Ny", "stk", "3020"]]))["Imported"] == 1
        [found] = await session.get("products", filter="PartName eq '77'", expand="VatType")
        assert found["VatType"]["VatCode"] == "31"


@pytest.mark.parametrize(("way", "numbers"), [("kept", [501, 2]), ("series", [1, 2])])
async def test_a_known_order_number_becomes_a_new_order(way: str, numbers: list[int]) -> None:
    async with sandbox(clock=Clock(), switches=Switches().turned({"import_order_numbers": way})) as session:
        await session.customer("Havn AS", CustomerNumber=100001)
        headings = ("Ordrenr", "Ordredato", "Kundenr", "Produktnr", "Tekst", "Antall", "Pris eks. mva", "Rabatt %")
        rows = [["501", DAY, 100001, "1001", "Timer", 2, 100.5, 0], ["501", DAY, 100001, None, "Takk"]]
        for _ in range(2):
            assert (await take(session, "ordre", headings, rows))["Imported"] == 1
        orders = await session.get("orders", orderby="ID", expand="Items")
        assert [one["OrderNumber"] for one in orders] == numbers
        assert [len(one["Items"]) for one in orders] == [2, 2]
        assert Decimal(str(orders[0]["TaxExclusiveAmount"])) == 201


async def test_what_is_no_workbook_is_refused() -> None:
    async with sandbox(clock=Clock()) as session:
        assert (await take(session, "bilag", ("Dato", "Beløp"), []))["Faults"] == ["the column Kontonummer is missing"]
        assert (await take(session, "bilag", BILAG, []))["Status"] == "Failed"
        path = f"/sandbox/companies/{session.headers['CompanyKey']}/import/"
        assert (await session.client.post(f"{path}bilag", content=b"x")).json()["Status"] == "Failed"
        assert (await session.client.post(f"{path}saft", content=b"x")).status_code == 404
