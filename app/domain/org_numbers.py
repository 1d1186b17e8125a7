"""Organisation numbers: cleaned, told alike in any dress, and their check digits told good from bad. Pure.

Eleven digits are no organisation's but a Norwegian person's number: they go no farther than this module.
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any
from unicodedata import normalize

from stdnum import ean
from stdnum.ch import uid
from stdnum.fr import siren
from stdnum.nl import bsn
from stdnum.no import fodselsnummer, orgnr
from stdnum.se import orgnr as swedish
from stdnum.util import get_cc_module

from app.domain.countries import COUNTRY_CODES

NORWAY = "NO"
_SWEDEN, _SWITZERLAND = "SE", "CH"

_NORWEGIAN = re.compile(r"\d{9}", re.ASCII)
_SIGNS = re.compile(r"[\W_]")
# What people put before a number; the number itself may begin with letters, too. Possessive, or hours go by with a text
# that is nothing but labels.
_LABEL = re.compile(
    r"(?:(?:ORGANI[SZ]A[SZT]JONS?|ORGANI[SZ]ATIONS?|ORG|FORETAKSREGISTERET|FORETAKS?|FÖRETAGS?|MVA|MOMS"
    r"|REGISTRATION|REG|VAT|TAX|UST|UID|CVR|YTUNNUS|PIVA|BTW|TVA|NIP|NIF|CIF|KVK|SIREN|SIRET|REGON|KRS|DIČ|IČO)"
    r"(?:NUMMER|NUMBER|NR|NO|ID)*+)++(?=\w*\d)"
)
# Any other word before a number, unless it is a country's code; and words behind it that have no digit.
_WORD_BEFORE = re.compile(r"[\s.:/(]*([^\W\d_]+)[\s.:/-]+")
_WORDS_BEHIND = re.compile(r"[\s.,:/(\u2010-\u2015-]+[^\W\d_]{3}[^\d]*$")
# Labels that only one country uses, and the schemes of electronic addresses. Source: Peppol's code list.
_LABELS_OF = {"CVR": "DK", "YTUNNUS": "FI"}
_SCHEMES = {"0192": NORWAY, "9908": NORWAY, "0007": _SWEDEN, "0184": "DK", "0212": "FI", "0183": _SWITZERLAND}
_WITH_SCHEME = re.compile(r"\s*(\d{4}):(.+)", re.ASCII | re.DOTALL)
_NORWEGIAN_WITH_LETTERS = re.compile(r"(?:NO)?(\d{9})(?:MVA|VAT|NO|FORETAKSREGISTERET)*", re.ASCII)
_SWISS = re.compile(r"CHE?(\d{9})(?:MWST|TVA|IVA|VAT|HR)*", re.ASCII)
_WITH_COUNTRY = re.compile(r"([A-Z]{2})([0-9A-Z]{2,13})", re.ASCII)
_ELEVEN = re.compile(r"([A-Z]*)(\d{11})[A-Z]*", re.ASCII)
# Eleven digits as persons write theirs, with or without a sign before the last five.
_IN_A_TEXT = re.compile(r"(?<!\d)\d\d(?:[^\w\n]?\d\d){2}(?:[\W_]{0,3})\d{3}[^\w\n]?\d\d(?!\d)")
_HIDDEN = "•••"
_SWEDISH_LENGTH, _GLN_LENGTH = 10, 13
# Nauru and Indonesia are rarer than what people mean by these.
_NO_COUNTRIES = frozenset({"NR", "ID"})
# Switzerland's numbers begin with three letters; Austria's with one more than its code.
_LETTERS_OF_NUMBERS = frozenset({"CHE", "ATU", "EL", "XI"})
# Before the number of a company where numbers of twelve digits are kept, and behind it in a VAT number.
_SWEDISH_CENTURY, _SWEDISH_VAT = "16", "01"
# Greece's VAT numbers begin with letters of their own, and so do those of Northern Ireland.
_OTHER_LETTERS = {"EL": "GR", "XI": "GB"}
# A French company's number is the end of its VAT number (11) and the beginning of each of its places' numbers (14).
_FRANCE, _FRENCH_LENGTH, _FRENCH_VAT_LENGTH, _FRENCH_PLACE_LENGTH = "FR", 9, 11, 14
# Dutch VAT numbers are a company's number and a part of it.
_NETHERLANDS, _DUTCH_PART = "NL", re.compile(r"(\d{9})B\d{2}", re.ASCII)


# The sizes of the groups of a number by its length, and the sign between them.
_GROUPS = {
    8: (((2, 2, 2, 2), " "), ((7, 1), "-")),
    9: (((3, 3, 3), " "), ((3, 3, 3), "\u00a0"), ((3, 3, 3), ".")),
    10: (((6, 4), "-"), ((6, 4), " ")),
}


@dataclass(frozen=True, slots=True)
class OrgNumber:
    """A number without its dress; `country` is ISO 3166 alpha-2, empty where nothing tells it."""

    country: str
    digits: str


def clean_org_number(text: str, *, country_code: str = "") -> str:
    """The number without blanks and signs, without the words that people put before it, without `NO` and `MVA`.

    `country_code` is the customer's, ISO 3166 alpha-2 or empty. A person's number comes out empty.
    """
    bare = _undress(text.upper())
    if _is_person_number(bare, country_code.upper(), text):
        return ""
    norwegian, swiss = _NORWEGIAN_WITH_LETTERS.fullmatch(bare), _SWISS.fullmatch(bare)
    if norwegian:
        return norwegian[1]
    return f"CHE{swiss[1]}" if swiss else bare.removeprefix("NO").removesuffix("MVA")


def is_person_number(text: str, *, country_code: str = "") -> bool:
    """Whether a person's number stands where an organisation's belongs."""
    return _is_person_number(_undress(text.upper()), country_code.upper(), text)


def parse_gln(text: str) -> str:
    """The thirteen digits of a global location number with a good check digit; empty for anything else."""
    digits = _SIGNS.sub("", text)
    return digits if len(digits) == _GLN_LENGTH and ean.is_valid(digits) else ""


def is_same_org_number(one: str, other: str, *, country_code: str = "") -> bool:
    """Whether two texts name one organisation; two that say nothing name none.

    A number without a country may be of any, `country_code` first: `SE556677889901` is `556677-8899`.
    """
    mine, theirs = (parse_org_number(text, country_code=country_code) for text in (one, other))
    if not mine.digits or mine.digits != theirs.digits:
        return False
    return mine.country == theirs.country or "" in (mine.country, theirs.country)


def parse_org_number(text: str, *, country_code: str = "") -> OrgNumber:
    """The number as its country counts it, and the country as far as letters, check digits or `country_code` tell."""
    number = clean_org_number(text, country_code=country_code)
    abroad = _WITH_COUNTRY.fullmatch(number)
    if number.startswith("CHE"):
        return OrgNumber(_SWITZERLAND, number.removeprefix("CHE"))
    if abroad and any(map(str.isdecimal, abroad[2])):
        country = _OTHER_LETTERS.get(abroad[1], abroad[1])
        return OrgNumber(country, _to_national(country, abroad[2]))
    country = _find_country(number, country_code.upper())
    return OrgNumber(country, _to_national(country, number))


def list_groupings(text: str, *, country_code: str = "") -> tuple[str, ...]:
    """How people group the digits of this number, the plain row first; whatever the dress, one of them is in it."""
    digits = parse_org_number(text, country_code=country_code).digits
    found = [digits] if digits else []
    for sizes, sign in _GROUPS.get(len(digits), ()) if digits.isdecimal() else ():
        starts = accumulate(sizes, initial=0)
        found.append(sign.join(digits[start : start + size] for start, size in zip(starts, sizes, strict=False)))
    return tuple(found)


def is_valid_org_number(text: str, *, country_code: str = "") -> bool:
    """Whether the check digits fit; nothing at all, and what follows rules unknown here, passes.

    `country_code` is the customer's, ISO 3166 alpha-2 or empty. A number that begins with a country's letters is taken
    for a VAT number there; a bare one of a foreign customer may be anything.
    Source: the modulus is python-stdnum's; that RecMan's field holds foreign VAT numbers too is assumed.
    """
    number = clean_org_number(text, country_code=country_code)
    if not number:
        return True
    if _WITH_COUNTRY.fullmatch(number):
        found = parse_org_number(number)
        return _fits(found.country or number[:2], found.digits)
    return country_code.upper() not in ("", NORWAY) or _is_norwegian(number)


def _undress(text: str) -> str:
    """The number with its letters, behind its label; the country that a label or a scheme names stands before it."""
    # Digits and signs of other scripts, full-width ones say, are the plain ones.
    text = normalize("NFKC", text)
    with_scheme = _WITH_SCHEME.fullmatch(text)
    country = _SCHEMES.get(with_scheme[1], "") if with_scheme else ""
    kept = _drop_words_behind(with_scheme[2] if with_scheme and country else text)
    bare = _SIGNS.sub("", kept)
    label = _LABEL.match(bare)
    if label:
        country = country or next((code for word, code in _LABELS_OF.items() if word in label[0]), "")
        bare = bare[label.end() :]
    else:
        bare = _SIGNS.sub("", _drop_words_before(kept))
    return f"{country}{bare}" if country and bare[:1].isdecimal() else bare


def _drop_words_before(text: str) -> str:
    """The text without the words before the number that are no part of it."""
    start = 0
    while (found := _WORD_BEFORE.match(text, start)) and not _is_of_number(found[1]):
        start = found.end()
    return text[start:] if any(map(str.isdecimal, text[start:])) else text


def _drop_words_behind(text: str) -> str:
    kept = _WORDS_BEHIND.sub("", text, count=1)
    return kept if any(map(str.isdecimal, kept)) else text


def _is_of_number(word: str) -> bool:
    return (word in COUNTRY_CODES and word not in _NO_COUNTRIES) or word in _LETTERS_OF_NUMBERS


def hide_person_numbers(text: str) -> str:
    """The text for people to read, without any eleven digits that may be a person's number."""
    return _IN_A_TEXT.sub(_HIDDEN, text)


