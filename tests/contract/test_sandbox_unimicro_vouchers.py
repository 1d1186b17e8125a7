"""The sandbox Unimicro's vouchers: booked with and without invoice heads, undone; each switch both ways."""

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest

from app.sandbox.unimicro.kid import to_kid
from app.sandbox.unimicro.switches import Switches
from tests.world.unimicro_names import find_unknown_names
from tests.world.unimicro_session import Clock, Session, guid, sandbox

BOOK, CREATE = "book-journal-entries", "book-journal-entries-create-invoices"


def turned(**switches: Any) -> AbstractAsyncContextManager[Session]:
    return sandbox(clock=Clock(), switches=Switches().turned(switches))


async def account(session: Session, number: int) -> int:
    rows = await session.get("accounts", filter=f"AccountNumber eq {number} and CustomerID eq null")
    assert len(rows) == 1
    return int(rows[0]["ID"])


async def sub_account(session: Session, customer_id: int) -> int:
    rows = await session.get("accounts", filter=f"CustomerID eq {customer_id}")
    assert len(rows) == 1
    return int(rows[0]["ID"])


async def voucher(session: Session, gross: str = "1250", **claim: Any) -> dict[str, Any]:
    """An invoice of 25 % VAT as a voucher: one debit on the customer, one gross credit."""
    customer_id = claim.pop("customer", None) or (await session.customer())["ID"]
    day = {"FinancialDate": claim.pop("FinancialDate", "2026-10-05"), "CurrencyCodeID": claim.get("CurrencyCodeID")}
    vat = (await session.one("vattypes", "VatCode", "3"))["ID"]
    debit = day | {"AccountID": await sub_account(session, customer_id), "Amount": Decimal(gross)}
    debit |= {"InvoiceNumber": "5001", "PaymentID": "4711004", "DueDate": "2026-10-19", "_createguid": guid()} | claim
    credit = day | {"AccountID": await account(session, 3000), "VatTypeID": vat, "Amount": -Decimal(gross)}
    if "AmountCurrency" in claim:
        credit |= {"AmountCurrency": -claim["AmountCurrency"], "CurrencyExchangeRate": claim["CurrencyExchangeRate"]}
    entry = {"_createguid": guid(), "Description": "RecMan 5001", "ExternalReference": "RM-5001"}
    return entry | {"DraftLines": [debit, credit | {"_createguid": guid()}]}


async def book(session: Session, *entries: Any, action: str = CREATE, status: int = 200, **query: Any) -> Any:
    return await session.expect(status, "POST", "journalentries", [*entries], action=action, **query)


async def head_of(session: Session, number: str = "5001") -> Any:
    return await session.one("invoices", "InvoiceNumber", number)


async def lines_of(session: Session, entry: Any) -> list[dict[str, Any]]:
    shown = await session.get(f"journalentries/{entry['ID']}", expand="Lines")
    return list(shown["Lines"])


async def turn(session: Session, **switches: Any) -> None:
    path = f"/sandbox/companies/{session.headers['CompanyKey']}/switches"
    assert (await session.client.post(path, json=switches)).status_code == 200


def to_message(refusal: Any) -> str:
    return str(refusal["Messages"][0]["Message"])


# Booking


async def test_a_voucher_books_the_customers_claim_income_and_vat_out_of_the_gross() -> None:
    async with turned() as session:
        entry = await voucher(session)
        assert [*find_unknown_names("JournalEntry", entry | {"DraftLines": []})] == []
        [booked] = await book(session, entry)
        assert (booked["JournalEntryNumber"], booked["ExternalReference"]) == ("1-2026", "RM-5001")
        claim, income, vat = await lines_of(session, booked)
        assert (claim["AccountID"], claim["SubAccountID"]) == (
            await account(session, 1500),
            entry["DraftLines"][0]["AccountID"],
        )
        assert (claim["Amount"], claim["RestAmount"], claim["StatusCode"]) == (1250, 1250, 31001)
        assert (income["Amount"], income["VatPercent"], income["VatJournalEntryPostID"]) == (-1000, 25, vat["ID"])
        assert (vat["Amount"], vat["TaxBasisAmount"], vat["AccountID"]) == (-250, -1000, await account(session, 2700))


