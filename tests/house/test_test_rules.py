"""Rules of the tests themselves, read from their code: what several need is a verb of the world, never another test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.house.rules import find_long
from tests.world.house.source import read_house

TESTS = Path(__file__).resolve().parents[1]
_SUSPECT = re.compile(r"import[^\n]*test_|from[^\n]*test_|import \([^)]*test_")
_PATCH = re.compile(r"\bmonkeypatch\b|unittest\.mock|from unittest import mock")
# Programs of their own that no test imports.
_PROGRAMS = {"bench", "clients", "world"}


def list_modules(root: Path) -> Iterator[Path]:
    """Every Python file below the folder."""
    return (path for path in sorted(root.rglob("*.py")) if "__pycache__" not in path.parts)


def list_imports(path: Path) -> Iterator[str]:
    """Every module or name that the file imports, dotted, at any depth of the code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            yield from (f"{package}.{alias.name}" for alias in node.names)


def find_borrowers(root: Path) -> list[str]:
    """Files that import a test module or something out of it."""
    # Reading is quick, parsing is not: only what can have borrowed something is parsed.
    suspects = (path for path in list_modules(root) if _SUSPECT.search(path.read_text(encoding="utf-8")))
    return [
        f"{path.relative_to(root)} imports {name}"
        for path in suspects
        for name in list_imports(path)
        if any(part.startswith("test_") for part in name.split("."))
    ]


def find_strays(root: Path) -> list[str]:
    """Files outside `world/` that are neither tests nor fixtures nor a program of their own."""
    return [
        str(place)
        for place in (path.relative_to(root) for path in list_modules(root))
        if place.parts[0] not in _PROGRAMS
        and not place.name.startswith("test_")
        and place.name not in {"conftest.py", "__init__.py"}
    ]


def find_loud_servers(root: Path) -> list[str]:
    """Servers that set uvicorn's loggers for the whole process, and so for every test that comes after."""
    calls = (
        (path.relative_to(root), call)
        for path in list_modules(root)
        if "uvicorn" in path.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"uvicorn.Config", "uvicorn.run"}
    )
    quiet = {"log_config": "None"}
    return [
        f"{place}:{call.lineno}"
        for place, call in calls
        if {one.arg: ast.unparse(one.value) for one in call.keywords if one.arg in {"log_config", "log_level"}} != quiet
    ]


def find_patches(root: Path) -> list[str]:
    """Tests that put something else in the place of code instead of asking it by a door or an option."""
    return [
        f"{path.relative_to(root)}:{number}"
        for path in list_modules(root)
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _PATCH.search(line)
    ]


def test_no_test_patches_code() -> None:
    assert find_patches(TESTS) == []


def test_a_test_that_patches_code_is_found(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = "from unittest.mock import patch\n" if name == "one" else "def test(monkeypatch: Any) -> None: ...\n"
        (tmp_path / f"test_{name}.py").write_text(text)
    assert find_patches(tmp_path) == ["test_one.py:1", "test_two.py:1"]


def test_no_test_module_is_imported_by_another() -> None:
    assert find_borrowers(TESTS) == []


def test_what_tests_share_lies_in_the_world() -> None:
    assert find_strays(TESTS) == []


def test_no_server_of_a_test_changes_what_the_process_logs() -> None:
    assert find_loud_servers(TESTS) == []


@pytest.mark.parametrize("given", ["", ", log_config=LOGS", ", log_config=None, log_level='critical'"])
def test_a_loud_server_is_found(given: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"import uvicorn\nuvicorn.Config(app{given})\n", encoding="utf-8")
    assert find_loud_servers(tmp_path) == ["a.py:2"]


def test_tests_can_be_read_in_one_go() -> None:
    # What opens a small world for a test sets up many things, one after the other.
    assert find_long(read_house("tests"), module_lines=500, function_lines=70) == []


def test_a_test_that_is_too_long_is_found() -> None:
    lines = "def test_all() -> None:\n" + "    pass\n" * 70
    changed = read_house("tests").with_module("flows/test_long.py", lines + "\n" * 430)
    assert find_long(changed, module_lines=500, function_lines=70) == [
        "flows/test_long.py has 501 lines, at most 500",
        "flows/test_long.py:1 test_all has 71 lines, at most 70",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "from tests.flows.test_invoices import books_of",
        "import tests.flows.test_invoices",
        "from tests.flows import test_invoices as other",
        "from .test_invoices import books_of",
        "def borrow():\n    from tests.flows.test_invoices import books_of",
    ],
)
def test_the_rule_sees_every_way_to_borrow(tmp_path: Path, line: str) -> None:
    (tmp_path / "test_one.py").write_text(f"from tests.world import World\n{line}\n", encoding="utf-8")
    assert len(find_borrowers(tmp_path)) == 1


def test_the_rules_see_a_stray(tmp_path: Path) -> None:
    for place in ("flows", "world", "bench"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "steps.py").write_text("", encoding="utf-8")
    assert find_strays(tmp_path) == ["flows/steps.py"]
