"""Who has a place to work at, and what at: whoever hands out places sees who only stands in a line, or in a crowd.

Work that stands in line, for a slot of a company say, does nothing, and its place can be given to others meanwhile.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(slots=True, eq=False)
class Place:
    """One piece of an owner's work: `key` is what it works at, `line` where it stands at this moment, and since when.

    `crowd` is everybody who has a place, itself too; `turned_away`: too many of its owner's worked at the same.
    """

    owner: UUID
    crowd: "set[Place]"
    key: UUID | None = None
    line: str | None = None
    since: float = 0.0
    turned_away: bool = False

    def stands(self, *, seconds: float) -> bool:
        """Whether it has stood in its line for so long."""
        return self.line is not None and time.monotonic() - self.since >= seconds


# None outside of every piece of work.
_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def placed(place: Place) -> Iterator[None]:
    """What is done inside, and in tasks that it starts, is done in this place."""
    token = _PLACE.set(place)
    place.crowd.add(place)
    try:
        yield
    finally:
        place.crowd.discard(place)
        _PLACE.reset(token)


@contextmanager
def standing_in(line: str) -> Iterator[None]:
    """Inside, the work only waits for its turn in the line."""
    place = _PLACE.get()
    if place is None or place.line is not None:
        # Several calls at once stand as the first one of them does.
        yield
        return
    place.line, place.since = line, time.monotonic()
    try:
        yield
    finally:
        place.line = None


def is_crowded(key: UUID, *, most: int) -> bool:
    """Whether so many of the same owner's work at this key already; if not, this work does from now on."""
    place = _PLACE.get()
    if place is None or place.key == key:
        return False
    others = sum(one.key == key and one.owner == place.owner for one in place.crowd)
    place.turned_away = others >= most
    if not place.turned_away:
        place.key = key
    return place.turned_away
