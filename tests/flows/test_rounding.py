"""The claim is the document's to the øre: rounding is levelled by a line on the key's account, or a person is asked."""

from typing import Any

import pytest
from sqlalchemy import insert

from app.domain.money import parse_json
from app.sandbox.unimicro.switches import Unproduced
from app.tables import RuleSet
from app.transfer.books import KnownBooks
from tests.world import World

ACCOUNT = 7740
RULES = {"rounding": {"account": ACCOUNT}}
# 25.06, 25.61 and 25.63 at 15 %: 11.44 of VAT by line, 11.45 by document.
PRICES = ("25.06", "25.61", "25.63")
SUMS = {"totalExVat": "76.30", "vat": "11.45", "totalIncVat": "87.75"}


def round_by_document(world: World, record_id: int = 5001, **changes: Any) -> None:
    """An invoice that RecMan has rounded otherwise than Unimicro does."""
    lines = [
        {
            "position": n,
            "productNumber": "2001",
            "description": "Mat",
            "quantity": "1",
            "unitPrice": price,
            "total": price,
        }
        for n, price in enumerate(PRICES, start=1)
    ]
    lines = [line | {"vatRate": "15"} for line in lines]
    world.source.record(record_id).update({"lines": lines, **SUMS, **changes})


async def make_old_version(world: World, rules: dict[str, Any]) -> None:
    """A version of the rules as an earlier release stored it."""
    values = {"tenant_id": world.tenant_id, "key_id": world.key_id, "version": 1, "rules": rules, "made_by": "before"}
    values |= {"review_by": "before"}
    async with world.resources.engine.begin() as connection:
        await connection.execute(insert(RuleSet).values(values))


@pytest.mark.parametrize("unproduced", Unproduced)
async def test_held_for_rounding_goes_on_with_a_line_once_the_account_is_entered(
    world: World, unproduced: Unproduced
) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned({"unproduced": unproduced})
    round_by_document(world)
    await world.carry("invoice", 5001)
    held = await world.document(5001)
    assert (held["state"], held["reasons"][0]["code"]) == ("held", "rounding")
    assert "76.30 + 11.45 VAT = 87.75, Unimicro 76.30 + 11.44 VAT = 87.74" in held["reasons"][0]["cause"]
    assert "PUT /v1/rules" in held["reasons"][0]["fix"]
    assert world.ledger.documents() == []
    await world.office.put_rules(RULES)
    await world.settle()
    done = await world.document(5001)
    assert done["state"] == "done"
    assert [one["code"] for one in done["warnings"]] == ["totals_rounded"]
    (invoice,) = world.ledger.documents()
    assert [str(invoice[f"{name}Amount"]) for name in ("TaxExclusive", "VatTotals", "TaxInclusive")] == [
        "76.31",
        "11.44",
        "87.75",
    ]
    *_, line = world.ledger.lines_of(invoice)
    accounts = {row["ID"]: row["AccountNumber"] for row in books.rows("Account")}
    assert (accounts[line["AccountID"]], line["VatPercent"], line["SumTotalExVat"]) == (ACCOUNT, 0, parse_json("0.01"))
    # The product of such lines is made once.
    round_by_document(world, 5002)
    await world.carry("invoice", 5002)
    assert await world.hold_of(5002) == ("done", [])
    assert len([row for row in books.rows("Product") if row["PartName"] == "AVRUNDING"]) == 1


