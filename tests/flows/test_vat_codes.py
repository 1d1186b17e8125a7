"""VAT codes and accounts of lines, through the doors: rules refused, documents held, mended as the fix says, booked."""

from typing import Any

import pytest

from app.sandbox.unimicro.books import Books
from app.transfer.books import KnownBooks
from tests.world import World, rows_of

EXPORT_OF_4001 = {"product": "4001", "vat_code": "52"}


@pytest.fixture
def books(world: World) -> Books:
    found: Books = world.ledger.books()
    return found


def write_invoice(world: World, record: int = 5001, *, company: int = 201, **line: Any) -> None:
    """One line of 1000 without VAT on RecMan's invoice, unless the line says more."""
    priced = {"position": 1, "productNumber": "4001", "description": "Helsetjenester", "quantity": "1"}
    rate = int(line.get("vatRate", "0"))
    found: dict[str, Any] = world.recman.state.store.records["invoice"][str(record)]
    found["lines"] = [{**priced, "unitPrice": "1000.00", "vatRate": "0", "total": "1000.00", **line}]
    found["companyId"] = company
    found |= {"totalExVat": "1000.00", "vat": f"{rate * 10}.00", "totalIncVat": f"{1000 + rate * 10}.00"}


async def send(world: World, record: int = 5001) -> list[dict[str, Any]]:
    """What holds the invoice once it was sent; nothing when it is booked."""
    await world.carry("invoice", record)
    row = await world.document(record)
    assert all(reason["cause"] and reason["fix"] for reason in row["reasons"])
    assert row["state"] == ("held" if row["reasons"] else "done"), row
    found: list[dict[str, Any]] = row["reasons"]
    return found


async def held_for(world: World, record: int = 5001) -> list[str]:
    return [reason["code"] for reason in await send(world, record)]


async def booked_on(world: World, record: int = 5001) -> list[tuple[int, str]]:
    """Account and VAT code of the booked invoice's lines."""
    row = await world.document(record)
    assert row["state"] == "done", row["reasons"]
    found = world.ledger.books()
    lines = found.children("CustomerInvoiceItem", "CustomerInvoiceID", row["remote_id"])
    accounts, types = found.tables["Account"], found.tables["VatType"]
    return [
        (accounts[line["AccountID"]]["AccountNumber"], types[line["VatTypeID"]]["VatCode"] if line["VatTypeID"] else "")
        for line in lines
        if line["ProductID"]
    ]


def read_anew(world: World) -> None:
    """As if what is remembered of the company's lists were too old."""
    world.resources.kept(KnownBooks).references.clear()


async def mend(world: World, rules: dict[str, Any], *, after_version: int = 0) -> None:
    await world.office.put_rules(rules, after_version=after_version)
    await world.settle()


def change(books: Books, entity: str, wanted: dict[str, Any], **changes: Any) -> None:
    rows = [row for row in books.rows(entity) if wanted.items() <= row.items()]
    assert rows
    for row in rows:
        books.update(entity, row["ID"], changes)


# RecMan's codes


async def test_a_new_code_holds_is_listed_and_goes_on_once_it_is_mapped(world: World) -> None:
    write_invoice(world, vatCode="S0")
    (reason,) = await send(world)
    assert reason["code"] == "vat_code_unmapped"
    assert all(word in reason["cause"] for word in ("S0", "4001", " 5"))
    assert "GET /v1/rules/vat-codes" in reason["fix"]
    (told,) = await world.get("/v1/rules/vat-codes", key_id=str(world.key_id))
    assert (told["recman"], told["is_mapped"], told["unimicro"]) == ("S0", False, None)
    assert (told["first_invoice_id"], told["vat_rate"]) == ("5001", "0")
    await mend(world, {"vat_codes": [{"recman": "S0", "unimicro": "5"}, {"recman": "X", "unimicro": "52"}]})
    assert await booked_on(world) == [(3100, "5")]
    rows = await world.get("/v1/rules/vat-codes", key_id=str(world.key_id))
    assert [(row["recman"], row["unimicro"], row["first_seen_at"] is None) for row in rows] == [
        ("S0", "5", False),
        ("X", "52", True),
    ]


async def test_a_code_may_be_said_to_say_nothing(world: World) -> None:
    write_invoice(world, vatCode=0)
    assert await held_for(world) == ["vat_code_unmapped"]
    await mend(world, {"vat_codes": [{"recman": "0", "unimicro": None}]})
    assert await booked_on(world) == [(3100, "5")]


