"""Where a buyer is in the eyes of VAT. Pure."""

from dataclasses import dataclass

from app.domain.org_numbers import NORWAY, parse_org_number
from app.domain.parties import Address

# ISO 3166 has one code for both of Norway's islands outside of its VAT area.
SVALBARD = "SJ"
# Postal codes of Svalbard and Jan Mayen, which are written like Norwegian ones. Source: assumed.
_ISLAND_CODES = frozenset({"8099", *(str(code) for code in range(9170, 9180))})


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
