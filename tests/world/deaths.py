"""A process that dies between two statements: what it had not committed is as if it had never been."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class DiedError(Exception):
    """Here the process ends."""


@contextmanager
def dying_at(engine: AsyncEngine, count: int) -> Iterator[list[int]]:
    """While open, the statement with this number ends whoever sends it; how many were sent, in a list of one."""
    sent = [0]

    def look(*_: Any) -> None:
        sent[0] += 1
        if sent[0] == count:
            raise DiedError

    event.listen(engine.sync_engine, "before_cursor_execute", look)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", look)
