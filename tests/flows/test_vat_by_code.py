"""Lines that Unimicro puts on another VAT code than it was asked for: held or an alarm, however the totals agree."""

from typing import Any

import pytest

from app.sandbox.unimicro.books import Books
from tests.world import World

# On 2001 (31, 15 %) and 1001 (3, 25 %) Unimicro's own codes make 195 + 250 = 445 of VAT, as the rules' 325 + 120 do.
RULES = {"accounting": [{"product": "2001", "vat_code": "3"}, {"product": "1001", "vat_code": "33"}]}
LINES = (("2001", "1300.00", "25"), ("1001", "1000.00", "12"))
SUMS = {"totalExVat": "2300.00", "vat": "445.00", "totalIncVat": "2745.00"}
# As Unimicro shows lines, but for never with their sums.
SHOWN = ("sent", "changed", "expanded")


def turn(world: World, **switches: Any) -> Books:
    books: Books = world.ledger.books()
    books.switches = books.switches.turned(switches)
    return books


def write(world: World, record_id: int = 5001, **changes: Any) -> None:
    lines = [
        {"position": n, "productNumber": number, "description": "Arbeid", "quantity": "1", "unitPrice": price}
        | {"vatRate": rate, "total": price}
        for n, (number, price, rate) in enumerate(LINES, start=1)
    ]
    world.source.record(record_id).update({"lines": lines, **SUMS, **changes})


def codes_of(world: World, document: dict[str, Any]) -> list[str]:
    types = world.ledger.books().tables["VatType"]
    return [types[line["VatTypeID"]]["VatCode"] for line in world.ledger.lines_of(document)]


async def reason_of(world: World, record_id: int = 5001) -> dict[str, Any]:
    (reason,) = (await world.document(record_id))["reasons"]
    found: dict[str, Any] = reason
    return found


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("currency", ["NOK", "EUR"])
async def test_codes_that_make_up_for_each_other_are_held_and_go_once_unimicro_is_right(
    world: World, shown: str, currency: str
) -> None:
    turn(world, line_vat="product", lines_shown=shown)
    await world.office.put_rules(RULES)
    write(world, currency=currency)
    await world.carry("invoice", 5001)
    reason = await reason_of(world)
    assert reason["code"] == "vat_booked_otherwise"
    assert "3: RecMan 1300.00 + 325.00 VAT, Unimicro 1000.00 + 250.00 VAT" in reason["cause"]
    assert "31: RecMan 0.00 + 0.00 VAT, Unimicro 1300.00 + 195.00 VAT" in reason["cause"]
    assert "33: RecMan 1000.00 + 120.00 VAT, Unimicro 0.00 + 0.00 VAT" in reason["cause"]
    assert "PUT /v1/rules" in reason["fix"]
    assert world.ledger.documents() == []
    turn(world, line_vat="asked")
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert [codes_of(world, one) for one in world.ledger.documents()] == [["3", "33"]]


async def test_codes_of_one_rate_are_held_and_go_by_a_rule_as_the_fix_says(world: World) -> None:
    turn(world, line_vat="product")
    await world.office.put_rules({"accounting": [{"product": "4001", "vat_code": "6"}]})
    line = {"position": 1, "productNumber": "4001", "description": "Helse", "quantity": "1", "unitPrice": "1000.00"}
    lines = [line | {"vatRate": "0", "total": "1000.00"}]
    write(world, lines=lines, totalExVat="1000.00", vat="0.00", totalIncVat="1000.00")
    await world.carry("invoice", 5001)
    reason = await reason_of(world)
    assert reason["code"] == "vat_booked_otherwise"
    assert "5: RecMan 0.00 + 0.00 VAT, Unimicro 1000.00 + 0.00 VAT" in reason["cause"]
    await world.office.put_rules({"accounting": [{"product": "4001", "vat_code": "5"}]}, after_version=1)
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    assert [codes_of(world, one) for one in world.ledger.documents()] == [["5"]]