async def test_order_is_levelled_like_an_invoice(world: World) -> None:
    await world.office.choose_orders()
    await world.office.put_rules(RULES)
    round_by_document(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    (order,) = world.ledger.orders()
    assert str(order["TaxInclusiveAmount"]) == "87.75"
    lines = world.ledger.books().children("CustomerOrderItem", "CustomerOrderID", order["ID"])
    assert {line["ExternalReference"] for line in lines} == {"RM-5001"}
    assert len(lines) == 4


@pytest.mark.parametrize("booking", ["renumbered", "order"])
async def test_line_that_levels_stands_behind_the_words_in_which_others_go_on(world: World, booking: str) -> None:
    await world.office.change_key(booking=booking)
    await world.office.put_rules(RULES)
    round_by_document(world)
    for line in world.source.record(5001)["lines"]:
        line["description"] = "æ" * 511
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["done"]
    entity = "CustomerOrder" if booking == "order" else "CustomerInvoice"
    lines = world.ledger.books().rows(f"{entity}Item")
    *words, last = [len(line["ItemText"]) for line in sorted(lines, key=lambda line: line["SortIndex"])]
    assert words == [255, 255, 1] * len(PRICES)
    assert last < 50


async def test_draft_for_a_person_is_levelled_before_it_is_kept(world: World) -> None:
    await world.office.change_key(booking="draft")
    await world.office.put_rules(RULES)
    round_by_document(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    assert [(str(one["TaxInclusiveAmount"]), one["InvoiceNumber"]) for one in world.ledger.documents()] == [
        ("87.75", None)
    ]


async def test_levelling_costs_one_call_more(world: World) -> None:
    await world.office.put_rules(RULES)
    round_by_document(world)
    await world.carry("invoice", 5001)
    round_by_document(world, 5002, companyId=world.source.record(5001)["companyId"])
    before = len(await world.list_calls())
    await world.carry("invoice", 5002)
    assert await world.hold_of(5002) == ("done", [])
    calls = [call for call in (await world.list_calls())[before:] if call["path"].startswith("/api/biz/invoices")]
    assert [call["method"] for call in calls] == ["POST", "PUT", "POST", "GET"]


async def test_euro_invoice_is_levelled_in_both_currencies(world: World) -> None:
    await world.office.put_rules(RULES)
    round_by_document(world, currency="EUR")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    (invoice,) = world.ledger.documents()
    assert str(invoice["TaxInclusiveAmountCurrency"]) == "87.75"
    assert abs(invoice["TaxInclusiveAmount"] - parse_json("87.75") * parse_json("11.75")) < 1


async def test_claim_rounded_to_whole_crowns_is_levelled(world: World) -> None:
    await world.office.put_rules(RULES)
    round_by_document(world, totalIncVat="88.00")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])
    assert [str(one["TaxInclusiveAmount"]) for one in world.ledger.documents()] == ["88.00"]


@pytest.mark.parametrize("shown", [{"gross_with_rounding": True}, {"gross_with_rounding": False}])
async def test_company_that_rounds_to_crowns_makes_no_other_claim_than_the_document(
    world: World, shown: dict[str, Any]
) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned({"vat_sums": "document", **shown})
    await world.settle_company(RoundingNumberOfDecimals=0)
    await world.office.put_rules(RULES)
    round_by_document(world)
    round_by_document(world, 5002, totalIncVat="88.00")
    await world.carry("invoice", 5001, 5002)
    assert await world.hold_of(5001) == ("held", ["totals_differ"])
    assert "company settings" in (await world.document(5001))["reasons"][0]["fix"]
    assert await world.hold_of(5002) == ("done", [])
    # Set right in Unimicro as the fix says, it goes.
    await world.settle_company(RoundingNumberOfDecimals=2)
    await world.retry(await world.document(5001))
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])


async def test_line_that_does_not_level_is_held_with_what_to_change(world: World) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned({"settings_round": "lines"})
    await world.settle_company(RoundingType=0, RoundingNumberOfDecimals=0)
    await world.office.put_rules(RULES)
    # Lines go up to whole crowns, and so does the line that levels.
    line = {"productNumber": "2001", "description": "Mat", "quantity": "1", "vatRate": "15", "position": 1}
    lines = [line | {"unitPrice": "20.00", "total": "20.00"}]
    round_by_document(world, lines=lines, totalExVat="20.00", vat="2.99", totalIncVat="22.99")
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["totals_differ"])
    assert "company settings" in (await world.document(5001))["reasons"][0]["fix"]
    assert world.ledger.documents() == []


async def test_price_that_unimicro_cuts_is_held_and_says_which_setting_helps(world: World) -> None:
    books = world.ledger.books()
    books.switches = books.switches.turned({"long_prices": "cut"})
    line = {"position": 1, "productNumber": "1001", "description": "Strøm", "quantity": "16000", "total": "16.16"}
    line |= {"unitPrice": "0.00101", "vatRate": "25"}
    world.source.record(5001).update({"lines": [line], "totalExVat": "16.16", "vat": "4.04", "totalIncVat": "20.20"})
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["totals_differ"])
    held = await world.document(5001)
    assert "ten decimals" in held["reasons"][0]["fix"]
    assert world.ledger.documents() == []
    books.switches = books.switches.turned({"ten_decimals": True})
    await world.retry(held)
    await world.settle()
    assert [str(one["TaxInclusiveAmount"]) for one in world.ledger.documents()] == ["20.20"]


@pytest.mark.parametrize(
    ("account", "why"),
    [(7999, "is not in Unimicro"), (1500, "none of the result"), (3000, "brings VAT"), (7741, "is locked")],
)
async def test_account_for_rounding_is_looked_up_when_it_is_named(world: World, account: int, why: str) -> None:
    locked = {"AccountNumber": 7741, "AccountName": "Øreavrunding, gammel", "Visible": True, "Locked": True}
    world.ledger.books().insert("Account", locked)
    told = await world.office.put_rules({"rounding": {"account": account}}, status=422)
    assert told["code"] == "rules_unusable"
    assert why in told["cause"]
    assert (await world.get("/v1/rules", key_id=str(world.key_id)))["version"] == 0


