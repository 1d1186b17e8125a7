"""The sandbox Unimicro's invoice numbers, KIDs and number series: each switch both ways."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app.sandbox.unimicro.kid import to_kid
from app.sandbox.unimicro.switches import Switches
from tests.world.unimicro_session import Clock, Session, guid, sandbox


def turned(**switches: Any) -> AbstractAsyncContextManager[Session]:
    return sandbox(clock=Clock(), switches=Switches().turned(switches))


async def turn(session: Session, **switches: Any) -> None:
    path = f"/sandbox/companies/{session.headers['CompanyKey']}/switches"
    assert (await session.client.post(path, json=switches)).status_code == 200


async def series_of(session: Session, name: str = "CustomerInvoice") -> Any:
    return await session.one("number-series", "Name", name)


async def own_series(session: Session, status: int = 201, **changes: Any) -> Any:
    like = await series_of(session)
    body = {"_createguid": guid(), "Name": "RecMan", "DisplayName": "RecMan", "FromNumber": 5001, "ToNumber": 9999}
    body |= {name: like[name] for name in ("NumberSeriesTaskID", "NumberSeriesTypeID")}
    return await session.expect(status, "POST", "number-series", body | changes)


def to_message(refusal: Any) -> str:
    return str(refusal["Messages"][0]["Message"])


# KID


def test_a_kid_is_seven_digits_of_the_invoice_seven_of_the_customer_and_a_check_digit() -> None:
    assert to_kid("5067", 100017) == "000506701000172"
    assert to_kid("RM-1", 100017) is None


@pytest.mark.parametrize(
    ("way", "given", "kid"),
    [
        ("kept", "4711004", "4711004"),
        ("kept", None, "300000001000006"),
        ("made", "4711004", "300000001000006"),
        ("made", None, "300000001000006"),
        ("kept_only", "4711004", "4711004"),
        ("kept_only", None, None),
        ("none", "4711004", None),
    ],
)
async def test_a_drafts_kid_is_kept_or_made_anew_when_it_is_issued(way: str, given: str | None, kid: str) -> None:
    async with turned(kid=way) as session:
        draft = await session.draft(PaymentID=given)
        assert draft["PaymentID"] == given
        await session.issue(draft["ID"])
        assert (await session.get(f"invoices/{draft['ID']}"))["PaymentID"] == kid


# A number that is posted


@pytest.mark.parametrize(
    ("way", "on_draft", "issued"),
    [("ignored", None, "3000000"), ("taken", "5001", "5001"), ("draft_only", "5001", "3000000")],
)
async def test_a_number_posted_on_a_draft_is_taken_shown_or_ignored(
    way: str, on_draft: str | None, issued: str
) -> None:
    async with turned(number_posted=way) as session:
        draft = await session.draft(InvoiceNumber="5001")
        assert draft["InvoiceNumber"] == on_draft
        await session.issue(draft["ID"])
        assert (await session.get(f"invoices/{draft['ID']}"))["InvoiceNumber"] == issued


async def test_a_number_posted_may_be_refused() -> None:
    async with turned(number_posted="refused") as session:
        body = await session.invoice_body(InvoiceNumber="5001")
        assert to_message(await session.expect(400, "POST", "invoices", body)) == "InvoiceNumber cannot be set."
        plain = await session.draft()
        await session.expect(400, "PUT", f"invoices/{plain['ID']}", {"ID": plain["ID"], "InvoiceNumber": "5001"})


async def test_a_number_can_be_put_on_a_draft_and_makes_its_kid() -> None:
    async with turned(number_posted="taken") as session:
        draft = await session.draft()
        changed = await session.expect(
            200, "PUT", f"invoices/{draft['ID']}", {"ID": draft["ID"], "InvoiceNumber": "77"}
        )
        assert changed["InvoiceNumber"] == "77"
        await session.issue(draft["ID"])
        assert (await session.get(f"invoices/{draft['ID']}"))["PaymentID"].startswith("00000770100000")


async def test_a_number_that_another_invoice_has_is_refused_or_used_twice() -> None:
    async with turned(number_posted="taken") as session:
        assert (await session.issued(InvoiceNumber="5001"))["InvoiceNumber"] == "5001"
        body = await session.invoice_body(InvoiceNumber="5001")
        await session.expect(400, "POST", "invoices", body)
        await turn(session, number_in_use="taken")
        assert (await session.issued(InvoiceNumber="5001"))["InvoiceNumber"] == "5001"
        assert len(await session.get("invoices", filter="InvoiceNumber eq '5001'")) == 2


async def test_a_series_that_comes_to_a_number_in_use_stops_or_passes_it_over() -> None:
    async with turned(number_posted="taken") as session:
        await session.issued(InvoiceNumber="3000000")
        draft = await session.draft()
        refusal = await session.issue(draft["ID"], status=400)
        assert to_message(refusal) == "InvoiceNumber is already in use."
        assert (await series_of(session))["NextNumber"] == 3000000
        await turn(session, number_in_use="skipped")
        await session.issue(draft["ID"])
        assert (await session.get(f"invoices/{draft['ID']}"))["InvoiceNumber"] == "3000001"


@pytest.mark.parametrize(
    ("way", "on_draft", "issued"),
    [("nothing", None, "3000000"), ("at_draft", "3000000", "3000000"), ("posted", "5001", "5001")],
)
async def test_preset_numbers_mean_nothing_a_number_at_once_or_one_that_is_posted(
    way: str, on_draft: str | None, issued: str
) -> None:
    async with turned(preset_number=way) as session:
        ignored = await session.draft(InvoiceNumber="5001")
        assert ignored["InvoiceNumber"] is None
        await session.expect(200, "PUT", "companysettings", action="preset-customerInvoiceNumber")
        assert (await session.get("companysettings/1"))["PresetCustomerInvoiceNumber"] is True
        draft = await session.draft(InvoiceNumber="5001")
        assert draft["InvoiceNumber"] == on_draft
        await session.issue(draft["ID"])
        assert (await session.get(f"invoices/{draft['ID']}"))["InvoiceNumber"] == issued


# Series


async def test_a_draft_names_the_series_that_its_number_comes_from() -> None:
    async with turned() as session:
        series = await own_series(session)
        assert (series["NextNumber"], series["IsDefaultForTask"]) == (5001, False)
        numbers = [(await session.issued(InvoiceNumberSeriesID=series["ID"]))["InvoiceNumber"] for _ in range(2)]
        assert [*numbers, (await session.issued())["InvoiceNumber"]] == ["5001", "5002", "3000000"]
        assert (await session.get(f"number-series/{series['ID']}"))["NextNumber"] == 5003


async def test_a_series_that_a_draft_names_may_be_without_effect() -> None:
    async with turned(series_named="ignored") as session:
        series = await own_series(session)
        issued = await session.issued(InvoiceNumberSeriesID=series["ID"])
        assert (issued["InvoiceNumberSeriesID"], issued["InvoiceNumber"]) == (series["ID"], "3000000")


@pytest.mark.parametrize("name", ["JournalEntry", "CustomerOrder"])
async def test_a_series_of_something_else_numbers_no_invoice(books: Session, name: str) -> None:
    draft = await books.draft(InvoiceNumberSeriesID=(await series_of(books, name))["ID"])
    assert to_message(await books.issue(draft["ID"], status=400)) == "The number series cannot be used."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"FromNumber": 3_999_999, "ToNumber": 4_500_000}, "The number series overlaps CustomerInvoice."),
        ({"FromNumber": 9000, "ToNumber": 8000}, "FromNumber and ToNumber are not in order."),
        ({"NextNumber": 4000}, "NextNumber lies outside the number series."),
        ({"NextNumber": 10_001}, "NextNumber lies outside the number series."),
    ],
)
async def test_a_series_that_overlaps_or_is_out_of_order_is_refused(
    books: Session, changes: dict[str, int], told: str
) -> None:
    assert to_message(await own_series(books, 400, **changes)) == told
    assert len(await books.get("number-series", filter="Name eq 'RecMan'")) == 0


async def test_an_unused_series_can_be_changed_and_deleted_and_a_used_one_not(books: Session) -> None:
    series = await own_series(books)
    path = f"number-series/{series['ID']}"
    await books.expect(200, "PUT", path, {"ID": series["ID"], "ToNumber": 8999})
    await books.expect(200, "PUT", path, {"ID": series["ID"], "NextNumber": 5100})
    assert (await books.issued(InvoiceNumberSeriesID=series["ID"]))["InvoiceNumber"] == "5100"
    refusal = await books.expect(400, "PUT", path, {"ID": series["ID"], "FromNumber": 5050})
    assert to_message(refusal) == "A number series in use cannot be renumbered; make a new one."
    await books.expect(400, "DELETE", path)
    other = await own_series(books, Name="Other", FromNumber=10_000, ToNumber=10_999)
    await books.expect(204, "DELETE", f"number-series/{other['ID']}")
    await turn(books, used_series_fixed=False)
    await books.expect(200, "PUT", path, {"ID": series["ID"], "ToNumber": 9000})


@pytest.mark.parametrize(("way", "status", "number"), [("taken", 200, "3000050"), ("ignored", 200, "3000001")])
async def test_the_next_number_of_a_used_series_can_be_put_or_not(way: str, status: int, number: str) -> None:
    async with turned(next_put=way) as session:
        await session.issued()
        series = await series_of(session)
        body = {"ID": series["ID"], "NextNumber": 3_000_050}
        await session.expect(status, "PUT", f"number-series/{series['ID']}", body)
        assert (await session.issued())["InvoiceNumber"] == number


async def test_the_next_number_of_a_used_series_may_be_refused() -> None:
    async with turned(next_put="refused") as session:
        series = await series_of(session)
        path = f"number-series/{series['ID']}"
        await session.expect(200, "PUT", path, {"ID": series["ID"], "NextNumber": 3_000_010})
        assert (await session.issued())["InvoiceNumber"] == "3000010"
        await session.expect(400, "PUT", path, {"ID": series["ID"], "NextNumber": 3_000_020})


@pytest.mark.parametrize(("way", "number"), [("stored", "3000051"), ("first_gap", "3000000")])
async def test_the_next_number_goes_on_or_jumps_back_into_a_gap(way: str, number: str) -> None:
    async with turned() as session:
        series = await series_of(session)
        await session.expect(200, "PUT", f"number-series/{series['ID']}", {"ID": series["ID"], "NextNumber": 3_000_050})
        assert (await session.issued())["InvoiceNumber"] == "3000050"
        await turn(session, next_number=way)
        assert (await session.issued())["InvoiceNumber"] == number


@pytest.mark.parametrize(("way", "following"), [("first_gap", 3_000_000), ("after_highest", 3_000_051)])
async def test_the_next_number_is_reset_into_a_gap_or_behind_the_highest(way: str, following: int) -> None:
    async with turned(reset_next=way) as session:
        series = await series_of(session)
        path = f"number-series/{series['ID']}"
        await session.expect(200, "PUT", path, {"ID": series["ID"], "NextNumber": 3_000_050})
        await session.issued()
        query = {"action": "reset-numberseries-next-number", "numberSeriesID": series["ID"]}
        assert (await session.expect(200, "PUT", "number-series", **query))["NextNumber"] == following


@pytest.mark.parametrize(("way", "number"), [("copied", "5002"), ("default", "3000000"), ("own", "1000000")])
async def test_credit_notes_share_a_series_or_have_their_own(way: str, number: str) -> None:
    async with turned(credit_series=way) as session:
        series = await own_series(session)
        invoice = await session.issued(InvoiceNumberSeriesID=series["ID"])
        path = f"invoices/{invoice['ID']}"
        credit = await session.expect(200, "PUT", path, action="create-credit-draft-invoice")
        await session.issue(credit["ID"])
        assert (await session.get(f"invoices/{credit['ID']}"))["InvoiceNumber"] == number


async def test_active_series_are_listed_by_what_they_number_and_year(books: Session) -> None:
    invoices = {"action": "get-active-numberseries", "entityType": "CustomerInvoice", "year": "2026"}
    await own_series(books, AccountYear=2025)
    assert [row["Name"] for row in await books.get("number-series", **invoices)] == ["CustomerInvoice"]
    vouchers = await books.get("number-series", action="get-active-numberseries", entityType="JournalEntry")
    assert [row["Name"] for row in vouchers] == ["JournalEntry"]
    kind = await books.get(f"number-series-types/{vouchers[0]['NumberSeriesTypeID']}")
    assert (kind["EntityType"], kind["Yearly"]) == ("JournalEntry", True)
