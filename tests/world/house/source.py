"""The code as the rules of the house read it: modules, what their names mean, and copies with one module changed.

Each module is parsed once in a process, when somebody asks for it, and walked once; a rule asks for the kinds of nodes
that it is about. A copy with a module changed shares the others, with everything that rules have found in them.
"""

import ast
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[3]

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Fields that hold words and signs, never code; what is left of each kind of node may hold nodes.
_WORDS = frozenset({"arg", "asname", "attr", "ctx", "id", "kind", "level", "module", "op", "ops", "type_comment"})
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field not in _WORDS and kind is not ast.Constant)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One module, parsed. `name` is dotted below its folder: "transfer.log"; a package has its own name.

    `origins` says where a name comes from: `upsert` from "sqlalchemy.dialects.postgresql.insert".
    """

    name: str
    path: str
    text: str
    kinds: Mapping[type[ast.AST], tuple[ast.AST, ...]]
    functions: tuple[Function, ...]
    origins: Mapping[str, str]
    docstrings: frozenset[int]

    def each(self, kind: type[_Node]) -> tuple[_Node, ...]:
        """Its nodes of one kind, in the order of the walk."""
        return self.kinds.get(kind, ())  # type: ignore[return-value]

    def among(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Its nodes of several kinds, one kind after the other."""
        return chain.from_iterable(self.kinds.get(kind, ()) for kind in kinds)

    def imports_of(self, place: str) -> bool:
        """Whether it imports a room or module, something out of it, or what holds it."""
        return any(covers(place, one) or covers(one, place) for one in self.origins.values())

    def origin_of(self, node: ast.AST) -> str:
        """Where a name or attribute comes from; empty when it is no import's."""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, "")
        if isinstance(node, ast.Attribute):
            base = self.origin_of(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def function_at(self, line: int) -> Function | None:
        """The innermost function around a line."""
        around = [one for one in self.functions if one.lineno <= line <= (one.end_lineno or 0)]
        return max(around, key=lambda one: one.lineno, default=None)

    def says(self, node: ast.AST | None, what: str) -> str:
        """What is wrong, with the place in front."""
        return f"{self.path}:{getattr(node, 'lineno', 1)} {what}"


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """The modules below one folder by their paths; `changed` gives a copy of them."""

    modules: "Parsed"

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules.values())

    def changed(self, path: str, old: str, new: str) -> "House":
        """A copy in which one module is another; `old` must stand in it, and may be empty to put `new` at its end."""
        text = self.modules[path].text
        if old not in text:
            raise LookupError(f"{path} does not hold {old!r}")
        return self.with_module(path, text.replace(old, new, 1) if old else f"{text}\n{new}\n")

    def with_module(self, path: str, text: str) -> "House":
        """A copy with one module more, or with another one in its place."""
        return House(Parsed({**self.modules.texts, path: text}))


def read_texts(folder: str) -> dict[str, str]:
    """Every module below a folder of this repository, by its path below that folder."""
    top = ROOT / folder
    return {path.relative_to(top).as_posix(): path.read_text(encoding="utf-8") for path in sorted(top.rglob("*.py"))}


@cache
def read_house(folder: str) -> House:
    """The same, read once, parsed where it is asked for."""
    return House(Parsed(read_texts(folder)))


class Parsed(Mapping[str, Module]):
    """Modules by their paths, each parsed when it is first asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def __getitem__(self, path: str) -> Module:
        return parse_module(path, self.texts[path])

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)


@contextmanager
def kept() -> Iterator[None]:
    """What is made within stays: the garbage collector, which would walk over every tree for longer than parsing takes,
    is told so.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


@cache
def parse_module(path: str, text: str) -> Module:
    """The module that a text is."""
    kinds: dict[type[ast.AST], list[Any]] = defaultdict(list)
    with kept():
        for node in walk(ast.parse(text)):
            kinds[node.__class__].append(node)
    functions: list[Function] = [*kinds[ast.FunctionDef], *kinds[ast.AsyncFunctionDef]]
    imports: list[ast.Import | ast.ImportFrom] = [*kinds[ast.Import], *kinds[ast.ImportFrom]]
    said = (node.value for node in kinds[ast.Expr])
    return Module(
        name=path.removesuffix(".py").removesuffix("/__init__").replace("/", "."),
        path=path,
        text=text,
        kinds={kind: tuple(found) for kind, found in kinds.items()},
        functions=tuple(sorted(functions, key=lambda one: one.lineno)),
        origins=dict(_list_imports(sorted(imports, key=lambda one: one.lineno))),
        docstrings=frozenset(id(one) for one in said if isinstance(one, ast.Constant)),
    )


def walk(tree: ast.AST) -> list[ast.AST]:
    """The tree and every node below it, as `ast.walk` has them, but for operators and for whether a name is set."""
    found = [tree]
    for node in found:
        for field in _FIELDS[type(node)]:
            below = getattr(node, field, None)
            if isinstance(below, list):
                found += [one for one in below if isinstance(one, ast.AST)]
            elif isinstance(below, ast.AST):
                found.append(below)
    return found


def _list_imports(imports: Iterable[ast.Import | ast.ImportFrom]) -> Iterator[tuple[str, str]]:
    for node in imports:
        for one in node.names:
            if isinstance(node, ast.ImportFrom):
                yield one.asname or one.name, f"{node.module}.{one.name}"
            else:
                yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2


def covers(place: str, module: str) -> bool:
    """Whether the room or module called `place` holds the module."""
    return module == place or module.startswith(f"{place}.")