async def test_a_voucher_makes_an_invoice_head_with_its_number_kid_and_due_date() -> None:
    async with turned() as session:
        customer = await session.customer("Havn AS")
        [booked] = await book(session, await voucher(session, customer=customer["ID"]))
        head = await head_of(session)
        assert (head["CreatedFromJournalEntry"], head["JournalEntryID"], head["StatusCode"]) == (
            True,
            booked["ID"],
            42002,
        )
        assert (head["PaymentID"], head["PaymentDueDate"], head["InvoiceDate"]) == (
            "4711004",
            "2026-10-19",
            "2026-10-05",
        )
        assert (head["CustomerID"], head["CustomerName"], head["InvoiceType"]) == (customer["ID"], "Havn AS", 0)
        sums = ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount", "RestAmount")
        assert [head[name] for name in sums] == [1000, 250, 1250, 1250]
        assert await session.get("invoiceitems", filter=f"CustomerInvoiceID eq {head['ID']}") == []


@pytest.mark.parametrize(("way", "made"), [("made", 1), ("none", 0)])
async def test_the_action_makes_heads_or_books_the_vouchers_alone(way: str, made: int) -> None:
    async with turned(voucher_heads=way) as session:
        [booked] = await book(session, await voucher(session))
        assert len(await session.get("invoices", filter="InvoiceNumber eq '5001'")) == made
        assert len(await lines_of(session, booked)) == 3


