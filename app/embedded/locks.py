"""The two locks of a folder: who starts or stops its server now, and who will stop it; a death gives both back."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_START, _OWNER = "start.lock", "owner.lock"


@contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Nobody else starts or stops the server while the block runs; waits for whoever does."""
    descriptor = _open(folder / _START)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def unowned(folder: Path) -> Iterator[bool]:
    """Whether nobody owns the server, nor starts or stops it; that stays so while the block runs. Never waits."""
    descriptors = [_try(folder / _START)]
    if descriptors[0] is not None:
        descriptors.append(_try(folder / _OWNER))
    try:
        yield None not in descriptors
    finally:
        for descriptor in filter(None, descriptors):
            os.close(descriptor)


def try_to_own(folder: Path) -> int | None:
    """What has to be closed to give the server up again; None where somebody else owns it."""
    return _try(folder / _OWNER)


def _try(path: Path) -> int | None:
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        around = path.parent.stat()
        os.fchown(descriptor, around.st_uid, around.st_gid)  # so that the folder's owner can use it too
    return descriptor
