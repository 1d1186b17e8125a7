"""Lists as they are answered: an object with the rows of a page, and what continues behind it."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from pydantic import Field

from app.api.views import View

Row = TypeVar("Row")
Shown = TypeVar("Shown")
Mark = TypeVar("Mark")


class Page(View, Generic[Shown, Mark]):
    """A list, or a page of one."""

    rows: list[Shown]
    next: Mark | None = Field(description="Give it as `before` or `after` for the next page; null: this was the last")


def to_page(
    rows: Sequence[Row],
    show: Callable[[Row], Shown],
    *,
    limit: int,
    mark: Callable[[Row], Any] = attrgetter("id"),
) -> Page[Shown, Any]:
    """A page of at most `limit` rows; of one row more than that, it is known that there is a next page."""
    shown = rows[:limit]
    return Page(rows=[show(row) for row in shown], next=mark(shown[-1]) if len(rows) > limit else None)


def to_whole(rows: Sequence[Shown]) -> Page[Shown, None]:
    """A list that has no pages: all of it."""
    return Page(rows=list(rows), next=None)
