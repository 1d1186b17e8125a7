"""Our commands as processes that are forked, not started: what each of them loads, one process has loaded already.

Loading takes a second, and the tests run hundreds of commands. Each is a process of its own, with arguments,
environment, streams, number and end of its own; from `app/__main__.py` on nothing is otherwise. Who asks about a start
itself starts one (`processes.run_from_scratch`).
"""

import atexit
import ctypes
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).resolve().parents[2]
_MOST_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1
_NUMBER = struct.Struct("i")
# Where a command's two streams and what is told of it lie in the message that asks for it.
_OUT, _ERR, _LINE = range(3)


class Process:
    """A command under way; `returncode` is the signal's number below zero where one ended it."""

    def __init__(self, arguments: tuple[str, ...], pid: int, line: socket.socket) -> None:
        self.arguments = arguments
        self.pid = pid
        self._line = line
        self._ended: int | None = None

    @property
    def returncode(self) -> int | None:
        """How it ended; None: it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """The same."""
        self._listen(0)
        return self._ended

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, when it has.

        Raises:
            subprocess.TimeoutExpired: it runs after so many seconds.
        """
        self._listen(timeout)
        if self._ended is None:
            raise subprocess.TimeoutExpired(self.arguments, timeout or 0)
        return self._ended

    def send_signal(self, sign: signal.Signals) -> None:
        """Send it to a process that runs."""
        if self.poll() is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _listen(self, timeout: float | None) -> None:
        if self._ended is not None:
            return
        self._line.settimeout(timeout)
        try:
            told = self._line.recv(_NUMBER.size)
        except (BlockingIOError, TimeoutError):
            return
        self._line.close()
        if not told:
            raise ChildProcessError(f"nobody can tell how {self.arguments} ended")
        (self._ended,) = _NUMBER.unpack(told)


def fork(
    arguments: tuple[str, ...], *, environment: dict[str, str], out: IO[bytes], err: IO[bytes], seconds: float = 60
) -> Process:
    """`python -m app` with these arguments and no other variables than these."""
    order = json.dumps({"arguments": arguments, "environment": environment, "folder": str(Path.cwd())}).encode()
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(_nursery(), [order], [out.fileno(), err.fileno(), theirs.fileno()])
    ours.settimeout(seconds)
    return Process(arguments, _NUMBER.unpack(ours.recv(_NUMBER.size))[0], ours)


@cache
def _nursery() -> socket.socket:
    """The line to this process's nursery, which ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Consoles are made while the commands are loaded, and ask then how wide they are.
    environment = {**os.environ, "COLUMNS": "300", "NO_COLOR": "1"}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.world.nursery", str(theirs.fileno())],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=_ROOT,
        )
    atexit.register(_close, ours, process)
    return ours


def _close(line: socket.socket, process: subprocess.Popen[bytes]) -> None:
    line.close()
    process.wait()


class _Nursery:
    """Forks whatever is asked for, and tells how it ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        # Whom to tell of a process, by the file that shows when it has ended.
        self._lines: dict[int, tuple[int, socket.socket]] = {}

    def serve(self) -> dict[str, Any] | None:
        """Returns in each fork, with its order, and when nobody asks any more."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._control:
                    self._tell_end(key.fd)
                    continue
                message, files, _, _ = socket.recv_fds(self._control, _MOST_BYTES, 3)
                if not message:
                    return None
                if self._fork(files) == 0:
                    order: dict[str, Any] = json.loads(message)
                    return order

    def _fork(self, files: Sequence[int]) -> int:
        pid = os.fork()
        if pid == 0:
            # Whoever is killed with a run of tests leaves none of them behind: the nursery ends then, and they with it.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.dup2(files[_OUT], 1)
            os.dup2(files[_ERR], 2)
            self._forget()
        else:
            line = socket.socket(fileno=os.dup(files[_LINE]))
            line.send(_NUMBER.pack(pid))
            watched = os.pidfd_open(pid)
            self._lines[watched] = (pid, line)
            self._selector.register(watched, selectors.EVENT_READ)
        for file in files:
            os.close(file)
        return pid

    def _forget(self) -> None:
        """Nothing of the nursery's is the command's."""
        self._selector.close()
        self._control.close()
        for watched, (_, line) in self._lines.items():
            os.close(watched)
            line.close()

    def _tell_end(self, watched: int) -> None:
        self._selector.unregister(watched)
        pid, line = self._lines.pop(watched)
        _, status = os.waitpid(pid, 0)
        os.close(watched)
        with line, suppress(OSError):
            line.send(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _become(order: dict[str, Any]) -> None:
    """What `python -m app` does, to the end."""
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv[1:] = order["arguments"]
    runpy.run_module("app", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    gc.disable()
    import_module("app.cli.commands")
    gc.freeze()
    asked = _Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
    if asked is not None:
        _become(asked)
