"""Who stands in line: whoever hands out places is told of those who only wait, and can give their places to others."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Place:
    """One piece of work, and the line in which it stands at this moment."""

    line: str | None = None
    since: float = 0.0

    def stands(self, *, seconds: float) -> bool:
        """Whether it has stood in its line for so long."""
        return self.line is not None and time.monotonic() - self.since >= seconds


# None outside of every piece of work.
_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def placed(place: Place) -> Iterator[None]:
    """What is done inside, and in tasks that it starts, is done in this place."""
    token = _PLACE.set(place)
    try:
        yield
    finally:
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
