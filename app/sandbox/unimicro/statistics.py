"""What `/api/statistics` answers: rows of an entity under chosen names, or sums of them.

Source: docs/facts/unimicro.md §2 [O] (aliases, `wrap`, `distinct`), §11 row 9 [T]: `ne` drops rows without a value.
Assumed: of functions there are sum and count; `having`, `skip` and the count header are left out; joins: see there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import simplejson

from app.sandbox.unimicro.answers import AnswerError, Record
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.calls import Answer
from app.sandbox.unimicro.kinds import Entity
from app.sandbox.unimicro.query import UnknownFieldError, to_getter, to_test, to_tree
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.statistics_join import read_join

_COLUMN = re.compile(r"(?:(sum|count)\(([\w.]+)\)|([\w.]+))(?:\s+as\s+(\w+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: the field's path, under which name, and whether it is summed or counted."""

    path: str
    name: str
    function: str = ""


def answer_statistics(books: Books, query: Mapping[str, str]) -> Answer:
    """The rows, bare with `wrap=false`, else inside an object that tells of failures with 200 too."""
    wrapped = query.get("wrap", "true").lower() != "false"
    try:
        rows = _list_rows(books, query)
    except (UnknownFieldError, AnswerError) as error:
        text = f"The statistics query failed: {error}"
        return Answer(body={"Success": False, "Message": text}) if wrapped else Answer(status=400, body=text)
    return Answer(body={"Success": True, "Data": rows} if wrapped else rows)


def _list_rows(books: Books, query: Mapping[str, str]) -> list[Record]:
    entity = ENTITIES.get(query.get("model", ""))
    if entity is None:
        raise UnknownFieldError(query.get("model", ""))
    tree = to_tree(query.get("expand", ""))
    rows = books.visible_rows(entity.name)
    if query.get("filter", "").strip():
        test = to_test(query["filter"], books, entity, tree, drops_null=True)
        rows = [row for row in rows if test(row)]
    join = read_join(books, entity, query.get("join", ""))
    rows = rows if join is None else join.pair(books, rows)
    columns = _to_columns(entity, query.get("select", ""))
    joined = [None if join is None else join.find_getter(books, column.path) for column in columns]
    getters = [
        found or to_getter(books, entity, tree, column.path) for column, found in zip(columns, joined, strict=True)
    ]
    picked = [[get(row) for get in getters] for row in rows]
    if any(column.function for column in columns):
        picked = _add_up(columns, picked)
    shown = [dict(zip((column.name for column in columns), values, strict=True)) for values in picked]
    if query.get("distinct", "true").lower() != "false":
        shown = _to_distinct(shown)
    top = query.get("top", "")
    return shown[: int(top)] if top.isdigit() else shown


def _to_columns(entity: Entity, text: str) -> list[Column]:
    """Source: §2: a column without alias is named by entity and field."""
    columns = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = _COLUMN.fullmatch(part)
        if match is None:
            raise UnknownFieldError(part)
        function, inner, plain, alias = match.groups()
        path = inner or plain
        name = alias or f"{function or ''}{entity.name}{path.replace('.', '')}"
        columns.append(Column(path=path, name=name, function=(function or "").lower()))
    if not columns:
        raise UnknownFieldError("select")
    return columns


def _add_up(columns: list[Column], rows: list[list[Any]]) -> list[list[Any]]:
    """One row for each set of the values that are not added up."""
    groups: dict[tuple[Any, ...], list[list[Any]]] = {}
    for row in rows:
        key = tuple(value for column, value in zip(columns, row, strict=True) if not column.function)
        groups.setdefault(key, []).append(row)
    return [
        [_to_cell(column, [row[place] for row in group]) for place, column in enumerate(columns)]
        for group in groups.values()
    ]


def _to_cell(column: Column, values: list[Any]) -> Any:
    if column.function == "sum":
        return sum((Decimal(value) for value in values if value is not None), Decimal(0))
    return len(values) if column.function == "count" else values[0]


def _to_distinct(rows: list[Record]) -> list[Record]:
    return [*{simplejson.dumps(row, use_decimal=True): row for row in rows}.values()]