async def test_line_against_product_is_held_naming_both_until_a_rule_decides(world: World) -> None:
    mapped = {"vat_codes": [{"recman": "UTL", "unimicro": "6"}]}
    await world.office.put_rules(mapped)
    write_invoice(world, vatCode="UTL")
    (reason,) = await send(world)
    assert reason["code"] == "vat_code_differs"
    assert all(word in reason["cause"] for word in ("UTL", "which is 6", "product 4001 has 5"))
    await mend(world, {**mapped, "accounting": [{"product": "4001", "vat_code": "6"}]}, after_version=1)
    assert await booked_on(world) == [(3100, "6")]


async def test_line_against_product_is_mended_in_unimicro_too(world: World, books: Books) -> None:
    await world.office.put_rules({"vat_codes": [{"recman": "UTL", "unimicro": "6"}]})
    write_invoice(world, vatCode="UTL")
    assert await held_for(world) == ["vat_code_differs"]
    (outside,) = (row["ID"] for row in books.rows("VatType") if row["VatCode"] == "6")
    change(books, "Product", {"PartName": "4001"}, VatTypeID=outside)
    await world.retry(await world.document(5001))
    await world.settle()
    assert await booked_on(world) == [(3100, "6")]


async def test_codes_decide_where_rates_agree(world: World) -> None:
    """A line that RecMan calls exempt on a product for export has 0 % either way."""
    await world.office.put_rules({"vat_codes": [{"recman": "5", "unimicro": "5"}]})
    write_invoice(world, company=205, productNumber="5001", vatCode="5")
    codes = await held_for(world)
    assert "vat_code_differs" in codes


async def test_credit_note_is_held_for_its_lines_code_as_well(world: World) -> None:
    await world.carry("invoice", 5003)
    world.recman.state.store.records["invoice"]["5008"]["lines"]["70014"]["vatCode"] = "31b"
    assert await held_for(world, 5008) == ["vat_code_unmapped"]
    await mend(world, {"vat_codes": [{"recman": "31b", "unimicro": "31"}]})
    assert {code for _, code in await booked_on(world, 5008)} == {"31", "3"}


# Accounts


async def test_account_of_the_line_against_the_products_is_held_naming_both(world: World) -> None:
    write_invoice(world, creditAccount="3200")
    (reason,) = await send(world)
    assert reason["code"] == "account_differs"
    assert "3200" in reason["cause"]
    assert "3100" in reason["cause"]
    await mend(world, {"accounting": [{"product": "4001", "account": 3200, "vat_code": "5"}]})
    assert await booked_on(world) == [(3200, "5")]


async def test_account_of_the_line_may_have_another_number_in_unimicro(world: World) -> None:
    write_invoice(world, creditAccount="310099")
    assert await held_for(world) == ["account_differs"]
    await mend(world, {"accounts": [{"recman": "310099", "unimicro": 3100}]})
    assert await booked_on(world) == [(3100, "5")]


async def test_product_on_no_account_of_sales_is_held_until_the_account_is_named(world: World, books: Books) -> None:
    (rounding,) = (row["ID"] for row in books.rows("Account") if row["AccountNumber"] == 7740)
    change(books, "Product", {"PartName": "4001"}, AccountID=rounding)
    write_invoice(world)
    (reason,) = await send(world)
    assert reason["code"] == "account_unusable"
    assert "7740" in reason["cause"]
    await mend(world, {"sales_accounts": [7740]})
    assert await booked_on(world) == [(7740, "5")]


async def test_locked_account_of_a_product_is_held_until_it_is_open(world: World, books: Books) -> None:
    change(books, "Account", {"AccountNumber": 3100}, Locked=True)
    write_invoice(world)
    assert await held_for(world) == ["account_unusable"]
    change(books, "Account", {"AccountNumber": 3100}, Locked=False)
    await world.retry(await world.document(5001))
    await world.settle()
    assert await booked_on(world) == [(3100, "5")]


