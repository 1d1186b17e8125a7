"""Rules of the house: each is a function that answers what breaks it, a sentence for each place; none: it is kept."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from tests.world.house.rows import list_names, list_writers
from tests.world.house.source import Function, House, Module, covers

# Each statement on the bare driver is a transaction of its own.
_LENDS = "lease_connection"
_COMMITS = {"begin", "commit", "acquire", "transaction", "autocommit"}
_HIDING = {
    "importlib",
    "importlib.import_module",
    "importlib.util",
    "importlib.util.find_spec",
    "runpy",
    "pkgutil",
}
_DRAWN = re.compile(r"^(?P<indent>[│ ]*)(?:[├└]── )?(?P<name>_?[A-Za-z]+Error)\b", re.MULTILINE)
_DEPTH = len("├── ")


def find_commits(house: House, allowed: Mapping[str, str]) -> list[str]:
    """Who ends a transaction without being allowed to, or although somebody else has opened it.

    Also who is allowed to for no reason any more.
    """
    wrong, used = [], set()
    for module in house:
        commits = _list_commits(module)
        if not commits:
            continue
        places = [place for place in allowed if covers(place, module.name)]
        used |= set(places)
        if not places:
            wrong += [module.says(node, "commits") for node in commits]
        for node in commits:
            function = module.function_at(node.lineno)
            if function is not None and _is_given_session(module, function):
                wrong.append(module.says(node, f"{function.name} commits what its caller has begun"))
    return wrong + [f"{place} is listed and commits nothing" for place in allowed if place not in used]


@cache
def _list_commits(module: Module) -> tuple[ast.expr, ...]:
    said = {*_COMMITS, "COMMIT", "AUTOCOMMIT"}
    return (
        *(node for node in module.each(ast.Attribute) if node.attr in _COMMITS),
        *(node for node in module.each(ast.Name) if node.id == _LENDS),
        *(node for node in module.each(ast.Constant) if isinstance(node.value, str) and node.value in said),
    )


def _is_given_session(module: Module, function: Function) -> bool:
    parameters = (*function.args.args, *function.args.kwonlyargs)
    hints = (one.annotation for one in parameters if one.annotation is not None)
    return any(module.origin_of(hint) == "app.platform.db.Session" for hint in hints)


def find_weak_verbs(house: House) -> list[str]:
    """`load_…` that may answer None, `find_…` that raises where there is nothing."""
    return [one for module in house for one in _list_weak_verbs(module)]


@cache
def _list_weak_verbs(module: Module) -> tuple[str, ...]:
    wrong = []
    for function in module.functions:
        name = function.name.lstrip("_")
        if name.startswith("load_") and (_may_be_none(function.returns) or _answers_none(function)):
            wrong.append(module.says(function, f"{function.name} answers None; it raises, or is a find_…"))
        if name.startswith("find_") and any("NotFoundError" in one for one in _list_raised(function)):
            wrong.append(module.says(function, f"{function.name} raises; it answers None, or is a load_…"))
    return tuple(wrong)


def _may_be_none(hint: ast.expr | None) -> bool:
    if isinstance(hint, ast.BinOp):
        return _may_be_none(hint.left) or _may_be_none(hint.right)
    if isinstance(hint, ast.Subscript) and ast.unparse(hint.value).endswith("Optional"):
        return True
    return hint is None or (isinstance(hint, ast.Constant) and hint.value is None)


def _answers_none(function: Function) -> bool:
    returned = [node for node in _walk_own(function) if isinstance(node, ast.Return)]
    return any(node.value is None or _may_be_none(node.value) for node in returned)


def _list_raised(function: Function) -> list[str]:
    """What is raised here, and what the functions called for it in the same breath are named."""
    return [ast.unparse(node.exc) for node in _walk_own(function) if isinstance(node, ast.Raise) and node.exc]


def _walk_own(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def find_long(house: House, *, module_lines: int, function_lines: int) -> list[str]:
    """Modules and functions that are too long to be read in one go."""
    wrong = []
    for module in house:
        count = module.text.count("\n")
        if count > module_lines:
            wrong.append(f"{module.path} has {count} lines, at most {module_lines}")
        for function in module.functions:
            count = (function.end_lineno or 0) - function.lineno + 1
            if count > function_lines:
                wrong.append(module.says(function, f"{function.name} has {count} lines, at most {function_lines}"))
    return wrong


def find_undrawn_errors(house: House) -> list[str]:
    """Where the tree drawn on top of `errors.py` and the classes differ: each name with its parent."""
    drawn = _read_drawing(house.modules["errors.py"])
    classes = _list_errors(house)
    wrong = [f"{name}({parent}) is not drawn so in errors.py" for name, parent in classes - drawn]
    return sorted(wrong + [f"errors.py draws {name} below {parent}; it is not" for name, parent in drawn - classes])


def _read_drawing(module: Module) -> set[tuple[str, str]]:
    parents: list[str] = []
    drawn = set()
    for found in _DRAWN.finditer(_docstring_of(module)):
        depth = (found.start("name") - found.start()) // _DEPTH
        parents[depth:] = [found["name"]]
        if depth:
            drawn.add((found["name"], parents[depth - 1]))
    return drawn


def _docstring_of(module: Module) -> str:
    return next((str(node.value) for node in module.each(ast.Constant) if id(node) in module.docstrings), "")


def _list_errors(house: House) -> set[tuple[str, str]]:
    """Every class below ServiceError with the one that it is made of."""
    made = [one for module in house for one in _list_classes(module)]
    known = {"ServiceError"}
    found: set[tuple[str, str]] = set()
    while more := {(name, base) for name, base in made if base in known} - found:
        found |= more
        known |= {name for name, _ in more}
    return found


@cache
def _list_classes(module: Module) -> tuple[tuple[str, str], ...]:
    """Every class with each that it is made of."""
    return tuple(
        (node.name, module.origin_of(base).rpartition(".")[2] or getattr(base, "id", ""))
        for node in module.each(ast.ClassDef)
        for base in node.bases
    )


def find_impure(
    house: House, rooms: Collection[str], allowed: Collection[str], forbidden: Collection[str]
) -> list[str]:
    """What the pure rooms import or call that is neither theirs nor plain computing."""
    return [
        one
        for module in house
        if any(covers(room, module.name) for room in rooms)
        for one in _list_impure(module, tuple(allowed), tuple(forbidden))
    ]


@cache
def _list_impure(module: Module, allowed: tuple[str, ...], forbidden: tuple[str, ...]) -> list[str]:
    return [
        module.says(node, f"uses {origin}")
        for node, origin in _list_origins(module)
        if not any(covers(place, origin) for place in allowed) or any(covers(place, origin) for place in forbidden)
    ] + [
        module.says(node, f"uses {node.func.id}")
        for node in module.each(ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id in forbidden
    ]


@cache
def _list_origins(module: Module) -> tuple[tuple[ast.AST, str], ...]:
    """Whatever the module has from elsewhere: what it imports, and every attribute of it, with the place."""
    used = ((node, module.origin_of(node)) for node in module.each(ast.Attribute))
    return (
        *((node, one.name) for node in module.each(ast.Import) for one in node.names),
        *((node, f"{node.module}.{one.name}") for node in module.each(ast.ImportFrom) for one in node.names),
        *((node, origin) for node, origin in used if origin),
    )


def find_hidden_imports(house: House, allowed: Mapping[str, str]) -> list[str]:
    """Imports that import-linter cannot see, or that stand where a reader does not look."""
    wrong, used = [], set()
    for module in house:
        hidden = _list_hidden(module)
        if not hidden:
            continue
        places = [place for place in allowed if covers(place, module.name)]
        used |= set(places)
        if not places:
            wrong += [module.says(node, "imports what nobody sees on top of the module") for node in hidden]
    return wrong + [f"{place} is listed and hides no import" for place in allowed if place not in used]


@cache
def _list_hidden(module: Module) -> tuple[ast.AST, ...]:
    return (
        *(node for node in module.each(ast.Name) if node.id in {"__import__", "exec", "eval"}),
        *(node for node in module.each(ast.Import) if _hides(module, node, [one.name for one in node.names])),
        *(
            node
            for node in module.each(ast.ImportFrom)
            if node.level or _hides(module, node, [f"{node.module}.{one.name}" for one in node.names])
        ),
    )


def _hides(module: Module, node: ast.Import | ast.ImportFrom, names: Collection[str]) -> bool:
    return module.function_at(node.lineno) is not None or bool(_HIDING & set(names))


def find_origins(house: House, wanted: Collection[str], *, allowed: Collection[str]) -> list[str]:
    """Who takes something of these modules, besides those who may."""
    heads = {one.partition(".")[0] for one in wanted}
    return [
        module.says(node, f"uses {origin}")
        for module in house
        if heads & {one.partition(".")[0] for one in module.origins.values()}
        if not any(covers(place, module.name) for place in allowed)
        for node, origin in _list_origins(module)
        if any(covers(one, origin) for one in wanted)
    ]


def find_wrong_writers(house: House, verbs: Mapping[str, str]) -> list[str]:
    """Functions that write rows, by a statement or by setting attributes, and do not say so by their verb."""
    names = list_names(house)
    wrong, used = [], set()
    for module in house:
        for line, name in list_writers(module, names):
            verb = name.lstrip("_").partition("_")[0]
            used.add(verb)
            if verb not in verbs:
                wrong.append(f"{module.path}:{line} {name} writes rows, which its verb does not say")
    return wrong + [f"“{verb}” is listed and writes no row" for verb in verbs if verb not in used]


def find_word(house: House, word: str, *, allowed: str) -> list[str]:
    """Who uses a word as a name, an attribute or an argument's name besides the one module that may."""
    return [one for module in house if module.name != allowed for one in _list_uses_of(module, word)]


@cache
def _list_uses_of(module: Module, word: str) -> tuple[str, ...]:
    return (
        *(module.says(node, f"uses {word}") for node in module.each(ast.Attribute) if node.attr == word),
        *(module.says(node, f"uses {word}") for node in module.each(ast.Name) if node.id == word),
        *(module.says(node, f"uses {word}") for node in module.each(ast.arg) if node.arg == word),
        *(module.says(node, f"uses {word}") for node in module.each(ast.keyword) if node.arg == word),
    )
