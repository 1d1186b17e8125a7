"""The golden invoices once more, now taken by the sandbox Unimicro, which computes its own sums with its own code."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.translate_documents import Currency, from_invoice, to_invoice
from app.accounting.unimicro.translate_products import VatTable, from_product
from app.domain.reference import Links
from tests.world.golden import Case, load_cases, read_document, to_recipient
from tests.world.unimicro_session import Session, sandbox

INVOICES = [case for case in load_cases() if "Items" in case.data["expected"]]


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    async with sandbox() as opened:
        vat = await opened.one("vattypes", "VatCode", "32")
        await opened.expect(201, "POST", "products", {"PartName": "6001", "Name": "Laks", "VatTypeID": vat["ID"]})
        yield opened


async def load_links(session: Session) -> tuple[Links, dict[str, int]]:
    types, accounts = await session.get("vattypes"), await session.get("accounts")
    vat = VatTable.from_rows(types, accounts, default_account_id=None)
    products = [from_product(row, vat) for row in await session.get("products")]
    currencies = {row["Code"]: row["ID"] for row in await session.get("currencycodes")}
    customer_id = (await session.customer())["ID"]
    return Links(customer_id=customer_id, products={product.number: product for product in products}), currencies


async def test_every_golden_invoice_is_taken_with_recmans_totals(session: Session) -> None:
    links, currencies = await load_links(session)
    wrong: dict[str, Any] = {}
    for case in INVOICES:
        made = await post(session, case, links, currencies)
        totals = from_invoice(made).totals
        found = [str(amount) for amount in (totals.net_amount, totals.vat_amount, totals.gross_amount)]
        if found != case.data["totals"] or made["StatusCode"] != 42001:
            wrong[case.place] = found
    assert wrong == {}
    assert len(INVOICES) > 60


async def post(session: Session, case: Case, links: Links, currencies: dict[str, int]) -> dict[str, Any]:
    document = read_document(case.data)
    payload, _ = to_invoice(
        document,
        links,
        guid=guid_for("golden", document.recman_invoice_id),
        external_reference=f"RM-{document.recman_invoice_id}",
        currency=Currency(currency_id=currencies[document.currency], rate=Decimal(case.data.get("rate", "1"))),
        recipient=to_recipient(case.data.get("recipient")),
    )
    made: dict[str, Any] = await session.expect(201, "POST", "invoices", payload)
    return made
