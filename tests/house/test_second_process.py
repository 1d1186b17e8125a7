"""What the second process of a run says comes back whole, and what it cannot say is found out without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world.house.source import ROOT

OTHERS = "import os\n\ndef test_here():\n    assert os.getppid() == int(os.environ['RUN_BY'])\n"
READERS = """
import os

def read_house(): ...

def is_second():
    return os.getppid() != int(os.environ["RUN_BY"])

def test_second():
    assert is_second()

def test_breaks():
    assert "kept" == "broken"
"""


def run(folder: Path, readers: str, *options: str) -> str:
    """What pytest prints of a module that reads code and one that does not."""
    (folder / "test_a_reader.py").write_text(readers)
    (folder / "test_others.py").write_text(OTHERS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.world.second_process",
        "-v",
        "--rootdir",
        str(folder),
        *options,
    ]
    told = {**os.environ, "RUN_BY": str(os.getpid()), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False, env=told, cwd=folder)
    return done.stdout + done.stderr


def test_reports_of_the_second_process_are_those_of_the_run(tmp_path: Path) -> None:
    said = run(tmp_path, READERS)
    assert "1 failed, 2 passed" in said
    assert "assert 'kept' == 'broken'" in said
    assert said.index("test_others.py::test_here") < said.index("test_a_reader.py::test_second")


@pytest.mark.parametrize("option", ["--capture=no", "--maxfail=5", "--setup-show"])
def test_whoever_looks_at_tests_one_by_one_has_them_in_one_process(tmp_path: Path, option: str) -> None:
    assert "2 failed, 1 passed" in run(tmp_path, READERS, option)


def test_what_a_dead_process_did_not_say_is_run_here(tmp_path: Path) -> None:
    dies = "def test_dies():\n    if is_second():\n        os._exit(1)\n"
    dying = f"{READERS}\n{dies}\ndef test_behind():\n    assert not is_second()\n"
    assert "1 failed, 4 passed" in run(tmp_path, dying)
