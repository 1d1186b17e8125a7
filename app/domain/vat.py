"""What Norway's VAT codes for sales mean, and where a buyer is in the eyes of VAT. Pure.

Source: docs/facts/unimicro.md §3.7 for the codes, §11 row 15 for what they mean (Skatteetaten's list) [O].
"""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.org_numbers import NORWAY, parse_org_number
from app.domain.parties import Address

# ISO 3166 has one code for both of Norway's islands outside of its VAT area.
SVALBARD = "SJ"
# Postal codes of Svalbard and Jan Mayen, which are written like Norwegian ones. Source: assumed.
_ISLAND_CODES = frozenset({"8099", *(str(code) for code in range(9170, 9180))})

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


@dataclass(frozen=True, slots=True)
class Buyer:
    """Where a buyer is: ISO 3166 alpha-2, `SJ` for Svalbard and Jan Mayen; empty: nothing tells."""

    country: str = ""

    @property
    def is_abroad(self) -> bool:
        """Whether the buyer surely is outside of Norway's VAT area."""
        return self.country not in ("", NORWAY)


def find_country(address: Address, org_number: str) -> str:
    """The buyer's country: its address's, else its organisation number's, else none.

    A Norwegian company with an address on Svalbard is on Svalbard.
    """
    country = address.country_code.upper()
    is_island = address.postal_code.strip() in _ISLAND_CODES
    country = country or ("" if not org_number else parse_org_number(org_number).country)
    return SVALBARD if is_island and country in ("", NORWAY) else country


class Treatment(StrEnum):
    """Why a code of no VAT does not suit its buyer; the names are cases of the reason `vat_treatment`."""

    ABROAD = "abroad"
    AT_HOME = "at_home"
    REVERSE_CHARGE = "reverse_charge"


def find_treatment(code: str, buyer: Buyer, *, is_registered: bool) -> Treatment | None:
    """What a rule must say about this buyer and this code, None where nothing is to be said.

    Whoever is not known to be abroad is at home. All that an unregistered company sells is outside of the act.
    """
    if code == VatCode.REVERSE_CHARGE:
        return Treatment.REVERSE_CHARGE
    if code == VatCode.EXPORT:
        return None if buyer.is_abroad else Treatment.AT_HOME
    domestic = code == VatCode.ZERO_RATED or (code == VatCode.OUTSIDE_ACT and is_registered)
    return Treatment.ABROAD if domestic and buyer.is_abroad else None
