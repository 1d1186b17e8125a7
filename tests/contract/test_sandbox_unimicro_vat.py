"""The sandbox Unimicro's VAT types, accounts, days and locks: each switch both ways."""

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest

from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.switches import Switches
from tests.world.unimicro_session import Clock, Session, guid, open_session, sandbox


def turned(**switches: Any) -> AbstractAsyncContextManager[Session]:
    return sandbox(clock=Clock(), switches=Switches().turned(switches))


def books_of(session: Session) -> Books:
    found: Books = session.app.state.world.companies[session.headers["CompanyKey"]].books
    return found


async def set_company(session: Session, **settings: Any) -> None:
    path = f"/sandbox/companies/{session.headers['CompanyKey']}/settings"
    assert (await session.client.post(path, json=settings)).status_code == 200


async def change(session: Session, route: str, entity: str, number: str, **changes: Any) -> int:
    fields = {"VatType": "VatCode", "Account": "AccountNumber"}
    row = await session.one(route, fields[entity], number)
    books_of(session).update(entity, row["ID"], changes)
    return int(row["ID"])


async def vat_id(session: Session, code: str) -> int:
    return int((await session.one("vattypes", "VatCode", code))["ID"])


async def to_message(session: Session, **head: Any) -> str:
    """What a draft is refused with."""
    answer = await session.expect(400, "POST", "invoices", await session.invoice_body(**head))
    return str(answer["Messages"][0]["Message"])


# Percentages by day


@pytest.mark.parametrize(
    ("way", "issued", "delivered", "percent"),
    [
        ("type", "2020-05-04", None, 12),
        ("invoice_day", "2020-05-04", None, 6),
        ("invoice_day", "2021-10-01", "2021-09-30", 12),
        ("delivery_day", "2021-10-01", "2021-09-30", 6),
        ("delivery_day", "2020-03-31", None, 12),
        ("setting", "2021-10-01", "2021-09-30", 6),
    ],
)
async def test_the_low_rate_is_taken_as_of_the_type_or_of_a_day(
    way: str, issued: str, delivered: str | None, percent: int
) -> None:
    async with turned(vat_percent=way) as session:
        items = [await session.item("3001")]
        days = {"InvoiceDate": issued, "DeliveryDate": delivered, "PaymentDueDate": "2026-01-01"}
        document = await session.draft(Items=items, **days)
        assert (document["Items"][0]["VatPercent"], document["VatTotalsAmount"]) == (percent, 2 * percent)


async def test_the_day_of_booking_counts_where_the_setting_says_so() -> None:
    days = {"InvoiceDate": "2021-10-01", "DeliveryDate": "2021-09-30"}
    for by_delivery, percent in ((False, 12), (True, 6)):
        async with turned(vat_percent="setting") as session:
            on = {"UseFinancialDateToCalculateVatPercent": True, "BookCustomerInvoiceOnDeliveryDate": by_delivery}
            await set_company(session, **on)
            document = await session.draft(Items=[await session.item("3001")], **days)
            assert document["Items"][0]["VatPercent"] == percent


async def test_percentages_stand_in_the_type_or_only_in_its_periods() -> None:
    for shown in (True, False):
        async with turned(vat_percent_shown=shown) as session:
            (row,) = await session.get("vattypes", filter="VatCode eq '33'", expand="VatTypePercentages")
            assert ("VatPercent" in row) is shown
            periods = [(one["ValidFrom"], one["ValidTo"], one["VatPercent"]) for one in row["VatTypePercentages"]]
            assert periods == [
                ("2005-01-01", "2020-03-31", 12),
                ("2020-04-01", "2021-09-30", 6),
                ("2021-10-01", None, 12),
            ]


