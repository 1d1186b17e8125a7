"""Lists and records as the API shows them: filter, order, page, expand and select.

Source: docs/facts/unimicro.md §2 [O]. Assumed: text compares without regard to case, days and times as
times, in UTC where they name no zone; a filter through a relation needs that relation expanded; a filter that cannot be
read is a 400, an empty one a 500 ("backend trouble").
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.sandbox.unimicro.answers import AnswerError, Record, to_message_body
from app.sandbox.unimicro.books import Books
from app.sandbox.unimicro.kinds import Entity
from app.sandbox.unimicro.ledger_switches import VoucherReference
from app.sandbox.unimicro.schema import ENTITIES
from app.sandbox.unimicro.shown import to_shown

Tree = dict[str, "Tree"]
Test = Callable[[Record], bool]

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.]*)|(-?\d+(?:\.\d+)?)|([(),]))")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T|$)")
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
}
_WORDS: dict[str, Any] = {"null": None, "true": True, "false": False}


class UnknownFieldError(Exception):
    """The filter names a field that the entity does not have."""


def list_rows(books: Books, entity: Entity, query: Mapping[str, str]) -> list[Record]:
    """The page of rows the query asks for; a bare list, ids rising unless `orderby` says otherwise."""
    tree = to_tree(query.get("expand", ""))
    kept = _order(_filter(books, entity, tree, query.get("filter")), query.get("orderby", ""))
    start = _to_count(query.get("skip"), 0)
    page = kept[start : start + _to_count(query.get("top"), books.options.default_top)]
    return [select(render(books, entity, row, tree), query.get("select", "")) for row in page]


def to_tree(expand: str) -> Tree:
    """The dotted, comma-separated relations as nested dicts."""
    tree: Tree = {}
    for path in filter(None, (part.strip() for part in expand.split(","))):
        place = tree
        for step in path.split("."):
            place = place.setdefault(step, {})
    return tree


def render(books: Books, entity: Entity, record: Record, tree: Tree) -> Record:
    """The record with the relations of the tree; unknown relations are ignored, others are absent."""
    shown = to_shown(books, entity.name, record)
    for name, below in tree.items():
        if name in entity.one:
            target = ENTITIES[entity.fields[entity.one[name]].target]
            related = books.find(target.name, record[entity.one[name]])
            shown[name] = render(books, target, related, below) if related else None
        elif name in entity.many:
            child, back = entity.many[name]
            rows = books.children(child, back, record["ID"])
            shown[name] = [render(books, ENTITIES[child], row, below) for row in rows]
    return shown


def select(row: Record, fields: str) -> Record:
    """The chosen fields of a row; all of them when none is chosen."""
    tree = to_tree(fields)
    return _pick(row, tree) if tree else row


def _pick(row: Record, tree: Tree) -> Record:
    picked: Record = {}
    for name, below in tree.items():
        if name in row:
            value = row[name]
            picked[name] = _pick(value, below) if below and isinstance(value, dict) else value
    return picked


def _to_count(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


def _order(rows: list[Record], orderby: str) -> list[Record]:
    for part in reversed([words for words in (piece.split() for piece in orderby.split(",")) if words]):
        down = part[-1].lower() == "desc"
        if all(part[0] in row for row in rows):
            rows = sorted(rows, key=lambda row: (row[part[0]] is not None, _to_key(row[part[0]])), reverse=down)
    return rows


def _to_key(value: Any) -> Any:
    return 0 if value is None else value


def _filter(books: Books, entity: Entity, tree: Tree, text: str | None) -> list[Record]:
    """The rows that pass; *all* rows when the filter names an unknown field: the API's worst trap (§2 [O])."""
    rows = books.visible_rows(entity.name)
    if text is None:
        return rows
    if not text.strip():
        raise AnswerError(500, to_message_body("An error has occurred."))
    try:
        test = to_test(text, books, entity, tree)
    except UnknownFieldError:
        return rows
    return [row for row in rows if test(row)]


def to_test(text: str, books: Books, entity: Entity, tree: Tree, *, drops_null: bool = False) -> Test:
    """The filter as a function of a stored record; relations are followed in the books.

    With `drops_null` a comparison with a value never holds for a field that has none, as in statistics.

    Raises:
        UnknownFieldError: it names a field that is not there.
        AnswerError: 400 when it cannot be read.
    """
    parser = _Parser(tokens=[*_to_tokens(text)], books=books, entity=entity, tree=tree, drops_null=drops_null)
    test = parser.read_or()
    if parser.peek():
        raise _unreadable(text)
    return test


def _unreadable(text: str) -> AnswerError:
    return AnswerError(400, to_message_body(f"Could not parse the filter: {text}"))


def _to_tokens(text: str) -> Iterator[str]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if not match:
            raise _unreadable(text)
        yield match.group(match.lastindex or 0)
        place = match.end()


