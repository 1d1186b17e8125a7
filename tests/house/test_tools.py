"""A test that lacks its tool says that it has not run, and fails where everything must run."""

import sys
from pathlib import Path

import pytest

from tests.world.tools import require_tool


def test_missing_tool_fails_its_test_in_ci_and_is_told_elsewhere(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path)}
    with pytest.raises(pytest.fail.Exception, match="NOT RUN: a-tool is not installed"):
        require_tool("a-tool", {**nothing, "CI": "true"})
    with pytest.raises(pytest.skip.Exception, match="NOT RUN: a-tool is not installed"):
        require_tool("a-tool", nothing)


def test_tool_that_is_there_is_found() -> None:
    python = Path(sys.executable)
    assert require_tool(python.name, {"PATH": str(python.parent), "CI": "true"}) == str(python)
