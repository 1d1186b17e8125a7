"""What rounding explains, which rate is believed, and which account levels: pure, with figures made by hand."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.documents import Totals
from app.domain.reasons.codes import Reason
from app.domain.reference import Quote, RemoteAccount, RemoteVatType
from app.domain.rounding import choose_rounding_product
from app.domain.rules import Rounding
from app.transfer.plan.amounts import compare_base, compare_totals, sum_allowance
from app.transfer.plan.rates import choose_rate
from app.transfer.plan.rounding import make_rounding_line
from tests.world.builders import make_document, make_line, make_product, make_reference, make_remote_document


def sums(net: str, vat: str, gross: str) -> Totals:
    return Totals(net_amount=Decimal(net), vat_amount=Decimal(vat), gross_amount=Decimal(gross))


DOCUMENT = make_document(stated_totals=sums("100.00", "25.00", "125.00"))


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (("100.00", "25.00", "125.00"), None),
        (("100.00", "25.01", "125.01"), "rounding"),
        (("99.99", "25.01", "125.00"), "totals_rounded"),
        (("100.02", "24.98", "125.00"), "totals_rounded"),
        # One line and one rate explain two øre.
        (("100.00", "25.03", "125.03"), "totals_differ"),
        (("99.95", "25.05", "125.00"), "totals_differ"),
        (("125.00", "0.00", "125.00"), "totals_differ"),
    ],
)
def test_what_rounding_explains_is_told_from_another_claim(there: tuple[str, str, str], code: str | None) -> None:
    found = compare_totals(DOCUMENT, make_remote_document(totals=sums(*there)))
    assert (found and found.code) == code


@pytest.mark.parametrize(
    ("price", "quantity", "there", "says_decimals"),
    [
        ("0.00101", "16000", ("16.00", "4.00", "20.00"), True),
        # 15.43125 with VAT.
        ("12.345", "4321", ("53342.75", "13335.90", "66678.65"), True),
        ("12.345", "4321", ("53342.75", "13300.00", "66642.75"), False),
        ("12.34", "4321", ("53321.14", "13330.50", "66651.64"), False),
        ("12.34", "4321", ("53330.00", "13321.43", "66651.43"), False),
    ],
)
def test_prices_that_may_be_cut_are_suspected_where_they_explain_the_difference(
    price: str, quantity: str, there: tuple[str, str, str], *, says_decimals: bool
) -> None:
    line = make_line(unit_price_net=Decimal(price), quantity=Decimal(quantity))
    found = compare_totals(make_document(lines=(line,)), make_remote_document(totals=sums(*there)))
    assert found is not None
    assert found.code == "totals_differ"
    assert ("ten decimals" in found.fix) is says_decimals


@pytest.mark.parametrize(
    ("gross", "code"), [("126.00", "rounding"), ("125.41", "totals_differ"), ("127.00", "totals_differ")]
)
def test_a_document_rounded_to_whole_crowns_may_be_levelled(gross: str, code: str) -> None:
    document = make_document(stated_totals=sums("100.30", "25.08", gross))
    found = compare_totals(document, make_remote_document(totals=sums("100.30", "25.08", "125.38")))
    assert found is not None
    assert found.code == code


def test_rounding_never_explains_more_than_a_crown() -> None:
    document = make_document(lines=tuple(make_line(position=n) for n in range(1, 501)))
    assert sum_allowance(document) == 1
    assert sum_allowance(make_document(lines=(make_line(product_number=None, vat_rate=None),))) == 0


@pytest.mark.parametrize(
    ("rate", "base", "is_right"),
    [
        ("1", ("100.00", "25.00", "125.00"), True),
        ("1", ("100.00", "25.00", "125.01"), False),
        ("11.75", ("1175.00", "293.75", "1468.75"), True),
        ("11.75", ("1175.20", "293.75", "1468.95"), True),
        ("11.75", ("1176.00", "293.75", "1469.75"), False),
        ("1.575", ("15750.00", "3937.50", "19687.50"), False),
    ],
)
def test_sums_in_the_companys_currency_are_compared_at_the_rate(
    rate: str, base: tuple[str, str, str], *, is_right: bool
) -> None:
    remote = make_remote_document(totals=DOCUMENT.totals, base_totals=sums(*base))
    found = compare_base(DOCUMENT, remote, rate=Decimal(rate), currency="NOK")
    assert (found is None) is is_right


@pytest.mark.parametrize(
    ("currency", "quote", "more", "rate"),
    [
        ("EUR", Quote(Decimal("11.75")), {}, "11.75"),
        ("DKK", Quote(Decimal("157.5"), Decimal(100)), {}, "1.575"),
        ("USD", Quote(Decimal(10)), {}, "10"),
        ("DKK", Quote(Decimal("157.5")), {}, None),
        ("DKK", Quote(Decimal("1.575"), Decimal(100)), {}, None),
        ("EUR", Quote(Decimal(1)), {}, None),
        ("XAU", Quote(Decimal(40000)), {}, None),
        ("XAU", Quote(Decimal(40000)), {"last": Decimal(39000)}, "40000"),
        ("EUR", Quote(Decimal("14.11")), {"last": Decimal("11.75")}, None),
        ("EUR", Quote(Decimal("14.09")), {"last": Decimal("11.75")}, "14.09"),
        ("EUR", Quote(Decimal("14.11")), {"last": Decimal("11.75"), "named": {"EUR": Decimal(14)}}, "14.11"),
        ("EUR", Quote(Decimal("11.75")), {"last": Decimal("11.75"), "named": {"EUR": Decimal(20)}}, None),
        ("DKK", Quote(Decimal("157.5")), {"named": {"DKK": Decimal("1.5")}}, "1.575"),
        ("DKK", Quote(Decimal("1.575"), Decimal(100)), {"named": {"DKK": Decimal("1.5")}}, "1.575"),
    ],
)
def test_a_rate_is_believed_beside_another_one_alone(
    currency: str, quote: Quote, more: dict[str, Any], rate: str | None
) -> None:
    asked = {"last": None, "named": {}} | more
    found = choose_rate(make_document(currency=currency), quote, base_currency="NOK", **asked)
    assert (None if isinstance(found, Reason) else str(found)) == rate
    assert not isinstance(found, Reason) or (found.code == "rate_doubtful" and f"rates: {{{currency}:" in found.fix)


def test_the_rounding_line_makes_up_the_difference_and_has_the_named_account() -> None:
    reference = make_reference(
        accounts={7740: RemoteAccount(remote_id=9, vat_type_id=None)},
        vat_types={
            "0": (RemoteVatType(remote_id=5, rate=Decimal(0), code="0"),),
            "3": (RemoteVatType(remote_id=6, rate=Decimal(25), code="3"),),
        },
    )
    product = choose_rounding_product(Rounding(account=7740), reference)
    assert not isinstance(product, Reason)
    assert (product.remote_id, product.account_id, product.vat_type_id) == (0, 9, 5)
    line = make_rounding_line(DOCUMENT, make_remote_document(totals=sums("100.00", "25.01", "125.01")), product)
    assert (line.net_amount, line.vat_amount, line.unit_price_net) == (Decimal("-0.01"), Decimal(0), Decimal("0.01"))


@pytest.mark.parametrize("products", [(make_product(active=False),), (make_product(), make_product(remote_id=34))])
def test_a_rounding_product_that_is_not_one_active_product_is_refused(products: Any) -> None:
    accounts = {7740: RemoteAccount(remote_id=9, vat_type_id=None)}
    reference = make_reference(accounts=accounts, products={"AVRUNDING": products})
    found = choose_rounding_product(Rounding(account=7740), reference)
    assert isinstance(found, Reason)
    assert found.code == "rule_unusable"
