"""What the other system says in its own words, without the persons in it. Pure.

Nothing tells a person's name from any other for certain: two words with capitals, one behind the other, are taken for
one, unless they are words of this trade; so are the values that the caller knows to be a person's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from app.domain.org_numbers import hide_person_numbers

MASK = "•••"
# Shorter ones would hide half of every sentence.
_SHORTEST = 3
# With a country's code, or as Norwegian numbers are grouped; eight digits in one are a mobile's.
_PHONE = re.compile(
    r"(?<![\w.,-])(?:(?:\+|00)[1-9]\d(?:[ .()-]?\d){6,12}|[2-9]\d(?: \d\d){3}|[489]\d\d \d\d \d{3}|[49]\d{7})"
    r"(?![\w-]|[.,]\d)"
)
_WORD = re.compile(r"[^\W\d_][\w'-]*")
# A name may stand right behind what it is the value of.
_RIGHT_BEHIND = re.compile(r"(?<=[=:'\"])(?<!\w')(?=[^\W\d_]{1,40} [^\W\d_])")
_SIGNS = ".,;:!?\"'“”«»()[]{}"
_STREETS: tuple[str, ...] = (
    "gata",
    "gate",
    "gaten",
    "vei",
    "veien",
    "veg",
    "vegen",
    "plass",
    "plassen",
    "allé",
    "alleen",
)
_STREETS += ("torg", "torget", "stien", "bakken", "brygge", "brygga", "ringen", "svingen", "street", "road", "avenue")
_HOUSE = re.compile(r"\d{1,4}[A-Za-z]?")
_POSTAL_CODE = re.compile(r"\d{4}")
# What begins with a capital in such sentences, and is nobody: words of the trade, of HTTP, and our own.
_TRADE = """
    a access account accounting accountlockeddate active address amount an and api application bad bank booking code
    company konto credit currency customer data database date day delivery department dimension document due duplicate
    ehf email entity error exception failed faktura field file for forbidden foreign found gateway general group
    identity in internal invalid invoice is item journal key kid kunde kundenummer last ledger length level line locked
    message missing mva name no not note null number object of one order organisation organization own page parameter
    payment period phone plan posting price product project prosjekt query rate read reference request required right
    rights role rule sales scope series server service sign socket status sum system tax template terms text the time
    token total type unimicro unit user validation value vat version voucher warning with year recman
"""
_HTTP = """
    accepted acceptable allowed authentication conflict content failed gone implemented large lock locked many
    media method moved network permanently precondition processing redirect requests temporarily timeout too
    unauthorized unavailable unprocessable unsupported
"""
_NOBODY = frozenset((_TRADE + _HTTP).split())


def hide_persons(said: str) -> str:
    """The sentence without e-mail addresses, telephone and person numbers, addresses, and what looks like a name."""
    apart = _RIGHT_BEHIND.sub(" ", re.sub(r"\s", " ", said))
    words = _PHONE.sub(MASK, hide_person_numbers(apart)).split(" ")
    bare = [word.strip(_SIGNS) for word in words]
    gone = {place for place, word in enumerate(bare) if "@" in word}
    gone |= _find_addresses(words, bare)
    gone |= _find_names(words, bare)
    return " ".join(_tell(words, bare, gone))


def hide_emails(said: str) -> str:
    """The text without e-mail addresses."""
    if "@" not in said:
        return said
    words = said.split(" ")
    return " ".join(_cover(word, word.strip(_SIGNS)) if "@" in word else word for word in words)


def hide_known(said: str, known: Iterable[str]) -> str:
    """The sentence without these values, whole or, where they are names, each of their words."""
    parts = {part for value in known for part in _list_parts(value)}
    if not parts:
        return said
    longest_first = sorted(parts, key=lambda part: (-len(part), part))
    return re.sub(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", MASK, said, flags=re.IGNORECASE)


def _list_parts(value: str) -> list[str]:
    words = (word for word in _WORD.findall(value) if not word.islower() and word.lower() not in _NOBODY)
    whole = value.strip()
    return [part for part in (*words, *([whole] if whole.lower() not in _NOBODY else ())) if len(part) >= _SHORTEST]


def _find_addresses(words: Sequence[str], bare: Sequence[str]) -> set[int]:
    """The places of a street with its number, and of a postal code with its city behind a comma."""
    gone: set[int] = set()
    for place, (one, following) in enumerate(pairwise(bare)):
        is_street = one.lower().endswith(_STREETS) and _HOUSE.fullmatch(following)
        is_city = place and words[place - 1].endswith(",") and _POSTAL_CODE.fullmatch(one) and _is_capital(following)
        if is_street or is_city:
            gone |= {place, place + 1}
    return gone


def _find_names(words: Sequence[str], bare: Sequence[str]) -> set[int]:
    """The places of words with capitals that stand together, without words of the trade at either end."""
    gone: set[int] = set()
    run: list[int] = []
    for place, word in enumerate(bare):
        if _is_capital(word):
            run.append(place)
        if not _is_capital(word) or _ends(words[place]):
            gone |= _to_name(run, bare)
            run = []
    return gone | _to_name(run, bare)


def _to_name(run: Sequence[int], bare: Sequence[str]) -> set[int]:
    strange = [place for place in run if bare[place].lower() not in _NOBODY]
    # One alone may be any word.
    return set(range(strange[0], strange[-1] + 1)) if len(strange) > 1 else set()


def _is_capital(word: str) -> bool:
    """Whether it is written as a name is: a capital and small letters, or a capital alone."""
    return word[:1].isupper() and (len(word) == 1 or not word.isupper())


def _ends(word: str) -> bool:
    """Whether no name goes on behind it; an initial has a full stop, too."""
    return word[-1:] in _SIGNS and not (word.endswith(".") and len(word) == len("O."))


def _tell(words: Sequence[str], bare: Sequence[str], gone: AbstractSet[int]) -> Iterator[str]:
    """The words that stay, and one mask for those in a row that do not, with the signs around them."""
    for place, word in enumerate(words):
        if place not in gone:
            yield word
        elif place + 1 not in gone or _ends(word):
            yield _cover(word, bare[place])


def _cover(word: str, bare: str) -> str:
    return word.replace(bare, MASK)
