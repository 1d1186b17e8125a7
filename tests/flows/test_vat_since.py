"""What changes between two looks, and what one line says of another: no code, account or claim but the document's."""

from decimal import Decimal
from typing import Any

import pytest

from app.sandbox.unimicro.books import Books
from app.transfer.books import KnownBooks
from tests.world import World, rows_of
from tests.world.wire import list_differences, watch_writes


@pytest.fixture
def books(world: World) -> Books:
    found: Books = world.ledger.books()
    return found


def write_lines(world: World, record: int, *lines: dict[str, Any], vat: str = "0.00", gross: str = "") -> None:
    """Lines of 1000 without VAT on RecMan's invoice, unless they say more."""
    priced = {"productNumber": "4001", "description": "Helsetjenester", "quantity": "1", "unitPrice": "1000.00"}
    found = [{**priced, "vatRate": "0", "position": n, **line} for n, line in enumerate(lines, start=1)]
    found = [{"total": line["unitPrice"], **line} for line in found]
    net = sum((Decimal(line["total"]) for line in found), Decimal(0))
    total = gross or f"{net + Decimal(vat):.2f}"
    world.source.record(record).update({"lines": found, "totalExVat": f"{net:.2f}", "vat": vat, "totalIncVat": total})


def list_booked(world: World, record_id: int) -> list[tuple[int | None, str]]:
    """Account and VAT code of the lines of a document in Unimicro."""
    found = world.ledger.books()
    accounts, types = found.tables["Account"], found.tables["VatType"]
    return [
        (accounts[line["AccountID"]]["AccountNumber"], types[line["VatTypeID"]]["VatCode"])
        for line in found.children("CustomerInvoiceItem", "CustomerInvoiceID", record_id)
        if line["ProductID"]
    ]


async def booked_on(world: World, record: int = 5001) -> list[tuple[int | None, str]]:
    row = await world.document(record)
    assert row["state"] == "done", row["reasons"]
    return list_booked(world, row["remote_id"])


def change(books: Books, entity: str, wanted: dict[str, Any], **changes: Any) -> None:
    rows = [row for row in books.rows(entity) if wanted.items() <= row.items()]
    assert rows
    for row in rows:
        books.update(entity, row["ID"], changes)


# A draft that was made, and then the worker died


async def leave_draft(world: World) -> None:
    """A draft in Unimicro, of which nobody knows whether it was issued."""
    await world.fault(fault="hang", method="POST", path="/api/biz/invoices/")
    await world.hear_of("invoice", 5001)
    await world.work_and_die()
    assert len(world.ledger.list_drafts()) == 1


async def test_draft_of_earlier_rules_is_made_anew_by_those_of_now(world: World) -> None:
    await world.office.put_rules({"accounting": [{"product": "4001", "vat_code": "6", "account": 3200}]})
    write_lines(world, 5001, {})
    await leave_draft(world)
    await world.office.put_rules({"accounting": [{"product": "4001", "vat_code": "5"}]}, after_version=1)
    await world.settle()
    assert await booked_on(world) == [(3100, "5")]
    assert len(world.ledger.documents()) == 1


async def test_dry_run_shows_that_a_draft_of_earlier_rules_is_made_again(world: World) -> None:
    write_lines(world, 5001, {})
    await leave_draft(world)
    await world.office.put_rules({"accounting": [{"product": "4001", "vat_code": "5", "account": 3200}]})
    row = await world.document(5001)
    (told,) = rows_of(await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]}))
    assert [step["step"] for step in told["steps"]] == ["TakeBack", "CreateDraft", "Issue"]
    with watch_writes(world) as sent:
        await world.settle()
    assert list_differences(told, sent) == []
    assert await booked_on(world) == [(3200, "5")]


