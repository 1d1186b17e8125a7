"""Who writes which table, and who asks for its rows: statements, SQL as text, and attributes set on a loaded row."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tests.world.house.source import House, Module, covers, walk

_STATEMENTS = {"insert", "update", "delete"}
# A session that is handed a row writes it without saying which table that is.
_SESSION_WRITES = {"add", "add_all", "merge", "delete", "bulk_save_objects", "bulk_insert_mappings"}
_IS_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE \w+|DELETE FROM|TRUNCATE|MERGE INTO)\b")
_SQL_WRITE = re.compile(
    r"\b(?:INSERT\s+INTO|(?<!DO )(?<!FOR )(?<!KEY )UPDATE|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO)\s+(\w+)", re.IGNORECASE
)
_SQL_NOISE = re.compile(r"'[^']*'|--[^\n]*|(?<!:):\w+|\w+\.(?=\w)|\bAS\s+\w+", re.IGNORECASE)
_PLACES = re.compile(r"Owner: ([\w.]+)\.(?: Readers: ([\w., ]+)\.)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """A table: who owns it and who reads it, as its docstring says; the columns that a row of it has."""

    table: str
    owner: str
    readers: tuple[str, ...]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Use:
    """One place that writes or reads rows; `tables` are those that it may be about, none when nobody can tell."""

    line: int
    tables: tuple[str, ...]
    writes: bool
    # A row that is only made is written by the session that is given it.
    only_made: bool = False


def list_tables(house: House) -> dict[str, Place]:
    """Every table by its class."""
    return _read_tables(_list_drawn(house))


def _list_drawn(house: House) -> tuple[Module, ...]:
    """The modules of the tables' room; where they are the same, so is all that is found about the others."""
    return tuple(module for module in house if covers("tables", module.name))


@cache
def _read_tables(modules: tuple[Module, ...]) -> dict[str, Place]:
    return dict(one for module in modules for one in _list_classes(module))


def _list_classes(module: Module) -> Iterator[tuple[str, Place]]:
    for node in module.each(ast.ClassDef):
        named = [one.value for one in node.body if isinstance(one, ast.Assign) and _is_named(one, "__tablename__")]
        if named and isinstance(named[0], ast.Constant):
            said = _PLACES.search(ast.get_docstring(node) or "")
            owner, readers = (said[1], said[2]) if said else ("", None)
            columns = (one.target for one in node.body if isinstance(one, ast.AnnAssign))
            yield (
                node.name,
                Place(
                    table=str(named[0].value),
                    owner=owner,
                    readers=tuple(one.strip() for one in readers.split(",")) if readers else (),
                    columns=frozenset(one.id for one in columns if isinstance(one, ast.Name)),
                ),
            )


def _is_named(node: ast.Assign, name: str) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == name


def find_strangers(house: House) -> list[str]:
    """Who writes a table that is another's, reads one without being listed, or is listed and does not read."""
    tables = list_tables(house)
    drawn = _list_drawn(house)
    wrong = [f"tables: {name} does not say “Owner: ….”" for name, place in tables.items() if not place.owner]
    used: set[tuple[str, str]] = set()
    for module in house:
        strange, serving = _judge(module, drawn) if module not in drawn else ((), ())
        wrong += strange
        used.update(serving)
    return wrong + [
        f"tables: {name} names {place}, which does not use it"
        for name, one in tables.items()
        for place in (one.owner, *one.readers)
        if (name, place) not in used
    ]