# What rules may name


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"accounting": [{"product": "1001", "vat_code": "1"}]}, "VAT code 1 is not for sales"),
        ({"accounting": [{"product": "1001", "vat_code": "99"}]}, "no VAT code 99"),
        ({"vat_codes": [{"recman": "x", "unimicro": "11"}]}, "VAT code 11 is not for sales"),
        ({"accounting": [{"product": "1001", "account": 1500}]}, "account 1500 is no account of sales"),
        ({"accounting": [{"product": "1001", "account": 7740}]}, "account 7740 is no account of sales"),
        ({"accounting": [{"product": "1001", "account": 3999}]}, "account 3999 is not in Unimicro"),
        ({"accounts": [{"recman": "3000", "unimicro": 7740}]}, "account 7740 is no account of sales"),
        ({"sales_accounts": [8888]}, "account 8888 is not in Unimicro"),
    ],
)
async def test_rules_that_no_sale_can_be_booked_by_are_refused(world: World, rules: dict[str, Any], told: str) -> None:
    answer = await world.office.put_rules(rules, status=422)
    assert answer["code"] == "rules_unusable"
    assert told in answer["cause"]
    assert "31, 32, 33" in answer["fix"]
    assert (await world.get("/v1/rules", key_id=str(world.key_id)))["version"] == 0


async def test_account_that_is_no_longer_named_as_one_of_sales_is_refused_where_a_rule_has_it(world: World) -> None:
    rules = {"accounting": [{"product": "4001", "account": 7740, "vat_code": "5"}]}
    await world.office.put_rules({**rules, "sales_accounts": [7740]})
    refused = await world.office.put_rules(rules, after_version=1, status=422)
    assert "account 7740 is no account of sales" in refused["cause"]


async def test_rule_names_an_account_outside_of_sales_once_it_is_named_as_one(world: World) -> None:
    rule = {"product": "4001", "account": 7740, "vat_code": "5"}
    write_invoice(world)
    await mend(world, {"accounting": [rule], "sales_accounts": [7740]})
    assert await send(world) == []
    assert await booked_on(world) == [(7740, "5")]


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"Locked": True}, "is locked"), ({"Visible": False}, "is hidden"), ({"OutputVat": False}, "is not for sales")],
)
async def test_closed_code_is_refused_in_rules_and_held_where_a_rule_or_a_product_has_it(
    world: World, books: Books, changes: dict[str, Any], told: str
) -> None:
    by_rule = {"accounting": [{"product": "1001", "vat_code": "6"}]}
    await world.office.put_rules(by_rule)
    for code in ("5", "6"):
        change(books, "VatType", {"VatCode": code}, **changes)
    read_anew(world)
    more = {"accounting": [*by_rule["accounting"], {"product": "4001", "vat_code": "5"}]}
    refused = await world.office.put_rules(more, after_version=1, status=422)
    assert f"VAT code 5 {told}" in refused["cause"]
    assert "VAT code 6" not in refused["cause"]
    # What was closed since it was named keeps nobody from changing something else.
    await world.office.put_rules({**by_rule, "held_customers": ["77"]}, after_version=1)
    write_invoice(world)
    write_invoice(world, 5002, productNumber="1001")
    for record, code in ((5001, "vat_code_unusable"), (5002, "rule_unusable")):
        (reason,) = await send(world, record)
        assert (reason["code"], told in reason["cause"]) == (code, True)
    await mend(world, {"accounting": [{"vat_rate": "0", "vat_code": "0"}]}, after_version=2)
    assert await booked_on(world, 5001) == [(3100, "0")]
    assert await booked_on(world, 5002) == [(3000, "0")]


@pytest.mark.parametrize("day", ["2026-10-30", "2026-11-02"])
async def test_code_counts_as_it_is_on_the_documents_day(world: World, books: Books, day: str) -> None:
    (vat_type,) = (row["ID"] for row in books.rows("VatType") if row["VatCode"] == "5")
    change(books, "VatTypePercentage", {"VatTypeID": vat_type}, ValidTo="2026-10-31")
    read_anew(world)
    write_invoice(world)
    world.recman.state.store.records["invoice"]["5001"] |= {"invoiceDate": day, "dueDate": "2026-12-01"}
    assert await held_for(world) == ([] if day < "2026-11" else ["vat_code_unusable"])


# Where the buyer is


@pytest.mark.parametrize(
    ("company", "product", "code"),
    [(205, "4001", "5"), (201, "5001", "52")],
)
async def test_code_that_does_not_suit_the_buyer_is_held_until_a_rule_allows_it(
    world: World, company: int, product: str, code: str
) -> None:
    write_invoice(world, company=company, productNumber=product)
    (reason,) = await send(world)
    assert reason["code"] == "vat_treatment"
    assert f"VAT code {code}" in reason["cause"]
    assert ("DK" if company == 205 else "NO") in reason["cause"]
    # A rule for everything is no word about this.
    await mend(world, {"accounting": [{"vat_rate": "0", "vat_code": code}]})
    assert (await world.hold_of(5001)) == ("held", ["vat_treatment"])
    await mend(world, {"accounting": [{"product": product, "vat_code": code}]}, after_version=1)
    assert [vat for _, vat in await booked_on(world)] == [code]


