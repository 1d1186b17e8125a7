"""Is what Unimicro has what the file had? Each part that a file can bring there, one at a time."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.domain.booking import Booking
from app.domain.documents import DocumentKind, Totals
from app.domain.file_documents import FileCustomer, FileDocument, FileEntry, FileLine
from app.domain.reference import DocumentState, RemoteDocument
from app.files.back_compare import Outcome, Place, choose_found
from app.transfer.plan.issued import Part

GROSS = Decimal("1250.00")
VOUCHER, ORDER = Place(7, Booking.VOUCHER), Place(7, Booking.ORDER)


def entry(amount: str, **more: Any) -> FileEntry:
    return FileEntry(amount=Decimal(amount), currency_amount=Decimal(amount), currency="NOK", **more)


CONTENT = FileDocument(
    transfer_id="1",
    record_id="5001",
    kind=DocumentKind.INVOICE,
    number="119001",
    invoice_date=date(2026, 10, 5),
    due_date=date(2026, 10, 19),
    currency="NOK",
    base_currency="NOK",
    customer=FileCustomer(number="100001", name="Havn AS"),
    lines=(FileLine(text="Timer", product_number="1001"),),
    net_amount=Decimal("1000.00"),
    vat_amount=Decimal("250.00"),
    gross_amount=GROSS,
    payment_id="1190016",
    entries=(entry("1250.00", customer_number="100001"), entry("-1250.00", account="3000", vat_code="3")),
)
REMOTE = RemoteDocument(
    remote_id=70,
    kind=DocumentKind.INVOICE,
    state=DocumentState.ISSUED,
    number="119001",
    external_reference="",
    customer_id=7,
    totals=Totals(net_amount=GROSS, vat_amount=Decimal(0), gross_amount=GROSS),
    kid="1190016",
    invoice_date=date(2026, 10, 5),
    due_date=date(2026, 10, 19),
)


def test_a_head_that_tells_no_vat_is_the_document_all_the_same() -> None:
    assert choose_found(CONTENT, VOUCHER, [REMOTE]).outcome is Outcome.FOUND
    assert choose_found(CONTENT, VOUCHER, []).outcome is Outcome.MISSING


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"kid": ""}, Part.KID),
        ({"kid": "4711"}, Part.KID),
        ({"customer_id": 8}, Part.CUSTOMER),
        ({"due_date": date(2026, 10, 20)}, Part.DUE_DATE),
        ({"invoice_date": date(2026, 10, 6)}, Part.INVOICE_DATE),
        ({"totals": Totals(net_amount=GROSS, vat_amount=Decimal(0), gross_amount=GROSS + Decimal("0.01"))}, Part.SUMS),
        ({"kind": DocumentKind.CREDIT_NOTE}, Part.SUMS),
    ],
)
def test_each_part_that_differs_is_named_with_both_values(changes: dict[str, Any], part: Part) -> None:
    sight = choose_found(CONTENT, VOUCHER, [replace(REMOTE, **changes)])
    assert (sight.outcome, [one.part for one in sight.differences]) == (Outcome.DIFFERENT, [part])
    assert "in the file" in sight.differences[0].cause


def test_a_customer_that_nobody_has_there_is_a_difference() -> None:
    sight = choose_found(CONTENT, Place(None, Booking.VOUCHER), [REMOTE])
    assert [one.part for one in sight.differences] == [Part.CUSTOMER]


def test_a_claim_in_another_currency_is_compared_in_the_companys_own() -> None:
    foreign = replace(CONTENT, currency="EUR", gross_amount=Decimal("106.38"), exchange_rate=Decimal("11.75"))
    assert choose_found(foreign, VOUCHER, [REMOTE]).outcome is Outcome.FOUND
    told = Totals(net_amount=Decimal("106.38"), vat_amount=Decimal(0), gross_amount=Decimal("106.38"))
    assert choose_found(foreign, VOUCHER, [replace(REMOTE, totals=told, base_totals=REMOTE.totals)]).outcome == "found"


def test_nobody_pays_a_credit_note_so_its_kid_and_due_date_do_not_matter() -> None:
    credit = replace(CONTENT, kind=DocumentKind.CREDIT_NOTE)
    there = replace(REMOTE, kind=DocumentKind.CREDIT_NOTE, kid="", due_date=date(2026, 1, 1))
    assert choose_found(credit, VOUCHER, [there]).outcome is Outcome.FOUND


def test_two_with_one_number_are_told_whichever_is_the_document() -> None:
    assert choose_found(CONTENT, VOUCHER, [REMOTE, replace(REMOTE, remote_id=71)]).outcome is Outcome.TWICE
    assert choose_found(CONTENT, VOUCHER, [REMOTE, replace(REMOTE, customer_id=9)]).outcome is Outcome.TWICE


def test_an_order_is_its_document_only_when_it_is_equal() -> None:
    content = replace(CONTENT, entries=())
    other = replace(REMOTE, totals=Totals(net_amount=GROSS, vat_amount=Decimal(0), gross_amount=GROSS * 2))
    there = replace(REMOTE, number="12", kid="", due_date=None)
    assert choose_found(content, ORDER, [other]).outcome is Outcome.MISSING
    assert choose_found(content, ORDER, [other, there]).remote == there
    assert choose_found(content, ORDER, [there, replace(there, remote_id=71)]).outcome is Outcome.TWICE
