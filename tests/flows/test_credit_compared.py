"""A credit note is compared with what it credits before anything is sent, and is booked as RecMan wrote it."""

from decimal import Decimal

import pytest

from tests.world import World

_ISSUED, _DRAFT = 42002, 42001


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"companyId": "201"}, "credit_customer_differs"),
        ({"currency": "EUR"}, "credit_currency_differs"),
        ({"invoiceDate": "2026-10-01", "dueDate": "2026-10-01"}, "credit_before_invoice"),
    ],
)
async def test_credit_note_that_does_not_fit_its_invoice_is_held_and_nothing_is_made(
    world: World, changes: dict[str, str], code: str
) -> None:
    world.source.record("5008").update(changes)
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await world.hold_of() == ("held", [code])
    assert world.ledger.credits() == []


async def test_more_than_is_left_is_held_with_what_is_left(world: World) -> None:
    world.source.credit_part(gross="5849.88")
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    world.source.credit_part("5098", gross="126.00")
    await world.hear_of("invoice", 5098)
    await world.settle()
    assert await world.hold_of("5098") == ("held", ["credit_too_large"])
    row = await world.find_document("5098")
    assert row is not None
    assert "invoice 210002 has 125.00 left" in row["reasons"][0]["cause"]
    assert [one["StatusCode"] for one in world.ledger.credits()] == [_ISSUED]
    world.source.credit_part("5099", gross="125.00")
    await world.hear_of("invoice", 5099)
    await world.settle()
    assert (await world.hold_of("5099"))[0] == "done"


async def test_what_a_person_has_credited_in_unimicro_counts_too(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = world.ledger.books().rows("CustomerInvoice")
    half = Decimal("3000.00")
    world.ledger.books().update(
        "CustomerInvoice", invoice["ID"], {"CreditedAmount": half, "CreditedAmountCurrency": half}
    )
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("held", ["credit_too_large"])


async def test_equal_sum_on_another_product_is_booked_on_recmans_product(world: World) -> None:
    world.source.credit_part(gross="5974.88", totalExVat="4957.50", vat="1017.38")
    line = {"productNumber": "2001", "description": "Lunsj", "quantity": "1", "unitPrice": "2220.00", "vatRate": "15"}
    other = {"productNumber": "1001", "description": "Timer", "quantity": "1", "unitPrice": "2737.50", "vatRate": "25"}
    world.source.record("5008")["lines"] = [line | {"total": "2220.00"}, other | {"total": "2737.50"}]
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await world.hold_of())[0] == "done"
    (credit,) = world.ledger.credits()
    products = world.ledger.books().tables["Product"]
    assert [products[one["ProductID"]]["PartName"] for one in world.ledger.lines_of(credit)] == ["2001", "1001"]
    accounts = world.ledger.books().tables["Account"]
    assert [accounts[one["AccountID"]]["AccountNumber"] for one in world.ledger.lines_of(credit)] == [3020, 3000]


async def test_equal_lines_stay_as_unimicro_made_them(world: World) -> None:
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await world.hold_of())[0] == "done"
    rows = world.ledger.books().tables["CustomerInvoiceItem"].values()
    assert [row["Deleted"] for row in rows] == [False] * 4


async def test_part_credit_goes_to_the_department_and_dimensions_of_its_document(world: World) -> None:
    await world.office.put_rules({"departments": [{"recman": "2", "unimicro": "3"}]})
    world.source.credit_part()
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await world.hold_of())[0] == "done"
    (credit,) = world.ledger.credits()
    books = world.ledger.books()
    places = [credit["DefaultDimensionsID"], *(line["DimensionsID"] for line in world.ledger.lines_of(credit))]
    departments = [books.tables["Department"][books.tables["Dimensions"][one]["DepartmentID"]] for one in places]
    assert [one["DepartmentNumber"] for one in departments] == ["3", "3"]


async def test_credit_note_of_another_department_is_booked_on_its_own(world: World) -> None:
    world.source.record("5008")["departmentId"] = "1"
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await world.hold_of())[0] == "done"
    (credit,) = world.ledger.credits()
    books = world.ledger.books()
    numbers = {
        books.tables["Department"][books.tables["Dimensions"][line["DimensionsID"]]["DepartmentID"]]["DepartmentNumber"]
        for line in world.ledger.lines_of(credit)
    }
    own = await department_number(world, "1")
    assert numbers == {own}


