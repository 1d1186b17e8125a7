"""The code as the rules of the house read it: modules, what their names mean, and copies with one module changed."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One module, parsed. `name` is dotted below its folder: "transfer.log"; a package has its own name.

    `origins` says where a name comes from: `upsert` from "sqlalchemy.dialects.postgresql.insert".
    """

    name: str
    path: str
    text: str
    nodes: tuple[ast.AST, ...]
    functions: tuple[Function, ...]
    origins: Mapping[str, str]
    docstrings: frozenset[int]

    @property
    def tree(self) -> ast.AST:
        """The whole module."""
        return self.nodes[0]

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

    modules: Mapping[str, Module]

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
        return House({**self.modules, path: parse_module(path, text)})


def read_texts(folder: str) -> dict[str, str]:
    """Every module below a folder of this repository, by its path below that folder."""
    top = ROOT / folder
    return {path.relative_to(top).as_posix(): path.read_text(encoding="utf-8") for path in sorted(top.rglob("*.py"))}


@cache
def read_house(folder: str) -> House:
    """The same, parsed, once."""
    return House({path: parse_module(path, text) for path, text in read_texts(folder).items()})


def parse_module(path: str, text: str) -> Module:
    """The module that a text is."""
    nodes = walk(ast.parse(text))
    return Module(
        name=path.removesuffix(".py").removesuffix("/__init__").replace("/", "."),
        path=path,
        text=text,
        nodes=nodes,
        functions=tuple(node for node in nodes if isinstance(node, Function)),
        origins=dict(_list_imports(nodes)),
        docstrings=frozenset(
            id(node.value) for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ),
    )


@cache
def walk(tree: ast.AST) -> tuple[ast.AST, ...]:
    """The tree and every node below it, listed once: walking takes longer than what most rules look for."""
    return tuple(ast.walk(tree))


def _list_imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for one in node.names:
                yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def covers(place: str, module: str) -> bool:
    """Whether the room or module called `place` holds the module."""
    return module == place or module.startswith(f"{place}.")
