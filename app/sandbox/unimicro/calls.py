"""A call of an action on one of the API's routes, and its answer. Source: docs/facts/unimicro.md §2."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.unimicro.answers import Record, not_found
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.switches import DeletedCustomer

NO_CONTENT = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """What an action is called with; `record_id` is 0 when the path has none."""

    books: Books
    record_id: int
    query: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body of a success."""

    status: int = 200
    body: Any = None


Action = Callable[[ActionCall], Answer]


def load(books: Books, entity: str, record_id: int) -> Record:
    """The record.

    Raises:
        AnswerError: 404.
    """
    record = books.find(entity, record_id)
    if record is None and entity == "Customer" and books.switches.deleted_customer is DeletedCustomer.SHOWN:
        record = books.tables[entity].get(record_id)
    if record is None:
        raise not_found()
    return record


def to_flag(query: Mapping[str, str], name: str) -> bool:
    """Whether the query has the parameter, and not with a no; one without value is a yes (assumed)."""
    return query.get(name, "false").lower() not in ("false", "0")


def to_id(query: Mapping[str, str], name: str) -> int:
    """The id in a parameter; 0 where there is none."""
    text = query.get(name, "")
    return int(text) if text.isdigit() else 0
