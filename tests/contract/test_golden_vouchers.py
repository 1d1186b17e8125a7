"""Golden vouchers: a document in, exactly this journal entry out; each balances to the øre, whatever the rate."""

from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest

from app.domain.documents import DocumentKind
from tests.world.golden import Case, read_document
from tests.world.golden_vouchers import SUB_ACCOUNT_ID, list_cases, load_expected, render, share
from tests.world.unimicro_names import find_unknown_names

CASES = list_cases()
EXPECTED = load_expected()


def name_of(case: Case) -> str:
    return case.place


def sign_of(case: Case) -> int:
    return -1 if read_document(case.data).kind is DocumentKind.CREDIT_NOTE else 1


def lines_of(case: Case) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = render(case.data)["DraftLines"]
    return lines


@pytest.mark.parametrize("place", EXPECTED)
def test_document_becomes_exactly_this_journal_entry(place: str) -> None:
    (case,) = (one for one in CASES if one.place == place)
    assert render(case.data) == EXPECTED[place]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_voucher_balances_to_the_ore_in_both_currencies(case: Case) -> None:
    lines, document = lines_of(case), read_document(case.data)
    for name in ("Amount", "AmountCurrency"):
        amounts = [Fraction(line[name]) for line in lines]
        assert sum(amounts) == 0
        assert all((amount * 100).denominator == 1 for amount in amounts)
    assert Fraction(lines[0]["AmountCurrency"]) == Fraction(document.totals.gross_amount) * sign_of(case)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_claim_alone_carries_number_kid_and_due_date_on_the_customers_own_account(case: Case) -> None:
    claim, *others = lines_of(case)
    document = read_document(case.data)
    assert claim["AccountID"] == SUB_ACCOUNT_ID
    assert (claim["InvoiceNumber"], claim["DueDate"]) == (document.number, document.due_date.isoformat())
    assert claim.get("PaymentID", "") == document.kid
    assert "VatTypeID" not in claim
    assert not [line for line in others if line.keys() & {"InvoiceNumber", "DueDate", "PaymentID"}]
    days = {(line["FinancialDate"], line["VatDate"]) for line in (claim, *others)}
    assert days == {(document.invoice_date.isoformat(),) * 2}


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_one_line_stands_for_each_account_vat_type_and_dimensions(case: Case) -> None:
    _, *others = lines_of(case)
    dimensions = [line.get("Dimensions", {}) for line in others]
    places = [
        (line["AccountID"], line.get("VatTypeID"), own.get("ProjectID"), own.get("DepartmentID"))
        for line, own in zip(others, dimensions, strict=True)
    ]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_vat_out_of_the_gross_is_the_documents_but_for_an_ore_per_line(case: Case) -> None:
    document, shares = share(case.data)
    ours: dict[Any, Fraction] = defaultdict(Fraction)
    for line in document.lines:
        ours[line.vat_rate or 0] += Fraction(line.vat_amount)
    there: dict[Any, Fraction] = defaultdict(Fraction)
    for one in shares:
        there[one.vat_rate] += Fraction(one.amount) * Fraction(one.vat_rate) / (100 + Fraction(one.vat_rate))
    allowed = Fraction(len(document.lines) + len(shares), 100)
    assert all(abs(ours[rate] - there[rate]) <= allowed for rate in {*ours, *there})


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_name_exists_in_unimicro_and_every_guid_is_its_own(case: Case) -> None:
    entry = render(case.data)
    lines = entry.pop("DraftLines")
    # Newer than the swagger dump that names are read from. Source: docs/facts/unimicro.md §12 [O].
    newer = {"ExternalReference", "ExternalSource"}
    assert set(find_unknown_names("JournalEntry", entry)) <= newer
    assert [name for line in lines for name in find_unknown_names("JournalEntryLineDraft", line)] == []
    guids = [entry["_createguid"], *(line["_createguid"] for line in lines)]
    guids += [line["Dimensions"]["_createguid"] for line in lines if "Dimensions" in line]
    assert len(guids) == len(set(guids))