async def test_reverse_charge_is_a_rules_word_alone(world: World, books: Books) -> None:
    (reverse,) = (row["ID"] for row in books.rows("VatType") if row["VatCode"] == "51")
    change(books, "Product", {"PartName": "4001"}, VatTypeID=reverse)
    write_invoice(world)
    assert await held_for(world) == ["vat_treatment"]
    await mend(world, {"accounting": [{"text": "helse", "vat_code": "51"}]})
    assert await booked_on(world) == [(3100, "51")]


async def test_buyer_on_svalbard_takes_export(world: World) -> None:
    address = world.recman.state.store.records["company"]["201"]["invoiceAddress"]
    address |= {"postalCode": "9170", "city": "Longyearbyen"}
    write_invoice(world, productNumber="5001")
    assert await send(world) == []
    write_invoice(world, 5002)
    assert await held_for(world, 5002) == ["vat_treatment"]


async def test_buyer_is_where_recman_says_on_every_invoice_whatever_unimicro_has(world: World, books: Books) -> None:
    for record in (5001, 5002):
        write_invoice(world, record, company=205, productNumber="5001")
    assert await send(world) == []
    change(books, "Customer", {"CustomerNumber": 100005}, OrgNumber=None)
    for row in books.rows("Address"):
        books.update("Address", row["ID"], {"CountryCode": None})
    world.resources.kept(KnownBooks).recipients.clear()
    assert await send(world, 5002) == []


async def test_buyer_that_an_earlier_release_has_linked_is_where_unimicro_says(world: World) -> None:
    for record in (5001, 5002):
        write_invoice(world, record, company=205, productNumber="5001")
    assert await send(world) == []
    async with world.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE transfer SET country = ''")
    assert await send(world, 5002) == []


# Rules by more than the product


async def test_rules_fit_by_country_rate_and_text(world: World) -> None:
    rules = {
        "accounting": [
            {"country": "dk", "vat_rate": "0", "text": "KONSULENT", "vat_code": "52", "account": 3110},
            {"country": "DK", "vat_code": "6", "account": 3200},
        ]
    }
    await world.office.put_rules(rules)
    write_invoice(world, 5001, company=205, productNumber="1001", description="Konsulent uke 40")
    write_invoice(world, 5002, company=205, productNumber="1001", description="Reise")
    write_invoice(world, 5005, company=201, productNumber="1001", vatRate="25")
    for record, wanted in ((5001, (3110, "52")), (5002, (3200, "6")), (5005, (3000, "3"))):
        assert await send(world, record) == []
        assert await booked_on(world, record) == [wanted]


async def test_lines_of_one_product_are_booked_each_by_its_own_rule(world: World) -> None:
    write_invoice(world, productNumber="1001", description="Timer", vatRate="0")
    record = world.recman.state.store.records["invoice"]["5001"]
    line = record["lines"][0]
    record["lines"] = [
        line,
        {**line, "position": 2, "vatRate": "25"},
        {**line, "position": 3, "description": "Utenfor"},
    ]
    record |= {"totalExVat": "3000.00", "vat": "250.00", "totalIncVat": "3250.00"}
    rules = [{"text": "utenfor", "account": 3200}, {"vat_rate": "0.00", "vat_code": "5", "account": 3100}]
    await world.office.put_rules({"accounting": rules})
    assert await send(world) == []
    assert await booked_on(world) == [(3100, "5"), (3000, "3"), (3200, "6")]


async def test_priced_line_without_product_takes_the_product_of_its_rate(world: World) -> None:
    write_invoice(world, productNumber=None)
    (reason,) = await send(world)
    assert (reason["code"], "Line 1: the product number is missing" in reason["cause"]) == ("product_missing", True)
    other = {"fallback_products": [{"vat_rate": "25", "product": "1001"}]}
    await mend(world, other)
    assert (await world.hold_of(5001)) == ("held", ["product_missing"])
    fallback = [*other["fallback_products"], {"vat_rate": "0", "product": "4001"}]
    await mend(world, {"fallback_products": fallback}, after_version=1)
    assert await booked_on(world) == [(3100, "5")]
    (told,) = (await world.invoices())[0]["Items"]
    assert (told["Product"], told["ItemText"]) == ("4001", "Helsetjenester")