async def test_a_type_out_of_its_days_is_no_longer_among_the_valid_ones() -> None:
    async with turned(vat_percent="invoice_day") as session:
        books = books_of(session)
        (period,) = books.children("VatTypePercentage", "VatTypeID", await vat_id(session, "31"))
        books.update("VatTypePercentage", period["ID"], {"ValidTo": "2026-10-31"})
        codes = {row["VatCode"] for row in await session.get("vattypes", action="valid")}
        assert "31" not in codes
        assert {"3", "33", "52"} <= codes


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"Locked": True}, "is locked"),
        ({"Visible": False}, "is hidden"),
        ({"OutputVat": False}, "is not for sales"),
        ({"ValidTo": "2026-09-30"}, "is not valid on 2026-10-05"),
    ],
)
async def test_a_type_is_closed_by_a_door_of_the_stand_ins_own(changes: dict[str, Any], fault: str) -> None:
    async with turned(refuse_unusable_vat=True) as session:
        path = f"/sandbox/companies/{session.headers['CompanyKey']}/vat-types/change"
        assert (await session.client.post(f"{path}/3", json=changes)).status_code == 204
        assert fault in await to_message(session)
        assert (await session.client.post(f"{path}/99", json=changes)).status_code == 404
        assert (await session.client.post(f"{path}/3", json={"VatPercent": 1})).status_code == 404


async def test_an_account_is_locked_by_a_door_of_the_stand_ins_own() -> None:
    async with turned() as session:
        path = f"/sandbox/companies/{session.headers['CompanyKey']}/accounts"
        assert (await session.client.post(f"{path}/3000", json={"Locked": True})).status_code == 200
        assert (await session.one("accounts", "AccountNumber", "3000"))["Locked"] is True
        assert (await session.client.post(f"{path}/9999", json={"Locked": True})).status_code == 404
        assert (await session.client.post(f"{path}/3000", json={"AccountName": "x"})).status_code == 404


# Which types may be used


@pytest.mark.parametrize(
    ("code", "changes", "fault"),
    [
        ("1", {}, "is not for sales"),
        ("3", {"Locked": True}, "is locked"),
        ("3", {"Visible": False}, "is hidden"),
        ("33", {}, "is not valid on 2004-12-31"),
    ],
)
async def test_an_unusable_type_is_taken_or_refused(code: str, changes: dict[str, bool], fault: str) -> None:
    for refuses in (False, True):
        async with turned(refuse_unusable_vat=refuses) as session:
            wrong = await change(session, "vattypes", "VatType", code, **changes)
            head = {"Items": [await session.item(VatTypeID=wrong)], "InvoiceDate": "2004-12-31"}
            if refuses:
                assert fault in await to_message(session, **head)
            else:
                assert (await session.draft(**head))["Items"][0]["VatTypeID"] == wrong


@pytest.mark.parametrize(("way", "code"), [("accepted", "3"), ("replaced", "6"), ("refused", None)])
async def test_a_company_not_yet_registered_sells_with_code_3_or_6_or_not_at_all(way: str, code: str | None) -> None:
    async with turned(unregistered=way) as session:
        await set_company(session, TaxMandatoryType=2, TaxableFromDate="2026-10-10")
        before, after = {"InvoiceDate": "2026-10-09"}, {"InvoiceDate": "2026-10-10"}
        if code is None:
            assert "before the company is registered" in await to_message(session, **before)
        else:
            line = (await session.draft(**before))["Items"][0]
            assert line["VatTypeID"] == await vat_id(session, code)
            assert line["VatPercent"] == (25 if code == "3" else 0)
        assert (await session.draft(**after))["Items"][0]["VatPercent"] == 25


# Ids


async def test_ids_of_vat_types_are_equal_or_differ_between_companies() -> None:
    for way, equal in (("equal", True), ("per_company", False)):
        async with turned(vat_ids=way) as session:
            other = await open_session(session.client, session.app, "Nordlys Konsulent AS")
            assert (await vat_id(session, "3") == await vat_id(other, "3")) is equal
            assert (await other.draft())["VatTotalsAmount"] == 50


async def test_an_id_of_an_earlier_read_is_broken_where_ids_move() -> None:
    async with turned(vat_ids="moving") as session:
        old = await vat_id(session, "3")
        new = await vat_id(session, "3")
        assert new != old
        item = await session.item()
        await session.expect(500, "POST", "invoices", await session.invoice_body(Items=[item | {"VatTypeID": old}]))
        assert (await session.draft(Items=[item | {"VatTypeID": new}]))["VatTotalsAmount"] == 50
        assert (await session.draft())["VatTotalsAmount"] == 50


