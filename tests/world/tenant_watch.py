"""Watches every statement that the code sends: each table of tenants in it is asked for with its `tenant_id`.

A statement is read roughly, block by block (what stands between two brackets and begins with a verb is one), and in
each block every table of tenants needs a condition on `tenant_id`: `=`, `IN` or `ANY`, by its own name or its alias.
A row that is inserted names its tenant. What the tests themselves ask for is not looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import greenlet  # type: ignore[import-untyped]
from sqlalchemy import Engine, event

from app.tables import AuditChain, TenantOwned

if TYPE_CHECKING:
    from types import FrameType

_ROOT = Path(__file__).resolve().parents[2]
_APP, _TESTS = f"{_ROOT / 'app'}/", f"{_ROOT / 'tests'}/"

WATCHED = frozenset(table.__tablename__ for table in (*TenantOwned.__subclasses__(), AuditChain))  # type: ignore[attr-defined]

# Statements that look at all tenants' rows without naming them, by a piece of their text, and why they may.
EXCEPTIONS = {
    "WITH RECURSIVE ahead AS": "the claim walks from tenant to tenant by an index that begins with `tenant_id`",
    "state = 'leased' AND leased_until < now()": "lanes of dead workers are looked for by time, once in a while",
}

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]+\"|[A-Za-z_][\w$]*|\d+|<>|!=|<=|>=|::|[^\s\w]")
_COMMENT = re.compile(r"--[^\n]*")
_VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
_BEFORE_TABLE = frozenset({"FROM", "JOIN", "UPDATE", "INTO", "USING", ","})
_NO_ALIAS = frozenset(
    {
        *("ON", "WHERE", "SET", "JOIN", "LEFT", "RIGHT", "INNER", "OUTER", "FULL", "CROSS", "ORDER", "GROUP", "LIMIT"),
        *("FOR", "RETURNING", "VALUES", "USING", "UNION", "SELECT", "FROM", "HAVING", "DO", "LATERAL", "OFFSET", "AND"),
    }
)


@dataclass(slots=True)
class _Block:
    """A query of its own inside a statement."""

    tokens: list[str] = field(default_factory=list)


def list_faults(statement: str) -> list[str]:
    """The tables of tenants that the statement does not ask for by tenant; nothing where all is well."""
    plain = " ".join(_COMMENT.sub("", statement).split())
    if any(piece in plain for piece in EXCEPTIONS):
        return []
    blocks = _split([token.strip('"') for token in _TOKEN.findall(plain)])
    return [fault for block in blocks for fault in _list_of_block(block.tokens)]


def _split(tokens: list[str]) -> list[_Block]:
    """Each query with its own tokens alone; brackets that hold no query stay where they are."""
    blocks = [_Block()]
    open_ones: list[tuple[_Block, int]] = [(blocks[0], 0)]
    depth = 0
    for place, token in enumerate(tokens):
        if token == "(":
            depth += 1
            if place + 1 < len(tokens) and tokens[place + 1].upper() in _VERBS:
                blocks.append(_Block())
                open_ones.append((blocks[-1], depth))
                continue
        if token == ")":
            depth -= 1
            if open_ones[-1][1] == depth + 1 and len(open_ones) > 1:
                open_ones.pop()
                # A place is kept for what was taken out, so that an alias behind it is one.
                open_ones[-1][0].tokens.append("()")
                continue
        open_ones[-1][0].tokens.append(token)
    return [part for block in blocks for part in _split_unions(block)]


def _split_unions(block: _Block) -> Iterator[_Block]:
    part = _Block()
    for token in block.tokens:
        if token.upper() in {"UNION", "EXCEPT", "INTERSECT"}:
            yield part
            part = _Block()
        else:
            part.tokens.append(token)
    yield part


def _list_of_block(tokens: list[str]) -> Iterator[str]:
    upper = [token.upper() for token in tokens]
    if upper[:2] == ["CREATE", "TRIGGER"]:
        # It says upon what, and asks for no row.
        return
    if "INSERT" in upper:
        start = upper.index("INSERT")
        name = tokens[start + 2] if start + 2 < len(tokens) else ""
        if name in WATCHED and "tenant_id" not in tokens[start : _end_of_columns(tokens, start)]:
            yield f"{name} (inserted without tenant_id)"
        rest = upper[start:]
        if "FROM" not in rest:
            return
    tables = dict(_list_tables(tokens, upper))
    named = _list_named(tokens, upper, tables)
    for alias, table in tables.items():
        if table in WATCHED and alias not in named:
            yield table if alias == table else f"{table} AS {alias}"


def _end_of_columns(tokens: list[str], start: int) -> int:
    return tokens.index(")", start) if ")" in tokens[start:] else len(tokens)


def _list_tables(tokens: list[str], upper: list[str]) -> Iterator[tuple[str, str]]:
    """Alias and name of each table that the block reads or changes."""
    in_from = False
    for place, word in enumerate(upper):
        if word in {"FROM", "UPDATE"}:
            in_from = place == 0 or upper[place - 1] not in {"FOR", "KEY", "DO", "DISTINCT"}
        elif word in {"WHERE", "SET", "ORDER", "GROUP", "RETURNING", "VALUES", "ON"}:
            in_from = in_from and word == "ON"
        if not in_from or word not in _BEFORE_TABLE or place + 1 >= len(tokens):
            continue
        name = tokens[place + 1]
        if name in WATCHED:
            yield _alias_of(tokens, upper, place + 1), name


def _alias_of(tokens: list[str], upper: list[str], place: int) -> str:
    after = place + 1
    if after < len(tokens) and upper[after] == "AS":
        return tokens[after + 1]
    if after < len(tokens) and upper[after] not in _NO_ALIAS and re.fullmatch(r"\w+", tokens[after]):
        return tokens[after]
    return tokens[place]


def _list_named(tokens: list[str], upper: list[str], tables: dict[str, str]) -> set[str]:
    """The aliases with a condition on their tenant; equal to another one's is enough where that one has a condition."""
    pairs = [pair for place in range(len(tokens)) for pair in _list_conditions(tokens, upper, place, tables)]
    named = {alias for alias, other in pairs if other not in tables}
    # Each round names one more at least, or nothing.
    for _ in tables:
        named |= {alias for alias, other in pairs if other in named}
    return named


