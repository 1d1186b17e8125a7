"""The demo's child processes: real roles of our own command line, all of them ended with the demo."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from app.embedded.lifeline import start_bound

_STOP_SECONDS = 15


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
            self._members[role] = start_bound(
                command,
                sign=signal.SIGTERM,
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill_and_restart(self, role: str) -> None:
        """Kill -9 a role in the middle of its work and start another."""
        self._members[role].kill()
        self._members[role].wait()
        self.start(role)

    def run(self, *arguments: str) -> str:
        """What one of our commands has said, once it has ended well.

        Raises:
            DemoFailedError: it has not.
        """
        command = [sys.executable, "-m", "app", *arguments]
        ended = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if ended.returncode:
            raise DemoFailedError(f"{arguments[0]} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def check(self) -> None:
        """Make sure that everybody is still there.

        Raises:
            DemoFailedError: somebody ended; with the last lines of its output.
        """
        for role, process in self._members.items():
            if process.poll() is not None:
                tail = (self._folder / f"{role}.log").read_text(errors="replace")[-2000:]
                raise DemoFailedError(f"{role} ended with status {process.returncode}:\n{tail}")
