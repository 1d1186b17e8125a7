"""A credit note is compared with what it credits before anything is sent, and is booked as RecMan wrote it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.flows.test_invoices import books_of
from tests.flows.test_rules import put
from tests.flows.test_unclear import document_of, ignore, retry
from tests.world import World

_ISSUED, _DRAFT = 42002, 42001


def record(world: World, record_id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.recman.state.store.records["invoice"][record_id]
    return found


def credit_part(world: World, record_id: str = "5008", *, gross: str = "125.00", **changes: Any) -> dict[str, Any]:
    """A credit note of invoice 5003 over one line of consultant's work."""
    net = Decimal(gross) / Decimal("1.25")
    line: dict[str, Any] = {
        "productNumber": "1001",
        "description": "For mye",
        "quantity": "1",
        "unit": "timer",
        "vatRate": "25",
    }
    line |= {"unitPrice": f"{net:.2f}", "total": f"{net:.2f}", "position": 1}
    sums = {"totalExVat": f"{net:.2f}", "vat": f"{net / 4:.2f}", "totalIncVat": gross}
    made = record(world, "5008") | {"invoiceId": int(record_id), "invoiceNumber": f"2{record_id}"} | sums
    world.recman.state.store.records["invoice"][record_id] = made | {"lines": [line]} | changes
    return record(world, record_id)


def list_credits(world: World) -> list[dict[str, Any]]:
    return [dict(one) for one in books_of(world).rows("CustomerInvoice") if one["InvoiceType"] == 1]


def lines_of(world: World, document: dict[str, Any]) -> list[dict[str, Any]]:
    rows = books_of(world).children("CustomerInvoiceItem", "CustomerInvoiceID", document["ID"])
    return [dict(row) for row in rows]


async def hold_of(world: World, record_id: str = "5008") -> tuple[str, list[str]]:
    row = await document_of(world, record_id)
    assert row is not None
    assert all(reason["cause"] and reason["fix"] for reason in row["reasons"])
    return row["state"], [reason["code"] for reason in row["reasons"]]


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
    record(world, "5008").update(changes)
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await hold_of(world) == ("held", [code])
    assert list_credits(world) == []


async def test_more_than_is_left_is_held_with_what_is_left(world: World) -> None:
    credit_part(world, gross="5849.88")
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    credit_part(world, "5098", gross="126.00")
    await world.hear_of("invoice", 5098)
    await world.settle()
    assert await hold_of(world, "5098") == ("held", ["credit_too_large"])
    row = await document_of(world, "5098")
    assert row is not None
    assert "invoice 210002 has 125.00 left" in row["reasons"][0]["cause"]
    assert [one["StatusCode"] for one in list_credits(world)] == [_ISSUED]
    credit_part(world, "5099", gross="125.00")
    await world.hear_of("invoice", 5099)
    await world.settle()
    assert (await hold_of(world, "5099"))[0] == "done"


async def test_what_a_person_has_credited_in_unimicro_counts_too(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = books_of(world).rows("CustomerInvoice")
    half = Decimal("3000.00")
    books_of(world).update("CustomerInvoice", invoice["ID"], {"CreditedAmount": half, "CreditedAmountCurrency": half})
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await hold_of(world) == ("held", ["credit_too_large"])


async def test_equal_sum_on_another_product_is_booked_on_recmans_product(world: World) -> None:
    credit_part(world, gross="5974.88", totalExVat="4957.50", vat="1017.38")
    line = {"productNumber": "2001", "description": "Lunsj", "quantity": "1", "unitPrice": "2220.00", "vatRate": "15"}
    other = {"productNumber": "1001", "description": "Timer", "quantity": "1", "unitPrice": "2737.50", "vatRate": "25"}
    record(world, "5008")["lines"] = [line | {"total": "2220.00"}, other | {"total": "2737.50"}]
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await hold_of(world))[0] == "done"
    (credit,) = list_credits(world)
    products = books_of(world).tables["Product"]
    assert [products[one["ProductID"]]["PartName"] for one in lines_of(world, credit)] == ["2001", "1001"]
    accounts = books_of(world).tables["Account"]
    assert [accounts[one["AccountID"]]["AccountNumber"] for one in lines_of(world, credit)] == [3020, 3000]


async def test_equal_lines_stay_as_unimicro_made_them(world: World) -> None:
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await hold_of(world))[0] == "done"
    rows = books_of(world).tables["CustomerInvoiceItem"].values()
    assert [row["Deleted"] for row in rows] == [False] * 4


async def test_part_credit_goes_to_the_department_and_dimensions_of_its_document(world: World) -> None:
    await put(world, {"departments": [{"recman": "2", "unimicro": "3"}]})
    credit_part(world)
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await hold_of(world))[0] == "done"
    (credit,) = list_credits(world)
    books = books_of(world)
    places = [credit["DefaultDimensionsID"], *(line["DimensionsID"] for line in lines_of(world, credit))]
    departments = [books.tables["Department"][books.tables["Dimensions"][one]["DepartmentID"]] for one in places]
    assert [one["DepartmentNumber"] for one in departments] == ["3", "3"]


