"""The cross-list: RecMan's number, KID and sum beside Unimicro's and the voucher, as pages and as a file."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.booking import IN_BOOKS, KEEPS_NUMBER, Booking
from tests.world import World
from tests.world.bookings import choose_booking
from tests.world.numbered import FIRST, make_invoices, start_series
from tests.world.vouchers import turn

FORMULA = '=HYPERLINK("x");\nAS'


async def cross(world: World, **asked: Any) -> list[dict[str, Any]]:
    """The whole list, page by page."""
    rows: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    while True:
        wanted = "&".join(f"{name}={value}" for name, value in {**asked, **before}.items())
        page = (await world.call("GET", f"/v1/invoices/cross-list?{wanted}")).json()
        rows += page["rows"]
        if page["next"] is None:
            return rows
        before = {"before": page["next"]}


async def cross_sheet(world: World, **asked: Any) -> list[dict[str, str]]:
    wanted = "&".join(f"{name}={value}" for name, value in {"format": "csv", **asked}.items())
    answer = await world.call("GET", f"/v1/invoices/cross-list?{wanted}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


async def test_each_document_leads_to_its_number_kid_and_voucher_in_the_books_and_back(world: World) -> None:
    turn(world, kid="made")
    await world.carry("invoice", 5001, 5003, 5008)
    heads = {head["InvoiceNumber"]: head for head in world.ledger.books().rows("CustomerInvoice")}
    rows = await cross(world, limit=2)
    assert len(rows) == len(heads) == 3
    for row in rows:
        head = heads[row["remote_number"]]
        assert row["number"] in str(head)
        assert row["voucher_id"] == head["JournalEntryID"] > 0
        assert row["remote_kid"] == (head["PaymentID"] or None)
        assert row["booking"] == "renumbered"
        assert row["state"].startswith("in Unimicro")
    invoice = next(row for row in rows if row["kind"] == "invoice")
    assert invoice["kid"] != invoice["remote_kid"]


async def test_cross_list_as_a_file_is_what_the_pages_say(world: World) -> None:
    await world.carry("invoice", 5001, 5003)
    async with world.resources.engine.begin() as connection:
        named = text("UPDATE transfer SET customer_name = :name WHERE number <> ''")
        await connection.execute(named, {"name": FORMULA})
    rows, sheet = await cross(world), await cross_sheet(world)
    assert [one["RecMan number"] for one in sheet] == [row["number"] for row in rows]
    for row, one in zip(rows, sheet, strict=True):
        assert one["customer"] == f"'{FORMULA}"
        assert one["gross"] == row["gross_amount"].replace(".", ",")
        assert one["Unimicro number"] == row["remote_number"]
        assert one["voucher id"] == str(row["voucher_id"])
        assert (one["RecMan KID"], one["Unimicro KID"]) == (row["kid"] or "", row["remote_kid"] or "")
    assert await cross_sheet(world, state="held") == []


@pytest.mark.parametrize("booking", list(Booking))
async def test_cross_list_has_the_documents_of_every_booking(world: World, booking: Booking) -> None:
    turn(world, number_posted="taken")
    if booking is Booking.SERIES:
        await start_series(world)
        record_ids = make_invoices(world, [FIRST])
    else:
        await choose_booking(world, booking)
        record_ids = [5001]
    await world.carry("invoice", *record_ids)
    (row,) = await cross(world)
    assert row["booking"] == booking
    in_books = booking in IN_BOOKS
    assert (row["voucher_id"] is not None) == in_books
    assert (row["voucher_number"] is not None) == (booking is Booking.VOUCHER)
    assert (row["remote_number"] == row["number"]) == (booking in KEEPS_NUMBER)
    assert (row["kid"] == row["remote_kid"] and bool(row["kid"])) == (booking is not Booking.ORDER)
    assert len(await cross_sheet(world)) == 1