async def department_number(world: World, department_id: str) -> str:
    rows = await world.get("/v1/departments", tenant=str(world.tenant_id))
    return next(str(row["number"]) for row in rows if row["recman_department_id"] == department_id)


async def test_rule_for_credit_notes_gives_their_lines_another_account(world: World) -> None:
    await world.office.put_rules({"accounting": [{"kind": "credit_note", "product": "1001", "account": 3010}]})
    world.source.credit_part()
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    (credit,) = world.ledger.credits()
    accounts = world.ledger.books().tables["Account"]
    assert [accounts[one["AccountID"]]["AccountNumber"] for one in world.ledger.lines_of(credit)] == [3010]


async def test_long_texts_of_a_credit_note_continue_and_text_and_zero_lines_are_kept(world: World) -> None:
    world.source.credit_part()
    lines = world.source.record("5008")["lines"]
    lines[0]["description"] = "x" * 300
    lines += [
        {"position": 2, "description": "Gjelder uke 41", "quantity": None, "unitPrice": None, "productNumber": None},
        {"position": 3, "productNumber": "1002", "description": "Uten betaling", "quantity": "0", "unitPrice": "365.00"}
        | {"vatRate": "25", "total": "0.00"},
    ]
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = await world.find_document("5008")
    assert row is not None
    assert (row["state"], [one["code"] for one in row["warnings"]]) == ("done", []), row["reasons"]
    (credit,) = world.ledger.credits()
    texts = [(len(one["ItemText"]), one["NumberOfItems"] or 0) for one in world.ledger.lines_of(credit)]
    assert texts == [(255, -1), (45, 0), (14, 0), (13, 0)]


async def test_an_id_that_shows_another_invoice_is_never_credited(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = world.ledger.books().rows("CustomerInvoice")
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"ExternalReference": "RM-9"})
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("held", ["credited_not_ours"])
    assert world.ledger.credits() == []
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"ExternalReference": "RM-5003"})
    row = await world.find_document("5008")
    assert row is not None
    await world.retry(row)
    await world.settle()
    assert (await world.hold_of())[0] == "done"


async def test_invoice_that_unimicro_does_not_show_any_more_holds_its_credit_note(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = world.ledger.books().rows("CustomerInvoice")
    world.ledger.books().update("CustomerInvoice", invoice["ID"], {"Deleted": True})
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await world.hold_of() == ("held", ["credited_missing"])


@pytest.mark.parametrize("query", ["action=invoice", ""])
async def test_refused_credit_note_leaves_no_draft_and_can_be_ignored(world: World, query: str) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    method = "POST" if query else "PUT"
    # The marking of a new draft is a PUT of its own, whose failure does not stop anything.
    after = 0 if query else 1
    await world.fault("error_before", method=method, path="/api/biz/invoices", query=query, status=400, after=after)
    await world.hear_of("invoice", 5008)
    await world.settle()
    row = await world.find_document("5008")
    assert row is not None
    assert row["state"] == "held"
    assert world.ledger.credits() == []
    status, _ = await world.ignore(row)
    assert status == 200


async def test_refused_draft_that_cannot_be_deleted_is_named(world: World) -> None:
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.fault("error_before", method="DELETE", path="/api/biz/invoices", status=403)
    await world.hear_of("invoice", 5001)
    await world.settle()
    state, codes = await world.hold_of("5001")
    assert (state, codes) == ("held", ["remote_rejected", "draft_left"])
    (draft,) = world.ledger.books().rows("CustomerInvoice")
    row = await world.find_document("5001")
    assert row is not None
    assert f"id {draft['ID']}" in row["reasons"][1]["cause"]


async def test_refused_invoice_leaves_no_draft_and_the_key_can_change(world: World) -> None:
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.hold_of("5001"))[0] == "held"
    assert world.ledger.books().rows("CustomerInvoice") == []
    await world.office.change_key(booking="order")


async def test_credit_of_an_invoice_that_is_still_a_draft_says_what_to_do(world: World) -> None:
    await world.office.change_key(booking="draft")
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await world.hold_of() == ("held", ["credited_not_issued"])
    assert world.ledger.credits() == []
