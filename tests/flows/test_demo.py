"""`make demo` as a person runs it: it stays until Ctrl-C, then nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.timeout(110)
def test_demo_stays_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    output = tmp_path / "demo.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "demo"],
            env={**os.environ, "RMU_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "200"},
            stdout=sink,
            stderr=sink,
        )
    try:
        assert wait_for(output, "Press Ctrl-C", seconds=90), output.read_text(errors="replace")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
    shown = output.read_text(encoding="utf-8")
    assert "Every transfer ended as the data intends." in shown
    assert "Product 7777" in shown
    assert "/docs" in shown
    assert running_with(str(tmp_path)) == []


@pytest.mark.timeout(110)
def test_children_end_with_a_demo_that_is_killed(tmp_path: Path) -> None:
    output = tmp_path / "demo.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "demo"],
            env={**os.environ, "RMU_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "200"},
            stdout=sink,
            stderr=sink,
        )
    try:
        assert wait_for(output, "Signed in", seconds=90), output.read_text(errors="replace")
        assert running_with(str(tmp_path)) != []
    finally:
        process.kill()
        process.wait()
        # Its Postgres goes on, to be taken over by the next start on the same folder; here there will be none.
        for pid_file in tmp_path.rglob("postmaster.pid"):
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
    deadline = time.monotonic() + 30
    while running_with(str(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert running_with(str(tmp_path)) == []


def wait_for(output: Path, words: str, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if words in output.read_text(errors="replace"):
            return True
        time.sleep(0.2)
    return False


def running_with(folder: str) -> list[str]:
    """Processes that were started with this folder in their environment or arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"RMU_DATA_DIR={folder}/data/demo".encode() in words:
            found.append(entry.name)
    return found