def _is_person_number(bare: str, country_code: str, text: str) -> bool:
    """Whether these are eleven digits and no VAT number of another country, or a person's number beside something else.

    A foreign customer's bare eleven digits may be either; check digits tell, so one in a hundred of those gets lost.
    """
    eleven = _ELEVEN.fullmatch(bare)
    if not eleven:
        return any(fodselsnummer.is_valid(_SIGNS.sub("", found)) for found in _IN_A_TEXT.findall(text))
    letters = eleven[1].removeprefix(NORWAY)
    if letters:
        return _find_rules(letters) is None
    return country_code in ("", NORWAY) or NORWAY in eleven[1] or fodselsnummer.is_valid(eleven[2])


def _find_country(number: str, country_code: str) -> str:
    """The country of a bare number: the customer's if it fits there, Norway's if it fits the modulus, else unknown."""
    if country_code not in ("", NORWAY) and _find_rules(country_code) and _fits(country_code, number):
        return country_code
    if _is_norwegian(number):
        return NORWAY
    is_swedish = len(number) > _SWEDISH_LENGTH and swedish.is_valid(_to_national(_SWEDEN, number))
    return _SWEDEN if is_swedish else ""


def _to_national(country: str, number: str) -> str:
    if country == _SWEDEN and len(number) == _SWEDISH_LENGTH + 2:
        if number.startswith(_SWEDISH_CENTURY) and swedish.is_valid(number[2:]):
            return number[2:]
        return number.removesuffix(_SWEDISH_VAT)
    if country == _FRANCE and number.isdecimal():
        return {_FRENCH_VAT_LENGTH: number[-_FRENCH_LENGTH:], _FRENCH_PLACE_LENGTH: number[:_FRENCH_LENGTH]}.get(
            len(number), number
        )
    if country == _SWITZERLAND:
        # The library's own form begins with letters; ours is told by the country.
        return number.removeprefix("CHE")
    if country == _NETHERLANDS:
        dutch = _DUTCH_PART.fullmatch(number)
        return dutch[1] if dutch else number
    rules = _find_rules(country)
    return number if rules is None else str(rules.compact(number))


def _fits(country: str, digits: str) -> bool:
    """Whether the check digits are good ones of the country; where there are no rules, anything is."""
    if country == NORWAY:
        return _is_norwegian(digits)
    if country == _SWEDEN:
        return swedish.is_valid(_to_national(_SWEDEN, digits))
    if country == _SWITZERLAND:
        return uid.is_valid(f"CHE{digits}")
    if country == _FRANCE:
        return bool(siren.is_valid(_to_national(_FRANCE, digits)))
    if country == _NETHERLANDS:
        return bool(bsn.is_valid(_to_national(_NETHERLANDS, digits)))
    rules = _find_rules(country)
    return rules is None or bool(rules.is_valid(f"{country}{digits}"))


def _is_norwegian(number: str) -> bool:
    # Nine noughts pass the modulus.
    return _NORWEGIAN.fullmatch(number) is not None and number.strip("0") != "" and orgnr.is_valid(number)


@cache
def _find_rules(country: str) -> Any:
    """The rules for VAT numbers of a country, None where there are none; looked up once, for it imports."""
    return get_cc_module(country, "vat") if country else None
