"""A command that is forked is what `python -m app` would be: it says the same, and ends the same way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.sandbox.demo_settings import free_ports
from tests.world.house.source import ROOT
from tests.world.nursery import Process, fork
from tests.world.processes import run_alone, run_from_scratch


@pytest.mark.parametrize("arguments", [("settings",), ("nonsense",), ("worker",)], ids=" ".join)
def test_a_forked_command_says_what_one_from_scratch_says(arguments: tuple[str, ...]) -> None:
    nowhere = {"DATABASE_URL": "postgresql://rmu@127.0.0.1:9/rmu"}
    assert run_alone(*arguments, **nowhere) == run_from_scratch(*arguments, **nowhere)


def begin(folder: Path) -> Process:
    """A command that goes on until somebody ends it."""
    recman, unimicro, identity = free_ports()[:3]
    ports = (f"--recman-port={recman}", f"--unimicro-port={unimicro}", f"--identity-port={identity}")
    with (folder / "said").open("wb") as said:
        return fork(("sandbox", *ports), environment={"PATH": os.environ["PATH"]}, out=said, err=said)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_it_has_a_number_and_an_end_of_its_own(tmp_path: Path, sign: signal.Signals) -> None:
    first, second = begin(tmp_path), begin(tmp_path)
    assert len({os.getpid(), first.pid, second.pid}) == 3
    assert (first.poll(), second.poll()) == (None, None)
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.1)
    first.send_signal(sign)
    ended = first.wait(30)
    assert (ended == -sign) if sign is signal.SIGKILL else ended in {0, -sign}
    assert second.poll() is None
    second.kill()
    assert (second.wait(30), second.returncode) == (-signal.SIGKILL, -signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)
    # Whoever ended is not sent anything: its number may be another's by now.
    first.kill()


def test_what_it_says_goes_where_it_was_told(tmp_path: Path) -> None:
    process = begin(tmp_path)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "said").stat().st_size:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        streams = [str(Path(f"/proc/{process.pid}/fd/{number}").readlink()) for number in range(3)]
        assert streams == [os.devnull, *[str(tmp_path / "said")] * 2]
    finally:
        process.kill()
        process.wait()


def runs(pid: int) -> bool:
    """Whether there is such a process, and not only what nobody has heard of its end."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


BEGIN = """
import sys, time
from pathlib import Path
from tests.house.test_nursery import begin

print(begin(Path(sys.argv[1])).pid, flush=True)
time.sleep(600)
"""


def test_nothing_is_left_of_a_run_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BEGIN, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        os.kill(pid, 0)
        run.kill()
    deadline = time.monotonic() + 60
    while runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
