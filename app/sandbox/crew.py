"""The demo's child processes: real roles of our own command line, all of them ended with the demo."""

import ctypes
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

_STOP_SECONDS = 15
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """Asks the kernel for a SIGTERM when the demo dies, even by kill -9; elsewhere than on Linux it is left out."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class DemoFailedError(RuntimeError):
    """The demo could not be run; the text says which part and why."""


class Crew:
    """The demo's child processes; all of them end with it, each by its own pid."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._members: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._members.values():
            process.terminate()
        for process in self._members.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, role: str, *arguments: str) -> None:
        """Start a role of our own command line; its output goes to a file beside the data."""
        command = [sys.executable, "-m", "app", role, *arguments]
        with (self._folder / f"{role}.log").open("ab") as output:
            self._members[role] = subprocess.Popen(  # noqa: S603 - our own command with our own arguments
                command,
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - the demo starts its children from one thread
            )

    def kill_and_restart(self, role: str) -> None:
        """Kill -9 a role in the middle of its work and start another."""
        self._members[role].kill()
        self._members[role].wait()
        self.start(role)

    def check(self) -> None:
        """Make sure that everybody is still there.

        Raises:
            DemoFailedError: somebody ended; with the last lines of its output.
        """
        for role, process in self._members.items():
            if process.poll() is not None:
                tail = (self._folder / f"{role}.log").read_text(errors="replace")[-2000:]
                raise DemoFailedError(f"{role} ended with status {process.returncode}:\n{tail}")
