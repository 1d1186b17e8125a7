"""What RecMan's line says of where it is booked: product, VAT code and account, its own or its product's."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.documents import Document
from app.domain.gaps import Gaps
from app.recman.read.translate import read_invoice

ROW = {
    "position": 1,
    "productNumber": "1001",
    "description": "Timer uke 40",
    "quantity": "37.5",
    "unitPrice": "450.00",
    "vatRate": "25",
    "total": "16875.00",
}
INVOICE = {
    "invoiceId": 5001,
    "invoiceNumber": "20001",
    "type": "invoice",
    "invoiceDate": "2026-10-31",
    "dueDate": "2026-11-14",
    "currency": "NOK",
    "companyId": "201",
    "totalExVat": "16875.00",
    "vat": "4218.75",
    "totalIncVat": "21093.75",
}


def read(row: dict[str, Any], **head: Any) -> Document | Gaps:
    lines = [{name: value for name, value in (ROW | row).items() if value is not ...}]
    return read_invoice({**INVOICE, **head, "lines": lines})


def read_whole(row: dict[str, Any], **head: Any) -> Document:
    found = read(row, **head)
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize("value", [None, "", [], ...])
def test_priced_line_without_product_is_no_text_line(value: Any) -> None:
    (line,) = read_whole({"productNumber": value}).lines
    assert (line.product_number, line.is_text, line.net_amount) == ("", False, Decimal(16875))


@pytest.mark.parametrize(
    ("changes", "vat_code", "account"),
    [
        ({}, "", ""),
        ({"vatCode": 52, "creditAccount": "3110"}, "52", "3110"),
        ({"vatCode": " 5 ", "creditAccount": Decimal("3000.0"), "debitAccount": "3090"}, "5", "3000"),
        ({"product": {"vatCode": "31", "creditAccount": 3020}}, "31", "3020"),
        ({"vatCode": "3", "product": {"vatCode": "31", "creditAccount": 3020}}, "3", "3020"),
        ({"vatCode": None, "creditAccount": "", "product": []}, "", ""),
        ({"vatCode": 0}, "0", ""),
    ],
)
def test_vat_code_and_account_are_the_lines_else_its_products(
    changes: dict[str, Any], vat_code: str, account: str
) -> None:
    (line,) = read_whole(changes).lines
    assert (line.vat_code, line.account) == (vat_code, account)


def test_credit_note_stands_on_its_debit_account() -> None:
    note = {"type": "creditNote", "creditedInvoiceId": 1}
    for accounts, account in (
        ({"creditAccount": "3000", "debitAccount": "3090"}, "3090"),
        ({"creditAccount": "3000"}, "3000"),
        ({"creditAccount": "3000", "product": {"debitAccount": "3090"}}, "3000"),
    ):
        (line,) = read_whole(accounts, **note).lines
        assert line.account == account


@pytest.mark.parametrize(
    "changes", [{"vatCode": ["3"]}, {"vatCode": "3" * 51}, {"creditAccount": True}, {"product": {"vatCode": {"id": 3}}}]
)
def test_unclear_vat_code_or_account_is_a_gap(changes: dict[str, Any]) -> None:
    found = read(changes)
    assert isinstance(found, Gaps)
    assert "is unclear" in found.gaps[0].cause
