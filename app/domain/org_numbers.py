"""Organisation numbers: cleaned, and their check digits told good from bad. Pure."""

import re
from collections.abc import Callable
from functools import cache

from stdnum.no import orgnr
from stdnum.util import get_cc_module

_NORWEGIAN = re.compile(r"\d{9}", re.ASCII)
_SIGNS = re.compile(r"[\s.\-:/()]")
_WORDS = re.compile(r"^(ORGANISASJONSNUMMER|ORGANISASJONSNR|ORGNUMMER|ORGNR|FORETAKSREGISTERET)")
_NORWEGIAN_WITH_LETTERS = re.compile(r"(?:NO)?(\d{9})(?:MVA)?(?:NO)?", re.ASCII)
_WITH_COUNTRY = re.compile(r"([A-Z]{2})[0-9A-Z]{2,13}", re.ASCII)


def clean_org_number(text: str) -> str:
    """The number without blanks and signs, without the words that people put before it, without `NO` and `MVA`."""
    bare = _WORDS.sub("", _SIGNS.sub("", text.upper()))
    norwegian = _NORWEGIAN_WITH_LETTERS.fullmatch(bare)
    return norwegian[1] if norwegian else bare.removeprefix("NO").removesuffix("MVA")


def is_valid_org_number(text: str, *, country_code: str = "") -> bool:
    """Whether the check digits fit; nothing at all, and what follows rules unknown here, passes.

    `country_code` is the customer's, ISO 3166 alpha-2 or empty. A number that begins with a country's letters is taken
    for a VAT number there; a bare one of a foreign customer may be anything.
    Source: the modulus is python-stdnum's; that RecMan's field holds foreign VAT numbers too is assumed.
    """
    number = clean_org_number(text)
    abroad = _WITH_COUNTRY.fullmatch(number)
    if not number:
        return True
    if abroad:
        check = _find_vat_check(abroad[1])
        return check is None or check(number)
    if country_code.upper() not in ("", "NO"):
        return True
    # Nine noughts pass the modulus.
    return _NORWEGIAN.fullmatch(number) is not None and number.strip("0") != "" and orgnr.is_valid(number)


@cache
def _find_vat_check(country: str) -> Callable[[str], bool] | None:
    """The rules for VAT numbers of a country, None where there are none; looked up once, for it imports."""
    rules = get_cc_module(country, "vat")
    return None if rules is None else rules.is_valid
