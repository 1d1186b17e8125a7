"""Sums by VAT code: what rounding explains passes, what stands on another code does not, however the totals agree."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.documents import Document
from app.domain.money import dump_json, parse_json
from app.domain.reference import RemoteDocument, RemoteLine, RemoteVatType
from app.transfer.plan.vat_sums import VatSums, compare_codes, read_vat_sums, show_vat_sums, sum_by_code
from tests.world.builders import make_document, make_line, make_product, make_reference, make_remote_document

# Rates by code: two of none.
RATES = {"3": 25, "31": 15, "33": 12, "5": 0, "52": 0}
IDS = {code: 10 + n for n, code in enumerate(RATES)}
ROUNDING_PRODUCT = 99
REFERENCE = make_reference(
    vat_types={
        code: (RemoteVatType(remote_id=IDS[code], rate=Decimal(rate), code=code),) for code, rate in RATES.items()
    }
)
AMOUNTS = st.decimals(min_value=-5000, max_value=90000, places=2)


def bill(*lines: tuple[str, Decimal]) -> tuple[Document, VatSums]:
    """A document with a line for each code and amount, and what it comes to by code."""
    made = [
        make_line(position=n, text=code, quantity=Decimal(1), unit_price_net=amount, vat_rate=Decimal(RATES[code]))
        for n, (code, amount) in enumerate(lines, start=1)
    ]
    document = make_document(lines=tuple(made))
    bookings = {line.key: make_product(vat_type_id=IDS[line.text]) for line in made}
    return document, sum_by_code(document, bookings, REFERENCE, rounding_product_id=ROUNDING_PRODUCT)


def keep(document: Document, **changes: Any) -> RemoteDocument:
    """The document as Unimicro has it when it does what it is asked."""
    lines = tuple(book(line.text, line.net_amount, line.vat_amount) for line in document.lines)
    return make_remote_document(totals=document.totals, **{"lines": lines, **changes})


def book(code: str, net: Decimal, vat: Decimal) -> RemoteLine:
    return RemoteLine(product_id=33, vat_type_id=IDS[code], net_amount=net, vat_amount=vat)


LINES = st.lists(st.tuples(st.sampled_from(list(RATES)), AMOUNTS), min_size=1, max_size=12)


@given(LINES)
def test_what_was_asked_for_agrees_also_when_it_comes_back_from_the_log(lines: list[tuple[str, Decimal]]) -> None:
    document, ours = bill(*lines)
    assert compare_codes(ours, keep(document), REFERENCE) is None
    kept = read_vat_sums(parse_json(dump_json(show_vat_sums(ours))))
    assert kept == ours
    # The sent ids stand for what they stood for, also when the company has other ones since.
    assert compare_codes(ours, keep(document), make_reference()) is None


@given(LINES, st.data())
def test_an_oere_for_each_line_and_rate_is_rounding_and_more_is_not(
    lines: list[tuple[str, Decimal]], data: st.DataObject
) -> None:
    document, ours = bill(*lines)
    moved = data.draw(st.sampled_from([one.code for one in ours.sums]))
    explained = Decimal(sum(code == moved for code, _ in lines) + 1) / 100
    remote = keep(document)
    assert remote.lines is not None
    for sign in (1, -1):
        for apart, is_right in ((explained, True), (explained + Decimal("0.01"), False)):
            extra = replace(book(moved, Decimal(0), apart * sign))
            found = compare_codes(ours, replace(remote, lines=(*remote.lines, extra)), REFERENCE)
            assert (found is None) is is_right


@given(
    st.decimals(min_value=1, max_value=90000, places=2),
    st.permutations(list(RATES)).map(lambda codes: codes[:2]),
)
def test_two_codes_that_are_exchanged_are_seen_though_their_totals_agree(amount: Decimal, codes: list[str]) -> None:
    one, other = codes
    document, ours = bill((one, amount), (other, amount))
    first, second = document.lines
    crossed = (
        book(other, first.net_amount, second.vat_amount),
        book(one, second.net_amount, first.vat_amount),
    )
    # In sum nothing has changed: each code has the amount that it had.
    assert compare_codes(ours, keep(document, lines=crossed), REFERENCE) is None
    wrong = (book(one, amount * 2, first.vat_amount + second.vat_amount),)
    found = compare_codes(ours, keep(document, lines=wrong), REFERENCE)
    assert found is not None
    assert found.code == "vat_booked_otherwise"
    assert all(f"{code}: RecMan {amount:.2f} + " in found.cause for code in codes)
    assert f"Unimicro {amount * 2:.2f} + " in found.cause
    assert "Unimicro 0.00 + 0.00 VAT" in found.cause


def test_codes_of_one_rate_are_told_apart() -> None:
    document, ours = bill(("52", Decimal(1000)))
    remote = keep(document, lines=(book("5", Decimal(1000), Decimal(0)),))
    found = compare_codes(ours, remote, REFERENCE)
    assert found is not None
    assert "5: RecMan 0.00 + 0.00 VAT, Unimicro 1000.00 + 0.00 VAT" in found.cause
    assert "52: RecMan 1000.00 + 0.00 VAT, Unimicro 0.00 + 0.00 VAT" in found.cause


def test_a_line_that_levels_is_none_of_the_documents() -> None:
    document, ours = bill(("3", Decimal(1000)), ("5", Decimal(10)))
    remote = keep(document)
    assert remote.lines is not None
    levelling = replace(book("52", Decimal("-0.03"), Decimal(0)), product_id=ROUNDING_PRODUCT)
    assert compare_codes(ours, replace(remote, lines=(*remote.lines, levelling)), REFERENCE) is None
    other = replace(levelling, product_id=34)
    assert compare_codes(ours, replace(remote, lines=(*remote.lines, other)), REFERENCE) is not None


def test_a_type_that_nobody_knows_is_named_by_its_id() -> None:
    document, ours = bill(("3", Decimal(1000)))
    strange = replace(book("3", Decimal(1000), Decimal(250)), vat_type_id=77)
    found = compare_codes(ours, keep(document, lines=(strange,)), REFERENCE)
    assert found is not None
    assert "(VAT type id 77): RecMan 0.00 + 0.00 VAT, Unimicro 1000.00 + 250.00 VAT" in found.cause


def test_company_without_vat_may_put_its_lines_on_any_code_without_vat() -> None:
    line = make_line(text="5", quantity=Decimal(1), unit_price_net=Decimal(1000), vat_rate=Decimal(0))
    document = make_document(lines=(line,))
    ours = sum_by_code(document, {line.key: make_product(vat_type_id=None)}, REFERENCE)
    for type_id in (None, IDS["5"]):
        there = replace(book("5", Decimal(1000), Decimal(0)), vat_type_id=type_id)
        assert compare_codes(ours, keep(document, lines=(there,)), REFERENCE) is None
    taxed = book("3", Decimal(1000), Decimal(250))
    assert compare_codes(ours, keep(document, lines=(taxed,)), REFERENCE) is not None


def test_what_is_not_told_is_not_compared() -> None:
    document, ours = bill(("3", Decimal(1000)))
    assert compare_codes(ours, keep(document, lines=None), REFERENCE) is None
    assert compare_codes(ours, keep(document, lines=()), REFERENCE) is not None