async def test_new_types_can_stand_beside_old_ones_of_the_same_code() -> None:
    async with sandbox() as session:
        issued = await session.issued()
        path = f"/sandbox/companies/{session.headers['CompanyKey']}/vat-types/renumber"
        assert (await session.client.post(path, params={"keep_old": "1"})).status_code == 204
        rows = await session.get("vattypes", filter="VatCode eq '3'")
        assert [(row["Locked"], row["Visible"]) for row in rows] == [(True, False), (False, True)]
        action = "create-credit-draft-invoice"
        credit = await session.expect(200, "PUT", f"invoices/{issued['ID']}", action=action)
        assert credit["TaxInclusiveAmount"] == -250


# Accounts and lines without product


async def test_a_line_without_product_is_text_or_taken_or_refused() -> None:
    for way in ("text", "priced", "refused"):
        async with turned(unproduced=way) as session:
            account = await session.one("accounts", "AccountNumber", "7740")
            line: dict[str, Any] = {
                "ProductID": None,
                "ItemText": "Øreavrunding",
                "NumberOfItems": 1,
                "PriceExVat": Decimal("0.01"),
            }
            head = {"Items": [await session.item(), await session.item(**line, AccountID=account["ID"], SortIndex=2)]}
            if way == "refused":
                assert await to_message(session, **head) == "ProductID is required."
            else:
                gross = (await session.draft(**head))["TaxInclusiveAmount"]
                assert gross == Decimal("250.01" if way == "priced" else "250")


@pytest.mark.parametrize("way", ["line", "document", "ui2021"])
async def test_a_rounding_line_without_vat_brings_r01_to_its_87_75(way: str) -> None:
    async with turned(vat_sums=way) as session:
        prices = ("25.06", "25.61", "25.63")
        items = [await session.item("2001", NumberOfItems=1, PriceExVat=Decimal(price)) for price in prices]
        missing = Decimal("87.75") - (await session.draft(Items=items))["TaxInclusiveAmount"]
        assert missing == (Decimal("0.01") if way == "line" else 0)
        account = await session.one("accounts", "AccountNumber", "7740")
        more = {"AccountID": account["ID"], "VatTypeID": await vat_id(session, "0"), "SortIndex": 4}
        rounding = await session.item("4001", NumberOfItems=1, PriceExVat=missing, **more)
        lines = [item | {"_createguid": guid()} for item in (*items, rounding)]
        document = await session.draft(Items=lines)
        assert document["TaxInclusiveAmount"] == Decimal("87.75")
        assert document["VatTotalsAmount"] == Decimal("11.44" if way == "line" else "11.45")
        assert document["Items"][3]["AccountID"] == account["ID"]


async def test_a_line_on_a_locked_account_is_refused_or_taken_and_on_none_is_a_broken_reference() -> None:
    for refuses in (True, False):
        async with turned(refuse_locked_account=refuses) as session:
            locked = await change(session, "accounts", "Account", "7740", Locked=True)
            head = {"Items": [await session.item(AccountID=locked)]}
            if refuses:
                assert await to_message(session, **head) == "Account 7740 is locked."
            else:
                assert (await session.draft(**head))["Items"][0]["AccountID"] == locked
            body = await session.invoice_body(Items=[await session.item(AccountID=99999)])
            assert "FOREIGN KEY" in (await session.expect(500, "POST", "invoices", body))["Message"]


async def test_a_line_without_vat_type_can_get_its_accounts() -> None:
    for takes, percent in ((False, 0), (True, 25)):
        async with turned(vat_from_account=takes) as session:
            product = books_of(session).insert("Product", {"PartName": "R1", "Name": "Avrunding"})
            account = await session.one("accounts", "AccountNumber", "3000")
            item = await session.item(ProductID=product["ID"], AccountID=account["ID"])
            assert (await session.draft(Items=[item]))["Items"][0]["VatPercent"] == percent


# Locks