def _list_conditions(
    tokens: list[str], upper: list[str], place: int, tables: dict[str, str]
) -> Iterator[tuple[str, str | None]]:
    """Who has a condition on its tenant here, and whose tenant it must be equal to (None: one that is given)."""
    if tokens[place] != "tenant_id" or _is_set(upper, place):
        return
    own = tokens[place - 2] if place >= 2 and tokens[place - 1] == "." else None
    before = place - (3 if own else 1)
    if place + 1 < len(upper) and upper[place + 1] in {"=", "IN"}:
        other = tokens[place + 2] if tokens[place + 3 : place + 5] == [".", "tenant_id"] else None
    elif before >= 1 and upper[before] == "=":
        other = tokens[before - 3] if tokens[before - 2 : before] == [".", "tenant_id"] else None
    else:
        return
    yield from ((alias, other) for alias in (tables if own is None else (own,)))


def _is_set(upper: list[str], place: int) -> bool:
    """Whether it stands among what an update sets, or what a query answers, rather than in a condition."""
    for word in reversed(upper[:place]):
        if word in {"WHERE", "ON", "AND", "OR", "HAVING"}:
            return False
        if word in {"SET", "SELECT", "RETURNING"}:
            return True
    return True


@dataclass(slots=True)
class TenantWatch:
    """Listens to every engine of this process; `faults` are the statements that named no tenant, and who sent them."""

    faults: list[str] = field(default_factory=list)
    _known: dict[str, list[str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Listen from now on."""
        event.listen(Engine, "before_cursor_execute", self._look)

    def end(self) -> None:
        """Listen no more."""
        event.remove(Engine, "before_cursor_execute", self._look)

    def take_faults(self) -> list[str]:
        """What was found since the last look."""
        found, self.faults = self.faults, []
        return found

    def _look(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found = self._known.get(statement)
        if found is None:
            found = self._known[statement] = list_faults(statement)
        if not found:
            return
        sender = _find_sender()
        if sender is not None:
            self.faults.append(f"{sender}: {', '.join(found)} in {' '.join(statement.split())}")


def _find_sender() -> str | None:
    """The place in the code that sends the statement; None where a test does."""
    frame: FrameType | None = None
    current = greenlet.getcurrent()
    parent = current.parent
    frame = parent.gr_frame if parent is not None else None
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_APP):
            return f"{name.removeprefix(_APP)}:{frame.f_lineno} {frame.f_code.co_name}"
        if name.startswith(_TESTS):
            return None
        frame = frame.f_back
    return None
