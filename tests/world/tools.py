"""Programs that a few tests need and that a machine may lack."""

import os
import shutil
from collections.abc import Mapping

import pytest

# Set by `make pgbouncer`: every world of the run works through it.
POOLED = "TEST_POOLED"


def require_tool(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Where the program is. Without it the test has not run and says so; where `CI` is "true" it fails instead."""
    path = shutil.which(name, path=environment.get("PATH"))
    if path is not None:
        return path
    notice = f"NOT RUN: {name} is not installed (Debian: apt-get install {name})"
    if environment.get("CI") == "true":
        pytest.fail(notice)
    pytest.skip(notice)


def find_pgbouncer() -> str | None:
    """Where the program is on this machine."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
