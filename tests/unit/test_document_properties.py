"""Whatever RecMan invoices: the payload has the document's totals, and a plan depends on nothing but its input."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.accounting.unimicro.payloads import guid_for
from app.accounting.unimicro.translate_documents import Currency, to_invoice
from app.domain.booking import Booking
from app.domain.documents import Document, DocumentKind, Totals
from app.domain.gaps import Gaps
from app.domain.money import dump_json, parse_json
from app.domain.reference import DocumentState, Links, RemoteCustomer
from app.recman.read.translate import read_invoice
from app.transfer.plan.document import plan_document
from app.transfer.plan.situation import CustomerView, DocumentSituation, Past
from tests.world.builders import (
    make_customer,
    make_document,
    make_line,
    make_product,
    make_reference,
    make_remote_document,
)

RATES = {"1001": "25", "2001": "15", "3001": "12", "6001": "11.11", "4001": "0"}
PRODUCTS = {
    number: make_product(remote_id=index, number=number, vat_rate=Decimal(rate))
    for index, (number, rate) in enumerate(RATES.items(), start=33)
}


@cache
def numbers(least: int, most: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=least, max_value=most, places=places, allow_nan=False, allow_infinity=False)


# Of a currency: never nothing.
RATE = numbers(0, 20, 6).map(lambda value: value + Decimal("0.000001"))


PLACES = st.integers(0, 4)
TEXTS = st.text(max_size=300)
# A number as RecMan may write it: as text, or as a number.
SPELLINGS: st.SearchStrategy[Callable[[Decimal], Any]] = st.sampled_from(["{:f}".format, " {:f}".format, Decimal])


@st.composite
def raw_lines(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.integers(0, 4)) == 0:
        return {"description": draw(st.text(max_size=20)), "productNumber": draw(st.sampled_from([None, ""]))}
    number = draw(st.sampled_from(list(RATES)))
    return {
        "productNumber": number,
        "description": draw(TEXTS),
        "quantity": draw(SPELLINGS)(draw(numbers(-500, 500, draw(PLACES)))),
        "unitPrice": draw(SPELLINGS)(draw(numbers(-9999, 99999, draw(PLACES)))),
        "discount": draw(SPELLINGS)(draw(numbers(0, 100, draw(PLACES)))) if draw(st.booleans()) else None,
        "vatRate": RATES[number],
    }


@st.composite
def raw_invoices(draw: st.DrawFn) -> dict[str, Any]:
    lines = draw(st.lists(raw_lines(), min_size=1, max_size=6))
    as_map = draw(st.booleans())
    return {
        "invoiceId": draw(st.integers(1, 10**9)),
        "invoiceNumber": "110001",
        "type": "invoice",
        "invoiceDate": "2026-10-31",
        "dueDate": "2026-11-14",
        "currency": "NOK",
        "companyId": "201",
        "lines": {str(index): row for index, row in enumerate(lines)} if as_map else lines,
    }


def sum_by_hand(raw: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Net and VAT without any code of ours. Source: docs/facts/unimicro.md §3.3."""
    net = vat = Fraction(0)
    lines = raw["lines"]
    for row in lines.values() if isinstance(lines, dict) else lines:
        if row["productNumber"]:
            amount = Fraction(str(row["quantity"]).strip()) * Fraction(str(row["unitPrice"]).strip())
            part = amount - round_half_up(amount * Fraction(str(row["discount"] or 0).strip()) / 100, 4)
            line_net = round_half_up(part, 2)
            net += line_net
            vat += round_half_up(line_net * Fraction(row["vatRate"]) / 100, 2)
    return net, vat


def state_sums(raw: dict[str, Any]) -> dict[str, str]:
    """The sums as RecMan states them: without any it is not believed that the lines are read right."""
    net, vat = sum_by_hand(raw)
    return {"totalExVat": str(Decimal(int(net * 100)) / 100), "vat": str(Decimal(int(vat * 100)) / 100)}


def round_half_up(amount: Fraction, digits: int) -> Fraction:
    whole = int(abs(amount) * 10**digits + Fraction(1, 2))
    return Fraction(whole if amount >= 0 else -whole, 10**digits)


def write(document: Document, rate: Decimal) -> dict[str, Any]:
    payload, _ = to_invoice(
        document,
        Links(customer_id=17, project_id=12, products=PRODUCTS),
        guid=guid_for("property", document.recman_invoice_id),
        external_reference=f"RM-{document.recman_invoice_id}",
        currency=Currency(currency_id=1, rate=rate),
    )
    sent: dict[str, Any] = parse_json(dump_json(payload))
    return sent


@given(raw_invoices(), RATE)
def test_sums_of_the_payload_are_recmans_totals_to_the_ore(raw: dict[str, Any], rate: Decimal) -> None:
    net, vat = sum_by_hand(raw)
    document = read_invoice(raw | state_sums(raw))
    assert isinstance(document, Document), document
    payload = write(document, rate)
    sums = [Fraction(payload[f"{name}Currency"]) for name in ("TaxExclusiveAmount", "VatTotalsAmount")]
    assert sums == [net, vat]
    assert Fraction(payload["TaxInclusiveAmountCurrency"]) == net + vat
    totals = document.totals
    assert (totals.net_amount, totals.vat_amount, totals.gross_amount) == (
        payload["TaxExclusiveAmountCurrency"],
        payload["VatTotalsAmountCurrency"],
        payload["TaxInclusiveAmountCurrency"],
    )


