"""Reading one raw record field by field; what is missing or unclear is collected, not raised. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.domain.reasons.catalogue import fix_for
from app.domain.reasons.codes import Code, Reason
from app.recman.read.spellings import Raw, Unclear, pick

T = TypeVar("T")


class Reader:
    """Reads one raw record field by field and collects the gaps on the way."""

    def __init__(
        self, raw: Raw, spellings: Mapping[str, tuple[str, ...]], *, where: str, is_document: bool = True
    ) -> None:
        self._raw = raw
        self._spellings = spellings
        self.where = where
        # A document can never be mended in RecMan, everything else can.
        self._case = "" if is_document else "party"
        self.gaps: list[Reason] = []

    def find(self, name: str, convert: Callable[[Any], T]) -> T | None:
        """The converted value, or None when there is none; an unclear one is a gap."""
        try:
            return pick(self._raw, self._spellings[name], convert)
        except Unclear as finding:
            self.add(Code.RECORD_UNCLEAR, f"the {_words(name)} is unclear: {finding}")
            return None

    def guess(self, name: str, convert: Callable[[Any], T]) -> T | None:
        """The converted value, or None when there is none or it is unclear: for what may be left out."""
        try:
            return pick(self._raw, self._spellings[name], convert)
        except Unclear:
            return None

    def need(self, name: str, convert: Callable[[Any], T | None]) -> T | None:
        """The converted value; its absence is a gap."""
        before = len(self.gaps)
        value = self.find(name, convert)
        if value in (None, "") and len(self.gaps) == before:
            looked = ", ".join(self._spellings[name])
            self.add(Code.RECORD_MISSING, f"the {_words(name)} is missing (looked for {looked})")
        return value

    def add(self, code: Code, cause: str) -> None:
        """Note a gap of this record."""
        cause = self.where + cause
        fix = fix_for(code, self._case)
        self.gaps.append(Reason(code=code, cause=cause[:1].upper() + cause[1:], fix=fix))


def _words(name: str) -> str:
    return name.replace("_", " ")