@pytest.mark.parametrize("orders", [False, True])
async def test_codes_that_are_exchanged_by_issuing_are_an_alarm(world: World, *, orders: bool) -> None:
    if orders:
        await world.office.choose_orders()
    turn(world, line_vat="product_at_issue")
    await world.office.put_rules(RULES)
    write(world)
    await world.carry("invoice", 5001)
    reason = await reason_of(world)
    assert reason["code"] == "drift_changed"
    assert "31: RecMan 0.00 + 0.00 VAT, Unimicro 1300.00 + 195.00 VAT" in reason["cause"]
    assert len(world.ledger.orders() if orders else world.ledger.documents()) == 1


async def test_order_on_other_codes_is_held(world: World) -> None:
    await world.office.choose_orders()
    turn(world, line_vat="product")
    await world.office.put_rules(RULES)
    write(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["vat_booked_otherwise"])
    assert world.ledger.list_drafts() == []


async def test_credit_note_on_other_codes_is_held(world: World) -> None:
    await world.office.put_rules(RULES)
    write(world, 5003)
    await world.carry("invoice", 5003)
    turn(world, line_vat="product")
    write(world, 5008)
    await world.carry("invoice", 5008)
    assert await world.hold_of(5008) == ("held", ["vat_booked_otherwise"])
    assert world.ledger.credits() == []
    turn(world, line_vat="asked")
    await world.retry(await world.document(5008))
    await world.settle()
    assert await world.hold_of(5008) == ("done", [])
    assert [codes_of(world, one) for one in world.ledger.credits()] == [["3", "33"]]


async def test_booked_lines_that_somebody_moves_to_other_codes_are_an_alarm_whatever_the_rules_say_now(
    world: World,
) -> None:
    await world.office.put_rules(RULES)
    write(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    await world.office.put_rules({}, after_version=1)
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    books = world.ledger.books()
    (invoice,) = world.ledger.documents()
    (outside,) = (row["ID"] for row in books.rows("VatType") if row["VatCode"] == "31")
    books.update("CustomerInvoiceItem", world.ledger.lines_of(invoice)[0]["ID"], {"VatTypeID": outside})
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("held", ["drift_changed"])


@pytest.mark.parametrize("shown", SHOWN)
async def test_line_that_levels_is_on_no_code_of_the_documents(world: World, shown: str) -> None:
    turn(world, lines_shown=shown)
    await world.office.put_rules({**RULES, "rounding": {"account": 7740}})
    for record_id in (5001, 5002):
        write(world, record_id, vat="445.02", totalIncVat="2745.02")
    await world.carry("invoice", 5001, 5002)
    for record_id in (5001, 5002):
        assert await world.hold_of(record_id) == ("done", [])
        await world.retry(await world.document(record_id))
    await world.settle()
    assert [await world.hold_of(one) for one in (5001, 5002)] == [("done", [])] * 2
    assert {len(world.ledger.lines_of(one)) for one in world.ledger.documents()} == {3}


async def test_lines_without_sums_leave_the_totals_to_be_compared(world: World) -> None:
    turn(world, line_vat="product", lines_shown="without_sums")
    await world.office.put_rules(RULES)
    write(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])


@pytest.mark.parametrize(("shown", "methods"), [("sent", "POST POST GET"), ("expanded", "POST GET POST GET")])
async def test_lines_are_read_by_a_call_of_their_own_only_where_the_draft_does_not_show_them(
    world: World, shown: str, methods: str
) -> None:
    turn(world, lines_shown=shown)
    await world.office.put_rules(RULES)
    write(world)
    await world.carry("invoice", 5001)
    write(world, 5002, companyId=world.source.record(5001)["companyId"])
    before = len(await world.list_calls())
    await world.carry("invoice", 5002)
    assert await world.hold_of(5002) == ("done", [])
    calls = [call for call in (await world.list_calls())[before:] if call["path"].startswith("/api/biz/invoices")]
    assert " ".join(call["method"] for call in calls[-4:] if "filter" not in str(call)) == methods
