"""What Unimicro's company lacks: the transfer is held and says which setting, and goes on when it is mended."""

from typing import Any

import pytest

from app.transfer.books import KnownBooks
from tests.world import COMPANY, World


def open_company(world: World) -> Any:
    companies = world.unimicro.state.world.companies.values()
    return next(company for company in companies if company.entity["Name"] == COMPANY)


@pytest.mark.parametrize(
    ("setting", "code"), [("BaseCurrencyCodeID", "base_currency_unknown"), ("TaxMandatoryType", "vat_duty_unknown")]
)
async def test_missing_company_setting_holds_until_it_is_chosen(world: World, setting: str, code: str) -> None:
    settings = open_company(world).books.settings
    chosen = settings[setting]
    settings[setting] = None
    await world.hear_of("invoice", 5001)
    await world.settle()
    row = (await world.transfers())["invoice", "5001"]
    assert (row["state"], [reason["code"] for reason in row["reasons"]]) == ("held", [code])
    assert await world.invoices() == []
    settings[setting] = chosen
    await world.hear_of("invoice", 5001)
    await world.settle()
    assert (await world.transfers())["invoice", "5001"]["state"] == "done"


async def test_currency_without_a_rate_holds_and_leaves_no_draft(world: World) -> None:
    open_company(world).books.insert("CurrencyCode", {"Code": "ISK", "Name": "Kroner", "ShortCode": "ISK"})
    record = world.recman.state.store.records["invoice"]["5006"]
    record["currency"] = "ISK"
    await world.hear_of("invoice", 5006)
    await world.settle()
    row = (await world.transfers())["invoice", "5006"]
    assert (row["state"], [reason["code"] for reason in row["reasons"]]) == ("held", ["rate_unusable"])
    assert await world.invoices() == []
    record["currency"] = "EUR"
    await world.hear_of("invoice", 5006)
    await world.settle()
    assert (await world.transfers())["invoice", "5006"]["state"] == "done"


async def test_invoice_costs_three_calls_once_its_customer_is_known(world: World) -> None:
    records = world.recman.state.store.records["invoice"]
    records["5099"] = {**records["5001"], "invoiceId": 5099, "invoiceNumber": "119999", "kid": ""}
    await world.hear_of("invoice", 5001)
    await world.settle()
    before = len(await world.list_calls())
    await world.hear_of("invoice", 5099)
    await world.settle()
    assert (await world.transfers())["invoice", "5099"]["state"] == "done"
    assert [call["method"] for call in (await world.list_calls())[before:]] == ["POST", "POST", "GET"]


async def test_customer_that_went_inactive_is_found_before_anything_is_sent(world: World) -> None:
    await world.hear_of("invoice", 5001)
    await world.settle()
    books = open_company(world).books
    (invoice,) = books.rows("CustomerInvoice")
    books.update("Customer", invoice["CustomerID"], {"StatusCode": 50001})
    world.resources.kept(KnownBooks).recipients.clear()
    records = world.recman.state.store.records["invoice"]
    records["5099"] = {**records["5001"], "invoiceId": 5099, "invoiceNumber": "119999", "kid": ""}
    await world.hear_of("invoice", 5099)
    await world.settle()
    row = (await world.transfers())["invoice", "5099"]
    assert (row["state"], [reason["code"] for reason in row["reasons"]]) == ("held", ["customer_inactive"])
    assert len(await world.invoices()) == 1
    books.update("Customer", invoice["CustomerID"], {"StatusCode": 30001})
    await world.hear_of("invoice", 5099)
    await world.settle()
    assert (await world.transfers())["invoice", "5099"]["state"] == "done"
