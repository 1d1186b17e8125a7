"""What every test has: how many inputs a property is tried with, and the small world for whoever works in it."""

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.world.tools import POOLED, find_pgbouncer

pytest_plugins = ["tests.world.second_process"]

# Their tests ask for no world: the pure rooms, one room by itself, and the repository.
_WITHOUT = {Path(__file__).parent / name for name in ("unit", "rooms", "house")}

# Compiled once instead of by every process of every test, whatever the shell says.
sys.dont_write_bytecode = False

# How many made-up inputs a property is tried with: few while somebody works, many in the whole run (`make test`).
settings.register_profile("quick", max_examples=10, deadline=None)
settings.register_profile("whole", max_examples=150, deadline=None)
settings.load_profile("quick")

# httpx looks for it at every call in this process, in every folder of the path; it finds at once that there is none.
sys.modules["sniffio"] = None  # type: ignore[assignment]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Whoever works in the small world gets it; who does without loads neither it nor the whole service."""
    if file_path.name.startswith(("test_", "try_")) and not _WITHOUT & set(file_path.parents):
        parent.config.pluginmanager.import_plugin("tests.world.fixtures")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded stays: the garbage collector would walk over it again and again, and find nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        # What tests make lives for a test: looked at less often, it costs a quarter.
        gc.set_threshold(20_000, 20, 100)
        gc.enable()


def pytest_report_header() -> str:
    """Which ways to Postgres are tried: one that is not on the machine is none, and that is said."""
    if find_pgbouncer() is None:
        return "NOT RUN: what goes through pgbouncer, which is not installed (Debian: apt-get install pgbouncer)"
    return f"pgbouncer: {'every world works through it' if os.environ.get(POOLED) else 'tried where a test says so'}"
