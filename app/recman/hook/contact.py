"""The first contact report: what deliveries of a hook look like, by names, types, sizes and counts. Pure.

Nothing public says what RecMan's webhooks look like (docs/facts/recman.md §1), so it is learnt from the first ones. No
value of any of them is shown.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from app.recman.hook.envelope import TooManyValuesError, Unreadable, open_body
from app.recman.read.dialect import describe_shape

_MOST_ROWS = 50
# A note may quote a word of the delivery.
_QUOTED = re.compile("“[^”]*”")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it came, by its size in bytes."""

    size: int
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What deliveries have in common; rows come with their counts, the most frequent first. Sizes are bytes."""

    content_types: list[tuple[str, int]]
    least_size: int
    median_size: int
    largest_size: int


def describe_deliveries(deliveries: Sequence[Delivery]) -> Contact:
    """What these deliveries look like from outside."""
    sizes = [one.size for one in deliveries] or [0]
    return Contact(
        content_types=Counter(one.content_type or "none" for one in deliveries).most_common(_MOST_ROWS),
        least_size=min(sizes),
        median_size=median_low(sizes),
        largest_size=max(sizes),
    )


def describe_body(body: bytes, content_type: str) -> str:
    """What a body looks like inside, by names and types."""
    try:
        document = open_body(body, content_type)
    except TooManyValuesError:
        return "(too many values)"
    return f"({document})" if isinstance(document, Unreadable) else describe_shape(document)


def without_quotes(note: str) -> str:
    """A note without the words that it quotes."""
    return _QUOTED.sub("“…”", note)