@cache
def _judge(module: Module, drawn: tuple[Module, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """What the module does to tables that do not know it; each table that does, with the place that it is listed by."""
    tables = _read_tables(drawn)
    wrong, used = [], []
    for use in list_uses(module, _to_names(drawn)):
        listed = [place for name in use.tables for place in _list_places(tables[name], writes=use.writes)]
        serving = [place for place in listed if covers(place, module.name)]
        used += [(name, place) for name in use.tables for place in serving]
        if not serving:
            what = " or ".join(use.tables) or "nobody can tell what"
            wrong.append(f"{module.path}:{use.line} {'writes' if use.writes else 'reads'} {what}")
    return tuple(wrong), tuple(used)


def _list_places(table: Place, *, writes: bool) -> tuple[str, ...]:
    return (table.owner,) if writes else (table.owner, *table.readers)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What a module's code is compared with: the classes, their tables in Postgres, and who has which column.

    One object for the same tables, so that what was found with it is found again at once.
    """

    classes: frozenset[str]
    by_table: Mapping[str, str]
    columns: Mapping[str, frozenset[str]]

    def with_column(self, column: str) -> tuple[str, ...]:
        """The tables that have such a column."""
        return tuple(name for name, columns in self.columns.items() if column in columns)


def list_names(house: House) -> Names:
    """The names that this house's tables have."""
    return _to_names(_list_drawn(house))


@cache
def _to_names(drawn: tuple[Module, ...]) -> Names:
    return _share_names(tuple((name, place.table, place.columns) for name, place in _read_tables(drawn).items()))


@cache
def _share_names(tables: tuple[tuple[str, str, frozenset[str]], ...]) -> Names:
    return Names(
        frozenset(name for name, _, _ in tables),
        {table: name for name, table, _ in tables},
        {name: columns for name, _, columns in tables},
    )


@cache
def list_uses(module: Module, names: Names) -> tuple[Use, ...]:
    """Every use of rows in a module."""
    reader = _Reader(module, names)
    return (*reader.list_statements(), *reader.list_texts(), *reader.list_rows())


@cache
def list_writers(module: Module, names: Names) -> tuple[tuple[int, str], ...]:
    """The functions of a module that write by a statement of their own or set a row's attributes: line and name."""
    if covers("tables", module.name):
        return ()
    lines = {use.line for use in list_uses(module, names) if use.writes and not use.only_made}
    constants = set()
    for node in module.each(ast.Assign) if lines else ():
        if module.function_at(node.lineno) is None:
            spoken = range(node.lineno, (node.end_lineno or 0) + 1)
            constants |= {one.id for one in node.targets if isinstance(one, ast.Name) and lines & set(spoken)}
    lines |= {node.lineno for node in module.each(ast.Name) if node.id in constants and isinstance(node.ctx, ast.Load)}
    around = [(line, module.function_at(line)) for line in sorted(lines)]
    return tuple((line, function.name) for line, function in around if function is not None)


class _Reader:
    """Reads one module."""

    def __init__(self, module: Module, names: Names) -> None:
        self._module = module
        self._names = names
        self._said = self._list_annotations()
        self._knows_tables = module.imports_of("app.tables")

    def _list_annotations(self) -> frozenset[int]:
        """What only says of which type something is asks for no rows."""
        said: set[int] = set()
        for hint in (
            *(node.annotation for node in self._module.each(ast.arg)),
            *(node.annotation for node in self._module.each(ast.AnnAssign)),
            *(function.returns for function in self._module.functions),
        ):
            if hint is not None:
                said |= {id(one) for one in walk(hint)}
        return frozenset(said)

    def _table_of(self, node: ast.AST) -> str | None:
        if not self._knows_tables:
            return None
        origin = self._module.origin_of(node)
        name = origin.rpartition(".")[2]
        return name if origin.startswith("app.tables.") and name in self._names.classes else None

    def _tables_in(self, *nodes: ast.AST) -> tuple[str, ...]:
        found = (self._table_of(one) for node in nodes for one in walk(node))
        return tuple(dict.fromkeys(name for name in found if name))

    def list_statements(self) -> Iterator[Use]:
        """insert(T), update(T), delete(T), T.__table__.delete(), T(…), session.add(…); every other mention reads."""
        for call in self._module.each(ast.Call):
            written = self._written_by(call)
            if written is not None:
                yield Use(call.lineno, written, writes=True)
            elif made := self._table_of(call.func):
                yield Use(call.lineno, (made,), writes=True, only_made=True)
        for node in (*self._module.each(ast.Name), *self._module.each(ast.Attribute)):
            table = self._table_of(node)
            if table and id(node) not in self._said:
                yield Use(node.lineno, (table,), writes=False)

    def _written_by(self, call: ast.Call) -> tuple[str, ...] | None:
        """The tables that a call writes (none when nobody can tell which); None when it writes none."""
        origin = self._module.origin_of(call.func)
        if origin.startswith("sqlalchemy.") and origin.rpartition(".")[2] in _STATEMENTS:
            return self._tables_in(*call.args)
        if isinstance(call.func, ast.Attribute):
            return self._written_by_method(call.func)
        return None

    def _written_by_method(self, method: ast.Attribute) -> tuple[str, ...] | None:
        receiver = method.value
        if method.attr in _STATEMENTS and self._tables_in(receiver):
            return self._tables_in(receiver)
        last = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
        return () if method.attr in _SESSION_WRITES and last.endswith("session") else None

    def list_texts(self) -> Iterator[Use]:
        """SQL as text: what it changes, and every other table that it speaks of."""
        told = {
            id(one)
            for node in self._module.each(ast.Call)
            if self._module.origin_of(node.func) == "sqlalchemy.text"
            for argument in node.args
            for one in walk(argument)
        }
        for node in self._module.each(ast.Constant):
            if not isinstance(node.value, str) or id(node) in self._module.docstrings:
                continue
            if id(node) in told or _IS_SQL.search(node.value):
                yield from self._read_sql(node.lineno, node.value)

    def _read_sql(self, line: int, sql: str) -> Iterator[Use]:
        tables = self._names.by_table
        written = {word for word in _SQL_WRITE.findall(sql) if word in tables}
        for word in written:
            yield Use(line, (tables[word],), writes=True)
        for word in set(re.findall(r"\w+", _SQL_NOISE.sub(" ", sql))) - written:
            if word in tables:
                yield Use(line, (tables[word],), writes=False)

    def list_rows(self) -> Iterator[Use]:
        """Attributes set on something that may be a row; its type is known where it is a parameter's."""
        for node in self._module.each(ast.Attribute):
            if isinstance(node.ctx, ast.Store):
                yield from self._read_change(node.value, node.attr, node.lineno)
        for call in self._module.each(ast.Call):
            if getattr(call.func, "id", "") == "setattr":
                column = call.args[1].value if isinstance(call.args[1], ast.Constant) else None
                yield from self._read_change(call.args[0], column, call.lineno)

    def _read_change(self, row: ast.AST, column: object, line: int) -> Iterator[Use]:
        hint = self._find_hint(row)
        if hint is not None:
            tables: tuple[str, ...] = self._tables_in(hint)
        elif isinstance(row, ast.Name) and row.id in {"self", "cls"}:
            tables = ()
        elif column is None:
            tables = tuple(sorted(self._names.classes))
        else:
            tables = self._names.with_column(str(column))
        if tables:
            yield Use(line, tables, writes=True)

    def _find_hint(self, row: ast.AST) -> ast.AST | None:
        """What tells the type of a row: an annotation, or what a field of `self` was set to; None when nothing does."""
        if isinstance(row, ast.Name):
            return self._find_name_hint(row)
        if isinstance(row, ast.Attribute) and _is_self(row.value):
            for said in self._module.each(ast.AnnAssign):
                if getattr(said.target, "id", "") == row.attr:
                    return said.annotation
            for node in self._module.each(ast.Assign):
                target = node.targets[0]
                if isinstance(target, ast.Attribute) and target.attr == row.attr and _is_self(target.value):
                    return self._find_hint(node.value) or node.value
        return None

    def _find_name_hint(self, name: ast.Name) -> ast.AST | None:
        function = self._module.function_at(name.lineno)
        if function is None:
            return None
        for one in (*function.args.args, *function.args.kwonlyargs):
            if one.arg == name.id:
                return one.annotation
        for node in walk(function):
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name.id:
                return node.annotation
            if isinstance(node, ast.For) and getattr(node.target, "id", "") == name.id:
                return self._find_hint(node.iter)
        return None


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
