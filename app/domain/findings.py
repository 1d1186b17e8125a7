"""What a check found: in order, not known, or what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.reasons.catalogue import CATALOGUE
from app.domain.reasons.codes import Code


class Level(StrEnum):
    """How a finding is to be taken; what is not known is never fine."""

    FINE = "fine"
    NOTE = "note"
    NOT_KNOWN = "not known"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `fix` is empty when it is in order. `known`: the other side says how it is."""

    what: str
    ok: bool
    cause: str
    fix: str = ""
    code: Code | None = None
    known: bool = True

    @property
    def level(self) -> Level:
        """How it is to be taken: what is in order and has a fix all the same is worth a thought."""
        if not self.known:
            return Level.NOT_KNOWN
        if not self.ok:
            return Level.ALARM
        return Level.NOTE if self.fix else Level.FINE

    @property
    def means(self) -> str:
        """What it means for an invoice where it is not in order; empty for what has no code."""
        return "" if self.code is None else CATALOGUE[self.code].sentence.en

    @property
    def mender(self) -> str:
        """Who can do what the fix says; empty for what has no code."""
        return "" if self.code is None else CATALOGUE[self.code].mender.value


def stops_nothing(findings: list[Finding]) -> bool:
    """Whether nothing is known that would stop or falsify a first invoice."""
    return not any(finding.level is Level.ALARM for finding in findings)
