"""The `join` of a statistics query: each row with the rows of another entity that have the same value.

Source: Unimicro's web client of 2021 asks `join=journalentryline.accountid eq account.id` (docs/facts/unimicro.md §0
FE); that rows without a partner are left out is assumed. Here two entities are joined, by one field each.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sandbox.unimicro.answers import Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kinds import Entity
from app.sandbox.unimicro.query import UnknownFieldError, to_getter
from app.sandbox.unimicro.schema import ENTITIES

_JOIN = re.compile(r"(\w+)\.(\w+)\s+eq\s+(\w+)\.(\w+)", re.IGNORECASE)
_OTHER = "_joined"
_BY_NAME = {name.lower(): entity for name, entity in ENTITIES.items()}


@dataclass(frozen=True, slots=True)
class Join:
    """The other entity, and the fields that must be equal."""

    entity: Entity
    own_field: str
    other_field: str

    def pair(self, books: Books, rows: list[Record]) -> list[Record]:
        """Each row once for every row of the other entity that goes with it."""
        others = books.visible_rows(self.entity.name)
        return [
            row | {_OTHER: other}
            for row in rows
            for other in others
            if row[self.own_field] is not None and row[self.own_field] == other[self.other_field]
        ]

    def find_getter(self, books: Books, path: str) -> Callable[[Record], Any] | None:
        """What reads a field of the other entity; None where the path names none of its."""
        name, _, field = path.partition(".")
        if name.lower() != self.entity.name.lower():
            return None
        get = to_getter(books, self.entity, {}, field)
        return lambda row: get(row[_OTHER])


def read_join(books: Books, entity: Entity, text: str) -> Join | None:
    """The join that is asked for; None for none, or where the company's statistics know of none.

    Raises:
        UnknownFieldError: it names no entity or field that there is.
    """
    if not text.strip() or not books.switches.statistics_join:
        return None
    match = _JOIN.fullmatch(text.strip())
    if match is None or match[1].lower() != entity.name.lower() or match[3].lower() not in _BY_NAME:
        raise UnknownFieldError(text)
    other = _BY_NAME[match[3].lower()]
    if match[2] not in entity.fields or match[4] not in other.fields:
        raise UnknownFieldError(text)
    return Join(other, match[2], match[4])
