"""Invoices as a staffing company writes them, summed RecMan's way, and what becomes of them in the stand-in's books.

No service and no database: the payload, the stand-in's own sums, the comparison and the line that levels them.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.translate_documents import Currency, from_invoice, to_invoice, to_rounding
from app.accounting.unimicro.translate_products import VatTable, from_product
from app.domain.documents import Document
from app.domain.money import dump_json, parse_json
from app.domain.reasons.codes import Code, Reason
from app.domain.reference import Links, Reference, RemoteDocument, RemoteProduct
from app.domain.rounding import choose_rounding_product
from app.domain.rules import Rounding
from app.recman.read.translate import read_invoice
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.invoices import create_invoice, update_invoice
from app.sandbox.unimicro.options import SandboxOptions
from app.sandbox.unimicro.seed import create_companies
from app.sandbox.unimicro.switches import Switches, VatSums
from app.transfer.plan.amounts import compare_base, compare_totals
from app.transfer.plan.rounding import make_rounding_line

VAT_OF = {"1001": 25, "1002": 25, "2001": 15, "3001": 12, "4001": 0}
RATES = {"NOK": Decimal(1), "EUR": Decimal("11.7325")}
ROUNDING = Rounding(account=7740)


def round_to(amount: Decimal, digits: int = 2) -> Decimal:
    """Half away from zero."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def write_invoice(random: Random, number: int, *, way: VatSums, currency: str) -> dict[str, Any]:
    """An invoice of hours, kilometres and pieces with the sums that a system makes that rounds in this way."""
    lines = [_write_line(random, position) for position in range(1, random.choice((1, 1, 2, 3, 5, 8, 12, 30)) + 1)]
    net, vat = sum_lines(lines, way)
    return {
        "invoiceId": number,
        "invoiceNumber": str(number),
        "type": "invoice",
        "invoiceDate": "2026-11-02",
        "dueDate": "2026-11-16",
        "currency": currency,
        "companyId": "201",
        "lines": lines,
        "totalExVat": str(net),
        "vat": str(vat),
        "totalIncVat": str(net + vat),
    }


def _write_line(random: Random, position: int) -> dict[str, Any]:
    product = random.choice(list(VAT_OF))
    quantity = Decimal(random.choice((random.randint(1, 200) * 100, random.randint(1, 20000), 750, 3750, 16250))) / 100
    price = Decimal(random.choice((random.randint(100, 150000), random.randint(1, 1500) * 100))) / 100
    discount = random.choice(("0", "0", "0", "5", "10", "12.5", "33.33"))
    return {
        "position": position,
        "productNumber": product,
        "description": f"Linje {position}",
        "quantity": str(-quantity if random.random() < 0.05 else quantity),
        "unitPrice": str(price),
        "discount": discount,
        "vatRate": str(VAT_OF[product]),
    }


def sum_lines(lines: list[dict[str, Any]], way: VatSums) -> tuple[Decimal, Decimal]:
    """Net and VAT of the lines, by hand."""
    net, vat, by_rate = Decimal(0), Decimal(0), dict.fromkeys(VAT_OF.values(), Decimal(0))
    for line in lines:
        amount = Decimal(line["quantity"]) * Decimal(line["unitPrice"])
        off = round_to(amount * Decimal(line["discount"]) / 100, 4)
        rate = int(line["vatRate"])
        if way is VatSums.UI2021:
            with_vat = round_to(Decimal(line["unitPrice"]) * (1 + Decimal(rate) / 100), 4)
            gross = Decimal(line["quantity"]) * with_vat
            gross -= round_to(gross * Decimal(line["discount"]) / 100, 4)
            net, vat = net + amount - off, vat + gross - amount + off
            continue
        line_net = round_to(amount - off)
        net, by_rate[rate] = net + line_net, by_rate[rate] + line_net
        vat += round_to(line_net * rate / 100)
    if way is VatSums.DOCUMENT:
        vat = sum((round_to(part * rate / 100) for rate, part in by_rate.items()), Decimal(0))
    return round_to(net), round_to(vat)


@dataclass(slots=True)
class Company:
    """One company of the stand-in, and what it has."""

    books: Books
    reference: Reference
    customer_id: int


def open_company(**switches: Any) -> Company:
    """A company that is switched like this, with a customer."""
    options = SandboxOptions(switches=Switches().turned(switches))
    books = next(iter(create_companies(options).values())).books
    relation = books.insert("BusinessRelation", {"Name": "Ærfugl AS"})
    customer = books.insert("Customer", {"CustomerNumber": 100001, "BusinessRelationID": relation["ID"]})
    default_id = books.settings["DefaultSalesAccountID"]
    vat = VatTable.from_rows(books.rows("VatType"), books.rows("Account"), default_account_id=default_id)
    products = [from_product(row, vat) for row in books.rows("Product")]
    reference = Reference(
        products={one.number: (one,) for one in products},
        departments={},
        currencies={row["Code"]: row["ID"] for row in books.rows("CurrencyCode")},
        base_currency="NOK",
        vat_types=vat.types,
        accounts=vat.accounts,
    )
    rounding = choose_rounding_product(ROUNDING, reference)
    assert isinstance(rounding, RemoteProduct)
    made = books.insert("Product", {"PartName": rounding.number, "StatusCode": 35001})
    known = {**reference.products, rounding.number: (replace(rounding, remote_id=made["ID"]),)}
    return Company(books, replace(reference, products=known), customer["ID"])


def book(company: Company, raw: dict[str, Any]) -> RemoteDocument | Reason:
    """The document as it would be issued, or why it is held."""
    document = read_invoice(raw)
    assert isinstance(document, Document), document
    rate = RATES[document.currency]
    guid = guid_for("claims", document.number)
    payload, _ = to_invoice(
        document,
        Links(
            customer_id=company.customer_id,
            products={one.number: one for (one,) in company.reference.products.values()},
        ),
        guid=guid,
        external_reference=f"RM-{document.number}",
        currency=Currency(currency_id=company.reference.currencies[document.currency], rate=rate),
    )
    remote_id = create_invoice(company.books, parse_json(dump_json(payload)))
    remote = _read(company, remote_id)
    difference = compare_totals(document, remote)
    if difference is not None and difference.code == Code.ROUNDING:
        product = choose_rounding_product(ROUNDING, company.reference)
        assert isinstance(product, RemoteProduct)
        line = make_rounding_line(document, remote, product)
        change = to_rounding(remote, line, product, guid=guid_for(guid, "rounding"), rate=rate)
        update_invoice(company.books, remote_id, parse_json(dump_json(change)))
        remote = _read(company, remote_id)
        difference = compare_totals(document, remote)
    if difference is not None and difference.code != Code.TOTALS_ROUNDED:
        return difference
    return compare_base(document, remote, rate=rate, currency="NOK") or remote


def _read(company: Company, remote_id: int) -> RemoteDocument:
    return from_invoice(company.books.tables["CustomerInvoice"][remote_id])
