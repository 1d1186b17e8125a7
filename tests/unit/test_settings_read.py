"""Company settings as they are read: what is not told is not known, and never fine."""

from typing import Any

import pytest

from app.accounting.unimicro.translate_settings import from_settings
from app.domain.company_settings import CompanySettings, RoundingType


def test_settings_that_say_nothing_are_not_known() -> None:
    assert from_settings({}) == CompanySettings()


@pytest.mark.parametrize("odd", [None, "", "yes", 17.5, [], {}])
def test_odd_values_are_not_known(odd: Any) -> None:
    names = ("RoundingType", "RoundingNumberOfDecimals", "UseFactoring", "MergeAttachments", "TenDecimalsOnPrices")
    assert from_settings(dict.fromkeys(names, odd)) == CompanySettings()


def test_what_is_told_is_read() -> None:
    told = {"RoundingType": 2, "RoundingNumberOfDecimals": 0, "BookCustomerInvoiceOnDeliveryDate": True}
    expected = CompanySettings(rounding_type=RoundingType.INTEGER, rounding_decimals=0, books_on_delivery_date=True)
    assert from_settings(told) == expected
    assert from_settings({"RoundingType": 9}).rounding_type is None


@pytest.mark.parametrize("name", ["Use10DecimalsOnInvoiceCalculation", "TenDecimals"])
def test_flag_of_any_name_that_speaks_of_ten_decimals_is_believed(name: str) -> None:
    assert from_settings({name: True}).ten_decimals is True
    assert from_settings({name: False}).ten_decimals is False