async def test_account_that_was_entered_in_unimicro_just_now_is_seen(world: World) -> None:
    await world.carry("invoice", 5002)
    values = {"AccountNumber": 7745, "AccountName": "Øredifferanser", "Visible": True, "Locked": False}
    world.ledger.books().insert("Account", values)
    await world.office.put_rules({"rounding": {"account": 7745}})
    round_by_document(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("done", [])


async def test_invoices_that_need_the_product_at_once_make_it_once(world: World) -> None:
    await world.office.put_rules(RULES)
    for record_id in (5001, 5002, 5004):
        round_by_document(world, record_id, note=f"nr. {record_id}")
    await world.hear_of("invoice", 5001, 5002, 5004)
    await world.settle_with(2)
    assert [await world.hold_of(one) for one in (5001, 5002, 5004)] == [("done", [])] * 3
    made = [row for row in world.ledger.books().rows("Product") if row["PartName"] == "AVRUNDING"]
    assert len(made) == 1


async def test_part_credit_is_levelled_downwards(world: World) -> None:
    await world.office.put_rules(RULES)
    round_by_document(world, 5003)
    # 3.84 and 3.84 of VAT by line, 7.69 by document.
    round_by_document(world, 5008, totalExVat="51.24", vat="7.69", totalIncVat="58.93")
    world.source.record(5008)["lines"].pop(0)
    await world.carry("invoice", 5003, 5008)
    assert await world.hold_of(5008) == ("done", [])
    (credit,) = world.ledger.credits()
    assert str(credit["TaxInclusiveAmount"]) == "-58.93"
    assert [str(line["SumTotalIncVat"]) for line in world.ledger.lines_of(credit)] == ["-29.45", "-29.47", "-0.01"]


async def test_account_that_is_gone_since_holds_what_needs_it(world: World) -> None:
    await world.office.put_rules(RULES)
    books = world.ledger.books()
    (account,) = (row for row in books.rows("Account") if row["AccountNumber"] == ACCOUNT)
    books.update("Account", account["ID"], {"Deleted": True})
    world.resources.kept(KnownBooks).references.clear()
    round_by_document(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["rule_unusable"])
    assert world.ledger.documents() == []


async def test_tolerance_is_refused_and_says_what_there_is_instead(world: World) -> None:
    told = await world.office.put_rules({"tolerance": "1.00"}, status=422)
    assert told["code"] == "rules_unusable"
    assert told["cause"].startswith("The rules cannot be used: rules: tolerance is no rule any more")
    assert "rounding: {account: 7740}" in told["cause"]


async def test_stored_rules_with_a_tolerance_are_read_without_it(world: World) -> None:
    await make_old_version(world, {"tolerance": "1.00", "held_customers": ["1"]})
    shown = await world.get("/v1/rules", key_id=str(world.key_id))
    assert (shown["version"], shown["rules"]["held_customers"]) == (1, ["1"])
    assert "tolerance" not in shown["rules"]
    assert (await world.get("/v1/rules", key_id=str(world.key_id), version=1))["rules"] == shown["rules"]
    round_by_document(world)
    await world.carry("invoice", 5001)
    assert await world.hold_of(5001) == ("held", ["rounding"])


async def test_what_was_booked_within_a_tolerance_is_no_alarm_until_it_changes(world: World) -> None:
    await world.carry("invoice", 5001)
    done = await world.document(5001)
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE transfer SET remote_gross_amount = remote_gross_amount - 0.5")
    books = world.ledger.books()
    gross = books.tables["CustomerInvoice"][done["remote_id"]]["TaxInclusiveAmount"]
    for change, state in (("0.50", "done"), ("0.75", "held")):
        less = gross - parse_json(change)
        values = {"TaxInclusiveAmount": less, "TaxInclusiveAmountCurrency": less}
        books.update("CustomerInvoice", done["remote_id"], values)
        await world.retry(await world.document(5001))
        await world.settle()
        assert (await world.document(5001))["state"] == state


@pytest.mark.parametrize("fault", [{"fault": "lose_answer"}, {"fault": "error_before", "status": 503}])
async def test_lost_answer_to_the_levelling_leaves_one_line(world: World, fault: dict[str, Any]) -> None:
    await world.office.put_rules(RULES)
    round_by_document(world)
    await world.fault(**fault, method="PUT", path="/api/biz/invoices")
    await world.carry("invoice", 5001)
    await world.settle()
    assert await world.hold_of(5001) == ("done", [])
    (invoice,) = world.ledger.documents()
    assert len(world.ledger.lines_of(invoice)) == 4
    assert str(invoice["TaxInclusiveAmount"]) == "87.75"
