"""Texts that Unimicro has no room for: cut, sent, and shown as warnings on the transfer."""

from typing import Any

import pytest

from tests.world import World


async def list_warnings(world: World, kind: str, record_id: str) -> list[str]:
    row = (await world.transfers())[kind, record_id]
    assert row["state"] == "done", row["reasons"]
    shown: Any = await world.get(f"/v1/transfers/{row['id']}")
    return [warning["code"] for warning in shown["warnings"]]


async def test_cut_texts_of_invoice_and_credit_note_are_warnings_of_their_transfers(world: World) -> None:
    records = world.recman.state.store.records["invoice"]
    records["5003"]["notes"] = records["5008"]["notes"] = "n" * 501
    await world.hear_of("invoice", 5003, 5008)
    await world.settle()
    assert await list_warnings(world, "invoice", "5003") == ["text_cut"]
    assert await list_warnings(world, "credit_note", "5008") == ["text_cut"]
    assert {len(invoice["FreeTxt"]) for invoice in await world.invoices()} == {500}


def describe_long(world: World, *record_ids: str) -> str:
    """The first line of these invoices says more than a line of Unimicro's takes: the text, in words."""
    words = " ".join(f"Dag {day}: montasje og reise" for day in range(1, 31))
    for record_id in record_ids:
        lines = world.source.record(record_id)["lines"]
        first = next(iter(lines.values())) if isinstance(lines, dict) else lines[0]
        first["description"] = words
    return words


def list_texts(world: World, entity: str, document: Any) -> list[str]:
    rows = world.ledger.books().children(f"{entity}Item", f"{entity}ID", document["ID"])
    return [row["ItemText"] for row in sorted(rows, key=lambda row: row["SortIndex"])]


async def test_long_text_of_a_line_is_in_unimicro_whole_and_credited_as_it_is(world: World) -> None:
    words = describe_long(world, "5003", "5008")
    await world.carry("invoice", 5003, 5008)
    assert await list_warnings(world, "invoice", "5003") == await list_warnings(world, "credit_note", "5008") == []
    for invoice in world.ledger.books().rows("CustomerInvoice"):
        assert " ".join(list_texts(world, "CustomerInvoice", invoice)[:4]) == words


async def test_long_text_of_a_line_continues_on_an_order_too_and_no_line_is_lost(world: World) -> None:
    words = describe_long(world, "5001")
    await world.office.choose_orders()
    await world.carry("invoice", 5001)
    row = await world.document(5001)
    assert (row["state"], row["warnings"], row["remote_gross_amount"]) == ("done", [], row["gross_amount"])
    (order,) = world.ledger.orders()
    texts = list_texts(world, "CustomerOrder", order)
    assert " ".join(texts[:4]) == words
    assert len(texts) == len(world.source.record("5001")["lines"]) + 3


def list_accounts(world: World, entity: str) -> list[int]:
    numbers = {row["ID"]: row["AccountNumber"] for row in world.ledger.books().rows("Account")}
    return [numbers[row["AccountID"]] for row in world.ledger.books().rows(f"{entity}Item") if row["ProductID"]]


@pytest.mark.parametrize("booking", ["renumbered", "order"])
@pytest.mark.parametrize("text", ["ord " * 70 + "hire of crane", "å" * 256 + " hire of crane", "😀" * 256 + "hire of"])
async def test_rule_that_fits_words_far_behind_books_a_long_line_too(world: World, booking: str, text: str) -> None:
    await world.office.change_key(booking=booking)
    await world.office.put_rules({"accounting": [{"text": "hire of", "account": 3010}]})
    for line in world.source.record("5001")["lines"]:
        line["description"] = text
    await world.carry("invoice", 5001)
    assert await world.states(5001) == ["done"]
    assert set(list_accounts(world, "CustomerOrder" if booking == "order" else "CustomerInvoice")) == {3010}


async def test_line_of_words_that_unimicro_does_not_keep_is_a_warning(world: World) -> None:
    describe_long(world, "5001")
    await world.fault("alter", method="POST", path="/api/biz/invoices", times=1, changes={"Items": [{"ID": 1}]})
    await world.carry("invoice", 5001)
    assert await list_warnings(world, "invoice", "5001") == ["lines_missing"]


async def test_answer_that_shows_no_lines_says_nothing_of_them(world: World) -> None:
    await world.fault("alter", method="POST", path="/api/biz/invoices", times=1, changes={"Items": None})
    await world.carry("invoice", 5001)
    assert await list_warnings(world, "invoice", "5001") == []


async def test_cut_name_of_a_new_customer_is_a_warning_of_its_transfer(world: World) -> None:
    world.recman.state.store.records["company"]["201"]["name"] = "Æ" * 256
    await world.hear_of("company", 201)
    await world.settle()
    assert await list_warnings(world, "customer", "201") == ["text_cut"]


async def test_invoice_head_shows_the_customer_on_the_first_and_on_every_later_invoice(world: World) -> None:
    await world.hear_of("invoice", 5002)
    await world.settle()
    await world.hear_of("invoice", 5007)
    await world.settle()
    heads = [
        {name: invoice[name] for name in ("CustomerName", "InvoiceAddressLine1", "InvoiceAddressLine2", "InvoiceCity")}
        for invoice in await world.invoices()
    ]
    assert (
        heads
        == [
            {
                "CustomerName": "Tromsø Havn og Logistikk AS",
                "InvoiceAddressLine1": "Breivikavegen 11",
                "InvoiceAddressLine2": "Bygg C",
                "InvoiceCity": "Tromsø",
            }
        ]
        * 2
    )