async def test_draft_on_a_code_that_was_closed_since_is_held_and_taken_away(world: World, books: Books) -> None:
    write_lines(world, 5001, {})
    await leave_draft(world)
    change(books, "VatType", {"VatCode": "5"}, Locked=True)
    world.resources.kept(KnownBooks).references.clear()
    await world.settle()
    assert await world.hold_of(5001) == ("held", ["vat_code_unusable"])
    assert world.ledger.documents() == []
    change(books, "VatType", {"VatCode": "5"}, Locked=False)
    await world.retry(await world.document(5001))
    await world.settle()
    assert await booked_on(world) == [(3100, "5")]


async def test_draft_that_is_as_planned_is_issued_as_it_is(world: World) -> None:
    write_lines(world, 5001, {}, {"productNumber": "1001", "vatRate": "25"}, vat="250.00")
    await leave_draft(world)
    (draft_id,) = world.ledger.list_drafts()
    await world.settle()
    assert (await world.document(5001))["remote_id"] == draft_id
    assert await booked_on(world) == [(3100, "5"), (3000, "3")]


# What is remembered of Unimicro


@pytest.mark.parametrize("way", ["locked", "another code's"])
async def test_code_that_changes_after_it_was_read_is_seen_before_what_was_held_goes(
    world: World, books: Books, way: str
) -> None:
    """The stand-in takes whatever id it is sent: nothing but another look shows it."""
    write_lines(world, 5001, {"productNumber": "9999"})
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["product_unknown"])
    ids = {row["VatCode"]: row["ID"] for row in books.rows("VatType")}
    if way == "locked":
        books.update("VatType", ids["5"], {"Locked": True})
    else:
        books.update("VatType", ids["5"], {"VatCode": "52"})
        books.update("VatType", ids["52"], {"VatCode": "5"})
        change(books, "Product", {"PartName": "4001"}, VatTypeID=ids["52"])
    write_lines(world, 5001, {})
    await world.carry("invoice", 5001)
    if way == "locked":
        assert await world.hold_of(5001) == ("held", ["vat_code_unusable"])
    else:
        assert await booked_on(world) == [(3100, "5")]


# Lines of one product


async def test_product_that_is_made_has_the_standard_account_whatever_rule_its_first_line_meets(world: World) -> None:
    rule = {"text": "eksport", "vat_code": "5", "account": 3100}
    await world.office.put_rules({"product_policy": "create", "accounting": [rule]})
    new = {"productNumber": "NY1"}
    write_lines(world, 5001, {**new, "description": "Eksport"}, {**new, "vatRate": "25"}, vat="250.00")
    await world.carry("invoice", 5001)
    assert await booked_on(world) == [(3100, "5"), (3000, "3")]
    write_lines(world, 5002, {**new, "vatRate": "25"}, vat="250.00")
    await world.carry("invoice", 5002)
    assert await booked_on(world, 5002) == [(3000, "3")]


async def test_every_new_product_has_the_standard_account_whatever_was_looked_up_before(world: World) -> None:
    """The rules are read once for many documents; a copy without some of them must not look where the others stood."""
    rules = [{"text": "frakt", "account": 3200}, {"text": "eksport", "vat_code": "5", "account": 3100}]
    await world.office.put_rules({"product_policy": "create", "accounting": rules})
    for record, number in ((5001, "NY1"), (5002, "NY2"), (5003, "NY3")):
        new = {"productNumber": number}
        write_lines(world, record, {**new, "description": "Eksport"}, {**new, "vatRate": "25"}, vat="250.00")
        await world.carry("invoice", record)
        assert await booked_on(world, record) == [(3100, "5"), (3000, "3")]


@pytest.mark.parametrize("booking", ["renumbered", "order"])
async def test_line_whose_words_need_more_lines_is_booked_by_all_of_them(world: World, booking: str) -> None:
    await world.office.change_key(booking=booking)
    await world.office.put_rules({"accounting": [{"text": "eksport", "vat_code": "6", "account": 3200}]})
    words = "Konsulent " * 30
    write_lines(world, 5001, {"description": f"{words}eksport"}, {"description": words})
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    if booking == "renumbered":
        assert await booked_on(world) == [(3200, "6"), (3100, "5")]


