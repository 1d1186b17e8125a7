"""Golden invoices: RecMan's raw record in, exactly this payload for Unimicro out, and the sums recomputed apart."""

from collections import Counter
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from app.accounting.unimicro.translate_orders import to_order
from app.domain.documents import DocumentKind
from tests.world.golden import Case, list_files, load_cases, read_document, render, show
from tests.world.unimicro_names import find_unknown_names

CASES = list(load_cases())
INVOICES = [case for case in CASES if "Items" in case.data["expected"]]
CREDIT_NOTES = [case for case in CASES if "Items" not in case.data["expected"]]


def name_of(case: Case) -> str:
    return case.place


def round_fraction(amount: Fraction, digits: int) -> Fraction:
    """Half away from zero, without Decimal: our own rounding is what is under test."""
    scaled = abs(amount) * 10**digits
    whole = int(scaled + Fraction(1, 2))
    return Fraction(whole if amount >= 0 else -whole, 10**digits)


def recompute(item: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Net and VAT of a line as Unimicro's page does it. Source: docs/facts/unimicro.md §3.3."""
    if item["ProductID"] is None:
        return Fraction(0), Fraction(0)
    amount = Fraction(item["NumberOfItems"]) * Fraction(item["PriceExVatCurrency"])
    discount = round_fraction(amount * Fraction(item["DiscountPercent"]) / 100, 4)
    assert discount == Fraction(item["DiscountCurrency"])
    net = round_fraction(amount - discount, 2)
    return net, round_fraction(net * Fraction(item["VatPercent"]) / 100, 2)


def test_there_are_enough_cases_and_each_has_a_name_and_an_id_of_its_own() -> None:
    assert len(CASES) >= 60
    assert [place for place, count in Counter(map(name_of, CASES)).items() if count > 1] == []
    ids = Counter(str(case.data["input"]["invoiceId"]).lstrip("0") for case in CASES)
    assert [record for record, count in ids.items() if count > 1] == []


def test_files_are_written_as_the_script_writes_them() -> None:
    for path in list_files():
        cases = [case.data for case in CASES if case.place.startswith(f"{path.stem}: ")]
        assert path.read_text(encoding="utf-8") == show(cases) + "\n", path.name


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_payload_is_exactly_as_written_down(case: Case) -> None:
    before = deepcopy(case.data["input"])
    assert render(case.data) == (case.data["expected"], case.data["warnings"])
    assert case.data["input"] == before


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_name_exists_in_unimicro(case: Case) -> None:
    assert list(find_unknown_names("CustomerInvoice", render(case.data)[0])) == []


@pytest.mark.parametrize("case", INVOICES, ids=name_of)
def test_every_name_of_an_order_exists_in_unimicro(case: Case) -> None:
    order = to_order(render(case.data)[0])
    assert order["OrderDate"] == case.data["expected"]["InvoiceDate"]
    items = order.pop("Items")
    assert list(find_unknown_names("CustomerOrder", order)) == []
    assert [name for item in items for name in find_unknown_names("CustomerOrderItem", item)] == []


@pytest.mark.parametrize("case", INVOICES, ids=name_of)
def test_sums_of_head_and_lines_are_recmans_totals_to_the_ore(case: Case) -> None:
    payload, _ = render(case.data)
    net, vat, gross = map(Fraction, case.data["totals"])
    names = ("TaxExclusiveAmountCurrency", "VatTotalsAmountCurrency", "TaxInclusiveAmountCurrency")
    assert [Fraction(payload[name]) for name in names] == [net, vat, gross]
    recomputed = [recompute(item) for item in payload["Items"]]
    assert (sum(part[0] for part in recomputed), sum(part[1] for part in recomputed)) == (net, vat)
    for item, (line_net, line_vat) in zip(payload["Items"], recomputed, strict=True):
        if item["ProductID"] is not None:
            assert Fraction(item["SumTotalExVatCurrency"]) == line_net
            assert Fraction(item["SumVatCurrency"]) == line_vat
            assert Fraction(item["SumTotalIncVatCurrency"]) == line_net + line_vat


@pytest.mark.parametrize("case", INVOICES, ids=name_of)
def test_sums_in_base_currency_are_those_of_the_lines_at_the_rate(case: Case) -> None:
    payload, _ = render(case.data)
    rate = Fraction(case.data.get("rate", "1"))
    priced = [item for item in payload["Items"] if item["ProductID"] is not None]
    assert Fraction(payload["CurrencyExchangeRate"]) == rate
    for item in priced:
        exact = Fraction(item["PriceExVatCurrency"]) * rate
        # As many decimals as the line's sum needs.
        assert Fraction(item["PriceExVat"]) in {round_fraction(exact, 4), exact}
        count = Fraction(item["NumberOfItems"])
        assert round_fraction(Fraction(item["PriceExVat"]) * count, 2) == round_fraction(exact * count, 2)
        assert Fraction(item["SumTotalExVat"]) == round_fraction(Fraction(item["SumTotalExVatCurrency"]) * rate, 2)
        assert item["SumTotalIncVat"] == item["SumTotalExVat"] + item["SumVat"]
    sums = {"TaxExclusiveAmount": "SumTotalExVat", "VatTotalsAmount": "SumVat", "TaxInclusiveAmount": "SumTotalIncVat"}
    for total, part in sums.items():
        assert payload[total] == sum(item[part] for item in priced)
        assert rate != 1 or payload[total] == payload[f"{total}Currency"]


@pytest.mark.parametrize("case", CREDIT_NOTES, ids=name_of)
def test_credit_note_is_positive_whatever_recmans_signs_are(case: Case) -> None:
    document = read_document(case.data)
    assert document.kind is DocumentKind.CREDIT_NOTE
    sums = [str(amount) for amount in (document.totals.net_amount, document.totals.vat_amount)]
    assert [*sums, str(document.totals.gross_amount)] == case.data["totals"]
    assert document.computed_totals == document.totals
    assert document.totals.gross_amount > 0


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_recman_states_agrees_with_the_totals_by_hand(case: Case) -> None:
    """Guards the cases themselves: a wrong input would make a right expectation look wrong."""
    raw = case.data["input"]
    stated = [raw.get(name) for name in ("totalExVat", "vat", "totalIncVat")]
    pairs = list(zip(stated, case.data["totals"], strict=True))
    assert all(abs(Decimal(said)) == abs(Decimal(total)) for said, total in pairs if said is not None)
