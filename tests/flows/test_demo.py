"""`make demo` as a person runs it: it stays until Ctrl-C, then nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from app.domain.booking import IN_BOOKS, Booking
from tests.world.today import choose_for_today
from tests.world.workers import PATIENCE


def start_demo(folder: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
    """The demo as `nohup` or a shell's `&` starts it, which take no notice of Ctrl-C; and where its words go."""
    output = folder / "demo.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "demo", *arguments],
            env={**os.environ, "RMU_DATA_DIR": str(folder / "data"), "COLUMNS": "200"},
            stdout=sink,
            stderr=sink,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 - one thread
        )
    return process, output


def test_demo_stays_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process, output = start_demo(tmp_path)
    try:
        assert wait_for(output, "Press Ctrl-C", process), output.read_text(errors="replace")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
    shown = output.read_text(encoding="utf-8")
    assert "Every transfer ended as the data intends." in shown
    assert "Product 7777" in shown
    assert "Every document of the file stands in Unimicro as it was exported." in shown
    assert "/docs" in shown
    assert running_with(str(tmp_path)) == []


@pytest.mark.parametrize("booking", choose_for_today(list(Booking)))
def test_documents_of_every_booking_end_in_the_books_as_it_promises(tmp_path: Path, booking: Booking) -> None:
    process, output = start_demo(tmp_path, "--exit", "--booking", booking, "--no-hooks")
    try:
        status = process.wait(2 * PATIENCE)
    finally:
        process.kill()
    shown = output.read_text(encoding="utf-8")
    assert status == 0, shown
    assert "Every transfer ended as the data intends." in shown
    assert ("People in Unimicro have dealt with what was left for them" in shown) is (booking not in IN_BOOKS)
    assert f"Number, KID and voucher in the books are what booking {booking} promises." in shown


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_children_and_postgres_end_with_a_demo_that_is_killed(tmp_path: Path, sign: signal.Signals) -> None:
    process, output = start_demo(tmp_path)
    try:
        assert wait_for(output, "Signed in", process), output.read_text(errors="replace")
        assert running_with(str(tmp_path)) != []
        process.send_signal(sign)
        process.wait(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while running_with(str(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert running_with(str(tmp_path)) == []
    finally:
        process.kill()
        process.wait()


def wait_for(output: Path, words: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if words in output.read_text(errors="replace"):
            return True
        time.sleep(0.1)
    return False


def running_with(folder: str) -> list[str]:
    """Processes that were started with this folder in their environment, or stand in it as Postgres does."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "environ").read_bytes()
            place = str((entry / "cwd").readlink())
        except OSError:
            continue
        if f"RMU_DATA_DIR={folder}/data/demo".encode() in words or place.startswith(f"{folder}/"):
            found.append(entry.name)
    return found
