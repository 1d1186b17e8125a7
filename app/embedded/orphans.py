"""Servers of ours that nobody will ever stop: their owner was killed, and the kernel did not tell them.

Ours is a server whose command line names the socket folder that its socket lies in, in a folder of this account.
Whoever owns it holds `owner.lock` in that folder as long as it lives, so an orphan is one whose lock is free.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.embedded.locks import unowned
from app.embedded.server import find_pid, list_socket_dirs, shut_down
from app.errors import EmbeddedPostgresError

# A younger one may be taken over by the next start in its own folder.
_GROWN_UP_SECONDS = 60.0


def end_orphans() -> list[Path]:
    """The folders whose orphaned servers were ended; whoever starts a server clears up like this first.

    Nothing is found where processes do not show where they stand (not Linux).
    """
    return [folder for folder in _list_folders() if _end_if_orphan(folder)]


def _list_folders() -> Iterator[Path]:
    """The folder of every server of this account, or what may be one."""
    for socket_dir in list_socket_dirs():
        with suppress(OSError, ValueError, StopIteration):
            lock = next(socket_dir.glob(".s.PGSQL.*.lock"))
            pid = int(lock.read_text(encoding="utf-8").split()[0])
            # It stands in its data, whatever its account may walk to; they lie in the folder.
            folder = Path(f"/proc/{pid}/cwd").resolve(strict=True).parent
            if folder.stat().st_uid == os.geteuid():
                yield folder


def _end_if_orphan(folder: Path) -> bool:
    # One that does not end must not stop another server's start.
    with suppress(OSError, EmbeddedPostgresError), unowned(folder) as is_orphan:
        if is_orphan and find_pid(folder) is not None and _is_grown_up(folder):
            shut_down(folder, None)
            return True
    return False


def _is_grown_up(folder: Path) -> bool:
    return time.time() - (folder / "cluster" / "postmaster.pid").stat().st_mtime > _GROWN_UP_SECONDS