@dataclass(slots=True, kw_only=True)
class _Parser:
    """Reads the filter by recursive descent: or, and, not, brackets, comparison."""

    tokens: list[str]
    books: Books
    entity: Entity
    tree: Tree
    drops_null: bool = False

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected: str) -> str:
        token = self.tokens.pop(0) if self.tokens else ""
        if not token or (expected and token.lower() not in expected):
            raise _unreadable(token)
        return token

    def accept(self, word: str) -> bool:
        if self.peek().lower() != word:
            return False
        self.tokens.pop(0)
        return True

    def read_or(self) -> Test:
        tests = [self.read_and()]
        while self.accept("or"):
            tests.append(self.read_and())
        return lambda row: any(test(row) for test in tests)

    def read_and(self) -> Test:
        tests = [self.read_one()]
        while self.accept("and"):
            tests.append(self.read_one())
        return lambda row: all(test(row) for test in tests)

    def read_one(self) -> Test:
        if self.accept("not"):
            inverted = self.read_one()
            return lambda row: not inverted(row)
        if self.accept("("):
            inner = self.read_or()
            self.take(")")
            return inner
        name = self.take()
        if name.lower() in _FUNCTIONS and self.accept("("):
            return self.read_function(_FUNCTIONS[name.lower()])
        return self.read_comparison(self.read_value(name))

    def read_value(self, name: str) -> Callable[[Record], Any]:
        """A field, or with `isnull(field,value)` the value where the field has none."""
        if name.lower() != "isnull" or not self.accept("("):
            return self.to_getter(name)
        get = self.to_getter(self.take())
        self.take(",")
        other = _to_value(self.take())
        self.take(")")
        return lambda row: other if get(row) is None else get(row)

    def read_function(self, function: Callable[[str, str], bool]) -> Test:
        get = self.to_getter(self.take())
        self.take(",")
        part = str(_to_value(self.take())).lower()
        self.take(")")
        return lambda row: function(str(get(row) or "").lower(), part)

    def read_comparison(self, get: Callable[[Record], Any]) -> Test:
        operator = self.take("in", *_COMPARE).lower()
        if operator != "in":
            value = _to_value(self.take())
            if self.drops_null and value is not None:
                return lambda row: get(row) is not None and _compare(operator, get(row), value)
            return lambda row: _compare(operator, get(row), value)
        values = self.read_values()
        return lambda row: any(_compare("eq", get(row), value) for value in values)

    def read_values(self) -> list[Any]:
        self.take("(")
        values = [_to_value(self.take())]
        while self.accept(","):
            values.append(_to_value(self.take()))
        self.take(")")
        return values

    def to_getter(self, path: str) -> Callable[[Record], Any]:
        return to_getter(self.books, self.entity, self.tree, path)


def to_getter(books: Books, entity: Entity, tree: Tree, path: str) -> Callable[[Record], Any]:
    """What reads the field at the end of a dotted path; each relation on the way must be expanded.

    The entity itself may stand in front, as the web client writes it (§0 FE).

    Raises:
        UnknownFieldError: there is no such field, or nothing knows how to look for it.
    """
    *relations, name = path.split(".")
    if relations and relations[0].lower() == entity.name.lower():
        relations = relations[1:]
    steps = []
    for relation in relations:
        if relation not in entity.one or relation not in tree:
            raise UnknownFieldError(path)
        reference = entity.one[relation]
        entity, tree = ENTITIES[entity.fields[reference].target], tree[relation]
        steps.append((reference, entity.name))
    if name not in entity.fields or _is_unfiltered(books, entity, name):
        raise UnknownFieldError(path)
    return lambda row: _dig(books, row, steps, name)


def _is_unfiltered(books: Books, entity: Entity, name: str) -> bool:
    """Whether no filter knows the field although the entity has it."""
    known = books.switches.voucher_reference is VoucherReference.FILTERED
    return entity.name == "JournalEntry" and name == "ExternalReference" and not known


def _dig(books: Books, row: Record, steps: list[tuple[str, str]], name: str) -> Any:
    place: Record | None = row
    for reference, target in steps:
        place = books.find(target, place[reference]) if place else None
    return place[name] if place else None


def _to_value(token: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token.lower() in _WORDS:
        return _WORDS[token.lower()]
    try:
        return Decimal(token)
    except ArithmeticError:
        raise _unreadable(token) from None


def _to_times(left: Any, right: Any) -> tuple[datetime, datetime] | None:
    """Both as times in UTC, where both are days or times: a time has more than one spelling."""
    if not (isinstance(left, str) and isinstance(right, str) and _DAY.match(left) and _DAY.match(right)):
        return None
    try:
        first, second = (datetime.fromisoformat(text) for text in (left, right))
    except ValueError:
        return None
    return _to_utc(first), _to_utc(second)


def _to_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compare(operator: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        same = left is None and right is None
        return {"eq": same, "ne": not same}.get(operator, False)
    times = _to_times(left, right)
    if times:
        return _COMPARE[operator](*times)
    if isinstance(left, bool | str) or isinstance(right, bool):
        return _COMPARE[operator](str(left).lower(), str(right).lower())
    try:
        return _COMPARE[operator](Decimal(left), Decimal(right))
    except ArithmeticError:
        return operator == "ne"