async def test_credit_note_of_another_department_is_booked_on_its_own(world: World) -> None:
    record(world, "5008")["departmentId"] = "1"
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert (await hold_of(world))[0] == "done"
    (credit,) = list_credits(world)
    books = books_of(world)
    numbers = {
        books.tables["Department"][books.tables["Dimensions"][line["DimensionsID"]]["DepartmentID"]]["DepartmentNumber"]
        for line in lines_of(world, credit)
    }
    own = await department_number(world, "1")
    assert numbers == {own}


async def department_number(world: World, department_id: str) -> str:
    rows = await world.get("/v1/departments", tenant=str(world.tenant_id))
    return next(str(row["number"]) for row in rows if row["recman_department_id"] == department_id)


async def test_rule_for_credit_notes_gives_their_lines_another_account(world: World) -> None:
    await put(world, {"accounting": [{"kind": "credit_note", "product": "1001", "account": 3010}]})
    credit_part(world)
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    (credit,) = list_credits(world)
    accounts = books_of(world).tables["Account"]
    assert [accounts[one["AccountID"]]["AccountNumber"] for one in lines_of(world, credit)] == [3010]


async def test_long_texts_of_a_credit_note_continue_and_text_and_zero_lines_are_kept(world: World) -> None:
    credit_part(world)
    lines = record(world, "5008")["lines"]
    lines[0]["description"] = "x" * 300
    lines += [
        {"position": 2, "description": "Gjelder uke 41", "quantity": None, "unitPrice": None, "productNumber": None},
        {"position": 3, "productNumber": "1002", "description": "Uten betaling", "quantity": "0", "unitPrice": "365.00"}
        | {"vatRate": "25", "total": "0.00"},
    ]
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    row = await document_of(world, "5008")
    assert row is not None
    assert (row["state"], [one["code"] for one in row["warnings"]]) == ("done", []), row["reasons"]
    (credit,) = list_credits(world)
    texts = [(len(one["ItemText"]), one["NumberOfItems"] or 0) for one in lines_of(world, credit)]
    assert texts == [(255, -1), (45, 0), (14, 0), (13, 0)]


async def test_an_id_that_shows_another_invoice_is_never_credited(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = books_of(world).rows("CustomerInvoice")
    books_of(world).update("CustomerInvoice", invoice["ID"], {"ExternalReference": "RM-9"})
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await hold_of(world) == ("held", ["credited_not_ours"])
    assert list_credits(world) == []
    books_of(world).update("CustomerInvoice", invoice["ID"], {"ExternalReference": "RM-5003"})
    row = await document_of(world, "5008")
    assert row is not None
    await retry(world, row)
    await world.settle()
    assert (await hold_of(world))[0] == "done"


async def test_invoice_that_unimicro_does_not_show_any_more_holds_its_credit_note(world: World) -> None:
    await world.hear_of("invoice", 5003)
    await world.settle()
    (invoice,) = books_of(world).rows("CustomerInvoice")
    books_of(world).update("CustomerInvoice", invoice["ID"], {"Deleted": True})
    await world.hear_of("invoice", 5008)
    await world.settle()
    assert await hold_of(world) == ("held", ["credited_missing"])


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
    row = await document_of(world, "5008")
    assert row is not None
    assert row["state"] == "held"
    assert list_credits(world) == []
    status, _ = await ignore(world, row)
    assert status == 200


async def test_refused_draft_that_cannot_be_deleted_is_named(world: World) -> None:
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.fault("error_before", method="DELETE", path="/api/biz/invoices", status=403)
    await world.hear_of("invoice", 5001)
    await world.settle()
    state, codes = await hold_of(world, "5001")
    assert (state, codes) == ("held", ["remote_rejected", "draft_left"])
    (draft,) = books_of(world).rows("CustomerInvoice")
    row = await document_of(world, "5001")
    assert row is not None
    assert f"id {draft['ID']}" in row["reasons"][1]["cause"]


async def test_refused_invoice_leaves_no_draft_and_the_key_can_change(world: World) -> None:
    await world.fault("error_before", method="POST", path="/api/biz/invoices", query="action=invoice", status=400)
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await hold_of(world, "5001"))[0] == "held"
    assert books_of(world).rows("CustomerInvoice") == []
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"booking": "order"})
    assert answer.status_code == 200, answer.text


async def test_credit_of_an_invoice_that_is_still_a_draft_says_what_to_do(world: World) -> None:
    answer = await world.call("PATCH", f"/v1/keys/{world.key_id}", {"booking": "draft"})
    assert answer.status_code == 200, answer.text
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await hold_of(world) == ("held", ["credited_not_issued"])
    assert list_credits(world) == []
