"""Names of customers: when two are the same, how alike two are, and which of many comes nearest. Pure.

Units: likeness is a whole number from 0 (nothing alike) to 100 (equal).
"""

from collections import defaultdict
from collections.abc import Mapping

from rapidfuzz import fuzz, process

# Legal forms say nothing about who it is, and are written in many ways.
_FORMS = frozenset({"as", "asa", "a/s", "ab", "aps", "ans", "da", "enk", "sa", "ba", "nuf", "oy", "ltd", "gmbh", "inc"})
_GRAM = 3
# How many names are compared in earnest for one: the bound that keeps 10,000 by 10,000 linear.
_MOST_CANDIDATES = 64


def plain_name(name: str) -> str:
    """The letters and digits alone: names that differ in case, blanks and signs only are the same."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def compare_names(one: str, other: str) -> int:
    """How alike two names are, whatever the order of words, case, signs and legal form."""
    return round(fuzz.token_sort_ratio(_core(one), _core(other)))


def _core(name: str) -> str:
    words = "".join(letter if letter.isalnum() or letter == "/" else " " for letter in name.casefold()).split()
    kept = [word for word in words if word not in _FORMS]
    return " ".join(kept or words).replace("/", "")


class NameIndex:
    """Finds the name that comes nearest without comparing with every one.

    Names that share one of the rarest groups of three letters are compared, a bounded number of them; so a name that
    is misspelled throughout may be missed, and nothing is lost but a hint.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        self._cores = {key: _core(name) for key, name in names.items()}
        self._grams: dict[str, list[int]] = defaultdict(list)
        for key, core in self._cores.items():
            for gram in _grams(core):
                self._grams[gram].append(key)

    def find_nearest(self, name: str, *, least: int) -> tuple[int, int] | None:
        """The key of the nearest name and how alike it is, or None when none reaches `least`."""
        core = _core(name)
        candidates = {key: self._cores[key] for key in self._list_candidates(core)}
        found = process.extractOne(core, candidates, scorer=fuzz.token_sort_ratio, score_cutoff=least)
        return None if found is None else (found[2], round(found[1]))

    def _list_candidates(self, core: str) -> dict[int, None]:
        found: dict[int, None] = {}
        known = (self._grams[gram] for gram in _grams(core) if gram in self._grams)
        for keys in sorted(known, key=len):
            for key in keys:
                if len(found) >= _MOST_CANDIDATES:
                    return found
                found[key] = None
        return found


def _grams(core: str) -> list[str]:
    padded = f" {core} "
    return sorted({padded[start : start + _GRAM] for start in range(len(padded) - _GRAM + 1)})
