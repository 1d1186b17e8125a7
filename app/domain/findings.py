"""What a check found: in order, or what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `fix` is empty when it is in order."""

    what: str
    ok: bool
    cause: str
    fix: str = ""
