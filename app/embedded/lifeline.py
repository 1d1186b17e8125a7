"""Processes that do not outlive ours: when it dies, even by kill -9, the kernel sends them a signal. Linux only."""

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def start_bound(command: list[str], *, sign: signal.Signals, **options: Any) -> subprocess.Popen[bytes]:
    """The command's process, which gets the signal when ours dies; elsewhere than on Linux it may live on."""
    bind = partial(_bind, sign, os.getpid())

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, preexec_fn=bind, text=False, **options)  # noqa: PLW1509, S603 - ours; takes no lock

    # To the kernel the parent is the thread that starts the process, and any but the first may end long before us.
    return start() if threading.current_thread() is threading.main_thread() else _start_from_a_lasting_thread(start)


def _bind(sign: signal.Signals, parent: int) -> None:
    """Runs in the child, after it became its account: a change of account would undo this."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, sign)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)


def _start_from_a_lasting_thread(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    started: queue.SimpleQueue[subprocess.Popen[bytes] | Exception] = queue.SimpleQueue()

    def keep() -> None:
        try:
            process = start()
        except Exception as error:  # noqa: BLE001 - raised again where the process was asked for
            started.put(error)
            return
        started.put(process)
        process.wait()

    threading.Thread(target=keep, name="lifeline", daemon=True).start()
    found = started.get()
    if isinstance(found, Exception):
        raise found
    return found
