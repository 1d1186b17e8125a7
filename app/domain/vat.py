"""What Norway's VAT codes for sales mean. Pure.

Source: docs/facts/unimicro.md §3.7 for the codes, §11 row 15 for what they mean (Skatteetaten's list) [O].
"""

from enum import StrEnum

FIRST_SALES_ACCOUNT, LAST_SALES_ACCOUNT = 3000, 3999


class VatCode(StrEnum):
    """Codes of sales whose meaning decides something here; a company may have others."""

    ORDINARY = "3"
    MIDDLE = "31"
    FISH = "32"
    LOW = "33"
    ZERO_RATED = "5"
    OUTSIDE_ACT = "6"
    REVERSE_CHARGE = "51"
    EXPORT = "52"


# Where a company is not registered yet, code 6 stands for these. Source: docs/facts/unimicro.md §3.7 [o].
REGISTERED_ONLY = frozenset({VatCode.ORDINARY, VatCode.MIDDLE, VatCode.FISH, VatCode.LOW})
# No VAT is reported of these; a line for rounding takes the first that is open.
# Source: docs/facts/unimicro.md §11 row 15 (none: 0 and 7; outside the act: 6 [O]).
CODES_WITHOUT_VAT = ("0", "7", VatCode.OUTSIDE_ACT)


class Treatment(StrEnum):
    """Why a code of no VAT does not suit its buyer; the names are cases of the reason `vat_treatment`."""

    ABROAD = "abroad"
    AT_HOME = "at_home"
    REVERSE_CHARGE = "reverse_charge"


def find_treatment(code: str, *, is_abroad: bool, is_registered: bool) -> Treatment | None:
    """What a rule must say about this code and a buyer there, None where nothing is to be said.

    Whoever is not known to be abroad is at home. All that an unregistered company sells is outside of the act.
    """
    if code == VatCode.REVERSE_CHARGE:
        return Treatment.REVERSE_CHARGE
    if code == VatCode.EXPORT:
        return None if is_abroad else Treatment.AT_HOME
    domestic = code == VatCode.ZERO_RATED or (code == VatCode.OUTSIDE_ACT and is_registered)
    return Treatment.ABROAD if domestic and is_abroad else None