# Companies and their VAT types


@pytest.mark.parametrize("unregistered", ["accepted", "replaced", "refused"])
async def test_company_before_its_registration_uses_6(world: World, books: Books, unregistered: str) -> None:
    books.switches = books.switches.turned({"unregistered": unregistered, "refuse_unusable_vat": True})
    await world.settle_company(TaxMandatoryType=2, TaxableFromDate="2027-01-01")
    read_anew(world)
    write_invoice(world, productNumber="1001")
    assert await send(world) == []
    assert await booked_on(world) == [(3000, "6")]
    write_invoice(world, 5002, productNumber="1001", vatRate="25")
    assert await held_for(world, 5002) == ["company_without_vat"]


async def test_company_is_registered_from_its_day_on(world: World) -> None:
    await world.settle_company(TaxMandatoryType=2, TaxableFromDate="2026-10-01")
    read_anew(world)
    write_invoice(world, productNumber="1001", vatRate="25")
    assert await send(world) == []
    assert await booked_on(world) == [(3000, "3")]


@pytest.mark.parametrize("products_have_vat", [False, True])
async def test_company_without_vat_sends_no_vat_type(world: World, books: Books, *, products_have_vat: bool) -> None:
    await world.settle_company(TaxMandatoryType=1)
    for row in [] if products_have_vat else books.rows("Product"):
        books.update("Product", row["ID"], {"VatTypeID": None})
    read_anew(world)
    write_invoice(world, productNumber="1001")
    assert await send(world) == []
    assert await booked_on(world) == [(3000, "")]


async def test_ids_that_change_between_two_reads_are_met_by_their_code(world: World, books: Books) -> None:
    books.switches = books.switches.turned({"vat_ids": "moving", "refuse_unusable_vat": True})
    read_anew(world)
    for record in (5001, 5002):
        write_invoice(world, record, productNumber="1001", vatRate="25")
    assert await send(world) == []
    # Somebody else reads the list; what we remember of it is wrong from now on.
    assert (await world.call("POST", f"/v1/keys/{world.key_id}/check")).status_code == 200
    assert await send(world, 5002) == []
    assert await booked_on(world, 5002) == [(3000, "3")]
    assert len(await world.invoices()) == 2


async def test_old_type_that_stays_behind_under_its_code_is_not_taken(world: World, books: Books) -> None:
    (product,) = (row for row in books.rows("Product") if row["PartName"] == "4001")
    old = product["VatTypeID"]
    key = (await world.get("/v1/keys"))[0]["company_key"]
    answer = await world.http.post(f"{world.unimicro_url}/sandbox/companies/{key}/vat-types/renumber?keep_old=1")
    assert answer.is_success
    books.update("Product", product["ID"], {"VatTypeID": old})
    read_anew(world)
    write_invoice(world)
    assert await send(world) == []
    row = await world.document(5001)
    (line,) = books.children("CustomerInvoiceItem", "CustomerInvoiceID", row["remote_id"])
    assert line["VatTypeID"] != old
    assert books.tables["VatType"][line["VatTypeID"]]["VatCode"] == "5"


async def test_dry_run_shows_the_code_and_account_that_are_then_booked(world: World) -> None:
    await world.office.put_rules(
        {"accounting": [{"country": "DK", "vat_rate": "0", "vat_code": "52", "account": 3110}]}
    )
    write_invoice(world, company=205, productNumber="1001")
    await world.office.put_rules(
        {
            "review": {"everything": True},
            "accounting": [{"country": "DK", "vat_rate": "0", "vat_code": "52", "account": 3110}],
        },
        after_version=1,
    )
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    (told,) = rows_of(await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]}))
    (line,) = told["lines"]
    assert (line["account"], line["vat_code"]) == (3110, "52")
    await world.post(f"/v1/invoices/{row['id']}/approve")
    await world.settle()
    assert await world.states(5001) == ["done"]
    # Which code the rules would name for a buyer that nobody looks at any more is no news about what is booked.
    (told,) = rows_of(await world.post("/v1/invoices/dry-run", {"ids": [row["id"]]}))
    (line,) = told["lines"]
    assert (told["outcome"], line["account"], line["vat_code"]) == ("skip", None, None)
