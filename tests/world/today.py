"""What is tried today of what would be too much for every day: a third, each day another one; all with EVERYTHING."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

T = TypeVar("T")

_THIRD = 3


def choose_for_today(all_of_them: Sequence[T]) -> Sequence[T]:
    """Every third one, beginning with another one each day (UTC); in three days it was everyone's turn."""
    if os.environ.get("EVERYTHING"):
        return all_of_them
    return all_of_them[datetime.now(UTC).toordinal() % _THIRD :: _THIRD]
