"""What is learnt of one RecMan account while it is read."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class RecmanNotes:
    """What was learnt of one RecMan account: names it does not know, and on which page a scope's newest records are."""

    refused: set[str] = field(default_factory=set)
    page_of: dict[str, int] = field(default_factory=dict)
