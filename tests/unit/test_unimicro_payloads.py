"""What is sent to Unimicro: only names that its entities have, and the golden figures of a draft."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounting.unimicro.payloads import LENGTHS, guid_for, split_text
from app.accounting.unimicro.translate import to_customer, to_department, to_project
from app.accounting.unimicro.translate_credits import to_credit_head
from app.accounting.unimicro.translate_documents import Currency, from_invoice, to_invoice
from app.domain.documents import DocumentKind
from app.domain.parties import Address, Customer
from app.domain.reference import DocumentState, Links
from tests.world.builders import make_customer, make_department, make_document, make_line, make_product, make_project
from tests.world.unimicro_names import KNOWN, find_unknown_names

GUID = "4b9a4f0e-0f0f-5c6b-9a51-3f0f6f2c1a11"
NOK = Currency(currency_id=1, rate=Decimal(1))


def make_links(**changes: Any) -> Links:
    values: dict[str, Any] = {"customer_id": 17, "project_id": 12, "department_id": 3}
    return Links(products={"1001": make_product()}, **values | changes)


def make_invoice(*, rate: str = "1", **changes: Any) -> dict[str, Any]:
    document, currency = make_document(**changes), Currency(currency_id=2, rate=Decimal(rate))
    payload, _ = to_invoice(document, make_links(), guid=GUID, external_reference="RM-5001", currency=currency)
    return payload


ADDRESS = Address(line1="Gata 2", line2="Inngang B", postal_code="0151", city="Oslo", country_code="NO")


def make_whole_customer(**changes: Any) -> Customer:
    values: dict[str, Any] = {
        "org_number": "914778271",
        "invoice_email": "faktura@aerfugl.example",
        "phone": "22334455",
        "delivery_address": ADDRESS,
        "visiting_address": replace(ADDRESS, line1="Torget 1"),
        "peppol_address": "914778271",
        "currency": "EUR",
    }
    return make_customer(**values | changes)


def test_every_name_we_send_exists_in_unimicro() -> None:
    text_line = make_line(position=2, text="Tekst", product_number=None, comment="Merknad")
    invoice = make_invoice(
        kid="1100015", note="Takk", our_reference="A", your_reference="B", lines=(make_line(), text_line)
    )
    credit = make_document(kind=DocumentKind.CREDIT_NOTE)
    sent = [
        ("Customer", to_customer(make_whole_customer(), guid=GUID, send_number=True, currencies={"EUR": 2})[0]),
        ("Project", to_project(make_project(), guid=GUID, customer_id=17)[0]),
        ("Department", to_department(make_department(), guid=GUID)[0]),
        ("CustomerInvoice", invoice),
        ("CustomerInvoice", to_credit_head(credit, external_reference="RM-9", customer_id=17)[0]),
    ]
    assert [name for entity, payload in sent for name in find_unknown_names(entity, payload)] == []


def test_every_length_belongs_to_a_name_that_exists() -> None:
    assert [
        f"{entity}.{name}"
        for entity, lengths in LENGTHS.items()
        for name in lengths
        if name not in KNOWN[entity]["swagger"]
    ] == []


def test_a_draft_is_asked_for_and_the_customer_record_is_left_alone() -> None:
    payload = make_invoice()
    assert payload["StatusCode"] == 10001
    assert payload["CustomerID"] == 17
    assert payload["Customer"] is None


def test_sums_of_head_and_line_agree() -> None:
    payload = make_invoice(lines=(make_line(unit_price_net=Decimal("812.3456")),))
    (item,) = payload["Items"]
    assert (item["SumTotalExVat"], item["SumVat"]) == (Decimal("30462.96"), Decimal("7615.74"))
    assert payload["TaxExclusiveAmount"] == item["SumTotalExVat"]
    assert payload["TaxInclusiveAmount"] == item["SumTotalIncVat"] == Decimal("38078.70")


def test_foreign_currency_carries_both_prices() -> None:
    payload = make_invoice(rate="11.65", currency="EUR")
    (item,) = payload["Items"]
    assert (item["PriceExVatCurrency"], item["PriceExVat"]) == (Decimal(450), Decimal("5242.5000"))
    assert payload["TaxExclusiveAmountCurrency"] == Decimal("16875.00")
    assert payload["TaxExclusiveAmount"] == Decimal("196593.75")


def test_dimensions_stand_on_head_and_line_with_guids_of_their_own() -> None:
    payload = make_invoice()
    head, line = payload["DefaultDimensions"], payload["Items"][0]["Dimensions"]
    assert (head["ProjectID"], line["DepartmentID"]) == (12, 3)
    guids = [GUID, head["_createguid"], line["_createguid"], payload["Items"][0]["_createguid"]]
    assert len(set(guids)) == 4


def test_the_same_document_gives_the_same_payload() -> None:
    assert make_invoice() == make_invoice()


def test_a_text_line_has_words_only_and_a_discount_of_zero() -> None:
    item = make_invoice(lines=(make_line(product_number=None, text="Uke 40"),))["Items"][0]
    assert (item["ItemText"], item["ProductID"], item["DiscountPercent"]) == ("Uke 40", None, 0)
    assert "VatTypeID" not in item
    assert "Dimensions" not in item


def test_over_long_texts_are_cut_and_reported() -> None:
    document = make_document(lines=(make_line(comment="x" * 600),))
    payload, warnings = to_invoice(document, make_links(), guid=GUID, external_reference="RM-5001", currency=NOK)
    assert len(payload["Items"][0]["Comment"]) == 500
    assert [(warning.code, "Comment" in warning.cause) for warning in warnings] == [("text_cut", True)]


def test_long_text_of_a_line_continues_in_text_lines_before_the_next_line() -> None:
    words = " ".join(f"Konsulent nummer {n} i uke 40" for n in range(20))
    document = make_document(lines=(make_line(text=words), make_line(position=2, text="Reise")))
    payload, warnings = to_invoice(document, make_links(), guid=GUID, external_reference="RM-5001", currency=NOK)
    items = payload["Items"]
    assert warnings == []
    assert [item["ProductID"] for item in items] == [33, None, None, 33]
    assert " ".join(item["ItemText"] for item in items) == f"{words} Reise"
    assert [item["SortIndex"] for item in items] == [1, 2, 3, 4]
    assert [item["NumberOfItems"] for item in items[1:3]] == [0, 0]
    assert payload["TaxExclusiveAmount"] == items[0]["SumTotalExVat"] + items[3]["SumTotalExVat"]


@given(st.text(alphabet=st.sampled_from("ab  \n😀ø"), max_size=120), st.integers(2, 30))
def test_text_in_parts_is_the_whole_text_and_every_part_fits(text: str, most: int) -> None:
    parts = split_text(text.strip(), most)
    assert all(len(part.encode("utf-16-le")) <= 2 * most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part == part.strip() for part in parts)
    assert all(parts[1:])


def test_text_is_broken_between_words_and_a_word_only_where_it_must() -> None:
    assert split_text("", 10) == [""]
    assert split_text("abcde fghi", 10) == ["abcde fghi"]
    assert split_text("abcdefghi jk", 10) == ["abcdefghi", "jk"]
    assert split_text("abcdefghij kl", 10) == ["abcdefghij", "kl"]
    assert split_text("ab cdefghijklmn", 10) == ["ab cdefghi", "jklmn"]


def test_a_reference_that_unimicro_would_cut_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="too long"):
        to_invoice(make_document(), make_links(), guid=GUID, external_reference="R" * 21, currency=NOK)


def test_a_credit_notes_sums_are_read_as_positive() -> None:
    row = {"ID": 5, "InvoiceType": 1, "StatusCode": 42002, "InvoiceReferenceID": 4, "InvoiceNumber": "100001"}
    row |= {"TaxExclusiveAmountCurrency": Decimal(-100), "VatTotalsAmountCurrency": Decimal(-25)}
    found = from_invoice(row | {"TaxInclusiveAmountCurrency": Decimal(-125)})
    assert found.kind is DocumentKind.CREDIT_NOTE
    assert (found.totals.net_amount, found.totals.gross_amount) == (Decimal(100), Decimal(125))
    assert found.credited_id == 4


# Reading documents


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"StatusCode": 42001}, DocumentState.DRAFT),
        ({"StatusCode": 42002, "InvoiceNumber": "100000"}, DocumentState.ISSUED),
        ({"StatusCode": None, "InvoiceNumber": "100000"}, DocumentState.ISSUED),
        ({"InvoiceNumber": 100000}, DocumentState.ISSUED),
        ({"InvoiceNumber": ""}, DocumentState.DRAFT),
        ({}, DocumentState.DRAFT),
    ],
)
def test_a_document_without_status_is_issued_when_it_has_a_number(row: dict[str, Any], state: DocumentState) -> None:
    assert from_invoice({"ID": 5, **row}).state is state


def make_sums(suffix: str, *sums: int) -> dict[str, Any]:
    names = ("TaxExclusiveAmount", "VatTotalsAmount", "TaxInclusiveAmount")
    return {f"{name}{suffix}": Decimal(amount) for name, amount in zip(names, sums, strict=True)}


@pytest.mark.parametrize(
    ("row", "gross"),
    [
        ({**make_sums("", 100, 25, 125), **make_sums("Currency", 0, 0, 0)}, "125.00"),
        (
            {**make_sums("", 100, 25, 125), **make_sums("Currency", 0, 0, 0), "CurrencyExchangeRate": Decimal(1)},
            "125.00",
        ),
        (make_sums("", 100, 25, 125), "125.00"),
        ({**make_sums("", 0, 0, 0), **make_sums("Currency", 100, 25, 125)}, "125.00"),
        (
            {
                **make_sums("", 1165, 0, 1165),
                **make_sums("Currency", 100, 0, 100),
                "CurrencyExchangeRate": Decimal("11.65"),
            },
            "100.00",
        ),
        (
            {
                **make_sums("", 1165, 0, 1165),
                **make_sums("Currency", 0, 0, 0),
                "CurrencyExchangeRate": Decimal("11.65"),
            },
            "0.00",
        ),
        ({}, "0.00"),
    ],
)
def test_sums_are_read_in_the_documents_currency(row: dict[str, Any], gross: str) -> None:
    assert from_invoice({"ID": 5, **row}).totals.gross_amount == Decimal(gross)


def test_guids_tell_parts_apart_whatever_stands_in_them() -> None:
    parts = [("a", "b"), ("a/b",), ("a", "b", ""), ("a,b",), ('a","b',), ("ab",), ("b", "a")]
    assert len({guid_for(*these) for these in parts}) == len(parts)
    assert guid_for("a", "b") == guid_for("a", "b")
