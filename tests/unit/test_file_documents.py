"""What is written down of a document for its file is read again digit by digit."""

import json
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.file_documents import FileDocument, from_json, to_json
from tests.world.file_documents import make_credit_note, make_file_document, make_file_line, make_text_line

numbers = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def read_again(document: FileDocument) -> FileDocument:
    return from_json(json.loads(json.dumps(to_json(document))))


@given(numbers, numbers, texts, st.dates())
def test_a_document_is_read_as_it_was_written_down(price: Decimal, rate: Decimal, text: str, day: date) -> None:
    line = replace(make_file_line(), unit_price=price, text=text)
    document = replace(make_file_document(), lines=(line, make_text_line(text)), exchange_rate=rate, delivery_date=day)
    # By its spelling: 1.50 and 1.5 are equal, and are not the same cell.
    assert repr(read_again(document)) == repr(document)


@pytest.mark.parametrize("document", [make_file_document(), make_credit_note(exchange_rate=Decimal("11.4321"))])
def test_nothing_of_a_document_is_left_out(document: FileDocument) -> None:
    assert set(to_json(document)) == {field.name for field in fields(FileDocument)}
    assert read_again(document) == document


def test_a_number_is_never_written_as_a_float() -> None:
    written = to_json(make_file_document(gross_amount=Decimal("1250.00")))
    assert written["gross_amount"] == "1250.00"
    assert '1250.00"' in json.dumps(written)


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(ValueError, match="number"):
        from_json({"transfer_id": "x"})


def test_what_was_written_down_before_a_field_was_added_is_read_as_it_was() -> None:
    document = make_file_document(lines=[make_file_line()])
    written = to_json(document)
    late = ["note", "requisition", "project_number", "department_number", "delivery_date", "credited_number"]
    for name in late:
        del written[name]
    assert from_json(written) == document
    # And a field that is none of ours any more does no harm.
    assert from_json({**written, "colour": "red"}) == document
