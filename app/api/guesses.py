"""How often an address has sent a wrong token."""

import time
from collections.abc import Callable

from app.errors import TooManyTriesError

_MOST_ADDRESSES = 10_000


class Tries:
    """Wrong tokens per address and minute, counted in this process."""

    def __init__(self, *, most: int = 10, seconds: float = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._noted: dict[str, list[float]] = {}

    def check(self, address: str) -> None:
        """Let the address through, or not.

        Raises:
            TooManyTriesError: it has sent too many wrong tokens within the last minute.
        """
        recent = [moment for moment in self._noted.get(address, ()) if moment > self._clock() - self._seconds]
        if len(recent) >= self._most:
            raise TooManyTriesError(
                "Too many wrong tokens from your address", fix="Wait a minute, then use a valid one."
            )

    def note(self, address: str) -> None:
        """Count a wrong token."""
        now = self._clock()
        if len(self._noted) > _MOST_ADDRESSES:
            self._noted = {key: moments for key, moments in self._noted.items() if moments[-1] > now - self._seconds}
        recent = [moment for moment in self._noted.get(address, ()) if moment > now - self._seconds]
        self._noted[address] = [*recent, now]
