"""Whoever rounds how: the claim in Unimicro's books is the document's to the øre, in both currencies, or nothing is.

The stand-in's three ways to sum VAT, each with RecMan's documents summed in any of them.
"""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.reasons.codes import Reason
from app.sandbox.unimicro.switches import LineSums, VatSums
from tests.world.claims import RATES, Company, book, open_company, write_invoice

# Of documents that are consistent under any way of rounding, so many of a hundred may be held.
MOST_HELD = 1


def book_some(company: Company, random: Random, number: int, currency: str) -> bool:
    """Whether the document is held; one that is booked has the right claim."""
    raw = write_invoice(random, number, way=random.choice(list(VatSums)), currency=currency)
    booked = book(company, raw)
    if isinstance(booked, Reason):
        return True
    gross = Decimal(raw["totalIncVat"])
    assert booked.totals.gross_amount == gross
    assert booked.base_totals is not None
    apart = abs(booked.base_totals.gross_amount - gross * RATES[currency])
    assert apart <= (0 if currency == "NOK" else 1 + RATES[currency])
    return False


@pytest.mark.parametrize("currency", RATES)
@pytest.mark.parametrize("there", VatSums)
def test_consistent_documents_are_booked_with_their_claim_whoever_rounds_how(there: VatSums, currency: str) -> None:
    company = open_company(vat_sums=there)
    held: list[bool] = []

    @given(st.integers(0, 10**9))
    def book_one(seed: int) -> None:
        held.append(book_some(company, Random(seed), len(held) + 1, currency))

    book_one()
    assert sum(held) * 100 <= len(held) * MOST_HELD


@pytest.mark.parametrize("lines", LineSums)
def test_lines_that_are_kept_exact_make_no_other_claim(lines: LineSums) -> None:
    company, random = open_company(vat_sums="document", line_sums=lines), Random(7)
    assert [book_some(company, random, number, "NOK") for number in range(1, 21)] == [False] * 20


def make_raw(*lines: dict[str, Any], net: str, vat: str, gross: str) -> dict[str, Any]:
    raw = write_invoice(Random(1), 9001, way=VatSums.LINE, currency="NOK")
    return raw | {"lines": list(lines), "totalExVat": net, "vat": vat, "totalIncVat": gross}


def make_line(position: int, price: str, quantity: str = "1", **more: Any) -> dict[str, Any]:
    named = {"position": position, "productNumber": "1001", "description": f"Linje {position}", "vatRate": "25"}
    return named | {"quantity": quantity, "unitPrice": price} | more


@pytest.mark.parametrize("there", VatSums)
@pytest.mark.parametrize(
    "raw",
    [
        make_raw(make_line(1, "100.00", "-1"), net="-100.00", vat="-25.00", gross="-125.00"),
        make_raw(make_line(1, "33.33"), make_line(2, "33.33", "-1"), net="0.00", vat="0.00", gross="0.00"),
        make_raw(
            make_line(1, "10.10"), {"position": 2, "description": "Bare tekst"}, net="10.10", vat="2.53", gross="12.63"
        ),
        make_raw(*(make_line(n, "1.00") for n in range(1, 501)), net="500.00", vat="125.00", gross="625.00"),
        make_raw(make_line(1, "67.2000000000000028"), net="67.20", vat="16.80", gross="84.00"),
        make_raw(make_line(1, "0.00101", "16000"), net="16.16", vat="4.04", gross="20.20"),
    ],
    ids=["negative", "nothing", "text line", "500 lines", "float", "five decimals"],
)
def test_odd_documents_are_right_however_vat_is_summed(there: VatSums, raw: dict[str, Any]) -> None:
    booked = book(open_company(vat_sums=there, ten_decimals=True), raw)
    assert not isinstance(booked, Reason), booked
    assert str(booked.totals.gross_amount) == raw["totalIncVat"]
    assert booked.base_totals is not None
    assert booked.base_totals.gross_amount == booked.totals.gross_amount