@pytest.mark.parametrize(("way", "sums"), [("lines", [1000, 250, 1250]), ("gross", [1250, 0, 1250])])
async def test_a_head_tells_of_vat_or_of_the_gross_alone(way: str, sums: list[int]) -> None:
    async with turned(head_sums=way) as session:
        await book(session, await voucher(session))
        head = await head_of(session)
        assert [head[name] for name in ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount")] == sums


@pytest.mark.parametrize(
    ("way", "given", "query", "kid"),
    [
        ("asked", "4711004", {"generateKID": "true"}, "4711004"),
        ("asked", None, {"generateKID": "true"}, to_kid("5001", 100000)),
        ("asked", None, {}, None),
        ("asked", None, {"generateKID": "false"}, None),
        ("always", None, {}, to_kid("5001", 100000)),
        ("replaced", "4711004", {"generateKID": "true"}, to_kid("5001", 100000)),
        ("replaced", "4711004", {}, "4711004"),
    ],
)
async def test_the_kid_of_a_head_is_the_lines_or_made(
    way: str, given: str | None, query: dict[str, Any], kid: str | None
) -> None:
    async with turned(voucher_kid=way) as session:
        await book(session, await voucher(session, PaymentID=given), **query)
        assert (await head_of(session))["PaymentID"] == kid


async def test_a_voucher_out_of_balance_is_refused_and_nothing_of_the_call_is_kept(books: Session) -> None:
    good, bad = await voucher(books), await voucher(books, InvoiceNumber="5002")
    bad["DraftLines"][1]["Amount"] = Decimal(-1200)
    assert to_message(await book(books, good, bad, status=400)) == "The journal entry is not in balance."
    assert await books.get("journalentries") == []
    assert await books.get("invoices") == []


async def test_vat_that_comes_on_top_leaves_a_gross_voucher_out_of_balance() -> None:
    async with turned(voucher_amounts="net") as session:
        entry = await voucher(session)
        assert to_message(await book(session, entry, status=400)) == "The journal entry is not in balance."
        entry["DraftLines"][1]["Amount"] = Decimal(-1000)
        await book(session, entry)
        assert (await head_of(session))["VatTotalsAmount"] == 250


@pytest.mark.parametrize("name", ["AccountID", "Amount", "FinancialDate"])
async def test_a_line_needs_account_amount_and_day(books: Session, name: str) -> None:
    entry = await voucher(books)
    del entry["DraftLines"][0][name]
    assert to_message(await book(books, entry, status=400)) == f"{name} is required."


async def test_a_body_that_is_no_array_and_an_account_number_in_place_of_an_id_are_refused(books: Session) -> None:
    entry = await voucher(books)
    assert "array" in await books.expect(400, "POST", "journalentries", entry, action=CREATE)
    entry["DraftLines"][1]["AccountID"] = 3000
    assert "FOREIGN KEY" in (await book(books, entry, status=500))["Message"]


async def test_a_locked_period_refuses_a_voucher_unless_the_caller_insists(books: Session) -> None:
    company = books.app.state.world.companies[books.headers["CompanyKey"]]
    company.books.update("CompanySettings", 1, {"AccountingLockedDate": "2026-10-31"})
    entry = await voucher(books)
    assert "locked" in to_message(await book(books, entry, status=400))
    await book(books, entry, allowJournalingRegardlessOfLockedDates="true")


async def test_a_locked_vat_period_refuses_lines_with_vat(books: Session) -> None:
    company = books.app.state.world.companies[books.headers["CompanyKey"]]
    company.books.update("CompanySettings", 1, {"VatLockedDate": "2026-10-31"})
    assert "VatLockedDate" in to_message(await book(books, await voucher(books), status=400))


async def test_dimensions_stand_on_the_lines_that_have_them(books: Session) -> None:
    project = await books.one("projects", "ProjectNumber", "P-900")
    entry = await voucher(books)
    entry["DraftLines"][1]["Dimensions"] = {"ID": 0, "ProjectID": project["ID"], "_createguid": guid()}
    [booked] = await book(books, entry)
    claim, income, vat = await lines_of(books, booked)
    assert (claim["DimensionsID"], income["DimensionsID"]) == (None, vat["DimensionsID"])
    assert (await books.get(f"dimensions/{income['DimensionsID']}"))["ProjectID"] == project["ID"]


async def test_a_voucher_takes_the_number_of_the_series_that_it_names(books: Session) -> None:
    body = {"Name": "RecMan", "DisplayName": "RecMan", "FromNumber": 700_000, "ToNumber": 799_999}
    like = await books.one("number-series", "Name", "JournalEntry")
    body |= {"_createguid": guid(), "NumberSeriesTaskID": like["NumberSeriesTaskID"]}
    series = await books.expect(201, "POST", "number-series", body)
    [booked] = await book(books, await voucher(books) | {"NumberSeriesID": series["ID"]})
    assert (booked["JournalEntryNumber"], booked["JournalEntryNumberNumeric"]) == ("700000-2026", 700_000)


# Credit notes, currency, duplicates


@pytest.mark.parametrize(("way", "kind"), [("made", 1), ("ignored", None)])
async def test_a_negative_claim_is_a_credit_notes_head_or_none(way: str, kind: int | None) -> None:
    async with turned(voucher_credits=way) as session:
        await book(session, await voucher(session, "-1250", PaymentID=None), generateKID="true")
        found = await session.get("invoices", filter="InvoiceNumber eq '5001'")
        assert [row["InvoiceType"] for row in found] == ([kind] if kind else [])
        assert [(row["TaxInclusiveAmount"], row["VatTotalsAmount"], row["PaymentID"]) for row in found] == (
            [(-1250, -250, None)] if kind else []
        )


async def test_a_negative_claim_may_be_refused() -> None:
    async with turned(voucher_credits="refused") as session:
        refusal = await book(session, await voucher(session, "-1250"), status=400)
        assert to_message(refusal) == "An invoice cannot be negative."


async def to_euro(session: Session) -> dict[str, Any]:
    euro = (await session.one("currencycodes", "Code", "EUR"))["ID"]
    return {"CurrencyCodeID": euro, "AmountCurrency": Decimal(100), "CurrencyExchangeRate": Decimal("11.75")}


@pytest.mark.parametrize(("way", "in_currency"), [("taken", 100), ("ignored", 1175)])
async def test_a_foreign_currency_is_booked_or_lost(way: str, in_currency: int) -> None:
    async with turned(voucher_currency=way) as session:
        await book(session, await voucher(session, "1175", **await to_euro(session)))
        head = await head_of(session)
        assert (head["TaxInclusiveAmount"], head["TaxInclusiveAmountCurrency"]) == (1175, in_currency)
        assert (head["VatTotalsAmount"], head["VatTotalsAmountCurrency"]) == (235, in_currency / 5)


async def test_a_foreign_currency_may_be_refused() -> None:
    async with turned(voucher_currency="refused") as session:
        refusal = await book(session, await voucher(session, "1175", **await to_euro(session)), status=400)
        assert to_message(refusal) == "Only the company's currency can be booked."


async def test_a_number_in_use_is_refused_used_twice_or_pays_the_first() -> None:
    async with turned() as session:
        customer = (await session.customer())["ID"]
        await book(session, await voucher(session, customer=customer))
        again = await voucher(session, customer=customer)
        assert to_message(await book(session, again, status=400)) == "InvoiceNumber is already in use."
        await turn(session, duplicate_heads="matched")
        await book(session, again)
        assert (await head_of(session))["RestAmount"] == 2500
        await turn(session, duplicate_heads="made")
        await book(session, await voucher(session, customer=customer))
        assert len(await session.get("invoices", filter="InvoiceNumber eq '5001'")) == 2


async def test_a_guid_seen_before_stops_a_second_voucher_or_does_not() -> None:
    async with turned(duplicate_heads="made") as session:
        entry = await voucher(session)
        await book(session, entry)
        assert "_createguid" in (await book(session, entry, status=400))["Message"]
        await turn(session, voucher_guids=False)
        await book(session, entry)
        assert len(await session.get("journalentries")) == 2


# Plain vouchers


@pytest.mark.parametrize(("matching", "rest", "state"), [(True, 0, 42004), (False, 250, 42002)])
async def test_a_plain_voucher_pays_the_invoice_with_its_number(*, matching: bool, rest: int, state: int) -> None:
    async with turned(voucher_matching=matching) as session:
        invoice = await session.issued()
        paid = {"FinancialDate": "2026-10-20", "InvoiceNumber": invoice["InvoiceNumber"]}
        customer = {"AccountID": await sub_account(session, invoice["CustomerID"]), "Amount": -250}
        bank = {"AccountID": await account(session, 1920), "Amount": 250}
        await book(session, {"DraftLines": [paid | customer, paid | bank]}, action=BOOK)
        after = await session.get(f"invoices/{invoice['ID']}")
        assert (after["RestAmount"], after["StatusCode"]) == (rest, state)


@pytest.mark.parametrize(("by_number", "rest"), [(True, 0), (False, 250)])
async def test_a_plain_voucher_pays_another_customers_invoice_or_leaves_it(*, by_number: bool, rest: int) -> None:
    async with turned(matching_by_number=by_number) as session:
        invoice, other = await session.issued(), await session.customer("Havn AS")
        paid = {"FinancialDate": "2026-10-20", "InvoiceNumber": invoice["InvoiceNumber"]}
        customer = {"AccountID": await sub_account(session, other["ID"]), "Amount": -250}
        bank = {"AccountID": await account(session, 1920), "Amount": 250}
        await book(session, {"DraftLines": [paid | customer, paid | bank]}, action=BOOK)
        assert (await session.get(f"invoices/{invoice['ID']}"))["RestAmount"] == rest


@pytest.mark.parametrize(
    ("yearly", "numbers"), [(True, ["1-2025", "1-2026", "2-2026"]), (False, ["1-2025", "2-2026", "3-2026"])]
)
async def test_vouchers_are_numbered_through_or_anew_each_year(*, yearly: bool, numbers: list[str]) -> None:
    async with turned(yearly_vouchers=yearly) as session:
        days = ["2025-12-31", "2026-01-01", "2026-01-02"]
        entries = [await voucher(session, FinancialDate=day, InvoiceNumber=day) for day in days]
        booked = await book(session, *entries)
        assert [row["JournalEntryNumber"] for row in booked] == numbers
        query = {"action": "get-active-numberseries", "entityType": "JournalEntry", "year": "2026"}
        active = [row["AccountYear"] for row in await session.get("number-series", **query)]
        assert active == ([None, 2026] if yearly else [None])


async def test_the_books_show_posted_vouchers_by_what_people_see(books: Session) -> None:
    await book(books, await voucher(books))
    await books.issued()
    shown = (await books.client.get("/sandbox/books")).json()["companies"][books.headers["CompanyKey"]]["vouchers"]
    [one] = shown
    assert (one["ExternalReference"], one["JournalEntryNumber"]) == ("RM-5001", "1-2026")
    assert [line["Account"] for line in one["Lines"]] == [1500, 3000, 2700]
    assert (one["Lines"][0]["SubAccount"], one["Lines"][1]["VatType"]) == (100000, "3")
    bare = (await books.client.get("/sandbox/books", params={"without_numbers": 1})).json()["companies"]
    [without] = bare[books.headers["CompanyKey"]]["vouchers"]
    assert "JournalEntryNumber" not in without
    assert (without["Lines"][0]["InvoiceNumber"], without["Lines"][0]["PaymentID"]) == ("5001", "4711004")


async def test_a_plain_voucher_makes_no_head(books: Session) -> None:
    await book(books, await voucher(books), action=BOOK)
    assert await books.get("invoices") == []


# Looking up and undoing


@pytest.mark.parametrize(
    ("way", "shown", "found"), [("filtered", "RM-5001", 1), ("shown", "RM-5001", 2), ("dropped", None, 2)]
)
async def test_a_voucher_is_found_by_its_reference_or_the_filter_is_ignored(
    way: str, shown: str | None, found: int
) -> None:
    async with turned(voucher_reference=way) as session:
        other = await voucher(session, InvoiceNumber="5002") | {"ExternalReference": "RM-5002"}
        [first, _] = await book(session, await voucher(session), other)
        assert first["ExternalReference"] == shown
        assert len(await session.get("journalentries", filter="ExternalReference eq 'RM-5001'")) == found


async def test_another_reference_can_be_put_later(books: Session) -> None:
    [entry] = await book(books, await voucher(books))
    query = {"action": "update-external-reference", "journalEntryID": entry["ID"], "externalReference": "RM-9"}
    await books.expect(200, "PUT", "journalentries", **query)
    assert (await books.get(f"journalentries/{entry['ID']}"))["ExternalReference"] == "RM-9"


async def test_lines_are_found_by_invoice_number_in_statistics(books: Session) -> None:
    [entry] = await book(books, await voucher(books))
    invoice = await books.issued()
    query = {"model": "JournalEntryLine", "wrap": "false", "distinct": "false"}
    query |= {
        "select": "JournalEntryID as entry,InvoiceNumber as number,SubAccount.CustomerID as customer,Amount as sum"
    }
    found = await books.get(
        "/api/statistics", expand="SubAccount", filter="InvoiceNumber eq '5001' and SubAccountID gt 0", **query
    )
    customer = (await head_of(books))["CustomerID"]
    assert found == [{"entry": entry["ID"], "number": "5001", "customer": customer, "sum": 1250}]
    number = invoice["InvoiceNumber"]
    own = await books.get("/api/statistics", expand="SubAccount", filter=f"InvoiceNumber eq '{number}'", **query)
    assert [row["sum"] for row in own] == [250, -200, -50]


async def test_statistics_drop_rows_without_a_value_where_it_is_compared(books: Session) -> None:
    await book(books, await voucher(books))
    query = {"model": "JournalEntryLine", "wrap": "false", "distinct": "false", "select": "Amount as sum"}
    assert len(await books.get("/api/statistics", filter="StatusCode ne 31003", **query)) == 1
    assert len(await books.get("/api/statistics", filter="isnull(StatusCode,0) ne 31003", **query)) == 3


async def test_statistics_add_up_and_tell_of_failures_as_wrapped_or_not(books: Session) -> None:
    await book(books, await voucher(books))
    query = {"model": "JournalEntryLine", "select": "sum(Amount) as total,count(ID) as lines"}
    assert await books.get("/api/statistics", **query) == {"Success": True, "Data": [{"total": 0, "lines": 3}]}
    bad = {"model": "JournalEntryLine", "select": "Nothing as nothing"}
    assert (await books.get("/api/statistics", **bad))["Success"] is False
    assert "Nothing" in await books.expect(400, "GET", "/api/statistics", wrap="false", **bad)
    del books.headers["CompanyKey"]
    await books.expect(401, "GET", "/api/statistics", **query)


@pytest.mark.parametrize(("way", "state"), [("credited", 42006), ("left", 42002), ("deleted", None)])
async def test_a_voucher_is_undone_by_its_number(way: str, state: int | None) -> None:
    async with turned(undone_head=way) as session:
        [entry] = await book(session, await voucher(session))
        query = {"action": "credit-journal-entry", "journalEntryNumber": entry["JournalEntryNumber"]}
        undone = await session.expect(200, "POST", "journalentries", creditDate="2026-11-01", **query)
        assert [line["Amount"] for line in await lines_of(session, undone)] == [-1250, 1000, 250]
        assert {line["StatusCode"] for line in await lines_of(session, entry)} == {31004}
        heads = await session.get("invoices", filter="InvoiceNumber eq '5001'")
        assert [row["StatusCode"] for row in heads] == ([state] if state else [])
        await session.expect(400, "POST", "journalentries", **query)
        await session.expect(404, "POST", "journalentries", action="credit-journal-entry", journalEntryNumber="9-2026")


async def test_a_voucher_is_undone_by_its_id_and_another_booked_in_its_place(books: Session) -> None:
    [entry] = await book(books, await voucher(books))
    query = {"action": "credit-and-book-journal-entry", "journalEntryID": entry["ID"]}
    [other] = await books.expect(200, "POST", "journalentries", [await voucher(books, "500")], **query)
    assert (await lines_of(books, other))[0]["Amount"] == 500
    assert len(await books.get("journalentries")) == 3


# Read back


async def test_statistics_join_the_lines_of_a_voucher_with_its_head_or_know_of_no_join() -> None:
    columns = (
        "JournalEntryLine.ID as ID",
        "JournalEntryLine.Amount as Amount",
        "CustomerInvoice.InvoiceNumber as Head",
    )
    query = {"model": "JournalEntryLine", "select": ",".join(columns), "wrap": "false", "distinct": "false"}
    query |= {"join": "JournalEntryLine.JournalEntryID eq CustomerInvoice.JournalEntryID"}
    async with turned() as session:
        [booked] = await book(session, await voucher(session))
        await book(session, await voucher(session, InvoiceNumber=None), action=BOOK)
        ask = query | {"filter": f"JournalEntryLine.JournalEntryID eq {booked['ID']}"}
        rows = await session.get("/api/statistics", **ask)
        assert [row["Head"] for row in rows] == ["5001"] * 3
        assert sum(row["Amount"] for row in rows) == 0
        # Rows without a partner are left out.
        assert len(await session.get("/api/statistics", **query)) == 3
        await turn(session, statistics_join=False)
        refused = await session.expect(400, "GET", "/api/statistics", **ask)
        assert "CustomerInvoice.InvoiceNumber" in refused


@pytest.mark.parametrize("lines", [0, 3])
async def test_a_booked_voucher_answers_its_lines_or_not(lines: int) -> None:
    async with turned(voucher_lines_shown=lines > 0) as session:
        [booked] = await book(session, await voucher(session))
        assert len(booked.get("Lines", [])) == lines
