"""An error of another system cannot be raised without saying whose it is, and is told by its class alone."""

import ast
import inspect
from typing import Any

import pytest

from app import errors
from app.errors import RemoteError, System
from tests.world.house.source import read_house

REMOTE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, RemoteError)]


def arguments_of(kind: type[RemoteError]) -> dict[str, Any]:
    """What the class cannot be made without, `system` and the cause aside."""
    return {"retry_after": 1.0} if "retry_after" in inspect.signature(kind).parameters else {}


@pytest.mark.parametrize("kind", REMOTE)
def test_no_remote_error_is_made_without_its_system(kind: type[RemoteError]) -> None:
    with pytest.raises(TypeError, match="system"):
        kind("it said no", **arguments_of(kind))
    assert inspect.signature(kind).parameters["system"].default is inspect.Parameter.empty


@pytest.mark.parametrize("kind", REMOTE)
@pytest.mark.parametrize("system", System)
def test_whose_an_error_is_cannot_be_said_later(kind: type[RemoteError], system: System) -> None:
    error = kind("it said no", system=system, **arguments_of(kind))
    assert error.system is system
    with pytest.raises(AttributeError):
        error.system = System.UNIMICRO  # type: ignore[misc]


def is_told_by_text(node: ast.expr) -> bool:
    """Whether a caught error's code or fix is compared, where its class would tell."""
    return isinstance(node, ast.Compare) and any(
        isinstance(side, ast.Attribute)
        and side.attr in {"code", "fix"}
        and ast.unparse(side.value) in {"error", "caught"}
        for side in (node.left, *node.comparators)
    )


def test_an_error_is_told_by_its_class_not_by_its_code() -> None:
    compared = [(module.path, node) for module in read_house("app") for node in module.each(ast.Compare)]
    assert [place for place, node in compared if is_told_by_text(node)] == []
    assert is_told_by_text(ast.parse('error.code == "remote_missing"', mode="eval").body)
    assert is_told_by_text(ast.parse("error.fix == fix_for(Code.WAITS)", mode="eval").body)
    assert is_told_by_text(ast.parse("SEEN != error.code", mode="eval").body)