DAYS = {"InvoiceDate": "2026-11-02", "DeliveryDate": "2026-09-30", "PaymentDueDate": "2026-11-16"}


@pytest.mark.parametrize(
    ("by", "on_delivery", "field"),
    [
        ("setting", False, None),
        ("setting", True, "DeliveryDate"),
        ("invoice", True, None),
        ("either", False, "DeliveryDate"),
    ],
)
async def test_d06_a_lock_is_compared_with_the_day_that_counts(by: str, on_delivery: bool, field: str | None) -> None:  # noqa: FBT001
    async with turned(lock_day=by) as session:
        lock = {"AccountingLockedDate": "2026-10-31", "BookCustomerInvoiceOnDeliveryDate": on_delivery}
        await set_company(session, **lock)
        answer = await session.call("POST", "invoices", await session.invoice_body(**DAYS))
        assert answer.status_code == (400 if field else 201)
        assert not field or answer.json()["Messages"][0]["PropertyName"] == field


async def test_the_locked_day_itself_is_locked_or_not_and_drafts_are_looked_at_or_not() -> None:
    for last_day, at_draft in ((True, True), (False, True), (True, False)):
        async with turned(lock_last_day=last_day, lock_at_draft=at_draft) as session:
            await set_company(session, VatLockedDate="2026-10-05")
            body = await session.invoice_body(InvoiceDate="2026-10-05")
            answer = await session.call("POST", "invoices", body)
            assert answer.status_code == (400 if last_day and at_draft else 201)
            if answer.status_code == 201:
                await session.issue(answer.json()["ID"], 400 if last_day else 204)


async def test_a_locked_period_is_refused_in_four_dresses() -> None:
    texts = {}
    for dress in ("messages", "norwegian", "echo", "plain"):
        async with turned(lock_refusal=dress) as session:
            await set_company(session, VatLockedDate="2026-10-31")
            answer = await session.expect(400, "POST", "invoices", await session.invoice_body())
            texts[dress] = answer
    english = "The period is locked (VatLockedDate 2026-10-31)."
    assert texts["messages"]["Messages"][0]["Message"] == english
    assert texts["norwegian"]["Messages"][0]["Message"] == "Perioden er låst (VatLockedDate 2026-10-31)."
    assert texts["echo"]["_validationResults"]["InvoiceDate"][0]["Message"] == english
    assert texts["plain"]["Message"] == english


async def test_a_voucher_bears_the_year_of_the_day_it_is_booked_on() -> None:
    async with turned() as session:
        await set_company(session, BookCustomerInvoiceOnDeliveryDate=True)
        issued = await session.issued(InvoiceDate="2026-01-02", DeliveryDate="2025-12-31")
        shown = await session.get(f"invoices/{issued['ID']}", expand="JournalEntry")
        assert shown["JournalEntry"]["JournalEntryNumber"] == "1-2025"


# What a key check reads


async def test_the_settings_that_would_falsify_a_first_invoice_are_there() -> None:
    async with sandbox() as session:
        settings = await session.get("companysettings/1", expand="CustomerInvoiceReminderSettings")
        rounding = [settings[name] for name in ("RoundingType", "RoundingNumberOfDecimals", "ShowNumberOfDecimals")]
        assert rounding == [3, 2, 2]
        quiet: tuple[str, ...] = (
            "UseFactoring",
            "AutoDistributeInvoice",
            "BookCustomerInvoiceOnDeliveryDate",
            "MergeAttachments",
        )
        quiet += ("OverrideSortIndex", "PresetCustomerInvoiceNumber", "UseFinancialDateToCalculateVatPercent")
        assert [name for name in quiet if settings[name] is not False] == []
        assert settings["CustomerInvoiceReminderSettings"]["RemindersBeforeDebtCollection"] == 0
        (kid,) = await session.get("paymentinfotype", expand="PaymentInfoTypeParts")
        assert (kid["StatusCode"], kid["Control"], kid["Length"]) == (42400, 10, 15)
        assert [part["Length"] for part in kid["PaymentInfoTypeParts"]] == [7, 7]
        assert settings["ShowKIDOnCustomerInvoice"] is True