@given(raw_invoices(), RATE)
def test_head_and_lines_agree_in_both_currencies_and_texts_fit(raw: dict[str, Any], rate: Decimal) -> None:
    document = read_invoice(raw | state_sums(raw))
    assert isinstance(document, Document), document
    payload = write(document, rate)
    priced = [item for item in payload["Items"] if item["ProductID"] is not None]
    for suffix in ("", "Currency"):
        net, vat = payload[f"TaxExclusiveAmount{suffix}"], payload[f"VatTotalsAmount{suffix}"]
        assert net == sum(item[f"SumTotalExVat{suffix}"] for item in priced)
        assert vat == sum(item[f"SumVat{suffix}"] for item in priced)
        assert payload[f"TaxInclusiveAmount{suffix}"] == net + vat
    assert all(len(item["ItemText"].encode("utf-16-le")) <= 2 * 255 for item in payload["Items"])
    assert [item["SortIndex"] for item in payload["Items"]] == list(range(1, len(payload["Items"]) + 1))
    assert len(priced) == sum(not line.is_text for line in document.lines)
    guids = [payload["_createguid"], *(item["_createguid"] for item in payload["Items"])]
    assert len(set(guids)) == len(guids)


@given(raw_invoices())
def test_the_same_record_gives_the_same_payload_and_stays_as_it_was(raw: dict[str, Any]) -> None:
    raw |= state_sums(raw)
    before = deepcopy(raw)
    documents = [read_invoice(raw), read_invoice(deepcopy(raw))]
    assert documents[0] == documents[1]
    payloads = [write(document, Decimal(1)) for document in documents if isinstance(document, Document)]
    assert payloads[0] == payloads[1]
    assert raw == before


# Planning

DAYS = st.dates(min_value=date(2026, 1, 1), max_value=date(2027, 12, 31))
PASTS = st.builds(
    Past,
    transfer_id=st.just(9),
    remote_id=st.none() | st.just(712),
    remote_number=st.sampled_from(["", "100000"]),
    content_hash=st.none() | st.binary(min_size=32, max_size=32),
    unclear=st.booleans(),
    looked_twice=st.booleans(),
    booked=st.booleans(),
    ignored=st.booleans(),
)
CUSTOMERS = st.builds(
    CustomerView,
    recman_company_id=st.just("201"),
    past=st.none() | PASTS,
    record=st.none() | st.just(make_customer(org_number="914778271")),
    matches=st.lists(
        st.builds(
            RemoteCustomer,
            remote_id=st.integers(1, 99),
            number=st.sampled_from(["100001", "100002"]),
            name=st.sampled_from(["Ærfugl Bemanning AS", "Noen Andre AS"]),
            org_number=st.sampled_from(["", "914778271", "999999999"]),
            active=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
)
LINES = st.builds(
    make_line,
    product_number=st.sampled_from([None, "1001", "2001", "9999"]),
    vat_rate=st.sampled_from([Decimal(25), Decimal(15), Decimal(0)]),
    quantity=numbers(-10, 10, 2),
)


@st.composite
def documents(draw: st.DrawFn) -> Document | Gaps:
    if draw(st.integers(0, 5)) == 0:
        return Gaps(recman_id="5001", gaps=(), product_numbers=("1001", "9999"))
    day = draw(DAYS)
    stated = Totals(net_amount=Decimal(1), vat_amount=Decimal(2), gross_amount=Decimal(3))
    return make_document(
        kind=draw(st.sampled_from(DocumentKind)),
        credited_invoice_id="5000",
        invoice_date=day,
        due_date=day + timedelta(days=draw(st.integers(-5, 60))),
        currency=draw(st.sampled_from(["NOK", "EUR", "PLN"])),
        lines=tuple(draw(st.lists(LINES, min_size=1, max_size=4))),
        stated_totals=draw(st.none() | st.just(stated)),
    )


@st.composite
def situations(draw: st.DrawFn) -> DocumentSituation:
    reference = make_reference(
        products={"1001": (PRODUCTS["1001"],), "2001": (PRODUCTS["2001"], replace(PRODUCTS["2001"], active=False))},
        vat_registered=draw(st.booleans()),
        sends_by_itself=draw(st.booleans()),
        locked_until=draw(st.none() | DAYS),
    )
    found = st.builds(
        make_remote_document,
        remote_id=st.integers(700, 720),
        kind=st.sampled_from(DocumentKind),
        state=st.sampled_from(DocumentState),
        external_reference=st.sampled_from(["", "RM-5001", "RM-1"]),
    )
    return DocumentSituation(
        document=draw(documents()),
        reference=reference,
        external_reference="RM-5001",
        go_live=draw(DAYS),
        booking=draw(st.sampled_from(Booking)),
        past=draw(st.none() | PASTS),
        customer=draw(st.none() | CUSTOMERS),
        credited=draw(st.none() | PASTS),
        found=tuple(draw(st.lists(found, max_size=2))),
    )


@given(situations())
def test_a_plan_depends_on_nothing_but_its_situation(situation: DocumentSituation) -> None:
    before = deepcopy(situation)
    first = plan_document(situation)
    assert plan_document(situation) == first
    assert plan_document(before) == first
    assert situation == before