async def test_product_on_no_account_at_all_is_held_until_a_rule_names_one(world: World, books: Books) -> None:
    change(books, "Product", {"PartName": "4001"}, AccountID=None)
    await world.settle_company(DefaultSalesAccountID=None)
    write_lines(world, 5001, {})
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["account_unusable"])
    await world.office.put_rules({"accounting": [{"product": "4001", "account": 3100, "vat_code": "5"}]})
    await world.settle()
    assert await booked_on(world) == [(3100, "5")]


# Sums and rates


@pytest.mark.parametrize("refused", [True, False])
async def test_line_for_rounding_stands_on_no_closed_code(world: World, books: Books, *, refused: bool) -> None:
    books.switches = books.switches.turned({"refuse_unusable_vat": refused})
    await world.office.put_rules({"rounding": {"account": 7740}})
    for code in ("0", "7", "6"):
        for row in [row for row in books.rows("VatType") if row["VatCode"] == code]:
            books.update("VatType", row["ID"], {"Locked": True})
    world.resources.kept(KnownBooks).references.clear()
    write_lines(world, 5001, {"productNumber": "2001", "unitPrice": "100.00", "vatRate": "15"}, vat="15.01")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["rule_unusable"])
    assert world.ledger.documents() == []
    change(books, "VatType", {"VatCode": "6"}, Locked=False)
    await world.retry(await world.document(5001))
    await world.settle()
    assert [account for account, _ in await booked_on(world)] == [3020, 7740]


async def test_vat_that_recman_rounds_once_for_all_lines_is_read_and_booked(world: World, books: Books) -> None:
    """500 lines of 2.505 of VAT: 1252.50 for the document, 1255.00 line by line."""
    books.switches = books.switches.turned({"vat_sums": "document", "line_sums": "rounded"})
    line = {"productNumber": "1001", "unitPrice": "10.02", "vatRate": "25"}
    write_lines(world, 5001, *([line] * 500), vat="1252.50")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    assert [str(one["TaxInclusiveAmount"]) for one in world.ledger.documents()] == ["6262.50"]


async def test_claim_that_recman_does_not_state_is_no_guess_where_rounding_decides_it(world: World) -> None:
    prices = ("25.06", "25.61", "25.63")
    for record, chosen in ((5001, prices), (5002, prices[:1])):
        write_lines(world, record, *({"productNumber": "2001", "unitPrice": one, "vatRate": "15"} for one in chosen))
        for name in ("vat", "totalIncVat"):
            world.source.record(record).pop(name)
    await world.office.put_rules({"rounding": {"account": 7740}})
    await world.carry("invoice", 5001, 5002)
    assert await world.hold_of(5001) == ("held", ["record_unclear"])
    assert "11.44 or 11.45 VAT" in (await world.document(5001))["reasons"][0]["cause"]
    assert await world.hold_of(5002) == ("done", [])


async def test_rate_of_an_old_invoice_is_none_to_compare_with_because_it_was_credited(
    world: World, books: Books
) -> None:
    for record in (5001, 5002, 5003, 5008):
        write_lines(world, record, {"productNumber": "1001", "vatRate": "25"}, vat="250.00")
        world.source.record(record)["currency"] = "EUR"
    books.rates["EUR"] = Decimal("9.80")
    await world.carry("invoice", 5003)
    books.rates["EUR"] = Decimal("12.00")
    await world.office.put_rules({"rates": {"EUR": "12"}})
    await world.carry("invoice", 5001)
    await world.office.put_rules({}, after_version=1)
    await world.carry("invoice", 5008)
    (credit,) = world.ledger.credits()
    assert credit["CurrencyExchangeRate"] == Decimal("9.80")
    await world.carry("invoice", 5002)
    assert await world.hold_of(5002) == ("done", [])
