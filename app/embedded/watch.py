"""A Postgres of our own that dies is started again, for as long as somebody works with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.embedded.postgres import EmbeddedPostgres
from app.errors import EmbeddedPostgresError

_LOOK_SECONDS = 1.0
# What cannot be started now may be in a while: a full disk is emptied.
_LONGEST_PAUSE_SECONDS = 30.0


@contextmanager
def kept_running(
    server: EmbeddedPostgres, *, tell: Callable[[EmbeddedPostgresError | None], None], seconds: float = _LOOK_SECONDS
) -> Iterator[None]:
    """While open, a server that has died is started again at the same address.

    `tell` is told of each start, and of each that failed; it is called in a thread of its own.
    """
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, over, tell, seconds), name="postgres-watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(
    server: EmbeddedPostgres,
    over: threading.Event,
    tell: Callable[[EmbeddedPostgresError | None], None],
    seconds: float,
) -> None:
    pause = seconds
    while not over.wait(pause):
        try:
            if not server.is_up:
                server.start()
                tell(None)
            pause = seconds
        except EmbeddedPostgresError as error:
            tell(error)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
